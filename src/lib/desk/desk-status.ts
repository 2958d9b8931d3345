import { defined } from '../defined.ts';
import { isBounced, isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import { type MailStatus, toStatus } from './mail-status.ts';

/** With whose email it is, by which connection it went, whether it bounced, and the name of the record, for those who see all. */
export const toDeskStatus = (row: LedgerRow): MailStatus => ({
  ...toStatus(row),
  caller: row.facts.caller,
  ...defined({ connection: row.progress.route?.connection }),
  ...(isBounced(row) ? { bounced: true } : {}),
  ...(isIn(row, 'held') ? { record: row.fate.record } : {}),
});
