/** From one address, in the time below: a person who mistypes stays far from it. */
const MOST_OF_ONE = 5;
/** From all addresses: each attempt costs the host a request. */
const MOST_OF_ALL = 60;
const WINDOW_MS = 5 * 60_000;

export type SignInLimit = {
  /** Whether one more attempt may be made from there now; it counts until it is known to be right. */
  readonly mayTry: (from: string, now: Date) => boolean;
  /** The last attempt from there was right: it does not count. */
  readonly wasRight: (from: string) => void;
};

/** Limits attempts to sign in, in this instance. A master key has 256 random bits, so this is about cost, not about guessing. */
export const makeSignInLimit = (): SignInLimit => {
  let attempts: { readonly from: string; readonly at: number }[] = [];
  return {
    mayTry: (from, now) => {
      const since = now.getTime() - WINDOW_MS;
      attempts = attempts.filter(({ at }) => at > since && at <= now.getTime());
      const ofOne = attempts.filter((one) => one.from === from).length;
      if (ofOne >= MOST_OF_ONE || attempts.length >= MOST_OF_ALL) return false;
      attempts.push({ from, at: now.getTime() });
      return true;
    },
    wasRight: (from) => {
      const last = attempts.findLastIndex((one) => one.from === from);
      if (last !== -1) attempts.splice(last, 1);
    },
  };
};
