import type { MailStory } from '../support/mail-promises.ts';
import { LIMITED } from './declared-callers.ts';
import type { PlannedMail } from './plan.ts';
import type { ChaosReport } from './run-chaos.ts';

const countBy = <Item>(items: readonly Item[], nameOf: (item: Item) => string): [string, number][] => {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => a.localeCompare(b));
};

const isAllowedTwice = ({ policy, copies }: MailStory): boolean => policy === 'resend' && copies === 2;

const table = (title: string, rows: readonly (readonly [string, number])[]): string => {
  const width = Math.max(...rows.map(([name]) => name.length), 0);
  return [
    title,
    ...rows.map(([name, count]) => `  ${name.padEnd(width)}  ${String(count).padStart(6)}`),
  ].join('\n');
};

const callerOf = ({ caller }: PlannedMail): string =>
  caller === undefined ? 'not declared' : caller === LIMITED ? 'declared, with a daily limit' : 'declared';

const featuresOf = ({ largeFile, asMime, laterMs, cancel }: PlannedMail): readonly string[] => [
  ...(largeFile === undefined ? [] : [`a file above 3 MB, ${largeFile}`]),
  ...(asMime ? ['text and HTML'] : []),
  ...(laterMs === undefined ? [] : [cancel ? 'sendAt, and canceled while it waits' : 'sendAt']),
];

/** What a run did and what came of it, to be read by people. */
export const toSummary = ({
  given,
  stories,
  troubles,
  starts,
  forms,
  replayed,
  limits,
  seconds,
  broken,
}: ChaosReport): string =>
  [
    table(
      'Emails by how they were submitted',
      countBy(given, ({ plan }) => plan.way),
    ),
    table(
      'Emails by their caller',
      countBy(given, ({ plan, accepted }) => `${callerOf(plan)}${accepted ? '' : ', not accepted'}`),
    ),
    table(
      'Emails by what they ask for',
      countBy(
        given.flatMap(({ plan }) => featuresOf(plan)),
        (feature) => feature,
      ),
    ),
    table(
      'Emails that Graph accepted, by form',
      [...forms].toSorted(([a], [b]) => a.localeCompare(b)),
    ),
    table(
      'Troubles, by how often they struck',
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
      ['sent twice, as onUnknown: resend allows', stories.filter(isAllowedTwice).length],
      ['requests to send that reached Graph', limits.requests],
      ['of these refused by the limits of a mailbox', limits.refused],
      ['seconds', Math.round(seconds)],
      ['broken promises', broken.length],
    ]),
  ].join('\n\n');
