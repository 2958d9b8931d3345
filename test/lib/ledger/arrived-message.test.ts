import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  asEarlier,
  asOf,
  asReminder,
  factsOfUnreadable,
  type MessageFacts,
  type ReadMessage,
  readMessage,
  unreadable,
} from '../../../src/lib/ledger/arrived-message.ts';
import {
  earlierHashOfContent,
  earlierIdOfKey,
  earlierIdOfMessage,
} from '../../../src/lib/ledger/earlier-identity.ts';
import { makeIdentity } from '../../../src/lib/ledger/identity.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { isMailId } from '../../../src/lib/ledger/mail-id.ts';
import { notOurs, toQueueText } from '../../../src/lib/ledger/queue-message.ts';
import { recordDeferred, replay } from '../../../src/lib/ledger/transitions.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const OWN_ID = IDENTITY.mailIdOfMessage(MESSAGE_ID);
const keyed = aMail({ idempotencyKey: 'k' });
const { mailId, content, facts, envelope, stored, rows } = aDelivery();

const factsOf = (message: unknown, more: object = { messageId: MESSAGE_ID }): MessageFacts => ({
  text: typeof message === 'string' ? message : JSON.stringify(message),
  insertedAt: NOW,
  caller: 'queue',
  ...more,
});
const read = (message: unknown, more?: object) => readMessage(factsOf(message, more), IDENTITY);

type Of<Kind extends ReadMessage['kind']> = Extract<ReadMessage, { kind: Kind }>;
const readAs = <Kind extends ReadMessage['kind']>(kind: Kind, message: unknown, more?: object): Of<Kind> => {
  const found = read(message, more);
  if (found.kind !== kind) throw new Error(`expected ${kind}, received ${found.kind}`);
  return found as Of<Kind>;
};

describe('a bare message', () => {
  test('is a new email of the queue, under the id of its message, and was not judged yet', () => {
    expect(read(content)).toEqual({
      kind: 'bare',
      mail: content,
      earlierId: earlierIdOfMessage(MESSAGE_ID),
      arrival: {
        envelope: {
          mailId: OWN_ID,
          acceptedAt: NOW,
          caller: 'queue',
          turn: 0,
          phase: 'send',
          lookUps: 0,
          contentHash: IDENTITY.hashOfContent(content),
          content: { mail: content },
          unjudged: true,
        },
        isBare: true,
        isKnownByMessage: true,
        refusedId: OWN_ID,
        strayId: expect.stringMatching(/-8/),
      },
    });
  });

  test('with a key is the email of that key, wherever and however often it is put on the queue', () => {
    const { arrival, earlierId } = readAs('bare', keyed);
    expect(arrival.envelope.mailId).toBe(IDENTITY.mailIdOfKey('queue', 'k'));
    expect([arrival.isKnownByMessage, earlierId]).toEqual([false, earlierIdOfKey('queue', 'k')]);
    const again = readAs('bare', keyed, { messageId: MESSAGE_ID.replace('8', '9') });
    expect(again.arrival.envelope.mailId).toBe(arrival.envelope.mailId);
  });

  test('that could have written its id itself is known by its text', () => {
    const { arrival, earlierId } = readAs('bare', content, {});
    expect(arrival.envelope.mailId).toBe(IDENTITY.mailIdOfText(JSON.stringify(content)));
    expect([arrival.isKnownByMessage, earlierId]).toEqual([false, undefined]);
  });

  test.each([' ', 'a b', 'k'.repeat(256), '', null, 5])(
    'with the key %j, which is none, is known by its message',
    (idempotencyKey) => {
      expect(readAs('bare', aMail({ idempotencyKey })).arrival.envelope.mailId).toBe(OWN_ID);
    },
  );
});

