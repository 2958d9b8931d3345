import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defined } from '../../../src/lib/defined.ts';
import {
  type Attempt,
  attemptsOf,
  FINAL_STATES,
  type InState,
  isFinal,
  isIn,
  type LedgerRow,
  OPEN_STATES,
  triedSince,
  type WhyHeld,
} from '../../../src/lib/ledger/ledger-row.ts';
import {
  cancel,
  captureNew,
  catchUp,
  claim,
  claimAfresh,
  claimNew,
  close,
  closeWaiting,
  completeHeld,
  holdNew,
  queueAfresh,
  queueNew,
  recordCaptured,
  recordDeferred,
  recordDeliveries,
  recordDraft,
  recordFound,
  recordHeld,
  recordMessageId,
  recordRejected,
  recordSent,
  recordUnknown,
  replay,
  requeue,
  transitions,
  withdraw,
} from '../../../src/lib/ledger/transitions.ts';
import { aNewMail } from '../../support/a-new-mail.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const facts = aNewMail(NOW, { tags: ['pay-slip'], keyHash: 'hash of key' });
const reason = { code: 'GRAPH_THROTTLED' } as const;
const holding = (why: WhyHeld = 'refused') => ({ why, reason, record: 'r', hasContent: false });
const attemptAt = (now: Date): Attempt => ({
  at: now.toISOString(),
  outcome: 'not-sent',
  code: 'GRAPH_THROTTLED',
});

/** A step that is legal in a state, with what the row is after it. */
type Step = readonly [name: string, take: (row: never, now: Date, choice: number) => LedgerRow];
const step = <From extends LedgerRow>(
  name: string,
  take: (row: From, now: Date, choice: number) => LedgerRow,
): Step => [name, take as Step[1]];

const heldSteps = [
  step('completeHeld', (row: InState<'held'>) => completeHeld(row)),
  step('replay', (row: InState<'held'>, now) => replay(row, 'hash', now)),
  step('close', (row: InState<'held'>, now) => close(row, 'n', now)),
  step('catchUp', (row: InState<'held'>, now, choice) =>
    catchUp(
      row,
      { turn: row.progress.turn + 1, phase: choice % 2 ? 'look-up' : 'send', acceptedAt: now },
      now,
    ),
  ),
];
const claimIt = step('claim', (row: InState<'queued' | 'deferred' | 'unknown'>, now) => claim(row, now));
const holdIt = step(
  'recordHeld',
  (row: InState<'queued' | 'sending' | 'deferred' | 'unknown'>, now, choice) =>
    recordHeld(row, holding(), now, ...(choice % 2 ? [attemptAt(now)] : [])),
);
const cancelIt = step('cancel', (row: InState<'queued' | 'deferred'>, now) => cancel(row, now));
const closeIt = step('closeWaiting', (row: InState<'queued' | 'deferred'>, now) =>
  closeWaiting(row, 'n', now),
);
const captureIt = step(
  'recordCaptured',
  (row: InState<'queued' | 'deferred' | 'unknown' | 'rejected'>, now) => recordCaptured(row, now),
);
const withdrawIt = step('withdraw', (row: InState<'queued' | 'sending'>, now) => withdraw(row, reason, now));
const foundIt = step('recordFound', (row: InState<'unknown' | 'sending'>, now, choice) =>
  recordFound(row, now, choice % 2 ? { attempt: attemptAt(now) } : {}),
);
const STEPS: Readonly<Record<LedgerRow['fate']['state'], readonly Step[]>> = {
  queued: [
    claimIt,
    holdIt,
    withdrawIt,
    cancelIt,
    closeIt,
    captureIt,
    step('requeue', (row: InState<'queued'>, now) => requeue(row, now)),
  ],
  sending: [
    holdIt,
    withdrawIt,
    foundIt,
    step('recordSent', (row: InState<'sending'>, now) => recordSent(row, attemptAt(now), now)),
    step('recordRejected', (row: InState<'sending'>, now) =>
      recordRejected(row, attemptAt(now), reason, now),
    ),
    // More often than others, so that walks are long.
    ...[0, 1, 2].map(() =>
      step('recordDeferred', (row: InState<'sending'>, now, choice) =>
        recordDeferred(row, attemptAt(now), { reason, until: now, isResend: choice % 2 === 0 }, now),
      ),
    ),
    ...[0, 1].map(() =>
      step('recordUnknown', (row: InState<'sending'>, now) =>
        recordUnknown(row, attemptAt(now), reason, now),
      ),
    ),
    step('catchUp', (row: InState<'sending'>, now, choice) =>
      catchUp(
        row,
        {
          turn: row.progress.turn + 1,
          phase: choice % 2 ? 'look-up' : 'send',
          acceptedAt: now,
          resent: choice % 3 === 0,
        },
        now,
      ),
    ),
  ],
  deferred: [claimIt, claimIt, claimIt, holdIt, cancelIt, closeIt, captureIt],
  unknown: [claimIt, claimIt, foundIt, holdIt, captureIt],
  rejected: [
    step('claimAfresh', (row: InState<'rejected'>, now) => claimAfresh(row, now)),
    step('queueAfresh', (row: InState<'rejected'>, now) => queueAfresh(row, now)),
    captureIt,
  ],
  held: heldSteps,
  sent: [
    step('recordMessageId', (row: InState<'sent'>) => recordMessageId(row, '<an-id@contoso.example>')),
    step('recordDeliveries', (row: InState<'sent'>, now) =>
      recordDeliveries(row, [
        { recipient: 'ada', status: 'failed', source: 'report', at: now.toISOString() },
      ]),
    ),
  ],
  closed: [],
  canceled: [],
  captured: [],
};

