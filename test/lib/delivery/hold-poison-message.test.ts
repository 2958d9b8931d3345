import { describe, expect, test } from 'vitest';
import { holdPoisonMessage } from '../../../src/lib/delivery/hold-poison-message.ts';
import type { MessageFacts } from '../../../src/lib/ledger/arrived-message.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { type Envelope, toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import { recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const MAIL_ID = IDENTITY.mailIdOfMessage(MESSAGE_ID);
const { mailId, content, facts, envelope, rows } = aDelivery();

const giveUp = async (
  message: string | object,
  world: World = inMemoryPorts(),
  more: Partial<MessageFacts> = {},
) => {
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  await holdPoisonMessage(world.needs, {
    text,
    messageId: MESSAGE_ID,
    insertedAt: NOW,
    caller: 'queue',
    ...more,
  });
  return world;
};

/** The host gives up on the relay's own message for an email that the ledger has so. */
const giveUpOwn = async (row: LedgerRow | undefined, more: Partial<Envelope> = {}, afterMs = 0) => {
  const world = inMemoryPorts();
  if (row !== undefined) world.ledger.create(row);
  world.pass(afterMs);
  return giveUp(toQueueText({ ...envelope, ...more }, IDENTITY), world);
};

describe('a message that the host gave up on', () => {
  test.each<[string, string | object, unknown]>([
    ['the email of an application', aMail(), aMail()],
    ['no email', 'hello', 'hello'],
    ['what only claims to be of the relay', { relay: {} }, '{"relay":{}}'],
  ])('is held with what it holds: %s', async (_case, message, original) => {
    const { rows: held, records } = await giveUp(message);
    expect(held()).toMatchObject([{ mailId: MAIL_ID, state: 'held', reason: { code: 'HOST_GAVE_UP' } }]);
    expect([...records.values()]).toMatchObject([{ original }]);
  });

  test('of an email with a key is held under the id of the message, so that its correction can use the key', async () => {
    const { rows: held } = await giveUp(aMail({ idempotencyKey: 'k' }));
    expect(held()).toMatchObject([{ mailId: MAIL_ID, state: 'held' }]);
  });

  test('that was held already, before a crash, has one row and one record', async () => {
    const world = await giveUp(aMail());
    await giveUp(aMail(), world);
    expect([world.rows().length, world.records.size]).toEqual([1, 1]);
  });
});

describe("the relay's own message that the host gave up on", () => {
  test.each<[string, LedgerRow | undefined, Partial<Envelope>, string]>([
    ['not in the ledger yet', undefined, {}, 'refused'],
    ['queued', rows.queued, {}, 'refused'],
    ['deferred', rows.deferred, { turn: 1 }, 'refused'],
    ['looked for', rows.unknown, { turn: 1, phase: 'look-up' }, 'doubt'],
    ['in an attempt, however recent, as nobody works on it any more', rows.sending, {}, 'doubt'],
    ['in an attempt that the message says was not sent', rows.sending, { turn: 1 }, 'refused'],
    ['in an attempt that the message says is unknown', rows.sending, { turn: 1, phase: 'look-up' }, 'doubt'],
  ])('holds an email that is %s, as refused or in doubt', async (_case, row, more, why) => {
    const { rows: held, records, logged } = await giveUpOwn(row, more);
    expect(logged.map(({ event }) => event)).toEqual(['MailHeld']);
    expect(held()).toMatchObject([{ mailId, state: 'held', why, reason: { code: 'HOST_GAVE_UP' } }]);
    expect([...records.values()]).toMatchObject([{ original: content }]);
  });

  test.each<[string, LedgerRow, Partial<Envelope>]>([
    ['is sent', rows.sent, { turn: 1 }],
    ['was rejected', rows.rejected, {}],
    ['is held', rows.held, {}],
    ['has a newer message', rows.deferred, { turn: 0 }],
  ])('says nothing of an email that %s', async (_case, row, more) => {
    const { ledger, records, logged } = await giveUpOwn(row, more);
    expect([ledger.rows(), records.size]).toEqual([[row], 0]);
    expect(logged).toEqual([{ event: 'MailRepeated', mailId, state: row.fate.state }]);
  });

  test('whose content is gone is held as text', async () => {
    const text = toQueueText({ ...envelope, content: 'stored' }, IDENTITY);
    const { records } = await giveUp(text);
    expect([...records.values()]).toMatchObject([{ original: text }]);
  });

  test('of which another email has the id is held beside that', async () => {
    const other = { ...rows.queued, facts: { ...facts, bodyHash: 'of another email' } };
    const { ledger, row, rows: all, logged } = await giveUpOwn(other);
    expect(logged.map(({ event }) => event)).toEqual(['MailHeld']);
    expect(ledger.find(mailId)?.row).toEqual(other);
    expect(all().map(({ state }) => state)).toEqual(['queued', 'held']);
    expect(row(mailId)?.state).toBe('queued');
  });

  test('is looked at again where another invocation wrote the row first', async () => {
    const world = inMemoryPorts();
    world.ledger.create(rows.sending);
    const attempt = { at: NOW.toISOString(), outcome: 'accepted' } as const;
    const sent = recordSent(rows.sending, attempt, NOW);
    world.meanwhile('ledger.replace', () => world.ledger.replace(sent, world.ledger.find(mailId)!.etag));
    await giveUp(toQueueText(envelope, IDENTITY), world);
    expect(world.ledger.rows()).toEqual([sent]);
    expect(world.logged.map(({ event }) => event)).toEqual(['LedgerBehind', 'MailRepeated']);
  });
});

describe('when storage fails', () => {
  test('the message is put back, in an envelope that keeps its id', async () => {
    const world = inMemoryPorts();
    world.fail('records.store');
    await giveUp(aMail(), world);
    expect(world.logged).toEqual([{ event: 'StorageAwaited', code: 'STORAGE_UNAVAILABLE' }]);
    expect(world.poison).toMatchObject([{ delayMs: 60_000 }]);
    world.mend();
    await giveUp(world.poison[0]?.text ?? '', world, { messageId: MESSAGE_ID.replace('8', '9') });
    expect(world.rows()).toMatchObject([{ mailId: MAIL_ID, state: 'held' }]);
  });

  test.each([
    ['nothing can be read of it', 'readIdentity', aMail()],
    ['it is no email', 'records.store', { relay: {} }],
    ['it does not fit in an envelope', 'records.store', aMail({ text: 'x'.repeat(49_000) })],
  ] as const)('the message is put back as it is where %s', async (_case, call, message) => {
    const world = inMemoryPorts();
    world.fail(call);
    await giveUp(message, world);
    expect(world.poison).toEqual([{ text: JSON.stringify(message), delayMs: 60_000 }]);
  });

  test('and takes no message either, the message is left to the host', async () => {
    const world = inMemoryPorts();
    world.fail('records.store');
    world.fail('poisonQueue.put');
    await expect(giveUp(aMail(), world)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});

test('a fault of ours holds the text of the message, and is told without its words', async () => {
  const world = inMemoryPorts();
  world.fail('ledger.find', new RangeError('canary'));
  await giveUp(aMail(), world);
  expect([...world.records.values()]).toMatchObject([{ original: JSON.stringify(aMail()) }]);
  expect(world.logged).toMatchObject([{ event: 'Unexpected', name: 'RangeError' }, { event: 'MailHeld' }]);
  expect(JSON.stringify(world.logged)).not.toContain('canary');
});
