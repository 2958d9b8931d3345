import { announceWritten } from '../delivery/announce.ts';
import type { InState, LedgerRow } from '../ledger/ledger-row.ts';
import { recordUntold } from '../ledger/transitions.ts';
import type { Ports } from '../ports.ts';
import type { Pacer } from '../sending/pacing.ts';

export type StopNeeds = Pick<Ports, 'ledger' | 'payloads' | 'events' | 'log'> & {
  /** Absent while settings are wrong. */
  readonly pacer?: Pick<Pacer, 'canceled'>;
};

const mayBeSent = ({ progress }: LedgerRow): boolean =>
  progress.resent || progress.attempts.at(-1)?.outcome === 'unknown';

/** Whether an email waits that was certainly not sent. Of one that is sent once more by choice, nobody can say that. */
export const isWaiting = (row: LedgerRow): row is InState<'queued' | 'deferred'> =>
  (row.fate.state === 'queued' || row.fate.state === 'deferred') && !mayBeSent(row);

/**
 * Ends an email that waits. An attempt claims the row first, so that either it or this succeeds: false where it was faster. The
 * message of the email is dropped when it is delivered.
 */
export const stopWaiting = async (
  needs: StopNeeds,
  ended: InState<'canceled' | 'closed'>,
  etag: string,
): Promise<boolean> => {
  // Not told before the row, as elsewhere: an attempt that is faster sends the email. A crash in between leaves it to the sweep.
  const untold = needs.events === undefined ? ended : recordUntold(ended);
  const written = await needs.ledger.replace(untold, etag);
  if (written === undefined) return false;
  const { mailId, bodyHash, sender, sendAt } = ended.facts;
  if (sender !== '' && sendAt === undefined) needs.pacer?.canceled(sender.toLowerCase());
  await announceWritten(needs, written);
  // Should this fail, the message deletes it when it is dropped, or the sweep finds it.
  await needs.payloads.delete(mailId, bodyHash).catch(() => undefined);
  return true;
};