const begin = fc.constantFrom(
  () => queueNew(facts, NOW),
  () => claimNew(facts, true, NOW),
  () => claimNew(facts, false, NOW),
  () => holdNew(facts, holding(), NOW),
  () => captureNew(facts, false, NOW),
);
const choices = fc.array(fc.nat(10_000), { maxLength: 150, size: 'max' });

/** Holds for every step of every walk through the diagram. */
const law = (title: string, holds: (row: LedgerRow, before: LedgerRow, name: string, now: Date) => void) =>
  test(title, () => {
    fc.assert(
      fc.property(begin, choices, (first, walk) => {
        let row: LedgerRow = first();
        walk.forEach((choice, index) => {
          const legal = STEPS[row.fate.state];
          const [name, take] = legal[choice % Math.max(legal.length, 1)] ?? [];
          if (name === undefined || take === undefined) return;
          const now = new Date(NOW.getTime() + (index + 1) * 1000);
          const before = row;
          row = take(before as never, now, Math.floor(choice / 13));
          holds(row, before, name, now);
        });
      }),
      { numRuns: 200 },
    );
  });

describe('at every step of a row', () => {
  law('its state changes as the diagram says, or not at all', (row, before, name) => {
    const [from, to] = [before.fate.state, row.fate.state];
    if (['requeue', 'completeHeld', 'recordMessageId', 'recordDeliveries'].includes(name))
      expect(to).toBe(from);
    // A write between was lost: the row catches up with it too.
    else if (name === 'catchUp') expect(['queued', 'unknown']).toContain(to);
    else expect(transitions[from]).toContain(to);
  });

  law('its facts stay, except the hash of a content that an operator brings', (row, before, name) => {
    const { bodyHash: _, ...rest } = row.facts;
    const { bodyHash: __, ...earlier } = before.facts;
    expect(rest).toEqual(earlier);
    if (name !== 'replay') expect(row.facts).toEqual(before.facts);
  });

  law(
    'its turn never goes back, and each message that was put on the queue for it has one of its own',
    (row, before, name) => {
      const grown = row.progress.turn - before.progress.turn;
      const expected =
        { recordDeferred: 1, recordUnknown: 1, replay: 1, catchUp: 1, queueAfresh: 1, withdraw: 2 }[name] ??
        0;
      expect(grown).toBe(expected);
    },
  );

  law('a chance that was used never comes back', (row, before) => {
    if (before.progress.resent) expect(row.progress.resent).toBe(true);
  });

  law('at most twenty attempts are kept, the latest, and all are counted', (row, before) => {
    const { attempts } = row.progress;
    expect(attempts.length).toBeLessThanOrEqual(20);
    const added = attemptsOf(row) - attemptsOf(before);
    expect([0, 1]).toContain(added);
    const all = [...before.progress.attempts, ...(added === 1 ? attempts.slice(-1) : [])];
    expect(attempts).toEqual(all.slice(-20));
  });

  law('it says when it changed, and an email that has ended since when', (row, before, name, now) => {
    const expected = ['completeHeld', 'recordMessageId', 'recordDeliveries'].includes(name)
      ? before.progress.updatedAt
      : now.toISOString();
    expect(row.progress.updatedAt).toBe(expected);
  });

  law('what is in the queue once has a message from then on', (row, before) => {
    if (before.progress.inQueue) expect(row.progress.inQueue).toBe(true);
  });

  law('nothing of an earlier state is left in it', ({ fate }) => {
    const own: Record<LedgerRow['fate']['state'], readonly string[]> = {
      queued: [],
      sending: [],
      deferred: ['reason', 'until'],
      unknown: ['reason'],
      sent: ['verified', 'graphRequestId', 'internetMessageId', 'deliveries'],
      rejected: ['reason'],
      held: ['why', 'reason', 'record', 'hasContent'],
      closed: ['reason', 'note'],
      canceled: [],
      captured: [],
    };
    const { state, ...rest } = fate;
    for (const name of Object.keys(rest)) expect(own[state]).toContain(name);
  });

  law('it is the same after it was stored as JSON', (row) => {
    expect(JSON.parse(JSON.stringify(row))).toEqual(row);
  });
});

