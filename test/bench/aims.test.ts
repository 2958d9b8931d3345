import { expect, test } from 'vitest';
import { type Aim, isMet, toVerdict, toVerdicts } from '../../bench/aims.ts';
import { isOptionsError, readOptions } from '../../bench/options.ts';
import { percent } from '../../bench/print-table.ts';

const atLeast = (figure: number): Aim => ({ what: 'a ratio', figure, limit: { atLeast: 0.8 } });
const atMost = (figure: number): Aim => ({ what: 'waste', figure, limit: { atMost: 0.02 }, show: percent });

test.each([
  [atLeast(0.8), true],
  [atLeast(0.79), false],
  [atLeast(Number.NaN), false],
  [atMost(0.02), true],
  [atMost(0.021), false],
  [atMost(Number.NaN), false],
])('%o is met: %s', (aim, met) => {
  expect(isMet(aim)).toBe(met);
});

test('a verdict has the figure beside the aim, and the last line of a run counts them', () => {
  expect(toVerdict(atLeast(0.86))).toBe('met      a ratio: 0.86, aim at least 0.80');
  expect(toVerdict(atMost(0.05))).toBe('NOT MET  waste: 5.0 %, aim at most 2.0 %');
  expect(toVerdicts([atLeast(0.86), atMost(0.05)])).toMatch(/^Aims: 1 of 2 met\n/);
});

test('--help is an option of the bench, and what it does not know is answered by where its usage is', () => {
  expect(readOptions(['--help']).help).toBe(true);
  expect(readOptions([]).help).toBe(false);
  const refusal = (args: readonly string[]): Error => {
    try {
      readOptions(args);
    } catch (error) {
      if (isOptionsError(error)) return error as Error;
    }
    throw new Error('expected a refusal');
  };
  for (const args of [['--rows', '7'], ['--only', 'z'], ['--fast']])
    expect(refusal(args).message).toMatch(/^[^\n]+\.\nFor the usage: npm run bench -- --help$/);
});
