import type { Priority } from './mailbox-lane.ts';

const DAY_MS = 86_400_000;

/**
 * Half the time an email has: what is booked last still has the other half for refusals. Never more than a day, far
 * below the seven that Storage can hide a message.
 */
export const bookAheadFor = (giveUpAfterMs: number): number => Math.min(giveUpAfterMs / 2, DAY_MS);

/** An email that wants to go. */
export type Passenger = {
  /** The start it was given before, perhaps by another instance. */
  readonly dueAt?: Date;
  readonly priority: Priority;
  readonly recipients: number;
  /** Of its request, or of its files. */
  readonly bytes: number;
};

/** A start that an email uses. */
export type Start = { readonly mailbox: string; readonly at: Date; readonly recipients: number };

export type Pace =
  | { readonly kind: 'go'; readonly start: Start }
  /** It has a start, and all requests allowed at once are in progress; `freed` tells when one has ended. Crowded: enough others wait for that. */
  | { readonly kind: 'busy'; readonly start: Start; readonly isCrowded: boolean }
  /** Come back then. `isKept`: the start is kept for this email. */
  | { readonly kind: 'wait'; readonly at: Date; readonly isKept: boolean; readonly waitMs: number }
  /** The mailbox has had its recipients of the day. */
  | { readonly kind: 'day'; readonly at: Date; readonly waitMs: number }
  /** Every start there is to give is given to others. Ask again within this. */
  | { readonly kind: 'full'; readonly waitMs: number };

export type Pacer = {
  /** May this email go now? If so, call `leave` when its request has ended. Never throws for storage. */
  readonly enter: (mailbox: string, who: Passenger) => Promise<Pace>;
  /** Its request has ended, and how long it took where one request was all. */
  readonly leave: (start: Start, tookMs?: number) => void;
  /** A start that is not used after all: the next may have it. */
  readonly giveBack: (start: Start) => void;
  /** Whether it is not too late to begin. */
  readonly isInTime: (start: Start) => boolean;
  /** Resolves when a request of this mailbox has ended. */
  readonly freed: (mailbox: string) => Promise<void>;
  /** Graph limits this mailbox until then, in milliseconds from now: nobody goes, on any instance. Never throws for storage. */
  readonly pause: (mailbox: string, forMs: number) => Promise<void>;
  /** How many mailboxes are remembered. */
  readonly size: number;
};
