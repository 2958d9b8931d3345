import { availableParallelism } from 'node:os';
import { isOptionsError, readOptions } from './options.ts';
import { buildApp } from './relay-under-load.ts';
import { httpPath } from './sections/http-path.ts';
import { inputCosts } from './sections/input-costs.ts';
import { ledgerSize } from './sections/ledger-size.ts';
import { mailboxLimits } from './sections/mailbox-limits.ts';
import { queuePath } from './sections/queue-path.ts';
import type { Bench } from './sections/section.ts';

/**
 * The bench: ratios within one run, on this machine alone. Absolute figures say something about the machine;
 * nothing here fails because something was slow.
 */
const main = async (): Promise<void> => {
  const { quick, sections, mostRows } = readOptions(process.argv.slice(2));
  console.log(`Node ${process.version}, ${availableParallelism()} processors${quick ? ', quick' : ''}`);
  const progress = (line: string) => console.error(`  ... ${line}`);
  const bench: Bench = { appFolder: await buildApp(), quick, mostRows, progress };
  if (sections.has('a') || sections.has('b')) await httpPath(bench);
  if (sections.has('c')) await queuePath(bench);
  if (sections.has('d')) await mailboxLimits(bench);
  if (sections.has('e')) await ledgerSize(bench);
  if (sections.has('f')) await inputCosts(bench);
};

const INTERRUPTED = 130;
// The children end with us; the folders are removed on the way out.
process.once('SIGINT', () => process.exit(INTERRUPTED));

main().catch((error: unknown) => {
  console.error(isOptionsError(error) ? (error as Error).message : error);
  process.exitCode = isOptionsError(error) ? 2 : 1;
});
