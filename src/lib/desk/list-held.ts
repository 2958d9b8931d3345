import { defined } from '../defined.ts';
import { isIn } from '../ledger/ledger-row.ts';
import type { Ports } from '../ports.ts';
import { toDeskStatus } from './desk-status.ts';
import type { MailStatus } from './mail-status.ts';

export type HeldPage = { readonly mails: readonly MailStatus[]; readonly next?: string };

const PAGE = 50;

/** The held mails, oldest first; `after` is the `next` of the page before. */
export const listHeld = async (
  { records, ledger }: Pick<Ports, 'records' | 'ledger'>,
  after: string | undefined,
): Promise<HeldPage> => {
  const page = await records.list(PAGE, after);
  const entries = await Promise.all(page.records.map(({ mailId }) => ledger.find(mailId)));
  const mails = entries.flatMap((entry, index) => {
    // The record outlives its state by a moment when a replay or close was cut short.
    if (entry === undefined || !isIn(entry.row, 'held')) return [];
    return entry.row.fate.record === page.records[index]?.name ? [toDeskStatus(entry.row)] : [];
  });
  // Records are named after their day; within a day by their mail.
  mails.sort((one, other) => one.updatedAt.localeCompare(other.updatedAt));
  return { mails, ...defined({ next: page.next }) };
};
