import { expect, test } from 'vitest';
import { isAnswered } from '../../bench/small-instance.ts';

test.each([
  [{ status: 200, headers: {}, text: '' }, true],
  [{ status: 202, headers: {}, text: '' }, true],
  [{ status: 503, headers: { 'retry-after': '5' }, text: '' }, true],
  [{ status: 503, headers: {}, text: '' }, false],
  [{ status: 500, headers: { 'retry-after': '5' }, text: '' }, false],
  [undefined, false],
])('%j is a proper end of a request: %s', (answer, isProper) => {
  expect(isAnswered(answer)).toBe(isProper);
});
