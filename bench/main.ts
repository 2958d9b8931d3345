import { availableParallelism } from 'node:os';
import { type Aim, toVerdict, toVerdicts } from './aims.ts';
import { isOptionsError, readOptions, USAGE } from './options.ts';
import { buildApp } from './relay-under-load.ts';
import { httpPath } from './sections/http-path.ts';
import { inputCosts } from './sections/input-costs.ts';
import { ledgerSize } from './sections/ledger-size.ts';
import { mailboxLimits } from './sections/mailbox-limits.ts';
import { queuePath } from './sections/queue-path.ts';
import type { Bench, Section } from './sections/section.ts';

/**
 * The bench: ratios within one run, on this machine alone. Absolute figures say something about the machine;
 * nothing here fails because something was slow.
 */
const main = async (): Promise<void> => {
  const { quick, sections, mostRows, help } = readOptions(process.argv.slice(2));
  if (help) return console.log(USAGE);
  console.log(`Node ${process.version}, ${availableParallelism()} processors${quick ? ', quick' : ''}`);
  const progress = (line: string) => console.error(`  ... ${line}`);
  const bench: Bench = { appFolder: await buildApp(), quick, mostRows, progress };
  const aims: Aim[] = [];
  const measure = async (section: Section): Promise<void> => {
    const shown = await section(bench);
    for (const aim of shown) console.log(`  ${toVerdict(aim)}`);
    aims.push(...shown);
  };
  if (sections.has('a') || sections.has('b')) await measure(httpPath);
  if (sections.has('c')) await measure(queuePath);
  if (sections.has('d')) await measure(mailboxLimits);
  if (sections.has('e')) await measure(ledgerSize);
  if (sections.has('f')) await measure(inputCosts);
  console.log(`\n${toVerdicts(aims)}`);
};

const INTERRUPTED = 130;
// The children end with us; the folders are removed on the way out.
process.once('SIGINT', () => process.exit(INTERRUPTED));

main().catch((error: unknown) => {
  console.error(isOptionsError(error) ? (error as Error).message : error);
  process.exitCode = isOptionsError(error) ? 2 : 1;
});