describe('a new row', () => {
  test.each([
    ['queued', queueNew(facts, NOW), true],
    ['claimed from the queue', claimNew(facts, true, NOW), true],
    ['claimed for a caller who waits', claimNew(facts, false, NOW), false],
    ['held', holdNew(facts, holding(), NOW), false],
    ['captured for a caller who waits', captureNew(facts, false, NOW), false, true],
    ['captured from the queue', captureNew(facts, true, NOW), true, true],
  ])(
    'that is %s has its facts, no attempt, turn 0, and says whether a message will bring it back',
    (_case, row, inQueue, captured = undefined) => {
      const none = { turn: 0, attempts: [], omittedAttempts: 0, resent: false };
      expect([row.facts, row.progress]).toEqual([
        facts,
        { updatedAt: NOW.toISOString(), inQueue, ...none, ...defined({ captured }) },
      ]);
    },
  );
});

const later = new Date(NOW.getTime() + 5000);
const sending = claimNew(facts, false, NOW);
const held = recordHeld(sending, holding('lost-message'), NOW);

describe('what a step adds', () => {
  test('to a claim: how the attempt goes, and once by a draft, that there can be drafts', () => {
    const byDraft = claim(queueNew(facts, NOW), NOW, 'draft');
    expect(byDraft.progress).toMatchObject({ way: 'draft', madeDrafts: true });
    const deferred = recordDeferred(byDraft, attemptAt(NOW), { reason, until: NOW, isResend: false }, NOW);
    expect(claim(deferred, NOW, 'json').progress).toMatchObject({ way: 'json', madeDrafts: true });
    expect(claimNew(facts, true, NOW, 'mime').progress).not.toHaveProperty('madeDrafts');
  });

  test('to an attempt by a draft: which it is; to its success, the Message-ID of the draft', () => {
    const draft = { id: 'd', mailbox: 'a@b.example', internetMessageId: '<d@b.example>', isSubmitted: true };
    const known = recordDraft(claim(queueNew(facts, NOW), NOW, 'draft'), draft, NOW);
    expect(known.progress.draft).toEqual(draft);
    expect(recordSent(known, attemptAt(NOW), NOW).fate).toMatchObject({ internetMessageId: '<d@b.example>' });
    expect(recordDraft(known, undefined, NOW).progress).not.toHaveProperty('draft');
  });

  test('to a sent one: the request id of Graph, where there is one', () => {
    const attempt = { at: NOW.toISOString(), outcome: 'accepted' } as const;
    expect(recordSent(sending, { ...attempt, graphRequestId: 'r-1' }, later).fate).toEqual({
      state: 'sent',
      graphRequestId: 'r-1',
      verified: false,
    });
    expect(recordSent(sending, attempt, later).fate).toEqual({ state: 'sent', verified: false });
  });

  test('to one that was found: that it was, and the attempt that nobody recorded', () => {
    expect(recordFound(sending, later, { attempt: attemptAt(NOW) })).toMatchObject({
      fate: { state: 'sent', verified: true },
      progress: { attempts: [attemptAt(NOW)] },
    });
  });

  test('to one that waits: until when, and a message that brings it back', () => {
    const deferred = recordDeferred(sending, attemptAt(NOW), { reason, until: later, isResend: false }, NOW);
    expect(deferred).toMatchObject({
      fate: { until: later.toISOString(), reason },
      progress: { inQueue: true, turn: 1, resent: false },
    });
  });

  test('to a replayed one: when, the hash of its content, and a message', () => {
    expect(replay(held, 'hash of now', later)).toMatchObject({
      facts: { bodyHash: 'hash of now' },
      progress: { replayedAt: later.toISOString(), turn: 1, inQueue: true },
      fate: { state: 'queued' },
    });
  });

  test('to a closed one: the note, beside the reason it was held for', () => {
    expect(close(held, 'found', later).fate).toEqual({ state: 'closed', reason, note: 'found' });
  });

  test('to a held one whose caller brought the content: that it is there, and nothing else', () => {
    expect(completeHeld(held).fate).toEqual({ ...held.fate, hasContent: true });
  });

  test('to one that is withdrawn: a turn that no message of it can have', () => {
    expect(withdraw(sending, reason, later).progress.turn).toBe(2);
  });
});

