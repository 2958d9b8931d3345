import { expect, test } from 'vitest';
import { isOptionsError, readOptions, USAGE } from '../../bench/options.ts';

const ALL = ['http', 'queue', 'cpu', 'load', 'large', 'ledger', 'inputs', 'limits', 'lanes'];

test('without options every section runs', () => {
  expect(readOptions([])).toEqual({ quick: false, help: false, sections: ALL, mostRows: 25_600 });
});

test('--quick leaves out what takes minutes by its nature, unless it is asked for', () => {
  expect(readOptions(['--quick']).sections).toEqual(ALL.filter((name) => name !== 'limits'));
  expect(readOptions(['--quick', '--only', 'limits']).sections).toEqual(['limits']);
});

test('--only runs these sections, each once and in the order of the bench', () => {
  expect(readOptions(['--only', 'cpu, http,cpu']).sections).toEqual(['http', 'cpu']);
});

test('the usage names every section', () => {
  for (const name of ALL) expect(USAGE).toMatch(new RegExp(`^ +${name} +\\S`, 'm'));
  expect(readOptions(['--help']).help).toBe(true);
});

test.each([
  [['--rows', '7'], /^--rows: expected a whole number from 512 to 100000, received 7\./],
  [['--rows', '1e9'], /received 1e9\./],
  [['--rows', 'many'], /received many\./],
  [['--only', 'http,z'], /^--only: expected http, queue, .*, received z\./],
  [['--only', ''], /^--only: expected http/],
  [['--fast'], /^Unknown option '--fast'\./],
])('%j is refused with what was expected and where the usage is', (args, message) => {
  const refusal = (): Error => {
    try {
      readOptions(args);
    } catch (error) {
      if (isOptionsError(error)) return error as Error;
    }
    throw new Error('expected a refusal');
  };
  expect(refusal().message).toMatch(message);
  expect(refusal().message).toMatch(/^[^\n]+\.\nFor the usage: npm run bench -- --help$/);
});
