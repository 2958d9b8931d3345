import { describe, expect, test } from 'vitest';
import { deliverArrival } from '../../../src/lib/delivery/deliver-arrival.ts';
import type { Arrival } from '../../../src/lib/ledger/arrived-message.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import type { Envelope } from '../../../src/lib/ledger/queue-message.ts';
import { writeJson } from '../../../src/lib/mail/json-bytes.ts';
import { WINDOW_MS } from '../../../src/lib/sending/mailbox-lane.ts';
import { aDelivery, heldAs } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { A_PASSENGER, aPacer } from '../../support/a-pacer.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const { mailId, content, facts, envelope, stored, rows } = aDelivery();
const REFUSED = '0199aaaa-bbbb-8ccc-8ddd-00000000000a';
const STRAY = '0199aaaa-bbbb-8ccc-8ddd-00000000000b';
const SENDING_LIMIT_MS = 360_000;

const arrivalOf = (message: Envelope, isBare = false): Arrival => ({
  envelope: message,
  isBare,
  isKnownByMessage: isBare,
  refusedId: REFUSED,
  strayId: STRAY,
});

type Given = {
  readonly row?: LedgerRow;
  readonly message?: Envelope;
  readonly isBare?: boolean;
  readonly afterMs?: number;
};

/** Delivers a message, with what the ledger says of its email. */
const deliver = async (
  { row, message = envelope, isBare = false, afterMs = 0 }: Given,
  world: World = inMemoryPorts(),
  more: object = {},
) => {
  if (row !== undefined) world.ledger.create(row);
  world.pass(afterMs);
  await deliverArrival({ ...world.needs, ...more }, arrivalOf(message, isBare));
  return world;
};

/** A lane of one email a minute in which one has gone, and times are given for so long ahead. */
const fullLane = async (bookAheadMs: number) => {
  const pacer = aPacer({ clock: inMemoryPorts().needs.clock, perMinute: 1, bookAheadMs });
  await pacer.enter('noreply@contoso.example', A_PASSENGER);
  return { pacer };
};

