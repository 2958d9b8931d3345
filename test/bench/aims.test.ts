import { expect, test } from 'vitest';
import { type Aim, isMet, toVerdicts } from '../../bench/aims.ts';
import { percent } from '../../bench/print-table.ts';

const atLeast = (figure: number): Aim => ({ what: 'a ratio', figure, limit: { atLeast: 0.8 } });
const atMost = (figure: number): Aim => ({ what: 'waste', figure, limit: { atMost: 0.02 }, show: percent });
const equal = (figure: number): Aim => ({ what: 'requests', figure, limit: { equal: 1 } });

test.each([
  [atLeast(0.8), true],
  [atLeast(0.79), false],
  [atLeast(Number.NaN), false],
  [atMost(0.02), true],
  [atMost(0.021), false],
  [atMost(Number.NaN), false],
  [equal(1), true],
  [equal(1025 / 1024), false],
  [equal(Number.NaN), false],
])('%o is met: %s', (aim, met) => {
  expect(isMet(aim)).toBe(met);
});

test('the verdicts are a table with the figure beside the aim, under a line that counts them', () => {
  expect(toVerdicts([atLeast(0.86), atMost(0.05), equal(1)])).toEqual({
    title: 'Aims: 2 of 3 met',
    rows: [
      ['', 'aim', 'measured', 'verdict'],
      ['a ratio', 'at least 0.800', '0.860', 'met'],
      ['waste', 'at most 2.0 %', '5.0 %', 'NOT MET'],
      ['requests', 'exactly 1.000', '1.000', 'met'],
    ],
  });
});

test('a section that failed is a verdict of its own, and does not take away the others', () => {
  const { title, rows } = toVerdicts([atLeast(0.86)], ['queue']);
  expect(title).toBe('Aims: 1 of 1 met, and nothing is known of queue');
  expect(rows.at(-1)).toEqual(['Section queue', '', 'failed, see above', 'NOT MET']);
});