describe('the id under which a message is held', () => {
  test('is never that of its key, which its correction may use', () => {
    const { arrival } = readAs('bare', keyed);
    expect([arrival.refusedId, arrival.strayId]).toEqual([OWN_ID, OWN_ID]);
    expect(arrival.envelope.mailId).not.toBe(OWN_ID);
  });

  test('where its own belongs to another email is one beside it, which another content does not share', () => {
    const one = readAs('bare', content).arrival;
    const other = readAs('bare', aMail({ subject: 'other' })).arrival;
    expect(one.envelope.mailId).toBe(other.envelope.mailId);
    expect(new Set([one.strayId, other.strayId, OWN_ID]).size).toBe(3);
  });

  test("is its own for the relay's message that may not be sent, and one beside it for a stray one", () => {
    const { arrival } = readAs('envelope', toQueueText(envelope, IDENTITY));
    expect(arrival.refusedId).toBe(mailId);
    expect(arrival.strayId).not.toBe(mailId);
  });
});

describe("the relay's own message", () => {
  test.each([
    ['with its content', envelope],
    ['whose content is stored', stored],
    ['to be looked up', { ...envelope, phase: 'look-up', turn: 4, lookUps: 2, resent: true } as const],
  ])('is read as it was written, %s', (_case, written) => {
    expect(read(toQueueText(written, IDENTITY))).toMatchObject({
      kind: 'envelope',
      arrival: { envelope: written, isBare: false, isKnownByMessage: false },
    });
  });

  const { relay: tagged } = JSON.parse(Buffer.from(toQueueText(envelope, IDENTITY), 'base64').toString());
  const { tag: _, ...claimed } = tagged;

  test('without a tag is only what it claims, and a bare message without a row', () => {
    const { claim, bare } = readAs('unproven', { relay: claimed, mail: content });
    expect(claim).toMatchObject({ mailId, caller: 'queue', isTagged: false, mail: content });
    expect(bare).toEqual(read(content));
  });

  test('without a tag and without content is nothing without a row', () => {
    expect(readAs('unproven', { relay: claimed }).bare).toBeUndefined();
  });

  test.each<[string, object]>([
    [
      'of another relay',
      { relay: { ...claimed, tag: makeIdentity(Buffer.alloc(32, 9)).tagOf('x') }, mail: content },
    ],
    ['with another content', { relay: tagged, mail: aMail({ subject: 'other' }) }],
    ['with a field that we do not write', { relay: { ...claimed, more: 1 }, mail: content }],
    ['of another kind', { relay: null }],
  ])('with a tag that proves nothing is held as not ours: %s', (_case, message) => {
    expect(read(message)).toEqual({ kind: 'unreadable', mailId: OWN_ID, reason: notOurs() });
  });
});

describe('a message that cannot be read', () => {
  test.each([
    ['prose', 'hello', 'MESSAGE_UNREADABLE'],
    ['cut-off JSON', '{"to":', 'JSON_UNREADABLE'],
    ['a field twice', '{"to":"a","to":"b"}', 'FIELD_REPEATED'],
    ['a list', '[]', 'MESSAGE_UNREADABLE'],
  ])('is held with its reason under the id of the message, whatever it holds: %s', (_case, text, code) => {
    expect(read(text)).toMatchObject({ kind: 'unreadable', mailId: OWN_ID, reason: { code } });
  });

  test('and could have written its id itself is held under the id of its text', () => {
    expect(unreadable(factsOf('hello', {}), IDENTITY, notOurs()).mailId).toBe(IDENTITY.mailIdOfText('hello'));
  });

  test('leaves the ledger with what is known without reading it', () => {
    expect(factsOfUnreadable({ mailId, caller: 'queue', acceptedAt: NOW })).toEqual({
      ...{ mailId, caller: 'queue', acceptedAt: NOW.toISOString() },
      ...{ sender: '', recipients: 0, tags: [], bodyHash: '', leavesCopy: false },
    });
  });
});

