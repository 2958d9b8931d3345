import type { MailboxShare } from './mailbox-share.ts';

/** A queue at the time of a sample. */
export type QueueSample = {
  readonly queue: string;
  /** Hidden ones too; absent where there is no such queue. */
  readonly messages?: number;
  /** Since when its next message has waited at most; absent where none is visible. */
  readonly waitingSince?: string;
};

/** A secret or certificate of the vault. */
export type CredentialSample = {
  readonly credential: string;
  readonly kind: 'secret' | 'certificate';
  readonly expiresOn: string;
};

/** What was counted since the relay was installed, by all instances. */
export type Totals = {
  readonly accepted: number;
  readonly sent: number;
  readonly rejected: number;
  readonly held: number;
  readonly graphRequests: number;
  /** Requests to Graph that it answered with 429, 503 or 509. */
  readonly graphWasted: number;
};

/** The relay at one time, as a timer saw it. What could not be read is absent. */
export type RelaySample = {
  readonly at: string;
  readonly queues: readonly QueueSample[];
  /** Messages that the host gave up on, and that are not held yet, of all queues. */
  readonly poisonMessages?: number;
  /** Emails that an operator has to decide on; `hasMore` where there are more. */
  readonly held?: { readonly count: number; readonly hasMore: boolean };
  readonly credentials?: { readonly readAt: string; readonly all: readonly CredentialSample[] };
  /** The busiest ones, at most 50. Of the newest sample alone: those of a day are not read with them. */
  readonly mailboxes?: readonly MailboxShare[];
  readonly totals?: Totals;
};

const DAY_MS = 86_400_000;

/** Days until a credential expires, rounded up; zero or less once it has. */
export const daysLeftOf = ({ expiresOn }: CredentialSample, now: Date): number =>
  // Without the sign that zero can have.
  Math.ceil((Date.parse(expiresOn) - now.getTime()) / DAY_MS) + 0;

/** How many seconds the next message of a queue has waited at most; 0 where none waits. */
export const queueAgeSeconds = ({ waitingSince }: QueueSample, at: Date): number =>
  waitingSince === undefined ? 0 : Math.max(0, (at.getTime() - Date.parse(waitingSince)) / 1000);

/**
 * Since when the next message waits, at most. Storage says when it was put, which can be long before it became visible. It became
 * visible after the one that was next before it, and, where none was visible at the last sample, after that.
 */
export const waitingSince = (
  putAt: Date,
  earlier: QueueSample | undefined,
  earlierAt: string | undefined,
): string => {
  const put = putAt.toISOString();
  const known = earlier === undefined ? undefined : (earlier.waitingSince ?? earlierAt);
  return known !== undefined && known > put ? known : put;
};
