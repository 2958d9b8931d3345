import { isFinal } from '../../src/lib/ledger/ledger-row.ts';
import { isKept, type MailStory, mostCopies } from '../support/mail-promises.ts';
import type { ChaosReport } from './run-chaos.ts';

/** What a run counts against the promise; none of it may happen even once. */
export type Count = {
  readonly name: 'lost' | 'doubled' | 'damaged' | 'unfinished' | 'other';
  readonly count: number;
};

const isUnfinished = ({ row }: MailStory): boolean => row !== undefined && !isFinal(row);

/** At the wish of its caller. */
const isCanceled = ({ row, mayBeCanceled }: MailStory): boolean =>
  row?.fate.state === 'canceled' && mayBeCanceled === true;

/** How many mails were lost, doubled or damaged, and how often a promise was broken in another way. */
export const countBroken = ({
  stories,
  damaged,
  broken,
}: Pick<ChaosReport, 'stories' | 'damaged' | 'broken'>): readonly Count[] => {
  const lost = stories.filter(
    (story) =>
      story.copies === 0 &&
      (story.toldSent || (story.accepted && !isUnfinished(story) && !isCanceled(story) && !isKept(story))),
  ).length;
  const unfinished = stories.filter((story) => story.accepted && isUnfinished(story)).length;
  const doubled = stories.filter((story) => story.copies > mostCopies(story)).length;
  return [
    { name: 'lost', count: lost },
    { name: 'doubled', count: doubled },
    { name: 'damaged', count: damaged },
    { name: 'unfinished', count: unfinished },
    // One mail can break several promises: whatever is left, it is at least none.
    { name: 'other', count: Math.max(0, broken.length - lost - doubled - damaged - unfinished) },
  ];
};

const MEANING: Readonly<Record<Count['name'], string>> = {
  lost: 'accepted, but neither sent nor held for an operator',
  doubled: 'sent more often than its policy allows',
  damaged: 'Graph received something other than the application sent',
  unfinished: 'in no final state when the run stopped waiting',
  other: 'another broken promise, or leftover data',
};

export const isHeld = (counts: readonly Count[]): boolean => counts.every(({ count }) => count === 0);

/** The end of a run, for people: each aim, and whether the promise held. */
export const toVerdict = (counts: readonly Count[], mails: number): string =>
  [
    'Aims',
    ...counts.map(
      ({ name, count }) =>
        `  ${count === 0 ? 'held  ' : 'BROKEN'}  ${name.padEnd(10)}  ${count} of ${mails}, aim 0: ${MEANING[name]}`,
    ),
    `Verdict: ${isHeld(counts) ? 'held' : 'BROKEN'}`,
  ].join('\n');
