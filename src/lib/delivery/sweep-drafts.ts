import { isFinal, isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import type { DraftFound } from '../ports.ts';
import { ago, DAY_MS, forEach, type Part } from './sweep-run.ts';

/**
 * Drafts that were not sent and could not be removed when that was known. Only those of emails in this ledger: another relay can
 * use the same mailbox.
 */
export const sweepDrafts: Part = async (needs, run) => {
  const before = ago(needs, DAY_MS);
  for (const mailbox of needs.draftMailboxes) {
    if (run.isOver()) return;
    const drafts = (await needs.drafts.listBefore(mailbox, before)) ?? [];
    await forEach(needs, run, each(drafts), {
      mailIdOf: ({ mailId = '' }) => mailId,
      sweep: async ({ id, mailId = '' }) => {
        const row = (await needs.ledger.find(mailId))?.row;
        if (row === undefined || !isLeftOver(row, id)) return;
        if ((await needs.drafts.remove(mailbox, id, needs.mailboxes.routeOf(mailbox))) === 'failed')
          return needs.log({ event: 'DraftLeft', mailId });
        run.counts.drafts += 1;
      },
    });
  }
};

/**
 * Whether a draft can never become the email. One that was submitted can be on its way, however long; one of an email that went
 * by sendMail is Exchange's own.
 */
const isLeftOver = (row: LedgerRow, draftId: string): boolean => {
  const { way, draft } = row.progress;
  if (way !== 'draft' || !(isFinal(row) || isIn(row, 'queued', 'deferred'))) return false;
  return draft?.id !== draftId || !draft.isSubmitted;
};

async function* each(drafts: readonly DraftFound[]): AsyncIterable<DraftFound> {
  yield* drafts;
}
