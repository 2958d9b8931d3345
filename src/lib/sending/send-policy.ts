import type { OnUnknown } from './unknown-policy.ts';

/** What the settings say of how long the relay tries, waits and remembers. */
export type SendPolicy = {
  readonly onUnknown: OnUnknown;
  /** How long an email is looked for before its absence counts. */
  readonly verifyWindowMs: number;
  /** How long after it was received an email is tried. */
  readonly giveUpAfterMs: number;
  /** How long an attempt can take whose result is not recorded. */
  readonly sendingLimitMs: number;
  /**
   * How long after its claim an attempt begins requests for the files of a draft. By origin, as Azure ends a request of a
   * caller earlier than an invocation for the queue.
   */
  readonly filesWithinMs: { readonly caller: number; readonly queue: number };
  /** How long the ledger remembers an email that has ended. */
  readonly ledgerDays: number;
};
