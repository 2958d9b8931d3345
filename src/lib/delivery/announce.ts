import { nameOfFailure } from '../errors.ts';
import type { LedgerRow, RecipientDelivery, Row, Sent } from '../ledger/ledger-row.ts';
import { bouncedEventOf, deliveredEventOf, eventOf } from '../ledger/mail-event.ts';
import { recordTold, recordUntold } from '../ledger/transitions.ts';
import type { LedgerEntry, Ports } from '../ports.ts';

export type AnnounceNeeds = Pick<Ports, 'events' | 'log'>;

/**
 * Tells of a final state, where events are wanted, before the ledger says it: a crash in between means telling it twice, never not at
 * all. Gives the row to write: where the event could not be told, the row says so, and the sweep tells it. What happened to the email
 * is known and must be written, whatever becomes of its event, so this does not throw.
 */
export const announce = async <Its extends LedgerRow>(
  { events, log }: AnnounceNeeds,
  row: Its,
): Promise<Its> => {
  const event = events === undefined ? undefined : eventOf(row);
  if (event === undefined) return recordTold(row);
  try {
    await events?.put(event);
    return recordTold(row);
  } catch (failure) {
    const { mailId } = row.facts;
    log({
      event: 'EventUntold',
      mailId,
      type: event.eventType,
      eventId: event.id,
      name: nameOfFailure(failure),
    });
    return recordUntold(row);
  }
};

/**
 * Tells of a final state that the ledger says already, and writes whether that succeeded, where it is not what the row says. Somebody
 * who has changed the row since has told of that. Throws STORAGE_UNAVAILABLE.
 */
export const announceWritten = async <Its extends LedgerRow>(
  needs: AnnounceNeeds & Pick<Ports, 'ledger'>,
  { row, etag }: LedgerEntry<Its>,
): Promise<Its> => {
  const told = await announce(needs, row);
  if (told.progress.untold !== row.progress.untold) await needs.ledger.replace(told, etag);
  return told;
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