describe('a message does what the ledger and it say together:', () => {
  const turn1 = { ...envelope, turn: 1 };
  const lookUp = { ...turn1, phase: 'look-up' } as const;
  const send = ['mailboxes.send', 'log MailSent', 'events.put', 'ledger.replace sent'];
  const lookOnce = ['mailboxes.find', 'log MailLookedUp', 'mailQueue.put'];

  test.each<[string, Given, readonly string[]]>([
    ['a new email is claimed and sent', {}, ['ledger.create sending', ...send]],
    ['a bare one too', { isBare: true }, ['ledger.create sending', ...send]],
    ['one that is queued is claimed and sent', { row: rows.queued }, ['ledger.replace sending', ...send]],
    [
      'one that waited is claimed and sent',
      { row: rows.deferred, message: turn1 },
      ['ledger.replace sending', ...send],
    ],
    ['one that is unknown is looked for', { row: rows.unknown, message: lookUp }, lookOnce],
    [
      'one that may be sent elsewhere waits half a minute',
      { row: rows.sending, afterMs: 1000 },
      ['mailQueue.put'],
    ],
    [
      'an attempt that was lost ends as unknown',
      { row: rows.sending, afterMs: SENDING_LIMIT_MS },
      ['log MailUnknown', 'mailQueue.put', 'ledger.replace unknown'],
    ],
    [
      'an attempt that the message says was not sent is made again',
      { row: rows.sending, message: turn1 },
      ['ledger.replace sending', ...send],
    ],
    [
      'an attempt that the message says is unknown is looked for',
      { row: rows.sending, message: lookUp },
      lookOnce,
    ],
    [
      'a replay that its row does not know yet is sent',
      { row: rows.held, message: turn1 },
      ['ledger.replace sending', ...send],
    ],
    ['one that is sent is left', { row: rows.sent }, ['log MailRepeated']],
    ['one that was rejected is left', { row: rows.rejected }, ['log MailRepeated']],
    ['one that is held is left to its operator', { row: rows.held }, ['log MailRepeated']],
    ['a copy of an older message is dropped', { row: rows.deferred }, ['log MailRepeated']],
  ])('%s', async (_case, given, effects) => {
    expect((await deliver(given)).effects).toEqual(effects);
  });

  test.each<[string, Given, boolean]>([
    ['is deleted where the email is finished', { row: rows.sent, message: stored }, true],
    ['is kept where an operator decides', { row: rows.held, message: stored }, false],
    ['is kept where a newer message needs it', { row: rows.deferred, message: stored }, false],
  ])('stored content of a message that is dropped %s', async (_case, given, isDeleted) => {
    const { effects } = await deliver(given);
    expect(effects.includes('payloads.delete')).toBe(isDeleted);
  });

  test('a message that looks again is the same message', async () => {
    const { queued } = await deliver({ row: rows.sending, afterMs: SENDING_LIMIT_MS - 1000 });
    expect(queued()).toEqual([{ kind: 'envelope', delayMs: 1000, ...envelope }]);
  });

  test('a new email is claimed as one that its message will bring back, should this process die', async () => {
    expect((await deliver({})).rows()).toMatchObject([{ state: 'sent', inQueue: true }]);
  });

  test('the content of an attempt that was lost is kept when it is held, as a message that knows more may come', async () => {
    const { stored: message, content: mail, rows: known } = aDelivery(aMail({ onUnknown: 'hold' }));
    const world = inMemoryPorts();
    await world.needs.payloads.put(mailId, message.contentHash, writeJson(mail));
    await deliver({ row: known.sending, message, afterMs: SENDING_LIMIT_MS }, world);
    expect(world.rows()).toMatchObject([{ state: 'held', why: 'doubt' }]);
    expect(world.payloads.size).toBe(1);
  });

  test('an email absent at every look-up is claimed and sent, in the same invocation', async () => {
    const { plans, rows: all } = await deliver({ row: rows.unknown, message: { ...lookUp, lookUps: 3 } });
    expect(plans).toHaveLength(1);
    expect(all()).toMatchObject([
      { state: 'sent', verified: false, attempts: [{}, { outcome: 'accepted' }] },
    ]);
  });
});