test('whatever text arrives, reading it never throws, and it has an id to be held under', () => {
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.base64String(),
    fc.json().map((text) => Buffer.from(text).toString('base64')),
    fc
      .dictionary(fc.constantFrom('relay', 'mail', 'payload', 'idempotencyKey', 'to'), fc.jsonValue())
      .map((value) => JSON.stringify(value)),
    fc
      .record(
        {
          mailId: fc.uuid(),
          acceptedAt: fc.constant(NOW.toISOString()),
          caller: fc.string(),
          turn: fc.nat(),
          phase: fc.constantFrom('send', 'look-up', 'x'),
          tag: fc.string(),
        },
        { requiredKeys: ['mailId'] },
      )
      .map((relay) => JSON.stringify({ relay, mail: content })),
  );
  fc.assert(
    fc.property(anything, fc.boolean(), (text, isKnown) => {
      const message = read(text, isKnown ? undefined : {});
      const ids =
        message.kind === 'unreadable'
          ? [message.mailId]
          : message.kind === 'unproven'
            ? [message.bare?.arrival.refusedId ?? OWN_ID]
            : [message.arrival.envelope.mailId, message.arrival.refusedId, message.arrival.strayId];
      for (const id of ids) expect(isMailId(id)).toBe(true);
      // Read again, it is the same: so a second delivery meets the row of the first.
      expect(JSON.stringify(read(text, isKnown ? undefined : {}))).toBe(JSON.stringify(message));
    }),
    { numRuns: 500 },
  );
});

describe('a message is of another email than the row with its id', () => {
  const bare = readAs('bare', content).arrival;
  const own = readAs('envelope', toQueueText(envelope, IDENTITY)).arrival;
  const row = (more: object): LedgerRow => ({ ...rows.queued, facts: { ...facts, ...more } });

  test.each<[string, typeof bare, LedgerRow, boolean]>([
    ['its own row', own, row({}), false],
    ['a row of another caller', own, row({ caller: 'key:other' }), true],
    ['a row of another content', own, row({ bodyHash: 'other' }), true],
    ['a bare one, its own row', bare, row({}), false],
    ['a bare one, a row of another content', bare, row({ bodyHash: 'other' }), true],
    // Only the envelope that a replay made of it can bring back what could not be read.
    ['a row of what could not be read', own, row({ bodyHash: '' }), false],
    ['a bare one, a row of what could not be read', bare, row({ bodyHash: '' }), true],
  ])('or not: %s', (_case, arrival, known, expected) => {
    const same = asOf(arrival, known, IDENTITY);
    expect(same === undefined).toBe(expected);
    if (same !== undefined) expect(same).toEqual(arrival);
  });
});

test('a bare message whose row has another hash of the same content goes on under that hash', () => {
  const { arrival } = readAs('bare', content);
  const bodyHash = earlierHashOfContent(content);
  const row = { ...rows.queued, facts: { ...facts, caller: 'queue', bodyHash } };
  expect(asOf(arrival, row, IDENTITY)?.envelope).toEqual({ ...arrival.envelope, contentHash: bodyHash });
  const other = readAs('bare', aMail({ subject: 'other' })).arrival;
  expect(asOf(other, row, IDENTITY)).toBeUndefined();
});

