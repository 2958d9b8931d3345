import { expect, test } from 'vitest';
import { type Exchange, makeHeldMessages, readMessages, readQueuePath } from './held-messages.ts';

const STORAGE = 'UseDevelopmentStorage=true';
const messageXml = (id: string) =>
  `<QueueMessage><MessageId>${id}</MessageId><PopReceipt>pop-${id}</PopReceipt></QueueMessage>`;
const seen = (override: Partial<Exchange>): Exchange => ({
  method: 'GET',
  path: '/devstoreaccount1/mail/messages?numofmessages=16&visibilitytimeout=24',
  status: 200,
  popReceipt: undefined,
  content: '',
  ...override,
});
const AT_ONE = '/devstoreaccount1/mail/messages/one?popreceipt=pop-one&visibilitytimeout=';

test('an answer of a queue is read with its ids and receipts, and a path with its queue', () => {
  expect(
    readMessages(`<QueueMessagesList>${messageXml('one')}${messageXml('two')}</QueueMessagesList>`),
  ).toEqual([
    { id: 'one', popReceipt: 'pop-one' },
    { id: 'two', popReceipt: 'pop-two' },
  ]);
  expect(readQueuePath(`${AT_ONE}24`)).toMatchObject({ queue: 'mail', id: 'one' });
  expect(readQueuePath('/devstoreaccount1/mailledger')).toBeUndefined();
});

test.each([
  ['received', [], 2],
  [
    'received, and its lease renewed',
    [{ method: 'PUT', path: `${AT_ONE}24`, status: 204, popReceipt: 'new' }],
    2,
  ],
  ['received, and deleted', [{ method: 'DELETE', path: `${AT_ONE}`, status: 204 }], 1],
  ['received, and given back', [{ method: 'PUT', path: `${AT_ONE}0`, status: 204, popReceipt: 'new' }], 1],
  ['received, and not deleted after all', [{ method: 'DELETE', path: `${AT_ONE}`, status: 404 }], 2],
] as const)('a host holds messages that it %s', (_, then, count) => {
  const held = makeHeldMessages(STORAGE);
  held.see(seen({ content: messageXml('one') + messageXml('two') }));
  for (const exchange of then) held.see(seen(exchange));
  expect(held.count()).toBe(count);
});
