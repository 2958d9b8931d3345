import { hourOf, keyOfWatched } from '../bounces/watched-mailbox.ts';
import type { LedgerRow } from '../ledger/ledger-row.ts';
import type { Ports } from '../ports.ts';
import { isStorageFailure } from './storage-failure.ts';

/** Notes the mailbox that an email was sent from, so that its reports are read. */
export type WatchSender = (row: LedgerRow) => Promise<void>;

/** The mailboxes of an hour that one instance keeps in mind; of more, some are noted again. */
const MOST_KEPT = 1000;

/** Writes once an hour for each mailbox; where storage fails, the next email of the mailbox tries again. */
export const makeWatchSender = ({
  watchedMailboxes,
  clock,
}: Pick<Ports, 'watchedMailboxes' | 'clock'>): WatchSender => {
  const noted = new Map<string, string>();
  return async ({ facts: { sender: address }, progress: { route } }) => {
    if (address === '') return;
    const lastSentAt = hourOf(clock.now());
    const mailbox = { address, ...(route === undefined ? {} : { route }), lastSentAt };
    const key = keyOfWatched(mailbox);
    if (noted.get(key) === lastSentAt) return;
    try {
      await watchedMailboxes.note(mailbox);
    } catch (failure) {
      // The email was sent, whatever is known of its mailbox.
      if (isStorageFailure(failure)) return;
      throw failure;
    }
    if (noted.size >= MOST_KEPT) noted.clear();
    noted.set(key, lastSentAt);
  };
};