describe('a message on the queue of one caller', () => {
  const caller = 'payroll';

  test('is an email of that caller, whoever it says it is of', () => {
    const { arrival } = readAs('bare', keyed, { messageId: MESSAGE_ID, caller });
    expect(arrival.envelope).toMatchObject({ caller, mailId: IDENTITY.mailIdOfKey(caller, 'k') });
    expect(read({ ...content, caller: 'helpdesk' }, { caller })).toMatchObject({
      arrival: { envelope: { caller } },
    });
  });

  test('is the relay’s own where that is proven, as on every queue', () => {
    const own = { ...envelope, caller: 'helpdesk' };
    expect(read(toQueueText(own, IDENTITY), { caller })).toMatchObject({
      kind: 'envelope',
      arrival: { envelope: own },
    });
  });

  test('is no message of an earlier version of the relay, which never wrote there', () => {
    const relay = { mailId, acceptedAt: NOW.toISOString(), caller, turn: 0, phase: 'send' };
    const unproven = { relay, mail: content };
    expect(read(unproven)).toMatchObject({ kind: 'unproven' });
    expect(read(unproven, { messageId: MESSAGE_ID, caller })).toEqual({
      kind: 'unreadable',
      mailId: OWN_ID,
      reason: notOurs(),
    });
  });

  test('is another email than the same text on another queue, where only its text tells it', () => {
    const idOf = (name: string) =>
      unreadable(factsOf('{"to": broken', { caller: name }), IDENTITY, notOurs()).mailId;
    const ids = ['queue', 'payroll', 'helpdesk'].map(idOf);
    expect(new Set(ids).size).toBe(3);
    expect(ids).toEqual(['queue', 'payroll', 'helpdesk'].map(idOf));
  });
});

describe('an email that the ledger has under an earlier name of its caller', () => {
  test('goes on under that name, and under no other', () => {
    const bare = readAs('bare', content, { messageId: MESSAGE_ID, caller: 'payroll' });
    const row = { ...rows.queued, facts: { ...facts, caller: 'key:before' } };
    const callerOf = (names: readonly string[]) => asEarlier(bare, row, IDENTITY, names).envelope.caller;
    expect([callerOf(['key:before']), callerOf(['key:other'])]).toEqual(['key:before', 'payroll']);
  });
});

describe('a message of an earlier version', () => {
  test('keeps the id and the hash that its row has, where the content is the same', () => {
    const bodyHash = earlierHashOfContent(content);
    const row = { ...rows.queued, facts: { ...facts, bodyHash } };
    const bare = readAs('bare', content);
    expect(asEarlier(bare, row, IDENTITY, [])).toEqual({
      ...bare.arrival,
      envelope: { ...bare.arrival.envelope, mailId, contentHash: bodyHash },
    });
    const other = readAs('bare', aMail({ subject: 'other' }));
    expect(asEarlier(other, row, IDENTITY, []).envelope.contentHash).toBe(other.arrival.envelope.contentHash);
  });

  const claim = { kind: 'unproven', mailId, caller: 'queue', isTagged: false, mail: content } as const;

  test('without a tag reminds of the email in the ledger, with everything as its row has it', () => {
    const attempt = { at: NOW.toISOString(), outcome: 'not-sent' } as const;
    const until = new Date(NOW.getTime() + 60_000);
    const reason = { code: 'GRAPH_THROTTLED' } as const;
    const deferred = recordDeferred(rows.sending, attempt, { reason, until, isResend: true }, NOW);
    expect(asReminder(claim, deferred, content, IDENTITY)?.envelope).toEqual({
      ...envelope,
      turn: 1,
      resent: true,
      dueAt: until,
    });
    expect(asReminder(claim, rows.unknown, content, IDENTITY)?.envelope).toEqual({
      ...envelope,
      turn: 1,
      phase: 'look-up',
    });
  });

  test('counts its time from a replay', () => {
    const later = new Date(NOW.getTime() + 5000);
    const replayed = replay(rows.held, facts.bodyHash, later);
    expect(asReminder(claim, replayed, content, IDENTITY)?.envelope.acceptedAt).toEqual(later);
  });

  test.each<[string, object, unknown]>([
    ['caller', { caller: 'key:other' }, content],
    ['content', {}, aMail({ subject: 'other' })],
    ['content, as that is gone', {}, undefined],
  ])('reminds of nothing where the row has another %s', (_case, more, mail) => {
    expect(asReminder({ ...claim, ...more }, rows.queued, mail, IDENTITY)).toBeUndefined();
  });

  test('whose content is stored says so', () => {
    const { mail: _mail, ...bodiless } = claim;
    expect(
      asReminder({ ...bodiless, mail: undefined }, rows.queued, content, IDENTITY)?.envelope.content,
    ).toBe('stored');
  });
});
