import { describe, expect, test } from 'vitest';
import { readMailOf } from '../../../src/lib/delivery/read-mail-of.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const DAY_MS = 86_400_000;

const readOf = async (delivery: ReturnType<typeof aDelivery>, { stored = false, afterMs = 0 } = {}) => {
  const { needs, pass } = inMemoryPorts();
  pass(afterMs);
  const read = await readMailOf(needs, stored ? delivery.stored : delivery.envelope);
  return { content: delivery.content, read };
};

describe('the email of an envelope', () => {
  test('is planned as it is sent, with what the ledger keeps of it', async () => {
    const { read, content } = await readOf(aDelivery());
    expect(read).toMatchObject({
      accepted: {
        plan: { mailbox: 'noreply@contoso.example' },
        facts: { sender: 'noreply@contoso.example' },
      },
      original: content,
    });
  });

  test.each<[string, Record<string, unknown>, string, object]>([
    [
      'its sender is no longer allowed',
      aMail({ from: 'ceo@contoso.example' }),
      'SENDER_NOT_ALLOWED',
      { sender: 'ceo@contoso.example' },
    ],
    ['it has a fault', aMail({ nope: 1 }), 'FIELD_UNKNOWN', { recipients: 1 }],
    ['nothing of it can be read', { nope: 1 }, 'MAIL_INVALID', { sender: '', recipients: 0 }],
  ])(
    'is refused by the settings and rules of now where %s, with as many facts as can be read',
    async (_case, mail, code, facts) => {
      const { read } = await readOf(aDelivery(mail));
      expect(read).toMatchObject({ refused: { code }, facts, original: mail });
    },
  );

  test('is refused where its content is gone', async () => {
    const { read } = await readOf(aDelivery(), { stored: true });
    expect(read).toMatchObject({ refused: { code: 'PAYLOAD_MISSING' }, original: undefined });
  });

  test.each([
    ['is not refused on the last day', 90 * DAY_MS, undefined],
    ['is refused after that, as it may be a copy of one that was sent', 90 * DAY_MS + 1, 'GIVEN_UP'],
  ])('that is as old as the ledger remembers %s', async (_case, afterMs, code) => {
    const { read, content } = await readOf(aDelivery(), { afterMs });
    expect('refused' in read ? read.refused.code : undefined).toBe(code);
    expect(read.original).toEqual(content);
    if ('refused' in read)
      expect(read.facts).toMatchObject({ sender: 'noreply@contoso.example', recipients: 1 });
  });
});
