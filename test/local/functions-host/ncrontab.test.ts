import { expect, test } from 'vitest';
import { parseNcrontab } from '../../../local/functions-host/ncrontab.ts';

test.each([
  ['0 0 8 * * *', '2026-11-22T07:59:59Z', '2026-11-22T08:00:00Z'],
  ['0 0 8 * * *', '2026-11-22T08:00:00Z', '2026-11-23T08:00:00Z'],
  ['*/15 * * * * *', '2026-11-22T08:00:01Z', '2026-11-22T08:00:15Z'],
  ['0 30 7 * * 1-5', '2026-11-20T08:00:00Z', '2026-11-23T07:30:00Z'],
  ['0 30 7 * * Mon', '2026-11-22T08:00:00Z', '2026-11-23T07:30:00Z'],
  ['0 0 0 29 2 *', '2026-11-22T08:00:00Z', '2028-02-29T00:00:00Z'],
  // Friday the 13th: NCRONTAB wants both days to match.
  ['0 0 9 13 * 5', '2026-11-22T08:00:00Z', '2027-08-13T09:00:00Z'],
])('%s after %s comes at %s', (expression, after, next) => {
  expect(parseNcrontab(expression, 'UTC')(new Date(after))).toEqual(new Date(next));
});

test('the time zone is that of WEBSITE_TIME_ZONE', () => {
  const next = parseNcrontab('0 0 8 * * *', 'Asia/Taipei')(new Date('2026-11-22T08:00:00Z'));
  expect(next).toEqual(new Date('2026-11-23T00:00:00Z'));
});

test.each(['0 8 * * *', '0 0 8 L * *', '0 0 8 * * ?', '@daily', '0 0 25 * * *', ''])(
  '"%s" is refused with the six fields',
  (expression) => {
    expect(() => parseNcrontab(expression, 'UTC')).toThrow(/\{second\} \{minute\} \{hour\}/);
  },
);

test('a day that never comes is refused when it is asked for', () => {
  expect(() => parseNcrontab('0 0 0 30 2 *', 'UTC')(new Date('2026-11-22T08:00:00Z'))).toThrow(
    '0 0 0 30 2 *',
  );
});
