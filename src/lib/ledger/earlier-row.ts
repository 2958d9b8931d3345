import type { LedgerRow } from './ledger-row.ts';

/** States by the names they had before; the first version that was released has the new ones. */
const EARLIER_STATES: Readonly<Record<string, LedgerRow['state']>> = {
  waiting: 'deferred',
  'set-aside': 'held',
};

/** The row that this JSON holds, also one that was written when states and counts had other names. */
export const readRow = (json: string): LedgerRow => {
  const { forgottenAttempts, ...row } = JSON.parse(json) as LedgerRow & { forgottenAttempts?: number };
  return {
    ...row,
    state: EARLIER_STATES[row.state] ?? row.state,
    omittedAttempts: row.omittedAttempts ?? forgottenAttempts ?? 0,
  } as LedgerRow;
};
