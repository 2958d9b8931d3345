import type { LedgerRow, RecipientDelivery, Row, Sent } from '../ledger/ledger-row.ts';
import { bouncedEventOf, deliveredEventOf, eventOf } from '../ledger/mail-event.ts';
import type { Ports } from '../ports.ts';

/**
 * Tells of a final state, where events are wanted, before the ledger says it: a crash in between means telling it twice,
 * never not at all.
 */
export const announce = async ({ events }: Pick<Ports, 'events'>, row: LedgerRow): Promise<void> => {
  const event = events === undefined ? undefined : eventOf(row);
  if (event !== undefined) await events?.put(event);
};

/**
 * Tells what became of recipients of an email that was sent: which did not get it, and for which the next mail server took it. Call it
 * with what is new, before the ledger says it.
 */
export const announceDeliveries = async (
  { events, clock }: Pick<Ports, 'events' | 'clock'>,
  row: Row<Sent>,
  news: readonly RecipientDelivery[],
): Promise<void> => {
  for (const make of [bouncedEventOf, deliveredEventOf]) {
    const event = events === undefined ? undefined : make(row, news, clock.now());
    if (event !== undefined) await events?.put(event);
  }
};
