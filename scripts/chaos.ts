import { parseArgs } from 'node:util';
import { runChaos } from '../test/chaos/run-chaos.ts';
import { toSummary } from '../test/chaos/summary.ts';
import { countBroken, isHeld, toVerdict } from '../test/chaos/verdict.ts';
import { wrongUsage } from './wrong-usage.ts';

const usage = `Usage: npm run chaos -- [--mails 300] [--seed 1]

Sends emails through the relay while it kills the functions host (kill -9), throttles requests, resets connections and
returns wrong responses. Then counts what arrived and prints each aim as held or broken. The exit status is 1 if an aim is
broken. 300 emails take about three minutes, 10,000 one or two hours: a run waits until every email has a final state.

  --mails  Number of emails. Default: 300.
  --seed   Seed of an earlier run, to repeat its plan.
  --help   Prints this.`;

const wholeNumber = (name: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) {
    console.error(wrongUsage(`--${name}: expected a whole number, received "${text}"`, 'npm run chaos'));
    process.exit(2);
  }
  return Number(text);
};

const readOptions = () => {
  try {
    const { values } = parseArgs({
      options: {
        mails: { type: 'string', default: '300' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) {
      console.log(usage);
      process.exit(0);
    }
    return { mails: wholeNumber('mails', values.mails), seed: wholeNumber('seed', values.seed) };
  } catch (error) {
    console.error(wrongUsage((error as Error).message, 'npm run chaos'));
    process.exit(2);
  }
};

const { mails, seed } = readOptions();
console.log(`${mails} emails, seed ${seed}\n`);
const report = await runChaos({ mails, seed });
console.log(toSummary(report));
for (const broken of report.broken) console.error(`\n${broken}`);
const counts = countBroken(report);
console.log(`\n${toVerdict(counts, mails)}`);
process.exit(isHeld(counts) ? 0 : 1);
