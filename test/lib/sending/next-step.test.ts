import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../../src/lib/error-catalogue.ts';
import { LOOK_UPS, type Sighting } from '../../../src/lib/sending/look-up-plan.ts';
import {
  decideAfterLookUp,
  decideNext,
  type EndedAttempt,
  type EndedLookUp,
} from '../../../src/lib/sending/next-step.ts';
import type { SendOutcome } from '../../../src/lib/sending/send-outcome.ts';
import type { SendWay } from '../../../src/lib/sending/send-plan.ts';

const HOUR_MS = 3_600_000;
const NOW = new Date('2026-03-02T08:00:00Z');
const POLICY = { onUnknown: 'verify', verifyWindowMs: 900_000, giveUpAfterMs: 24 * HOUR_MS } as const;
const CODES = Object.keys(catalogue) as ErrorCode[];

const ago = (ms: number): number => NOW.getTime() - ms;

const accepted: SendOutcome = { kind: 'accepted', graphRequestId: 'r-1' };
const rejected: SendOutcome = {
  kind: 'rejected',
  code: 'MAILBOX_NOT_FOUND',
  upstreamCode: 'ErrorInvalidUser',
};
const throttled: SendOutcome = {
  kind: 'not-sent',
  code: 'GRAPH_THROTTLED',
  waitMs: 60_000,
  graphRequestId: 'r',
};
const noSecret: SendOutcome = {
  kind: 'not-sent',
  code: 'CLIENT_SECRET_EXPIRED',
  upstreamCode: 'AADSTS7000222',
};
const unknown: SendOutcome = { kind: 'unknown', code: 'OUTCOME_UNKNOWN', graphRequestId: 'r-5' };

const attempt = (outcome: SendOutcome, more: Partial<EndedAttempt> = {}): EndedAttempt => ({
  outcome,
  attempts: 1,
  triedSince: NOW.getTime(),
  resent: false,
  mail: { saveToSentItems: true },
  callerWaits: false,
  ...more,
});

const next = (ended: EndedAttempt, policy: Partial<Parameters<typeof decideNext>[1]> = {}, random = 0) =>
  decideNext(ended, { ...POLICY, ...policy }, NOW, random);

describe('an attempt that Graph accepted', () => {
  test.each([
    ['from the queue', {}],
    ['while a caller waits', { callerWaits: true }],
    ['after its time was over', { attempts: 9, triedSince: ago(48 * HOUR_MS) }],
    ['as a blind resend', { attempts: 2, resent: true }],
  ])('is recorded as sent, %s', (_case, more) => {
    expect(next(attempt(accepted, more))).toEqual({ kind: 'record-sent' });
  });
});

describe('an attempt that was rejected', () => {
  const reason = { code: 'MAILBOX_NOT_FOUND', upstreamCode: 'ErrorInvalidUser' };

  test('is told to the caller who waits, with what Graph said', () => {
    expect(next(attempt(rejected, { callerWaits: true }))).toEqual({ kind: 'reject', reason });
  });

  test('holds an email from the queue as refused', () => {
    expect(next(attempt(rejected))).toEqual({ kind: 'hold', why: 'refused', reason });
  });

  test('is told or held whatever its code, however often it was tried, however old it is', () => {
    for (const code of CODES)
      for (const callerWaits of [true, false])
        for (const triedSince of [NOW.getTime(), ago(48 * HOUR_MS)]) {
          const ended = attempt({ kind: 'rejected', code }, { callerWaits, triedSince, attempts: 3 });
          expect(next(ended)).toMatchObject(
            callerWaits ? { kind: 'reject' } : { kind: 'hold', why: 'refused', reason: { code } },
          );
        }
  });
});

