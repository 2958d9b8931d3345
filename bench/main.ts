import { availableParallelism } from 'node:os';
import { type Aim, toVerdicts } from './aims.ts';
import { buildRelay } from './app-folder.ts';
import { isOptionsError, readOptions, type SectionName, USAGE } from './options.ts';
import { printTable } from './print-table.ts';
import { coldLoad } from './sections/cold-load.ts';
import { cpuPerEmail } from './sections/cpu-per-email.ts';
import { httpPath } from './sections/http-path.ts';
import { inputCosts } from './sections/input-costs.ts';
import { largeEmail } from './sections/large-email.ts';
import { ledgerSize } from './sections/ledger-size.ts';
import { mailboxLimits } from './sections/mailbox-limits.ts';
import { queuePath } from './sections/queue-path.ts';
import type { Bench, Section } from './sections/section.ts';
import { sharedLanes } from './sections/shared-lanes.ts';

const SECTIONS: Readonly<Record<SectionName, Section>> = {
  http: httpPath,
  queue: queuePath,
  cpu: cpuPerEmail,
  load: coldLoad,
  large: largeEmail,
  ledger: ledgerSize,
  inputs: inputCosts,
  limits: mailboxLimits,
  lanes: sharedLanes,
};

/**
 * The bench: ratios within one run, on this machine alone. Absolute figures say something about the machine;
 * nothing here fails because something was slow.
 */
const main = async (): Promise<void> => {
  const { quick, sections, mostRows, help } = readOptions(process.argv.slice(2));
  if (help) return console.log(USAGE);
  console.log(`Node ${process.version}, ${availableParallelism()} processors${quick ? ', quick' : ''}`);
  const progress = (line: string) => console.error(`  ... ${line}`);
  const bench: Bench = { appFolder: await buildRelay(), quick, mostRows, progress };
  const aims: Aim[] = [];
  const failed: SectionName[] = [];
  for (const name of sections) {
    try {
      aims.push(...(await SECTIONS[name](bench)));
    } catch (failure) {
      // What the other sections measured is worth minutes.
      console.error(failure);
      failed.push(name);
      process.exitCode = 1;
    }
  }
  const { title, rows } = toVerdicts(aims, failed);
  printTable(title, rows);
};

const INTERRUPTED = 130;
// The children end with us; the folders are removed on the way out.
process.once('SIGINT', () => process.exit(INTERRUPTED));

main().catch((error: unknown) => {
  console.error(isOptionsError(error) ? (error as Error).message : error);
  process.exitCode = isOptionsError(error) ? 2 : 1;
});
