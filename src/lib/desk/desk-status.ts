import { defined } from '../defined.ts';
import { isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import { type MailStatus, toStatus } from './mail-status.ts';

/** With whose email it is, by which connection it went, and the name of the record, which are for those who see all. */
export const toDeskStatus = (row: LedgerRow): MailStatus => ({
  ...toStatus(row),
  caller: row.facts.caller,
  ...defined({ connection: row.progress.route?.connection }),
  ...(isIn(row, 'held') ? { record: row.fate.record } : {}),
});
