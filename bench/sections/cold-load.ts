import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Aim } from '../aims.ts';
import { type LoadTime, measureLoad } from '../load-time.ts';
import { ms, printTable, times } from '../print-table.ts';
import { median } from '../rounds.ts';
import type { Section } from './section.ts';

const ROUNDS = 21;
const QUICK_ROUNDS = 3;
const AIM = 0.22;

const SOURCE = join(import.meta.dirname, '..', '..', 'src', 'app.ts');

type Round = { readonly node: LoadTime; readonly source: LoadTime; readonly built: LoadTime };

/** From the start of Node until the functions are registered: the app as built against its source, not bundled. */
export const coldLoad: Section = async ({ appFolder, quick, progress }) => {
  const { main } = JSON.parse(await readFile(join(appFolder, 'package.json'), 'utf8')) as { main: string };
  const built = join(appFolder, main);
  const rounds: Round[] = [];
  const count = quick ? QUICK_ROUNDS : ROUNDS;
  // The first reads the files from the disk.
  for (let round = 0; round <= count; round += 1) {
    progress(round === 0 ? 'load: warming up' : `load: round ${round} of ${count}`);
    const measured = {
      node: await measureLoad(),
      source: await measureLoad(SOURCE),
      built: await measureLoad(built),
    };
    if (measured.built.functions === 0 || measured.built.functions !== measured.source.functions)
      throw new Error(
        `Expected the same functions from source and bundle, received ${measured.source.functions} and ${measured.built.functions}.`,
      );
    if (round > 0) rounds.push(measured);
  }
  const medianOf = (compute: (round: Round) => number) => median(rounds.map(compute));
  const row = (name: string, which: keyof Round) => [
    name,
    ms(medianOf((round) => round[which].ms)),
    times(medianOf((round) => round[which].ms / round.source.ms)),
    times(medianOf((round) => (round[which].ms - round.node.ms) / (round.source.ms - round.node.ms))),
    ms(medianOf((round) => round[which].cpuMs)),
    times(medianOf((round) => round[which].cpuMs / round.source.cpuMs)),
  ];
  printTable('Cold load: from the start of Node until the functions are registered', [
    ['', 'time', 'of source', 'without Node', 'CPU', 'of source'],
    row('Node alone', 'node'),
    row('source, not bundled', 'source'),
    row('as built', 'built'),
  ]);
  return [
    {
      what: 'Cold load, time: built / source',
      figure: medianOf((round) => round.built.ms / round.source.ms),
      limit: { atMost: AIM },
    },
    {
      what: 'Cold load, CPU: built / source',
      figure: medianOf((round) => round.built.cpuMs / round.source.cpuMs),
      limit: { atMost: AIM },
    },
  ] satisfies Aim[];
};
