import { parseArgs } from 'node:util';
import { wrongUsage } from '../scripts/wrong-usage.ts';

/** In the order in which they run. */
const SECTIONS = {
  http: 'an email by HTTP against raw requests that do the same',
  queue: 'emails on the queue against raw requests that do the same',
  cpu: 'CPU per email beside a naive relay',
  load: 'cold load, as built against the source',
  large: 'a 3 MB email: CPU, memory held, ten in a small instance',
  ledger: 'requests of a sweep and of an email, by the size of the ledger',
  inputs: 'what the worst inputs cost',
  limits: 'how much of the limits of Exchange is used (three minutes)',
  lanes: 'instances that share the limits of a mailbox, in moved time',
} as const;
export type SectionName = keyof typeof SECTIONS;
const NAMES = Object.keys(SECTIONS) as SectionName[];
const LONG: ReadonlySet<SectionName> = new Set(['limits']);

const LEAST_ROWS = 512;
const MOST_ROWS = 100_000;

export const USAGE = `Usage: npm run bench -- [--quick] [--only http,cpu] [--rows 25600]

Compares the relay with fixed raw requests and a naive relay in one run on this machine. Takes about 20 minutes, with --quick
less than three minutes if the machine does nothing else. Ends with a table of the aims, each met or not met. The exit status
is 0 in both cases, because a busy machine proves nothing; it is 1 if a section could not be measured.

  --quick        A short run: fewer rounds, no ${[...LONG].join(', ')}, at most 2560 ledger rows.
  --only a,b     Only these sections:
${NAMES.map((name) => `                   ${name.padEnd(8)}${SECTIONS[name]}`).join('\n')}
  --rows N       Rows of the larger ledger, from ${LEAST_ROWS} to ${MOST_ROWS}.
  --help         Prints this.`;

export type BenchOptions = {
  readonly quick: boolean;
  readonly sections: readonly SectionName[];
  readonly mostRows: number;
  readonly help: boolean;
};

class OptionsError extends Error {
  constructor(message: string) {
    super(wrongUsage(message, 'npm run bench'));
  }
}

export const isOptionsError = (error: unknown): boolean => error instanceof OptionsError;

const isSection = (text: string): text is SectionName => Object.hasOwn(SECTIONS, text);

/** Throws an error whose message says what was expected and where the usage is. */
export const readOptions = (args: readonly string[]): BenchOptions => {
  const values = parse(args);
  const { quick, help } = values;
  const wanted =
    values.only?.split(',').map((name) => name.trim()) ?? NAMES.filter((name) => !(quick && LONG.has(name)));
  const unknown = wanted.filter((name) => !isSection(name));
  if (unknown.length > 0)
    throw new OptionsError(`--only: expected ${NAMES.join(', ')}, received ${unknown.join(', ')}.`);
  const mostRows = Number(values.rows);
  if (!Number.isInteger(mostRows) || mostRows < LEAST_ROWS || mostRows > MOST_ROWS)
    throw new OptionsError(
      `--rows: expected a whole number from ${LEAST_ROWS} to ${MOST_ROWS}, received ${values.rows}.`,
    );
  return { quick, sections: NAMES.filter((name) => wanted.includes(name)), mostRows, help };
};

const parse = (args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        rows: { type: 'string', default: '25600' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionsError((error as Error).message);
  }
};
