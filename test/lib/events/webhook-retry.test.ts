import { describe, expect, test } from 'vitest';
import { type AttemptResult, decideWebhook, MOST_ATTEMPTS } from '../../../src/lib/events/webhook-retry.ts';
import { NOW } from '../../support/in-memory-ports.ts';

const decided = (result: AttemptResult, attempt = 1, random = 0) =>
  decideWebhook(result, attempt, { random, now: NOW });
const status = (code: number, retryAfter?: string): AttemptResult => ({
  kind: 'answered',
  status: code,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});
const HOUR = 3_600_000;

test.each([200, 201, 202, 204, 299])('%s is a success', (code) => {
  expect(decided(status(code))).toEqual({ kind: 'sent' });
});

test.each([301, 307, 400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504])(
  '%s is tried again: it can be put right within a day',
  (code) => {
    expect(decided(status(code))).toEqual({ kind: 'again', fault: 'status', waitMs: 5000 });
  },
);

test.each(['timeout', 'connection', 'proxy', 'secret', 'paused'] as const)('%s is tried again', (fault) => {
  expect(decided({ kind: 'failed', fault })).toEqual({ kind: 'again', fault, waitMs: 5000 });
});

test('410 is the one answer after which nothing is tried again', () => {
  expect(decided(status(410))).toEqual({ kind: 'given-up', fault: 'gone' });
});

describe('the waits', () => {
  const waits = (random: number) =>
    Array.from({ length: MOST_ATTEMPTS }, (_, index) => {
      const decision = decided(status(500), index + 1, random);
      return decision.kind === 'again' ? decision.waitMs : undefined;
    });

  test('grow over most of a day, and after nine attempts an event is given up', () => {
    const seconds = [5, 60, 300, 1800, 7200, 14_400, 21_600, 28_800];
    expect(waits(0)).toEqual([...seconds.map((one) => one * 1000), undefined]);
    expect(decided(status(500), MOST_ATTEMPTS)).toEqual({ kind: 'given-up', fault: 'status' });
  });

  test.each([
    [0, 20.5, 21],
    [0.999, 24, 25],
  ])('last about a day, with the random part of %s', (random, least, most) => {
    const hours = waits(random).reduce<number>((sum, one) => sum + (one ?? 0), 0) / HOUR;
    expect(hours).toBeGreaterThan(least);
    expect(hours).toBeLessThan(most);
  });

  test.each([
    ['longer than its own', '120', 120_000],
    ['as a date', 'Mon, 02 Mar 2026 08:02:00 GMT', 120_000],
    ['never shorter', '1', 5000],
    ['an hour at most', '86400', HOUR],
    ['not at all where it cannot be read', 'soon', 5000],
  ])('follow Retry-After: %s', (_what, retryAfter, waitMs) => {
    expect(decided(status(503, retryAfter))).toMatchObject({ waitMs });
  });
});