describe('an attempt that was certainly not sent', () => {
  test('is repeated later, at least after what Graph asked for, and says why it waits', () => {
    expect(next(attempt(throttled))).toEqual({
      kind: 'send-later',
      reason: { code: 'GRAPH_THROTTLED', graphRequestId: 'r' },
      waitMs: 60_000,
      isResend: false,
    });
  });

  test.each([
    ['a shorter wait than our back-off', { ...throttled, waitMs: 1000 }, 1, 0, 5000],
    ['no wait', { kind: 'not-sent', code: 'GRAPH_UNREACHABLE' }, 3, 0, 60_000],
    ['no wait, with all of the jitter', { kind: 'not-sent', code: 'GRAPH_UNREACHABLE' }, 3, 1, 72_000],
    ['a day', { ...throttled, waitMs: 24 * HOUR_MS }, 1, 1, HOUR_MS],
  ] as const)('that asked for %s waits as the back-off says', (_case, outcome, attempts, random, waitMs) => {
    expect(next(attempt(outcome, { attempts }), {}, random)).toMatchObject({ kind: 'send-later', waitMs });
  });

  test('is told to a caller who waits where only a person can correct it, and waits on the queue otherwise', () => {
    for (const code of CODES) {
      const kind = catalogue[code].fixedBy === 'time' ? 'send-later' : 'reject';
      const step = next(attempt({ kind: 'not-sent', code }, { callerWaits: true }));
      expect(step, code).toMatchObject({ kind, reason: { code } });
    }
  });

  test('waits on the queue even for an administrator when no caller waits', () => {
    expect(next(attempt(noSecret))).toMatchObject({
      kind: 'send-later',
      reason: { code: 'CLIENT_SECRET_EXPIRED', upstreamCode: 'AADSTS7000222' },
    });
  });

  // The next attempt would be after the 60 s that Graph asked for.
  test.each([
    ['its next attempt is just within its time', 2, 24 * HOUR_MS - 60_000, 'send-later'],
    ['its next attempt would come after its time', 2, 24 * HOUR_MS - 59_999, 'hold'],
    ['its time is over', 30, 25 * HOUR_MS, 'hold'],
    ['its time is over, but this was its first attempt', 1, 25 * HOUR_MS, 'send-later'],
  ])('when %s, is given up or not: attempt %i after %i ms ends as %s', (_case, attempts, age, kind) => {
    expect(next(attempt(throttled, { attempts, triedSince: ago(age) })).kind).toBe(kind);
  });

  test('and given up is held as refused, with the last reason and what Graph said of it', () => {
    expect(next(attempt(throttled, { attempts: 2, triedSince: ago(25 * HOUR_MS) }))).toEqual({
      kind: 'hold',
      why: 'refused',
      reason: { code: 'GIVEN_UP', detail: 'The last reason: GRAPH_THROTTLED.', graphRequestId: 'r' },
    });
  });
});

describe('an attempt of which nobody knows whether it was sent', () => {
  const [verify, hold, resend] = ['verify', 'hold', 'resend'] as const;
  const [copy, noCopy] = [true, false];

  test.each([
    // the setting, the email's own wish, leaves a copy, resent before, what follows
    [verify, undefined, copy, false, 'look-up-later'],
    [verify, undefined, noCopy, false, 'hold'],
    [verify, undefined, copy, true, 'look-up-later'],
    [hold, undefined, copy, false, 'hold'],
    [hold, undefined, noCopy, true, 'hold'],
    [resend, undefined, copy, false, 'send-later'],
    [resend, undefined, noCopy, false, 'send-later'],
    [resend, undefined, copy, true, 'hold'],
    [resend, undefined, noCopy, true, 'hold'],
    [hold, verify, copy, false, 'look-up-later'],
    [resend, verify, noCopy, false, 'hold'],
    [verify, hold, copy, false, 'hold'],
    [resend, hold, copy, false, 'hold'],
    [verify, resend, copy, false, 'send-later'],
    [hold, resend, noCopy, false, 'send-later'],
    [verify, resend, copy, true, 'hold'],
  ] as const)(
    'with the setting %s, its own wish %s, a copy in Sent Items %s, resent before %s: %s',
    (onUnknown, wish, saveToSentItems, resent, kind) => {
      const mail = { saveToSentItems, ...(wish === undefined ? {} : { onUnknown: wish }) };
      // Whether a caller waits makes no difference: nobody knows more than the relay.
      for (const callerWaits of [true, false])
        expect(next(attempt(unknown, { mail, resent, callerWaits }), { onUnknown }).kind).toBe(kind);
    },
  );

  test('is looked for soon, as no look-up has been made', () => {
    expect(next(attempt(unknown))).toEqual({ kind: 'look-up-later', waitMs: 18_000, lookUps: 0 });
  });

  test('is resent after the back-off, and the step says that this is the resend', () => {
    expect(next(attempt(unknown, { attempts: 2 }), { onUnknown: 'resend' })).toEqual({
      kind: 'send-later',
      reason: { code: 'OUTCOME_UNKNOWN', graphRequestId: 'r-5' },
      waitMs: 15_000,
      isResend: true,
    });
  });

  test('is held in doubt, never as refused', () => {
    expect(next(attempt(unknown), { onUnknown: 'hold' })).toEqual({
      kind: 'hold',
      why: 'doubt',
      reason: { code: 'OUTCOME_UNKNOWN', graphRequestId: 'r-5' },
    });
  });
});

