import { describe, expect, test } from 'vitest';
import { deletePayload, queueMail } from '../../../src/lib/delivery/queue-mail.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/lib/ledger/queue-message.ts';
import { readJson } from '../../../src/lib/mail/json-bytes.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

const { envelope } = aDelivery();
const large = aDelivery(aMail({ text: 'x'.repeat(MAX_MESSAGE_BYTES) }));

describe('an email that is put on the queue', () => {
  test('is in its message where it fits, for as long as it shall wait', async () => {
    const { needs, queued, effects } = inMemoryPorts();
    await queueMail(needs, envelope, 7000);
    expect(queued()).toEqual([{ kind: 'envelope', delayMs: 7000, ...envelope }]);
    expect(effects).toEqual(['mailQueue.put']);
  });

  test('is stored first where it does not fit, so that no message speaks of content that is not there', async () => {
    const { needs, queued, effects } = inMemoryPorts();
    await queueMail(needs, large.envelope, 0);
    expect(effects).toEqual(['payloads.put', 'mailQueue.put']);
    expect(queued()).toEqual([{ kind: 'envelope', delayMs: 0, ...large.stored }]);
    const { mailId, contentHash } = large.envelope;
    expect(await readJson((await needs.payloads.read(mailId, contentHash)) ?? [])).toEqual(large.content);
  });

  test('and stored already is not stored again', async () => {
    const { needs, queued, effects } = inMemoryPorts();
    await queueMail(needs, large.stored, 0);
    expect(effects).toEqual(['mailQueue.put']);
    expect(queued()).toMatchObject([{ content: 'stored' }]);
  });

  test('has no message where its content could not be stored', async () => {
    const { needs, messages, fail } = inMemoryPorts();
    fail('payloads.put');
    await expect(queueMail(needs, large.envelope, 0)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(messages).toEqual([]);
  });
});

test('content is deleted from where it is stored, and from nowhere else', async () => {
  const { needs, effects } = inMemoryPorts();
  await deletePayload(needs, envelope);
  expect(effects).toEqual([]);
  await deletePayload(needs, large.stored);
  expect(effects).toEqual(['payloads.delete']);
});
