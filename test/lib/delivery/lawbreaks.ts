import { isUntold, type LedgerRow, type MailState } from '../../../src/lib/ledger/ledger-row.ts';
import { transitions } from '../../../src/lib/ledger/transitions.ts';

const next = (state: MailState): readonly MailState[] => transitions[state];

/** One step of the diagram; or two, where the write between them was lost or left out because both happen at once. */
const isLegal = (from: MailState, to: MailState): boolean =>
  next(from).includes(to) || next(from).some((between) => next(between).includes(to));

/** What has ended is written again where its event was told, or could not be. */
const isTold = (row: LedgerRow, before: LedgerRow): boolean =>
  row.fate.state === before.fate.state && isUntold(row) !== isUntold(before);

/** What is wrong with a row taking the place of another. */
export const lawbreaks = (row: LedgerRow, before: LedgerRow | undefined): readonly string[] => {
  if (before === undefined) return [];
  const [from, to] = [before.fate.state, row.fate.state];
  const wrong = (what: string): string => `${row.facts.mailId} ${from} -> ${to}: ${what}`;
  return [
    ...(isLegal(from, to) || isTold(row, before) ? [] : [wrong('the diagram has no such way')]),
    ...(row.progress.turn < before.progress.turn
      ? [wrong(`the turn went back from ${before.progress.turn} to ${row.progress.turn}`)]
      : []),
    ...(before.progress.resent && !row.progress.resent ? [wrong('a chance that was used came back')] : []),
  ];
};
