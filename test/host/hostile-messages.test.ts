import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { HELD_CONTAINER } from '../../src/lib/storage/storage-connection.ts';
import { blobNames, readBlob } from './blobs.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
afterAll(() => relay.close());

const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const base64 = (text: string) => Buffer.from(text).toString('base64');

const halfKey = { to: 'a@example.com', subject: 'x', text: 'x', idempotencyKey: '\ud800' };
const halves = { '\ud800': '\ud800', from: { address: '\ud800@contoso.example' } };
const deepId = { id: deep(9000), queueTrigger: deep(9000) };

/** The records of all held mails. */
const records = async () => {
  const names = await blobNames(relay, HELD_CONTAINER);
  return Promise.all(
    names.map(
      async (name) => (await readBlob(relay, HELD_CONTAINER, name)) as { mailId: string; original: unknown },
    ),
  );
};

const recordOf = (original: unknown) =>
  eventually(async () => {
    const found = (await records()).filter((record) => isDeepStrictEqual(record.original, original));
    if (found.length !== 1) throw new Error(`expected one record, came ${found.length}`);
    return found[0]!;
  });

describe.concurrent('a queue message that is made to fail', () => {
  test.each<[string, string, object?]>([
    ['half a character as its key', JSON.stringify(halfKey), halfKey],
    ['5,000 lists in its text', `{"to":"a@example.com","subject":"x","text":${deep(5000)}}`],
    ['30,000 lists', deep(30_000)],
    ['objects in objects', `${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}`],
    ['deep JSON in base64', base64(`{"text":${deep(5000)}}`)],
    ['deep JSON as its id', `{"id":${deep(9000)}}`],
    ['deep JSON as text of its id', JSON.stringify(deepId), deepId],
    ['half a character everywhere', JSON.stringify(halves), halves],
  ])('is held at once, and never reaches the poison queue: %s', async (_case, text, original) => {
    await relay.enqueue(text);
    expect((await recordOf(original ?? text)).mailId).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('on the poison queue it becomes a record too', async () => {
    const text = deep(20_000);
    await relay.queueClient('mail-poison').sendMessage(text);
    await recordOf(text);
  });

  test('two messages with one id of their own are two mails, each with its record', async () => {
    const id = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
    const marker = newMarker();
    for (const text of ['one', 'two']) await relay.enqueue(JSON.stringify(canaryMail(marker, { id, text })));
    await eventually(async () => {
      const texts = (await records()).map(({ original }) => (original as { text?: string })?.text);
      expect(texts).toEqual(expect.arrayContaining(['one', 'two']));
    });
  });
});

test('a message that claims to be of the relay cannot send in place of a mail that waits', async () => {
  const [victim, attack] = [newMarker(), newMarker()];
  const from = 'lane7@contoso.example';
  relay.cloud.graph.faults.add({
    on: 'sendMail',
    mailbox: from,
    fault: { kind: 'answer', status: 429, retryAfter: '6' },
  });
  const { body } = await relay.send(canaryMail(victim, { from }));
  const forged = {
    relay: {
      mailId: body.id,
      acceptedAt: new Date().toISOString(),
      caller: 'key:payroll',
      turn: 9,
      phase: 'send',
    },
    mail: canaryMail(attack, { from }),
  };
  await relay.enqueue(JSON.stringify(forged));
  await relay.enqueue(base64(JSON.stringify({ ...forged, mail: {} })));
  await relay.logged('MailHeld', { code: 'MESSAGE_UNREADABLE' });

  await relay.arrives(victim);
  expect(await relay.mailsAbout(attack)).toEqual([]);
  expect((await relay.show(body.id)).body.state).toBe('sent');
});

test('every one of these messages is off both queues', async () => {
  await eventually(async () => expect(await relay.messagesOn('mail')).toBe(0));
  expect(await relay.messagesOn('mail-poison')).toBe(0);
});

test('nothing of these mails is in the log or in a problem', () => expectNoCanary(relay));
