import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseRetryAfter } from '../../../src/lib/sending/retry-after.ts';

const now = new Date('2026-11-22T07:00:00Z');

describe('Retry-After', () => {
  test.each([
    ['whole seconds', '7', 7000],
    ['decimal seconds, as in the sample of Graph', '2.128', 2128],
    ['zero', '0', 0],
    ['spaces around', ' 3 ', 3000],
    ['an HTTP date', 'Sun, 22 Nov 2026 07:00:30 GMT', 30_000],
    ['an obsolete HTTP date', 'Sunday, 22-Nov-26 07:00:30 GMT', 30_000],
    ['a date gone by', 'Sun, 22 Nov 2026 06:00:00 GMT', 0],
    ['nothing', '', undefined],
    ['absence', null, undefined],
    ['a negative number', '-5', undefined],
    ['rubbish', 'soon', undefined],
    ['a number with a unit', '5s', undefined],
    ['infinity', 'Infinity', undefined],
    ['more than can be counted', '9'.repeat(400), undefined],
  ])('%s', (_, header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });

  test('is a wait or no opinion, whatever comes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const wait = parseRetryAfter(text, now);
        expect(wait === undefined || (Number.isSafeInteger(wait) && wait >= 0)).toBe(true);
      }),
    );
  });
});
