import { type LedgerRow, type MailState, transitions } from '../../../src/lib/ledger/ledger-row.ts';

const next = (state: MailState): readonly MailState[] => transitions[state];

/** One step of the diagram; or two, where the write between them was lost or left out because both happen at once. */
const isLegal = (from: MailState, to: MailState): boolean =>
  next(from).includes(to) || next(from).some((between) => next(between).includes(to));

/** What is wrong with a row taking the place of another. */
export const lawbreaks = (row: LedgerRow, before: LedgerRow | undefined): readonly string[] => {
  if (before === undefined) return [];
  const wrong = (what: string): string => `${row.mailId} ${before.state} -> ${row.state}: ${what}`;
  return [
    ...(isLegal(before.state, row.state) ? [] : [wrong('the diagram has no such way')]),
    ...(row.turn < before.turn ? [wrong(`the turn went back from ${before.turn} to ${row.turn}`)] : []),
    ...(before.resent && !row.resent ? [wrong('a chance that was used came back')] : []),
  ];
};
