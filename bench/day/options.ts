import { parseArgs } from 'node:util';
import { wrongUsage } from '../../scripts/wrong-usage.ts';
import type { DayOptions } from './day-plan.ts';

export const USAGE = `Usage: npm run day -- [--emails 1000000] [--mailboxes 200] [--instances 20] [--seed 1]

Runs one day of the relay in moved time: the real use cases on simulated instances, around simulated storage and Exchange. The day has
bursts, half an hour in which Graph fails, slow storage, instances that die, and two deployments. Prints whether every promise
was kept, then delays, requests and cost. The exit status is 1 if a promise is broken. A million emails take about 20 minutes of one
processor and 3 GB of memory, 10,000 emails with --mailboxes 10 --instances 4 about 15 seconds.

  --emails     Emails of the day, from 100 to 5,000,000.
  --mailboxes  Sender mailboxes, from 2 to 2,000. A mailbox sends at most 43,200 emails and 10,000 recipients a day.
  --instances  Instances, from 2 to 100: four tenths for HTTP, the others for the queue.
  --seed       Seed of an earlier run, to repeat it.
  --json FILE  Also writes the figures to a file.
  --help       Prints this.`;

const RANGES = {
  emails: { least: 100, most: 5_000_000, fallback: '1000000' },
  mailboxes: { least: 2, most: 2000, fallback: '200' },
  instances: { least: 2, most: 100, fallback: '20' },
  seed: { least: 0, most: 999_999_999, fallback: '1' },
} as const;
type Name = keyof typeof RANGES;

class OptionsError extends Error {
  constructor(message: string) {
    super(wrongUsage(message, 'npm run day'));
  }
}

export const isOptionsError = (error: unknown): boolean => error instanceof OptionsError;

/** Throws an error whose message says what was expected and where the usage is. */
export const readOptions = (
  args: readonly string[],
): { readonly help: boolean; readonly json?: string; readonly day: DayOptions } => {
  const values = parse(args);
  const numberOf = (name: Name): number => {
    const { least, most } = RANGES[name];
    const text = values[name];
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < least || number > most)
      throw new OptionsError(
        `--${name}: expected a whole number from ${least} to ${most}, received "${text}".`,
      );
    return number;
  };
  const day = {
    emails: numberOf('emails'),
    mailboxes: numberOf('mailboxes'),
    instances: numberOf('instances'),
    seed: numberOf('seed'),
  };
  return { help: values.help, day, ...(values.json === undefined ? {} : { json: values.json }) };
};

const parse = (args: readonly string[]) => {
  const option = (name: Name) => ({ type: 'string', default: RANGES[name].fallback }) as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        emails: option('emails'),
        mailboxes: option('mailboxes'),
        instances: option('instances'),
        seed: option('seed'),
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new OptionsError((error as Error).message);
  }
};
