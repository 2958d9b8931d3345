import type { Aim } from '../aims.ts';
import { HOSTILE, ordinary } from '../hostile-inputs.ts';
import { openInputReader } from '../input-cost.ts';
import { ms, printTable, times } from '../print-table.ts';
import { type Section, withOpen } from './section.ts';

/** Little below the limit of a request, where ratios show. */
const BYTES = 7_900_000;
const QUICK_BYTES = 2_000_000;
const MAX_HEAP_MB = 256;
const AIM = 10;

/** What the worst inputs cost against an ordinary mail of their size, in the built app. */
export const inputCosts: Section = ({ appFolder, quick, progress }) =>
  withOpen(async (keep) => {
    const bytes = quick ? QUICK_BYTES : BYTES;
    const reader = await keep(openInputReader(appFolder, MAX_HEAP_MB));
    const usual = await reader.cost(ordinary(bytes));
    const rows: string[][] = [];
    let worst = { name: '', ratio: 0 };
    for (const [name, make] of Object.entries(HOSTILE)) {
      progress(`inputs: ${name}`);
      const { cpuMs, code } = await reader.cost(make(bytes));
      const ratio = cpuMs / usual.cpuMs;
      rows.push([name, ms(cpuMs), times(ratio), code]);
      if (ratio > worst.ratio) worst = { name, ratio };
    }
    printTable(`What an input of ${bytes} bytes costs, within ${MAX_HEAP_MB} MB`, [
      ['', 'processor', 'of ordinary', 'answer'],
      ['an ordinary mail', ms(usual.cpuMs), times(1), usual.code],
      ...rows,
    ]);
    return [
      {
        what: `Costliest input (${worst.name}): CPU of an ordinary one's`,
        figure: worst.ratio,
        limit: { atMost: AIM },
      },
    ] satisfies Aim[];
  });
