import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run bench -- [--quick] [--only a,b] [--rows 100000]

Measures the relay beside a bare loop of requests, in one run and on this machine alone. About 15 minutes; --quick about
three. At the end stands each aim, met or not; the exit status is 0 either way, as a busy machine proves nothing.

  --quick      A short run: fewer rounds, no (d), at most 10,000 ledger rows.
  --only a,b   These sections only: a and b (HTTP path; always together), c (queue path),
               d (limits of Exchange), e (size of the ledger), f (what an input costs).
  --rows N     The most ledger rows of (e): 1000, 10000 or 100000.
  --help       Prints this.`;

const SECTIONS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
type SectionName = (typeof SECTIONS)[number];

export type BenchOptions = {
  readonly quick: boolean;
  readonly sections: ReadonlySet<SectionName>;
  readonly mostRows: number;
  readonly help: boolean;
};

class OptionsError extends Error {}

export const isOptionsError = (error: unknown): boolean => error instanceof OptionsError;

const isSection = (text: string): text is SectionName => (SECTIONS as readonly string[]).includes(text);

/** Throws an error whose message says what was expected and how the command is used. */
export const readOptions = (args: readonly string[]): BenchOptions => {
  const values = parse(args);
  const quick = values.quick;
  const names =
    values.only?.split(',').map((name) => name.trim()) ?? SECTIONS.filter((name) => !(quick && name === 'd'));
  const unknown = names.filter((name) => !isSection(name));
  if (unknown.length > 0)
    throw new OptionsError(`--only takes ${SECTIONS.join(', ')}, not ${unknown.join(', ')}.\n\n${USAGE}`);
  const mostRows = Number(values.rows);
  if (![1000, 10_000, 100_000].includes(mostRows))
    throw new OptionsError(`--rows takes 1000, 10000 or 100000, not ${values.rows}.\n\n${USAGE}`);
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
    throw new OptionsError(`${(error as Error).message}\n\n${USAGE}`);
  }
};
