import type { OfferedMail } from './cloud.ts';

/** What Exchange takes from one mailbox in a minute. */
export const EXCHANGE_PER_MINUTE = 30;
const MINUTE_MS = 60_000;
/** The first thirty go at once, as the minute before was empty; what counts begins when that minute is over. */
export const WARM_UP_MS = 65_000;

/** Times in milliseconds since 1970: from the first call for a mailbox, to the end of looking. */
export type Watched = { readonly startedAt: number; readonly endedAt: number };

/** How much of its limit a mailbox used after the warm-up. */
export const steadyShare = (offered: readonly OfferedMail[], { startedAt, endedAt }: Watched): number => {
  const from = startedAt + WARM_UP_MS;
  const accepted = offered.filter((mail) => mail.accepted && mail.at >= from && mail.at < endedAt);
  return accepted.length / (((endedAt - from) / MINUTE_MS) * EXCHANGE_PER_MINUTE);
};

/** What Exchange could have taken from a mailbox since the first call: thirty at the beginning of every minute. */
export const mostPossible = ({ startedAt, endedAt }: Watched): number =>
  Math.ceil((endedAt - startedAt) / MINUTE_MS) * EXCHANGE_PER_MINUTE;

/** The part of all calls that Graph answered with 429. */
export const wastedShare = (offered: readonly OfferedMail[]): number =>
  offered.filter(({ status }) => status === 429).length / offered.length;
