import { expect, test } from 'vitest';
import { steadyMs, wholeThirds } from '../../bench/steady-rate.ts';

test.each([
  [90, 90],
  [100, 99],
  [149, 150],
  [1, 3],
])('of about %d emails, %d are measured, of which a third is whole', (wished, count) => {
  expect(wholeThirds(wished)).toBe(count);
});

test('the rate is that of the last two thirds, from the end of the first third on', () => {
  expect(steadyMs([0, 500, 900, 1000, 1100, 1200, 1300, 1400, 1500])).toBe(100);
});

test('emails that end in another order count the same', () => {
  expect(steadyMs([1200, 900, 0, 1000, 500, 1100, 1500, 1300, 1400])).toBe(100);
});

test('a fraction of an email is refused', () => {
  expect(() => steadyMs([0, 1, 2, 3])).toThrow('received 4');
});
