import type { Route } from '../connections/route.ts';
import type { RecipientDelivery } from '../ledger/ledger-row.ts';
import { addressKey } from '../mail/address.ts';

/** A mailbox that the relay sends from, in the tenant that it was sent from. */
export type WatchedMailbox = {
  readonly address: string;
  readonly route?: Route;
  /** To the hour, so that an email does not cost a write. */
  readonly lastSentAt: string;
};

/** What a report says of an email whose row does not say yet that it was sent. */
export type WaitingReport = {
  readonly mailId: string;
  readonly receivedAt: string;
  readonly deliveries: readonly RecipientDelivery[];
};

/** How far the reports of a mailbox were read. */
export type PollState = {
  /** Everything received before was looked at. */
  readonly readUpTo: string;
  /** Short hashes of the ids of reports received since then that were dealt with. */
  readonly settled: readonly (readonly [id: string, receivedAt: string])[];
  readonly waiting: readonly WaitingReport[];
  readonly polledAt?: string;
  /** Until when Exchange, or nobody's permission, keeps the mailbox from being read. */
  readonly pausedUntil?: string;
};

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Exchange gives up after a day, other servers after up to five (RFC 5321, 4.5.4.1). */
const WATCHED_MS = 6 * DAY_MS;
/** A message can show in a list after a later one. Within this time the list is read again. */
const OVERLAP_MS = 30 * MINUTE_MS;
/** The copy in Sent Items can be later than the report; what nothing is known of by then is no report of the relay's. Below the overlap. */
const FRESH_MS = 10 * MINUTE_MS;
/** Older reports say nothing that someone still waits for. */
const LONGEST_BACK_MS = 7 * DAY_MS;
const MOST_SETTLED = 2000;
/** An entity of a table holds 1 MiB. */
const MOST_WAITING_TEXT = 200_000;

/** By which a mailbox of a tenant is kept: the same address can be one of two tenants in turn. */
export const keyOfWatched = ({ address, route }: Pick<WatchedMailbox, 'address' | 'route'>): string =>
  `${route?.connection ?? ''} ${addressKey(address)}`;

/** The hour of a time. */
export const hourOf = (time: Date): string => `${time.toISOString().slice(0, 13)}:00:00.000Z`;

export const isWatched = ({ lastSentAt }: WatchedMailbox, now: Date): boolean =>
  now.getTime() - Date.parse(lastSentAt) < WATCHED_MS;

/** Where a mailbox is read from for the first time: an email can have been in doubt for a day before the relay knew that it was sent. */
export const newPollState = ({ lastSentAt }: WatchedMailbox): PollState => ({
  readUpTo: new Date(Date.parse(lastSentAt) - DAY_MS).toISOString(),
  settled: [],
  waiting: [],
});

/** From when on the list is read. */
export const readFrom = ({ readUpTo }: PollState, now: Date): Date =>
  new Date(Math.max(Date.parse(readUpTo), now.getTime() - LONGEST_BACK_MS));

/** Whether what nothing is known of is looked at again: the next poll still has it in its list. */
export const isFresh = (receivedAt: Date, now: Date): boolean =>
  now.getTime() - receivedAt.getTime() < FRESH_MS;

/**
 * The state after everything up to a time was looked at. It never goes back, and near the present it stays behind by the overlap: what
 * was not settled there, and what shows late, is in the next list too.
 */
export const readTo = (
  state: PollState,
  upTo: Date | undefined,
  settled: readonly { readonly id: string; readonly receivedAt: Date }[],
  now: Date,
): PollState => {
  const reached = upTo === undefined ? 0 : Math.min(upTo.getTime(), now.getTime() - OVERLAP_MS);
  const readUpTo = new Date(Math.max(Date.parse(state.readUpTo), reached)).toISOString();
  const all = [
    ...state.settled,
    ...settled.map(({ id, receivedAt }) => [id, receivedAt.toISOString()] as const),
  ];
  return {
    ...state,
    readUpTo,
    settled: all.filter(([, receivedAt]) => receivedAt >= readUpTo).slice(-MOST_SETTLED),
    polledAt: now.toISOString(),
  };
};

/** Keeps what waits for its row, as far as there is room: the oldest goes first. */
export const withWaiting = (state: PollState, waiting: readonly WaitingReport[]): PollState => {
  let text = JSON.stringify(waiting).length;
  const kept = [...waiting];
  while (text > MOST_WAITING_TEXT) text -= JSON.stringify(kept.shift()).length + 1;
  return { ...state, waiting: kept };
};
