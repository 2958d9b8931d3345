import { parseArgs } from 'node:util';
import { wrongUsage } from '../scripts/wrong-usage.ts';

export const USAGE = `Usage: npm run bench -- [--quick] [--only a,b] [--rows 100000]

Compares the relay with a plain loop of requests in one run on this machine. Takes about 15 minutes, with --quick about
three minutes. Prints each aim as met or not met. The exit status is 0 in both cases, because a busy machine proves nothing.

  --quick      A short run: fewer rounds, no (d), at most 10,000 ledger rows.
  --only a,b   Only these sections: a and b (HTTP path, always together), c (queue path),
               d (limits of Exchange), e (size of the ledger), f (what an input costs).
  --rows N     Largest ledger in (e), in rows: 1000, 10000 or 100000.
  --help       Prints this.`;

const SECTIONS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
type SectionName = (typeof SECTIONS)[number];

export type BenchOptions = {
  readonly quick: boolean;
  readonly sections: ReadonlySet<SectionName>;
  readonly mostRows: number;
  readonly help: boolean;
};

class OptionsError extends Error {
  constructor(message: string) {
    super(wrongUsage(message, 'npm run bench'));
  }
}

export const isOptionsError = (error: unknown): boolean => error instanceof OptionsError;

const isSection = (text: string): text is SectionName => (SECTIONS as readonly string[]).includes(text);

/** Throws an error whose message says what was expected and where the usage is. */
export const readOptions = (args: readonly string[]): BenchOptions => {
  const values = parse(args);
  const quick = values.quick;
  const names =
    values.only?.split(',').map((name) => name.trim()) ?? SECTIONS.filter((name) => !(quick && name === 'd'));
  const unknown = names.filter((name) => !isSection(name));
  if (unknown.length > 0)
    throw new OptionsError(`--only: expected ${SECTIONS.join(', ')}, received ${unknown.join(', ')}.`);
  const mostRows = Number(values.rows);
  if (![1000, 10_000, 100_000].includes(mostRows))
    throw new OptionsError(`--rows: expected 1000, 10000 or 100000, received ${values.rows}.`);
  return { quick, sections: new Set(names.filter(isSection)), mostRows, help: values.help };
};

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        rows: { type: 'string', default: '100000' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionsError((error as Error).message);
  }
};