const look = (sighting: Sighting, more: Partial<EndedLookUp> = {}): EndedLookUp => ({
  sighting,
  lookUps: 0,
  triedSince: NOW.getTime(),
  unknownSince: NOW.getTime(),
  ...more,
});
const seen = (ended: EndedLookUp, random = 0) => decideAfterLookUp(ended, POLICY, NOW, random);

const found: Sighting = { kind: 'found' };
const absent: Sighting = { kind: 'absent' };
const cannotTell: Sighting = { kind: 'cannot-tell', upstreamCode: 'ErrorAccessDenied' };
const notNow: Sighting = { kind: 'not-now', waitMs: 30_000 };

describe('an email that is looked for', () => {
  test.each([
    ['at the first look-up', {}],
    ['at the last', { lookUps: LOOK_UPS - 1 }],
    ['after its time was over', { triedSince: ago(48 * HOUR_MS) }],
  ])('and found is recorded as sent, %s', (_case, more) => {
    expect(seen(look(found, more))).toEqual({ kind: 'record-sent' });
  });

  test.each([
    [0, 72_000, 1],
    [1, 180_000, 2],
    [2, 630_000, 3],
  ])('and absent after %i earlier look-ups is looked for again after %i ms', (lookUps, waitMs, next) => {
    expect(seen(look(absent, { lookUps }))).toEqual({ kind: 'look-up-later', waitMs, lookUps: next });
  });

  test('and absent each time is sent, as that is no blind resend', () => {
    expect(seen(look(absent, { lookUps: LOOK_UPS - 1, triedSince: ago(24 * HOUR_MS) }))).toEqual({
      kind: 'send-now',
    });
  });

  test('and absent each time is held as refused once its time is over, as it was certainly not sent', () => {
    expect(seen(look(absent, { lookUps: LOOK_UPS - 1, triedSince: ago(24 * HOUR_MS + 1) }))).toEqual({
      kind: 'hold',
      why: 'refused',
      reason: {
        code: 'GIVEN_UP',
        detail: 'The last reason: OUTCOME_UNKNOWN, and the email is not in Sent Items.',
      },
    });
  });

  test.each<[SendWay, string]>([
    ['mime', 'MIME'],
    ['draft', 'draft'],
  ])('and absent each time after it went as %s is held in doubt: that proves nothing', (way, words) => {
    const step = seen(look(absent, { lookUps: LOOK_UPS - 1, way }));
    expect(step).toMatchObject({ kind: 'hold', why: 'doubt', reason: { code: 'OUTCOME_UNKNOWN' } });
    expect(step.kind === 'hold' && step.reason.detail).toContain(words);
  });

  test('and is still a draft waits as long as one that is absent, and then the draft is removed', () => {
    const draft: Sighting = { kind: 'draft' };
    expect(seen(look(draft, { way: 'draft' }))).toEqual(seen(look(absent, { way: 'draft' })));
    expect(seen(look(draft, { way: 'draft', lookUps: LOOK_UPS - 1 }))).toEqual({ kind: 'remove-draft' });
  });

  test('and was never sent is sent without another look, or given up where its time is over', () => {
    const never: Sighting = { kind: 'never-sent' };
    expect(seen(look(never, { way: 'draft' }))).toEqual({ kind: 'send-now' });
    expect(seen(look(never, { way: 'draft', triedSince: ago(48 * HOUR_MS) }))).toMatchObject({
      kind: 'hold',
      why: 'refused',
      reason: { code: 'GIVEN_UP' },
    });
  });

  test('is looked for to the end of the window even when its time is over meanwhile', () => {
    const last = look(absent, { lookUps: LOOK_UPS - 2, triedSince: ago(48 * HOUR_MS) });
    expect(seen(last)).toMatchObject({ kind: 'look-up-later', lookUps: LOOK_UPS - 1 });
  });

  test('where the relay may not look is held in doubt, with the permission that is missing and what Graph said', () => {
    expect(seen(look(cannotTell))).toEqual({
      kind: 'hold',
      why: 'doubt',
      reason: {
        code: 'OUTCOME_UNKNOWN',
        detail: 'The relay has no permission to read the mailbox of the sender (Mail.Read).',
        upstreamCode: 'ErrorAccessDenied',
      },
    });
  });

  test.each([
    ['as long as it asked', notNow, 0, 0, 30_000],
    ['at least our back-off', { kind: 'not-now' }, 0, 0, 5000],
    ['a quarter of the time it has been unknown', notNow, 0, HOUR_MS / 4, 225_000],
    ['ten minutes at most, unless it asked for more', { kind: 'not-now' }, 0, 20 * HOUR_MS, 600_000],
    ['an hour at most', { kind: 'not-now', waitMs: 5 * HOUR_MS }, 0, 0, HOUR_MS],
  ] as const)(
    'in a mailbox that cannot be read now waits %s, and this counts as no look-up',
    (_case, sighting, lookUps, unknownForMs, waitMs) => {
      const ended = look(sighting, { lookUps, unknownSince: ago(unknownForMs) });
      expect(seen(ended)).toEqual({ kind: 'look-up-later', waitMs, lookUps });
    },
  );

  test.each([
    ['just within', 24 * HOUR_MS - 30_000, 'look-up-later'],
    ['just after', 24 * HOUR_MS - 29_999, 'hold'],
  ])(
    'in a mailbox that cannot be read is held in doubt if the next look-up would be after its time: %s',
    (_case, age, kind) => {
      const step = seen(look(notNow, { triedSince: ago(age) }));
      expect(step.kind).toBe(kind);
      if (step.kind === 'hold')
        expect(step).toEqual({
          kind: 'hold',
          why: 'doubt',
          reason: {
            code: 'OUTCOME_UNKNOWN',
            detail: 'The relay could not read the mailbox of the sender in time.',
          },
        });
    },
  );

  test.each([
    [410, expect.stringContaining('The last answer of Graph was 410.')],
    [401, expect.stringContaining('Mail.Read')],
  ])('that answers %i all that time is held, and says so', (status, detail) => {
    const sighting = { kind: 'not-now', status, upstreamCode: 'x' } as const;
    const step = seen(look(sighting, { triedSince: ago(25 * HOUR_MS) }));
    expect(step).toMatchObject({ kind: 'hold', why: 'doubt', reason: { detail, upstreamCode: 'x' } });
  });
});

