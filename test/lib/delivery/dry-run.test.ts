import { describe, expect, test } from 'vitest';
import { dryRunMail } from '../../../src/lib/delivery/dry-run.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aFile, aMail, base64Of } from '../../support/a-mail.ts';
import { inMemoryPorts, type World } from '../../support/in-memory-ports.ts';

const nothingHappened = ({ effects, rows, plans, messages }: World) =>
  expect([effects, rows(), plans, messages]).toEqual([[], [], [], []]);

const never = () => {
  throw new Error('an id was used');
};

describe('a dry run', () => {
  test('gives the plan and the requests to Graph, with long contents cut, and does nothing', async () => {
    const world = inMemoryPorts();
    const mail = aMail({
      bcc: 'Boss <boss@contoso.example>',
      text: 'x'.repeat(5000),
      attachments: [aFile({ content: base64Of(1_000_000) })],
      idempotencyKey: 'a-key',
    });
    const run = await dryRunMail({ ...world.needs, newMailId: never } as never, aCaller(), { input: mail });
    expect(run).toMatchObject({
      sender: 'noreply@contoso.example',
      recipients: 2,
      plan: { kind: 'json', reason: expect.stringMatching(/\.$/), warnings: [] },
      requests: [
        {
          method: 'POST',
          path: '/v1.0/users/noreply%40contoso.example/sendMail',
          body: {
            message: {
              subject: 'Pay slip',
              bccRecipients: [{ emailAddress: { address: 'boss@contoso.example', name: 'Boss' } }],
            },
          },
        },
      ],
    });
    expect(run).not.toHaveProperty('sendAt');
    expect(JSON.stringify(run).length).toBeLessThan(5000);
    nothingHappened(world);
  });

  test('says for when the email would wait', async () => {
    const world = inMemoryPorts();
    const input = aMail({ sendAt: '2026-03-05T09:00:00+01:00' });
    expect(await dryRunMail(world.needs, aCaller(), { input })).toMatchObject({
      sendAt: '2026-03-05T08:00:00.000Z',
    });
    nothingHappened(world);
  });

  test.each<[string, object, string | undefined, string]>([
    ['is not valid', aMail({ to: 'nobody' }), undefined, 'ADDRESS_INVALID'],
    ['may not be sent', aMail({ from: 'stranger@other.example' }), undefined, 'SENDER_NOT_ALLOWED'],
    [
      'is too large',
      aMail({ attachments: [aFile({ content: base64Of(4_000_000) })] }),
      undefined,
      'MAIL_TOO_LARGE',
    ],
    ['waits too long', aMail({ sendAt: '2027-03-05T09:00:00Z' }), undefined, 'SEND_AT_INVALID'],
    ['has two keys', aMail({ idempotencyKey: 'one' }), 'two', 'IDEMPOTENCY_KEY_INVALID'],
    ['has a key that is none', aMail(), 'a key', 'IDEMPOTENCY_KEY_INVALID'],
  ])('refuses an email that %s, as sending it would', async (_case, input, idempotencyKey, code) => {
    const world = inMemoryPorts();
    const request = { input, ...(idempotencyKey === undefined ? {} : { idempotencyKey }) };
    await expect(dryRunMail(world.needs, aCaller(), request)).rejects.toMatchObject({ code });
    nothingHappened(world);
  });
});
