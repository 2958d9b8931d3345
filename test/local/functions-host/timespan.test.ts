import { expect, test } from 'vitest';
import { formatTimespan, parseTimespan } from '../../../local/functions-host/timespan.ts';

test.each([
  ['00:00:02', 2_000],
  ['01:30', 5_400_000],
  ['1.00:00:00', 86_400_000],
  ['00:00:00.1500000', 150],
  ['-00:00:01', -1_000],
  ['00:61:00', undefined],
  ['2', undefined],
  ['00:00:02Z', undefined],
])('%s is %s ms', (text, ms) => {
  expect(parseTimespan(text)).toBe(ms);
});

test('a time span is written as in host.json', () => {
  expect(formatTimespan(5_405_000)).toBe('01:30:05');
});
