import { createWriteStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { runChaos } from '../test/chaos/run-chaos.ts';
import { timesTable } from '../test/chaos/scaled-times.ts';
import { toSummary } from '../test/chaos/summary.ts';
import { countBroken, isHeld, toVerdict } from '../test/chaos/verdict.ts';
import { wrongUsage } from './wrong-usage.ts';

const MOST_INSTANCES = 5;

const usage = `Usage: npm run chaos -- [--mails 300] [--instances 2] [--seed 1]

Sends emails through instances of the relay that share one storage account, while these troubles strike:

  processes  kill -9 of the worker or of the host at a chosen write, SIGSTOP with SIGCONT soon or after others took over,
             instances replaced after a drain or a SIGTERM, a clock that jumps
  storage    frozen, slow, busy or reset, for one instance or for all; requests that are carried out although the caller
             stopped waiting; messages that arrive late or twice
  Graph      throttling, errors, false responses, resets, requests that hang; on one instance they run into functionTimeout
  others     Entra and Key Vault are busy or reset connections

Then counts what arrived and prints each aim as held or broken. The exit status is 1 if an aim is broken. 300 emails take
about four minutes, 10,000 half an hour to two hours: a run waits until every email has a final state. Beyond 2,000 emails,
large files and troubles of single emails become rarer, because a start of a host takes seconds.

Times are shorter than in Azure, so the run needs a machine that does nothing else: where a request takes seconds, hosts are
restarted again and again, and emails count as unfinished:

${timesTable()}

  --mails      Number of emails, at least 1. Default: 300.
  --instances  Number of instances, 2 to ${MOST_INSTANCES}. They start one after the other. Default: 2.
  --minutes    Gives no more emails after this time, and ends with those that it gave. Default: all are given.
  --seed       Seed of an earlier run, to repeat its plan. What strikes when differs a little between two runs.
  --log        A file that receives every line of the hosts.
  --help       Prints this.`;

const refuse = (problem: string): never => {
  console.error(wrongUsage(problem, 'npm run chaos'));
  process.exit(2);
};

const wholeNumber = (name: string, text: string, from: number, to: number): number => {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= from && number <= to) return number;
  return refuse(`--${name}: expected a whole number from ${from} to ${to}, received "${text}"`);
};

const readOptions = () => {
  try {
    const { values } = parseArgs({
      options: {
        mails: { type: 'string', default: '300' },
        instances: { type: 'string', default: '2' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        minutes: { type: 'string' },
        log: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    return {
      mails: wholeNumber('mails', values.mails, 1, 1_000_000),
      instances: wholeNumber('instances', values.instances, 2, MOST_INSTANCES),
      seed: wholeNumber('seed', values.seed, 0, 999_999_999),
      ...(values.minutes === undefined ? {} : { minutes: wholeNumber('minutes', values.minutes, 1, 1_440) }),
      logTo: values.log,
    };
  } catch (error) {
    return refuse((error as Error).message);
  }
};

const { logTo, ...options } = readOptions();
const { mails, instances, seed } = options;
const logFile = logTo === undefined ? undefined : createWriteStream(logTo);
console.log(`${mails} emails, ${instances} instances, seed ${seed}\n`);
const report = await runChaos({
  ...options,
  tell: (progress) => console.error(progress),
  log: (line) => void logFile?.write(`${line}\n`),
});
console.log(toSummary(report));
for (const broken of report.broken) console.error(`\n${broken}`);
const counts = countBroken(report);
console.log(`\n${toVerdict(counts, report.given.length)}`);
process.exit(isHeld(counts) ? 0 : 1);
