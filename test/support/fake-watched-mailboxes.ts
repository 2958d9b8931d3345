import { keyOfWatched, type PollState, type WatchedMailbox } from '../../src/lib/bounces/watched-mailbox.ts';
import type { WatchedEntry } from '../../src/lib/ports.ts';

/** Watched mailboxes in memory, with versions. Each call is one indivisible step; a caller decides when it happens. */
export type FakeWatchedMailboxes = {
  readonly note: (mailbox: WatchedMailbox) => void;
  readonly list: () => readonly WatchedEntry[];
  readonly write: (mailbox: WatchedMailbox, state: PollState, etag: string | undefined) => string | undefined;
  readonly forget: (mailbox: WatchedMailbox) => void;
};

export const makeFakeWatchedMailboxes = (): FakeWatchedMailboxes => {
  const mailboxes = new Map<string, WatchedMailbox>();
  const states = new Map<string, { readonly state: PollState; readonly etag: string }>();
  let version = 0;
  return {
    note: (mailbox) => void mailboxes.set(keyOfWatched(mailbox), mailbox),
    list: () => [...mailboxes].map(([key, mailbox]) => ({ mailbox, ...states.get(key) })),
    write: (mailbox, state, etag) => {
      const key = keyOfWatched(mailbox);
      if (states.get(key)?.etag !== etag) return undefined;
      version += 1;
      // Through JSON, as the table does it.
      states.set(key, { state: JSON.parse(JSON.stringify(state)) as PollState, etag: `"${version}"` });
      return `"${version}"`;
    },
    forget: (mailbox) => {
      mailboxes.delete(keyOfWatched(mailbox));
      states.delete(keyOfWatched(mailbox));
    },
  };
};
