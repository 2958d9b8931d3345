import { describe, expect, test } from 'vitest';
import { queueMessageFacts } from '../../src/functions/queue-message-facts.ts';
import { aMail } from '../support/a-mail.ts';
import { NOW } from '../support/in-memory-ports.ts';
import { invocation } from './invocation.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const INSERTED = '2026-03-02T07:59:00.000Z';

const facts = (message: string, triggerMetadata: Record<string, unknown>) =>
  queueMessageFacts(Buffer.from(message), invocation(triggerMetadata).context, NOW, 'queue');

const json = (override: Record<string, unknown> = {}) => JSON.stringify(aMail(override));
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a queue message', () => {
  test.each([
    ['JSON', json()],
    ['base64', base64(json())],
    ['base64 in lines', `${base64(json())}\r\n`],
    ['a list', '[1,2]'],
    ['prose', 'hello, canary'],
    ['base64 that begins with a slash', '/w=='],
  ])('of %s has the id and the time that Storage gave it', (_case, text) => {
    const metadata = { id: MESSAGE_ID.toUpperCase(), insertionTime: INSERTED, dequeueCount: 2 };
    expect(facts(text, metadata)).toEqual({
      text,
      caller: 'queue',
      messageId: MESSAGE_ID,
      insertedAt: new Date(INSERTED),
      redelivered: true,
    });
  });

  test.each([
    ['a field of that name', json({ id: MESSAGE_ID })],
    ['a field of that name in other case', json({ ID: MESSAGE_ID })],
    ['JSON as only the host reads it', `{'id':'${MESSAGE_ID}'}`],
    ['JSON with a comment before it', `/**/{"id":"${MESSAGE_ID}"}`],
    ['broken JSON', `{"id":"${MESSAGE_ID}",`],
    ['a comment of one line before it', `//\n{"id":"${MESSAGE_ID}"}`],
  ])('that could have written its id itself, as it is %s, has none', (_case, text) => {
    expect(facts(text, { id: MESSAGE_ID })).not.toHaveProperty('messageId');
  });

  test.each([
    ['the time', { insertionTime: 'canary' }, { insertionTime: '2031-01-01T00:00:00Z' }],
    ['the count of deliveries', { dequeueCount: 9 }, { dequeueCount: '9' }],
  ])('that brings %s itself is not believed', (_case, field, metadata) => {
    expect(facts(json(field), { id: MESSAGE_ID, ...metadata })).toMatchObject({
      insertedAt: NOW,
      caller: 'queue',
      redelivered: false,
    });
  });

  test.each([
    ['absent', undefined],
    ['no time', 'yesterday'],
    ['a number', 5],
    ['later than now', '2031-01-01T00:00:00Z'],
  ])('whose time of insertion is %s arrived now', (_case, insertionTime) => {
    expect(facts(json(), { id: MESSAGE_ID, insertionTime }).insertedAt).toEqual(NOW);
  });

  test.each([
    ['text', 'hello', 'hello'],
    ['JSON that was read already', { to: 'a' }, '{"to":"a"}'],
    ['a number', 5, '5'],
    ['nothing', undefined, ''],
  ])('handed over as %s is taken as text', (_case, message, text) => {
    expect(queueMessageFacts(message, invocation().context, NOW, 'queue').text).toBe(text);
  });
});