describe('an email that may not be sent', () => {
  const bad = aDelivery(aMail({ nope: 1 }));

  test('and is new is held under an id that its correction does not need', async () => {
    const { rows: all, records, plans } = await deliver({ message: bad.envelope });
    expect(all()).toMatchObject([
      { mailId: REFUSED, state: 'held', why: 'refused', reason: { code: 'FIELD_UNKNOWN' } },
    ]);
    expect([...records.values()]).toMatchObject([{ original: bad.content }]);
    expect(plans).toEqual([]);
  });

  test('and is in the ledger is held there', async () => {
    const { rows: all, logged } = await deliver({ row: bad.rows.queued, message: bad.envelope });
    expect(logged.map(({ event }) => event)).toEqual(['MailHeld']);
    expect(all()).toMatchObject([{ mailId: bad.mailId, state: 'held', reason: { code: 'FIELD_UNKNOWN' } }]);
  });

  describe.each<[string, { readonly row: LedgerRow; readonly message: Envelope }]>([
    ['is not valid any more', { row: bad.rows.sending, message: bad.envelope }],
    ['is gone', { row: rows.sending, message: stored }],
  ])('as its content %s, after an attempt that was lost,', (_case, given) => {
    const id = given.row.facts.mailId;
    const lost = () => deliver({ ...given, afterMs: SENDING_LIMIT_MS });

    test('is looked for first: that needs no content', async () => {
      const { row, queued } = await lost();
      expect(row(id)).toMatchObject({ state: 'unknown' });
      expect(queued()).toMatchObject([{ phase: 'look-up', lookUps: 0 }]);
    });

    test('is sent where it is found, and refused only where it is not', async () => {
      const message = { ...given.message, turn: 1, phase: 'look-up', lookUps: 3 } as const;
      const found = await lost();
      found.show({ kind: 'found' });
      await deliver({ message }, found);
      expect(found.row(id)).toMatchObject({ state: 'sent', verified: true });
      const absent = await deliver({ message }, await lost());
      expect(absent.row(id)).toMatchObject({ state: 'held', why: 'refused' });
      expect([...found.plans, ...absent.plans]).toEqual([]);
    });

    test('is refused where that attempt certainly did not send it', async () => {
      const row = { ...given.row, progress: { ...given.row.progress, way: 'draft' } } as LedgerRow;
      const ended = await deliver({ ...given, row, afterMs: SENDING_LIMIT_MS });
      expect(ended.row(id)).toMatchObject({ state: 'held', why: 'refused' });
    });
  });

  test('as its content is gone is held in doubt where a draft of it was submitted', async () => {
    const draft = { id: 'd', mailbox: facts.sender, isSubmitted: true };
    const row = { ...rows.queued, progress: { ...rows.queued.progress, way: 'draft', draft } } as const;
    const ended = await deliver({ row, message: stored });
    expect(ended.row(mailId)).toMatchObject({ state: 'held', why: 'doubt', draft });
  });

  test('and is delivered a second time is held once', async () => {
    const world = await deliver({ message: bad.envelope, isBare: true });
    await deliver({ message: bad.envelope, isBare: true }, world);
    expect([world.rows().length, world.records.size]).toEqual([1, 1]);
  });

  test('is held before its stored content is deleted', async () => {
    const world = inMemoryPorts();
    await world.needs.payloads.put(bad.mailId, bad.stored.contentHash, writeJson(bad.content));
    const { effects } = await deliver({ row: bad.rows.queued, message: bad.stored }, world);
    expect(effects.indexOf('payloads.delete')).toBeGreaterThan(effects.indexOf('ledger.replace held'));
    expect([...world.records.values()]).toMatchObject([{ original: bad.content }]);
  });

  test('is not held where another invocation wrote the row first, and its content is kept for that', async () => {
    const world = inMemoryPorts();
    await world.needs.payloads.put(bad.mailId, bad.stored.contentHash, writeJson(bad.content));
    world.meanwhile('ledger.replace', () =>
      world.ledger.replace(bad.rows.deferred, world.ledger.find(bad.mailId)!.etag),
    );
    await deliver({ row: bad.rows.queued, message: bad.stored }, world);
    expect(world.ledger.rows()).toEqual([bad.rows.deferred]);
    expect(world.payloads.size).toBe(1);
    expect(world.logged.map(({ event }) => event)).toEqual(['LedgerBehind', 'MailRepeated']);
  });

  test('as Graph rejects it is held, as nobody waits who could be told', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 403, upstreamCode: 'ErrorAccessDenied' });
    await deliver({}, world);
    expect(world.rows()).toMatchObject([
      { state: 'held', why: 'refused', reason: { code: 'MAILBOX_OUT_OF_SCOPE' } },
    ]);
  });

  test('again after every look-up, as its content is gone, is held and not dropped', async () => {
    const message = { ...stored, turn: 1, phase: 'look-up', lookUps: 3 } as const;
    const { rows: all } = await deliver({ row: rows.unknown, message });
    expect(all()).toMatchObject([{ state: 'held', reason: { code: 'PAYLOAD_MISSING' } }]);
  });

  test('as its content is gone is held; but a record that it has is better than an empty one', async () => {
    const lost = await deliver({ row: rows.queued, message: stored });
    expect(lost.rows()).toMatchObject([
      { state: 'held', reason: { code: 'PAYLOAD_MISSING' }, hasContent: false },
    ]);
    const replayed = await deliver({ row: rows.held, message: { ...stored, turn: 1 } });
    expect([replayed.ledger.rows(), replayed.records.size]).toEqual([[rows.held], 0]);
  });
});