const chance = fc.double({ min: 0, max: 1, noNaN: true });
const waitMs = fc.option(fc.nat(3 * HOUR_MS), { nil: undefined });
const upstream = fc.constantFrom({}, { upstreamCode: 'x' }, { graphRequestId: 'r', upstreamCode: 'y' });
const anOutcome: fc.Arbitrary<SendOutcome> = fc
  .tuple(
    fc.constantFrom('accepted', 'rejected', 'not-sent', 'unknown'),
    fc.constantFrom(...CODES),
    waitMs,
    upstream,
  )
  .map(([kind, code, asked, facts]): SendOutcome => {
    if (kind === 'accepted') return { kind, ...facts };
    if (kind === 'unknown') return { kind, code: 'OUTCOME_UNKNOWN', ...facts };
    if (kind === 'rejected') return { kind, code, ...facts };
    return { kind, code, ...facts, ...(asked === undefined ? {} : { waitMs: asked }) };
  });
const age = fc.oneof(fc.nat(24 * HOUR_MS), fc.nat(30 * 24 * HOUR_MS));
const anAttempt: fc.Arbitrary<EndedAttempt> = fc.record({
  outcome: anOutcome,
  attempts: fc.integer({ min: 1, max: 200 }),
  triedSince: age.map(ago),
  resent: fc.boolean(),
  mail: fc.record(
    { saveToSentItems: fc.boolean(), onUnknown: fc.constantFrom('verify', 'hold', 'resend') },
    { requiredKeys: ['saveToSentItems'] },
  ),
  callerWaits: fc.boolean(),
});
const aPolicy = fc.record({
  onUnknown: fc.constantFrom('verify', 'hold', 'resend'),
  // As wide as the settings.
  verifyWindowMs: fc.integer({ min: 60_000, max: 24 * HOUR_MS }),
  giveUpAfterMs: fc.integer({ min: HOUR_MS, max: 168 * HOUR_MS }),
});
const aLookUp: fc.Arbitrary<EndedLookUp> = fc.record({
  sighting: fc.oneof(
    fc.constantFrom<Sighting>(found, absent, cannotTell),
    waitMs.map((asked): Sighting => ({ kind: 'not-now', ...(asked === undefined ? {} : { waitMs: asked }) })),
  ),
  lookUps: fc.nat(LOOK_UPS + 2),
  triedSince: age.map(ago),
  unknownSince: age.map(ago),
});

const law = (
  title: string,
  holds: (
    ended: EndedAttempt,
    step: ReturnType<typeof decideNext>,
    policy: Parameters<typeof decideNext>[1],
  ) => void,
) =>
  test(title, () => {
    fc.assert(
      fc.property(anAttempt, aPolicy, chance, (ended, policy, random) =>
        holds(ended, decideNext(ended, policy, NOW, random), policy),
      ),
      { numRuns: 500 },
    );
  });

