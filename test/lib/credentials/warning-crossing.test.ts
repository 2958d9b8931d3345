import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { daysUntil } from '../../../src/lib/credentials/credential-warning.ts';
import { isDue } from '../../../src/lib/credentials/warning-crossing.ts';
import type { ToldWarning } from '../../../src/lib/ports.ts';
import { anExpiring } from './a-warning.ts';

const THRESHOLDS = [60, 30, 14, 7, 3, 1];
const NOW = new Date('2026-11-22T07:00:00Z');
const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(NOW.getTime() + days * DAY_MS);

const told = (changes: Partial<ToldWarning> = {}): ToldWarning => ({
  key: anExpiring().key,
  mark: anExpiring().mark,
  toldOn: inDays(-1),
  channels: ['mail'],
  reached: ['mail'],
  mails: [],
  ...changes,
});

describe('days left are whole days, rounded up', () => {
  test.each([
    [0.01, 1],
    [1, 1],
    [1.01, 2],
    [60, 60],
    [0, 0],
    [-0.5, 0],
    [-1, -1],
  ])('%s days: %s', (days, left) => {
    expect(daysUntil(inDays(days), NOW)).toBe(left);
  });
});

describe('what expires is told when it crosses a threshold', () => {
  test.each([
    ['never told, far away', 61, undefined, false],
    ['never told, at the largest', 60, undefined, true],
    ['never told, between two', 45, undefined, true],
    ['told at 60, still above 30', 31, 60, false],
    ['told at 60, at 30', 30, 60, true],
    ['told at 30, the same day', 30, 30, false],
    ['told at 60, several thresholds missed', 5, 60, true],
    ['told between two', 14, 20, true],
    ['told below the next one', 6, 7, false],
  ])('%s', (_, daysLeft, toldAt, due) => {
    const before = toldAt === undefined ? undefined : told({ daysLeft: toldAt });
    expect(isDue(anExpiring({ daysLeft }), before, THRESHOLDS, NOW)).toBe(due);
  });

  test('of another date it starts over', () => {
    const renewed = anExpiring({ mark: '2027-01-01T07:00:00.000Z', daysLeft: 40 });
    expect(isDue(renewed, told({ daysLeft: 1 }), THRESHOLDS, NOW)).toBe(true);
  });

  test('what reached nobody is told again, below no new threshold', () => {
    expect(isDue(anExpiring(), told({ daysLeft: 7, reached: [] }), THRESHOLDS, NOW)).toBe(true);
  });
});

describe('what has expired is told once on each day in UTC', () => {
  const expired = anExpiring({ state: 'expired', daysLeft: 0, expiresOn: NOW });
  test.each([
    ['never told', undefined, true],
    ['told of that it would expire, the same day', told({ daysLeft: 1, toldOn: NOW }), true],
    ['told of that it has expired, earlier that day', told({ daysLeft: 0, toldOn: inDays(-0.2) }), false],
    ['told the evening before', told({ daysLeft: 0, toldOn: inDays(-0.3) }), true],
  ])('%s', (_, before, due) => {
    expect(isDue(expired, before, THRESHOLDS, NOW)).toBe(due);
  });
});

describe('reminders', () => {
  const { key, mark, name, kind, uses, owners } = anExpiring();
  const about = { key, mark, name, kind, uses, owners };
  const undated = { ...about, state: 'no-expiry-date', version: '0f3a' } as const;
  const dates = { vaultDate: inDays(90), entraDate: inDays(60) };
  const differing = { ...about, state: 'dates-differ', version: '0f3a', ...dates } as const;
  const refused = { ...about, state: 'refused', code: 'CLIENT_SECRET_WRONG' } as const;
  test.each([
    ['no date, first seen', undated, undefined, true],
    ['no date, 29 days later', undated, -29, false],
    ['no date, 30 days later', undated, -30, true],
    ['other dates, 29 days later', differing, -29, false],
    ['other dates, 30 days later', differing, -30, true],
    ['refused, first seen', refused, undefined, true],
    ['refused, the same day', refused, -0.2, false],
    ['refused, the next day', refused, -1, true],
  ])('%s', (_, warning, days, due) => {
    const before = days === undefined ? undefined : told({ toldOn: inDays(days) });
    expect(isDue(warning, before, THRESHOLDS, NOW)).toBe(due);
  });

  test('refused for another reason is told the same day', () => {
    const before = told({ toldOn: NOW, mark: 'APP_UNKNOWN' });
    expect(isDue({ ...refused, mark: 'CLIENT_SECRET_WRONG' }, before, THRESHOLDS, NOW)).toBe(true);
  });
});

describe('whatever runs are missed and however the list changes', () => {
  const day = fc.integer({ min: -5, max: 120 });
  const list = fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 6 });
  /** Days on which a run takes place, each with the list of that day. */
  const runs = fc
    .uniqueArray(fc.record({ daysLeft: day, list }), { selector: (one) => one.daysLeft, minLength: 1 })
    .map((all) => all.toSorted((one, other) => other.daysLeft - one.daysLeft));
  const expiresOn = inDays(0);
  const play = (all: readonly { readonly daysLeft: number; readonly list: readonly number[] }[]) => {
    let before: ToldWarning | undefined;
    return all.map(({ daysLeft, list: thresholds }) => {
      const now = inDays(-daysLeft);
      const warning = anExpiring({ expiresOn, daysLeft, state: daysLeft > 0 ? 'expiring' : 'expired' });
      const toldAt = before?.daysLeft;
      const isTold = isDue(warning, before, thresholds, now);
      // A second run on the same day.
      if (isTold) before = told({ toldOn: now, daysLeft });
      const isRepeated = isDue(warning, before, thresholds, now);
      return { daysLeft, thresholds, toldAt, isTold, isRepeated };
    });
  };

  test('a threshold that was crossed since the last warning is told at the next run, and nothing else is', () => {
    fc.assert(
      fc.property(runs, (all) => {
        for (const { daysLeft, thresholds, toldAt = Number.POSITIVE_INFINITY, isTold } of play(all)) {
          const crossed = thresholds.some((one) => one < toldAt && one >= daysLeft);
          expect(isTold).toBe(daysLeft > 0 ? crossed : true);
        }
      }),
    );
  });

  test('nothing is told twice, and before the expiry not more often than there are thresholds', () => {
    fc.assert(
      fc.property(runs, list, (all, one) => {
        const steady = play(all.map(({ daysLeft }) => ({ daysLeft, list: one })));
        expect(steady.some(({ isRepeated }) => isRepeated)).toBe(false);
        expect(steady.filter(({ daysLeft, isTold }) => daysLeft > 0 && isTold).length).toBeLessThanOrEqual(
          one.length,
        );
      }),
    );
  });
});

test('a secret that the relay renews is nothing to warn of until its renewal is overdue', () => {
  const due = (daysLeft: number) =>
    isDue(anExpiring({ daysLeft, quietAboveDays: 28 }), undefined, THRESHOLDS, NOW);
  expect([60, 29, 28, 7].map(due)).toEqual([false, false, true, true]);
});
