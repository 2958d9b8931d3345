import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Amount,
  dayOf,
  decideBlock,
  endOfDay,
  isScarce,
  leftOf,
  limitReached,
  NOTHING,
  needOf,
  nextFactor,
  plus,
  requireWithinDay,
  usageOf,
} from '../../../src/lib/callers/quota.ts';
import { aCaller } from '../../support/a-caller.ts';
import { errorOf } from '../../support/problems-of.ts';

const NOON = new Date('2026-03-02T12:00:00Z');
const amount: fc.Arbitrary<Amount> = fc.record({
  mails: fc.nat({ max: 2000 }),
  recipients: fc.nat({ max: 20_000 }),
});
const limits = fc.record(
  { mailsPerDay: fc.nat({ max: 2000 }), recipientsPerDay: fc.nat({ max: 20_000 }) },
  { requiredKeys: [] },
);

describe('a block', () => {
  test('is never more than what is left, and enough for the email that asks for it', () => {
    fc.assert(
      fc.property(
        fc.record({
          limits,
          taken: amount,
          held: amount,
          recipients: fc.nat({ max: 500 }),
          factor: fc.nat(64),
        }),
        ({ limits, taken, held, recipients, factor }) => {
          const need = needOf(limits, recipients);
          const block = decideBlock(limits, { taken, held, need, factor: factor + 1 });
          const left = leftOf(limits, taken);
          const most = plus(left, held);
          if (block === undefined) {
            expect(most.mails < need.mails || most.recipients < need.recipients).toBe(true);
            return;
          }
          expect(block.mails).toBeLessThanOrEqual(left.mails);
          expect(block.recipients).toBeLessThanOrEqual(left.recipients);
          expect(held.mails + block.mails).toBeGreaterThanOrEqual(need.mails);
          expect(held.recipients + block.recipients).toBeGreaterThanOrEqual(need.recipients);
          if (limits.mailsPerDay === undefined) expect(block.mails).toBe(0);
          if (limits.recipientsPerDay === undefined) expect(block.recipients).toBe(0);
        },
      ),
    );
  });

  const blockOf = (left: number, factor: number) =>
    decideBlock(
      { mailsPerDay: 1000 },
      {
        taken: { mails: 1000 - left, recipients: 0 },
        held: NOTHING,
        need: needOf({ mailsPerDay: 1000 }, 2),
        factor,
      },
    );

  test.each([
    [1000, 1, 1],
    [1000, 8, 8],
    [1000, 64, 64],
    [500, 64, 50],
    [100, 64, 10],
    [19, 64, 1],
    [1, 64, 1],
  ])('with %i left and a factor of %i is for %i emails', (left, factor, mails) => {
    expect(blockOf(left, factor)).toEqual({ mails, recipients: 0 });
  });

  test('is not taken where nothing is left', () => {
    expect(blockOf(0, 64)).toBeUndefined();
  });

  test.each([
    [19, 1, true],
    [20, 1, false],
    [3000, 500, true],
    [6000, 500, false],
  ])('is for one email alone with %i recipients left and %i needed: %s', (left, recipients, expected) => {
    expect(isScarce({ mails: 1000, recipients: left }, { mails: 1, recipients })).toBe(expected);
    expect(isScarce({ mails: Number.POSITIVE_INFINITY, recipients: left }, { mails: 0, recipients })).toBe(
      expected,
    );
  });

  test('doubles while blocks are used within five minutes, to 64 emails, and begins with one', () => {
    const last = { factor: 4, takenAt: 0 };
    expect([
      nextFactor(undefined, 0),
      nextFactor(last, 299_999),
      nextFactor(last, 300_000),
      nextFactor({ factor: 64, takenAt: 0 }, 1),
    ]).toEqual([1, 8, 1, 64]);
  });
});

describe('an email over the limit', () => {
  const payroll = aCaller('payroll', { mailsPerDay: 1000, recipientsPerDay: 5000 });

  test('is told the limit, what is left and until when, and no address', () => {
    const error = limitReached(
      payroll,
      500,
      { kind: 'reached', left: { mails: 10, recipients: 300 }, resetsAt: endOfDay(NOON) },
      NOON,
    );
    expect({ code: error.code, ...error.facts }).toEqual({
      code: 'CALLER_LIMIT_REACHED',
      detail:
        'The limit of the caller payroll is 1000 emails and 5000 recipients a day. Left until 2026-03-03T00:00:00.000Z: 10 emails and 300 recipients. This email has 500 recipients.',
      retryAfterSeconds: 43_200,
    });
  });

  test('of a caller with one limit hears of that one alone', () => {
    const error = limitReached(
      aCaller('erp', { mailsPerDay: 1 }),
      1,
      { kind: 'reached', left: { mails: 0, recipients: Number.POSITIVE_INFINITY }, resetsAt: endOfDay(NOON) },
      NOON,
    );
    expect(error.facts.detail).toBe(
      'The limit of the caller erp is 1 email a day. Left until 2026-03-03T00:00:00.000Z: 0 emails. This email has 1 recipient.',
    );
  });

  test('and more than that of a whole day is refused for good, as it would wait for ever', () => {
    expect(errorOf(() => requireWithinDay(payroll, 5001))).toMatchObject({ code: 'CALLER_LIMIT_TOO_LOW' });
    expect(requireWithinDay(payroll, 5000)).toBeUndefined();
    expect(errorOf(() => requireWithinDay(aCaller('erp', { mailsPerDay: 0 }), 1))).toMatchObject({
      code: 'CALLER_LIMIT_TOO_LOW',
    });
    expect(requireWithinDay(aCaller(), 500)).toBeUndefined();
  });
});

test('a day is from midnight to midnight UTC', () => {
  const last = new Date('2026-12-31T23:59:59.999Z');
  expect([dayOf(last), endOfDay(last), endOfDay(endOfDay(last))]).toEqual([
    '2026-12-31',
    new Date('2027-01-01T00:00:00Z'),
    new Date('2027-01-02T00:00:00Z'),
  ]);
});

test('a caller sees what is taken of the limits it has', () => {
  expect(usageOf({ mailsPerDay: 10 }, { mails: 3, recipients: 40 }, NOON)).toEqual({
    resetsAt: '2026-03-03T00:00:00.000Z',
    mails: { limit: 10, taken: 3 },
  });
  expect(usageOf({}, NOTHING, NOON)).toBeUndefined();
});