describe('whatever the outcome, the policy, the time and the chance', () => {
  law('an email is recorded as sent exactly where Graph accepted it', ({ outcome }, { kind }) => {
    expect(kind === 'record-sent').toBe(outcome.kind === 'accepted');
  });

  law(
    'a reason is told only to a caller who waits, and only where it was certainly not sent',
    (ended, { kind }) => {
      if (kind !== 'reject') return;
      expect(ended.callerWaits).toBe(true);
      expect(['rejected', 'not-sent']).toContain(ended.outcome.kind);
    },
  );

  law(
    'what was certainly not sent is held as refused, what may have been sent in doubt',
    ({ outcome }, step) => {
      if (step.kind !== 'hold') return;
      expect(step.why).toBe(outcome.kind === 'unknown' ? 'doubt' : 'refused');
      expect(step.reason.code === 'OUTCOME_UNKNOWN').toBe(
        step.why === 'doubt' || (outcome.kind === 'rejected' && outcome.code === 'OUTCOME_UNKNOWN'),
      );
    },
  );

  law(
    'nothing is sent later beyond its time, except after its first attempt or as its one resend',
    (ended, step, { giveUpAfterMs }) => {
      if (step.kind !== 'send-later' || step.isResend || ended.attempts === 1) return;
      expect(NOW.getTime() + step.waitMs).toBeLessThanOrEqual(ended.triedSince + giveUpAfterMs);
    },
  );

  law(
    'what may have been sent is sent blindly once at most, and only where that was chosen',
    (ended, step, { onUnknown }) => {
      const isBlind = ended.outcome.kind === 'unknown' && step.kind === 'send-later';
      expect(step.kind === 'send-later' && step.isResend).toBe(isBlind);
      if (!isBlind) return;
      expect(ended.resent).toBe(false);
      expect(ended.mail.onUnknown ?? onUnknown).toBe('resend');
    },
  );

  law('what leaves no copy is never looked for', ({ mail }, { kind }) => {
    if (kind === 'look-up-later') expect(mail.saveToSentItems).toBe(true);
  });

  law(
    'a wait is never negative; to send it is an hour at most, to look for it the window at most',
    (_ended, step, policy) => {
      if (!('waitMs' in step)) return;
      expect(step.waitMs).toBeGreaterThanOrEqual(0);
      expect(step.waitMs).toBeLessThanOrEqual(step.kind === 'send-later' ? HOUR_MS : policy.verifyWindowMs);
    },
  );

  law('what Graph said of itself is kept with the reason', ({ outcome }, step) => {
    if (!('reason' in step)) return;
    const { upstreamCode, graphRequestId } = outcome;
    expect([step.reason.upstreamCode, step.reason.graphRequestId]).toEqual([upstreamCode, graphRequestId]);
  });
});

test('whatever is seen in a mailbox: sent again only if absent each time, refused only if absent, never looked for without end', () => {
  fc.assert(
    fc.property(aLookUp, aPolicy, chance, (ended, policy, random) => {
      const step = decideAfterLookUp(ended, policy, NOW, random);
      const { sighting, lookUps } = ended;
      const isOver = NOW.getTime() > ended.triedSince + policy.giveUpAfterMs;
      // Sent only if seen; sent again only if absent as often as it takes, and within its time.
      expect(step.kind === 'record-sent').toBe(sighting.kind === 'found');
      if (step.kind === 'send-now')
        expect([sighting.kind, lookUps + 1 >= LOOK_UPS, isOver]).toEqual(['absent', true, false]);
      // Refused only if absent; everything else that is held stays in doubt.
      if (step.kind === 'hold') expect(step.why).toBe(sighting.kind === 'absent' ? 'refused' : 'doubt');
      if (step.kind === 'look-up-later') {
        expect(step.waitMs).toBeGreaterThanOrEqual(0);
        expect(step.waitMs).toBeLessThanOrEqual(sighting.kind === 'absent' ? policy.verifyWindowMs : HOUR_MS);
        // So it ends: each look-up that saw the mailbox counts, and any other is within the time.
        if (sighting.kind === 'absent') expect(step.lookUps).toBe(lookUps + 1);
        else expect(NOW.getTime() + step.waitMs).toBeLessThanOrEqual(ended.triedSince + policy.giveUpAfterMs);
      }
    }),
    { numRuns: 1000 },
  );
});
