import type { ErrorReport } from '../errors.ts';

/** What is kept of an email that will not be tried again by itself, for an operator: enough to correct and send it. */
export type HeldRecord = {
  readonly mailId: string;
  readonly heldAt: string;
  readonly acceptedAt?: string;
  readonly reason: ErrorReport;
  /** The email or message as it came; undefined where only the caller had it. */
  readonly original: unknown;
};
