import { expect, test } from 'vitest';
import {
  readWebhookText,
  toWebhookText,
  type WebhookMessage,
} from '../../../src/lib/events/webhook-message.ts';
import { makeIdentity } from '../../../src/lib/ledger/identity.ts';
import { newEnvelope, toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import { aCloudEvent } from '../../support/an-event.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const message: WebhookMessage = { event: aCloudEvent(), receiver: 'crm', attempts: 3, since: NOW };
const text = toWebhookText(message, IDENTITY);
const fields = JSON.parse(Buffer.from(text, 'base64').toString());
const written = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

test('a message is read as it was written, to one receiver or to all', () => {
  expect(readWebhookText(text, IDENTITY)).toEqual(message);
  const { receiver: _, ...toAll } = message;
  expect(readWebhookText(toWebhookText(toAll, IDENTITY), IDENTITY)).toEqual(toAll);
});

test.each([
  ['the event', { body: fields.body.replace('sent', 'held') }],
  ['the receiver', { receiver: 'other' }],
  ['no receiver', { receiver: undefined }],
  ['the attempts', { attempts: 0 }],
  ['the time', { since: '2026-03-03T08:00:00.000Z' }],
  ['the tag', { tag: fields.tag.toUpperCase() }],
  ['a field more', { url: 'https://elsewhere.example' }],
])('a message of which somebody changed %s is not ours', (_what, change) => {
  expect(readWebhookText(written({ ...fields, ...change }), IDENTITY)).toBeUndefined();
});

test.each([
  ['an event without a tag', written({ ...fields, tag: undefined })],
  ['a bare event', written(aCloudEvent())],
  ['JSON that is not in base64', JSON.stringify(fields)],
  ['nothing', ''],
  ['no JSON', written('{').slice(3)],
  ['null', written(null)],
  ['a message nested very deep', Buffer.from('['.repeat(30_000)).toString('base64')],
])('%s is not ours', (_what, other) => {
  expect(readWebhookText(other, IDENTITY)).toBeUndefined();
});

test('a message that another relay wrote is not ours', () => {
  const other = makeIdentity(Buffer.alloc(32, 8));
  expect(readWebhookText(toWebhookText(message, other), IDENTITY)).toBeUndefined();
});

test('an envelope of an email proves nothing here', () => {
  const envelope = newEnvelope({
    mailId: crypto.randomUUID(),
    acceptedAt: NOW,
    caller: 'queue',
    contentHash: IDENTITY.hashOfContent({}),
    content: { mail: {} },
  });
  expect(readWebhookText(toQueueText(envelope, IDENTITY), IDENTITY)).toBeUndefined();
});
