import { parseArgs } from 'node:util';
import { runChaos } from '../test/chaos/run-chaos.ts';
import { toSummary } from '../test/chaos/summary.ts';
import { countBroken, isHeld, toVerdict } from '../test/chaos/verdict.ts';

const usage = `Usage: npm run chaos -- [--mails 300] [--seed 1]

Kills the host with kill -9, throttles, resets and lies, and then counts what arrived. At the end stands each aim, held
or broken, and the exit status is 1 when one is broken. 300 mails take some three minutes, 10,000 one or two hours; a run
waits until every mail has come to its end.

  --mails  How many mails go through the relay while things fail and die around it.
  --seed   Repeats the plan of an earlier run.
  --help   Prints this.`;

const wholeNumber = (name: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) {
    console.error(`--${name}: expected a whole number, received "${text}".\n\n${usage}`);
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
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
};

const { mails, seed } = readOptions();
console.log(`${mails} mails, seed ${seed}\n`);
const report = await runChaos({ mails, seed });
console.log(toSummary(report));
for (const broken of report.broken) console.error(`\n${broken}`);
const counts = countBroken(report);
console.log(`\n${toVerdict(counts, mails)}`);
process.exit(isHeld(counts) ? 0 : 1);
