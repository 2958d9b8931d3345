import type { LedgerRow } from '../ledger/ledger-row.ts';
import { eventOf } from '../ledger/mail-event.ts';
import type { Ports } from '../ports.ts';

/**
 * Tells of a final state, where events are wanted, before the ledger says it: a crash in between means telling it twice,
 * never not at all.
 */
export const announce = async ({ events }: Pick<Ports, 'events'>, row: LedgerRow): Promise<void> => {
  const event = events === undefined ? undefined : eventOf(row);
  if (event !== undefined) await events?.put(event);
};