test('of twenty-five attempts the latest twenty are kept, and five are counted', () => {
  let row = claimNew(facts, true, NOW);
  const tried: Attempt[] = [];
  for (let attempt = 0; attempt < 25; attempt += 1) {
    const now = new Date(NOW.getTime() + attempt * 1000);
    tried.push(attemptAt(now));
    row = claim(recordDeferred(row, attemptAt(now), { reason, until: now, isResend: false }, now), now);
  }
  expect(row.progress).toMatchObject({ attempts: tried.slice(-20), omittedAttempts: 5, turn: 25 });
  expect(attemptsOf(row)).toBe(25);
});

describe('a row whose last write was lost catches up with the message that was written before it', () => {
  const message = { turn: 3, phase: 'send', acceptedAt: later } as const;

  test('to send: it is queued, with the turn of the message', () => {
    expect(catchUp(sending, message, later)).toEqual({
      facts,
      progress: { ...sending.progress, updatedAt: later.toISOString(), turn: 3, inQueue: true },
      fate: { state: 'queued' },
    });
  });

  test('to look it up: its outcome is unknown', () => {
    expect(catchUp(sending, { ...message, phase: 'look-up' }, later).fate).toEqual({
      state: 'unknown',
      reason: { code: 'OUTCOME_UNKNOWN' },
    });
  });

  test('that says the blind resend is used: it is', () => {
    expect(catchUp(sending, { ...message, resent: true }, later).progress.resent).toBe(true);
  });

  test('of a held one: its time begins anew, as after the replay whose row was lost', () => {
    const caughtUp = catchUp(held, message, NOW);
    expect(triedSince(caughtUp)).toBe(later.getTime());
    expect(triedSince(catchUp(sending, message, later))).toBe(NOW.getTime());
  });
});

describe('that an email was held stays known once it is held no more', () => {
  const heldAt = held.progress.updatedAt;
  const { code } = held.fate.reason;

  test.each<[string, LedgerRow, string | undefined]>([
    ['replayed by an operator', replay(held, 'hash', later), 'operator'],
    ['brought again by its application', replay(held, 'hash', later, { by: 'application' }), 'application'],
    [
      'brought back by its message, which does not say for whom',
      catchUp(held, { turn: 3, phase: 'send', acceptedAt: later }, later),
      undefined,
    ],
    ['closed', close(held, 'found', later), undefined],
  ])('%s', (_case, row, by) => {
    expect(row.progress.heldBefore).toEqual({ at: heldAt, code, times: 1 });
    expect(row.progress.replayedBy).toBe(by);
  });

  test('also the last of several times, and how often it was', () => {
    const again = recordHeld(
      replay(held, 'hash', later),
      { ...held.fate, reason: { code: 'OUTCOME_UNKNOWN' } },
      later,
    );
    expect(close(again, 'found', later).progress.heldBefore).toEqual({
      at: later.toISOString(),
      code: 'OUTCOME_UNKNOWN',
      times: 2,
    });
  });

  test('and nobody is said to have replayed it whose replay was an earlier one', () => {
    const again = recordHeld(replay(held, 'hash', later), held.fate, later);
    const back = catchUp(again, { turn: 9, phase: 'send', acceptedAt: later }, later);
    expect(back.progress).not.toHaveProperty('replayedBy');
  });

  test('its application that repeats a rejected request is not an operator', () => {
    expect(
      claimAfresh(withdraw(sending, { code: 'STORAGE_UNAVAILABLE' }, NOW), later).progress.replayedBy,
    ).toBe('application');
  });
});

describe('states', () => {
  test('are open or final, and never both', () => {
    expect([...OPEN_STATES, ...FINAL_STATES].sort()).toEqual(Object.keys(transitions).sort());
    expect(isFinal(held)).toBe(true);
    expect(isFinal(sending)).toBe(false);
  });

  test('are asked for by name', () => {
    expect([isIn(held, 'held'), isIn(held, 'sent', 'held'), isIn(held, 'sent'), isIn(held)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
