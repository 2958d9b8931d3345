import { describe, expect, test } from 'vitest';
import { queueMessageFacts } from '../../src/functions/queue-message-facts.ts';
import { mailIdOfQueueMessage } from '../../src/lib/ledger/idempotency.ts';
import { aMail } from '../support/a-mail.ts';
import { NOW } from './in-memory-needs.ts';
import { invocation } from './invocation.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const INSERTED = '2026-03-02T07:59:00.000Z';

const facts = (message: unknown, triggerMetadata: Record<string, unknown>) =>
  queueMessageFacts(message, invocation(triggerMetadata).context, NOW);

describe('what the host says of a queue message', () => {
  test('the same message is the same mail each time it is delivered', () => {
    const first = facts(aMail(), { id: MESSAGE_ID, insertionTime: INSERTED, dequeueCount: 1 });
    const again = facts(aMail(), { id: MESSAGE_ID, insertionTime: INSERTED, dequeueCount: 2 });
    expect(first.mailIdOfMessage).toBe(mailIdOfQueueMessage(MESSAGE_ID));
    expect(again.mailIdOfMessage).toBe(first.mailIdOfMessage);
    expect(first.insertedAt).toEqual(new Date(INSERTED));
  });

  test('two messages with the same mail are two mails', () => {
    const other = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b62';
    expect(facts(aMail(), { id: MESSAGE_ID }).mailIdOfMessage).not.toBe(
      facts(aMail(), { id: other }).mailIdOfMessage,
    );
  });

  test.each([
    ['a text of the message', 'order-4711'],
    ['an object of the message', { canary: true }],
    ['nothing', undefined],
  ])('%s in place of the id is not believed: the content stands in for it, always the same', (_case, id) => {
    const one = facts(aMail(), { id });
    expect(one.mailIdOfMessage).toMatch(/^[0-9a-f-]{36}$/);
    expect(facts(aMail(), { id }).mailIdOfMessage).toBe(one.mailIdOfMessage);
    expect(facts(aMail({ text: 'Another.' }), { id }).mailIdOfMessage).not.toBe(one.mailIdOfMessage);
  });

  test.each([
    ['text', 'hello'],
    ['bytes', new Uint8Array([1, 2, 3])],
    ['a number', 5],
  ])('a message of %s has an id too', (_case, message) => {
    expect(facts(message, {}).mailIdOfMessage).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    ['absent', undefined],
    ['a text of the message', 'yesterday'],
    ['a number of the message', 5],
  ])('the time of insertion, when %s, is now', (_case, insertionTime) => {
    expect(facts(aMail(), { id: MESSAGE_ID, insertionTime }).insertedAt).toEqual(NOW);
  });
});
