import { parseArgs } from 'node:util';
import { runChaos } from '../test/chaos/run-chaos.ts';
import { toSummary } from '../test/chaos/summary.ts';

const usage = `Usage: npm run chaos -- [--mails 300] [--seed 1]

  --mails  How many mails go through the relay while things fail and die around it.
  --seed   Repeats the plan of an earlier run.`;

const wholeNumber = (name: string, text: string): number => {
  if (!/^\d{1,9}$/.test(text)) {
    console.error(`--${name}: expected a whole number, came "${text}".\n\n${usage}`);
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
      },
    });
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
process.exit(report.broken.length === 0 ? 0 : 1);
