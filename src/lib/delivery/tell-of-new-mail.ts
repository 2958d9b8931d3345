import { isIn } from '../ledger/ledger-row.ts';
import type { Log } from '../log.ts';
import type { Ledger } from '../ports.ts';

/**
 * A ledger that also tells of each new email in it: whatever way an email comes, this is where it is accepted. What may not be sent is
 * held in a row of its own, and was never accepted.
 */
export const tellingOfNewMail = (ledger: Ledger, door: 'http' | 'queue', log: Log): Ledger => ({
  ...ledger,
  create: async (row) => {
    const created = await ledger.create(row);
    if (created !== undefined && !isIn(row, 'held'))
      log({ event: 'MailAccepted', mailId: row.facts.mailId, door });
    return created;
  },
});
