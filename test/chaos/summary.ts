import type { ChaosReport } from './run-chaos.ts';

const countBy = <Item>(items: readonly Item[], nameOf: (item: Item) => string): [string, number][] => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => a.localeCompare(b));
};

const table = (title: string, rows: readonly (readonly [string, number])[]): string => {
  const width = Math.max(...rows.map(([name]) => name.length), 0);
  return [
    title,
    ...rows.map(([name, count]) => `  ${name.padEnd(width)}  ${String(count).padStart(6)}`),
  ].join('\n');
};

/** What a run did and what came of it, to be read by people. */
export const toSummary = ({
  given,
  stories,
  troubles,
  starts,
  replayed,
  seconds,
  broken,
}: ChaosReport): string =>
  [
    table(
      'Emails by how they were submitted',
      countBy(given, ({ plan }) => plan.way),
    ),
    table(
      'Faults',
      [...troubles].toSorted(([a], [b]) => a.localeCompare(b)),
    ),
    table(
      'Emails by final state',
      countBy(stories, ({ row, policy }) => `${row?.fate.state ?? 'nowhere'} (${policy})`),
    ),
    table(
      'Copies sent per email, before replays',
      countBy(stories, ({ copies, policy }) => `${copies} times (${policy})`),
    ),
    table('Other', [
      ['host starts', starts],
      ['replayed by an operator', replayed],
      ['seconds', Math.round(seconds)],
      ['broken promises', broken.length],
    ]),
  ].join('\n\n');
