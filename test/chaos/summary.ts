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
      'Mails by their way in',
      countBy(given, ({ plan }) => plan.way),
    ),
    table(
      'Troubles that struck',
      [...troubles].toSorted(([a], [b]) => a.localeCompare(b)),
    ),
    table(
      'What became of the mails',
      countBy(stories, ({ row, policy }) => `${row?.state ?? 'nowhere'} (${policy})`),
    ),
    table(
      'How often each was sent, at first',
      countBy(stories, ({ copies, policy }) => `${copies} times (${policy})`),
    ),
    table('Besides', [
      ['starts of a host', starts],
      ['sent by a person in the end', replayed],
      ['seconds', Math.round(seconds)],
      ['broken promises', broken.length],
    ]),
  ].join('\n\n');