describe('a message with the id of another email', () => {
  const other = { ...rows.sent, facts: { ...facts, bodyHash: 'of another email' } };

  test('is held beside it with its own content, not dropped as a copy of it', async () => {
    const { ledger, row, records, plans } = await deliver({ row: other });
    expect(ledger.find(mailId)?.row).toEqual(other);
    expect(row(STRAY)).toMatchObject({
      state: 'held',
      reason: { code: 'IDEMPOTENCY_KEY_REUSED' },
      sender: 'noreply@contoso.example',
    });
    expect([...records.values()]).toMatchObject([{ original: content }]);
    expect(plans).toEqual([]);
  });

  test('is that also where the other is of another caller', async () => {
    const { row } = await deliver({ row: { ...rows.queued, facts: { ...facts, caller: 'key:other' } } });
    expect(row(STRAY)?.state).toBe('held');
  });
});

describe('an email whose mailbox has no room', () => {
  test('is in the ledger before it waits, so that its state can be asked for', async () => {
    const { effects, rows: all, queued } = await deliver({}, inMemoryPorts(), await fullLane(3_600_000));
    expect(effects).toEqual(['ledger.create queued', 'mailQueue.put', 'log MailPaced']);
    expect(all()).toMatchObject([{ mailId, state: 'queued' }]);
    const dueAt = new Date(NOW.getTime() + WINDOW_MS);
    expect(queued()).toMatchObject([{ delayMs: WINDOW_MS - 1000, dueAt, turn: 0 }]);
  });

  test('and is in the ledger already waits as it is', async () => {
    const { effects, ledger } = await deliver(
      { row: rows.queued },
      inMemoryPorts(),
      await fullLane(3_600_000),
    );
    expect(effects).toEqual(['mailQueue.put', 'log MailPaced']);
    expect(ledger.rows()).toEqual([rows.queued]);
  });

  test('nor a time to give waits without one', async () => {
    const { queued } = await deliver({}, inMemoryPorts(), await fullLane(60_000));
    expect(queued()).toMatchObject([{ delayMs: 15_000 }]);
    expect(queued()[0]).not.toHaveProperty('dueAt');
  });
});

describe('when another invocation changes the row first', () => {
  test('a new email that it has claimed waits for it', async () => {
    const world = inMemoryPorts();
    world.meanwhile('ledger.create', () => world.ledger.create(rows.sending));
    await deliver({ isBare: true }, world);
    expect([world.plans, world.queued().length]).toEqual([[], 1]);
  });

  test('what was decided is decided anew', async () => {
    const world = inMemoryPorts();
    world.ledger.create(rows.queued);
    world.meanwhile('ledger.replace', () => world.ledger.replace(rows.sent, world.ledger.find(mailId)!.etag));
    await deliver({}, world);
    expect(world.plans).toEqual([]);
    expect(world.logged).toEqual([{ event: 'MailRepeated', mailId, state: 'sent' }]);
  });

  test('again and again, the host delivers the message once more', async () => {
    const world = inMemoryPorts();
    world.ledger.create(rows.queued);
    const replace = async () => undefined;
    const ledger = { ...world.needs.ledger, replace };
    await expect(deliver({}, world, { ledger })).rejects.toThrow('again and again');
    expect([world.plans, world.messages]).toEqual([[], []]);
  });
});

test('a late message of an email that the sweep took for lost brings it back', async () => {
  const inQueue = { ...rows.held, progress: { ...rows.held.progress, inQueue: true } };
  const lost = await deliver({ row: heldAs(inQueue, { why: 'lost-message' }) });
  expect(lost.rows()).toMatchObject([{ state: 'sent' }]);
  const doubted = await deliver({ row: heldAs(inQueue, { why: 'lost-attempt' }) });
  expect([doubted.looked, doubted.plans]).toEqual([[mailId], []]);
});
