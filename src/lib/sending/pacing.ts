import type { Priority } from '../mail/priority.ts';

const DAY_MS = 86_400_000;

/**
 * Half the time an email has: what is booked last still has the other half for refusals. Never more than a day, far
 * below the seven that Storage can hide a message.
 */
export const bookAheadFor = (giveUpAfterMs: number): number => Math.min(giveUpAfterMs / 2, DAY_MS);

/** An email that wants to go. */
export type Passenger = Precedence & {
  readonly mailId: string;
  /** The start it was given before, perhaps by another instance. */
  readonly dueAt?: Date;
  readonly recipients: number;
  /** Of its request, or of its files. */
  readonly bytes: number;
  /** It is from the queue, and will be again if it has to wait. */
  readonly comesBack?: boolean;
};

/** A start that an email uses. */
export type Start = { readonly mailbox: string; readonly at: Date; readonly recipients: number };

export type Pace =
  | { readonly kind: 'go'; readonly start: Start }
  /** It has a start, and all requests allowed at once are in progress; `freed` tells when one has ended. Crowded: enough others wait for that. */
  | { readonly kind: 'busy'; readonly start: Start; readonly isCrowded: boolean }
  /** Come back then. `isKept`: the start is kept for this email. */
  | { readonly kind: 'wait'; readonly at: Date; readonly isKept: boolean; readonly waitMs: number }
  /** The mailbox has had its recipients of the day. Come back in the hour from then on, and say that this was told. */
  | { readonly kind: 'day'; readonly at: Date; readonly told: Date; readonly waitMs: number }
  /** Every start there is to give is given to others. Ask again within this. */
  | { readonly kind: 'full'; readonly waitMs: number };

/** What decides who goes first where a mailbox has no room for all. */
export type Precedence = {
  readonly priority: Priority;
  /** Since when it could go: it was received, its `sendAt` has come, and the limit of its caller allows it. */
  readonly waitsSince: Date;
};

/** An email of low priority counts as any other once it has waited for a quarter of its time, so that it is sent some day. */
export const agesAfter = (giveUpAfterMs: number): number => giveUpAfterMs / 4;

/** The priority of an email at a time, in milliseconds of the epoch. */
export const agedPriority = (
  { priority, waitsSince }: Precedence,
  time: number,
  agesAfterMs: number,
): Priority => (priority === 'bulk' && time - waitsSince.getTime() > agesAfterMs ? 'normal' : priority);

export type Pacer = {
  /** May this email go now? If so, call `leave` when its request has ended. Never throws for storage. */
  readonly enter: (mailbox: string, who: Passenger) => Promise<Pace>;
  /** Its request has ended: whether it may have been sent, and how long it took where one request was all. */
  readonly leave: (start: Start, ended?: { readonly maySend: boolean; readonly tookMs?: number }) => void;
  /** A start, or a place in the day, that is not used after all: the next may have it. */
  readonly giveBack: (start: Start) => void;
  /** An email of this mailbox was canceled or closed while it waited. Never throws. */
  readonly canceled: (mailbox: string) => void;
  /** Whether it is not too late to begin. */
  readonly isInTime: (start: Start) => boolean;
  /** Resolves when a request of this mailbox has ended. */
  readonly freed: (mailbox: string) => Promise<void>;
  /** Graph limits this mailbox until then, in milliseconds from now: nobody goes, on any instance. Never throws for storage. */
  readonly pause: (mailbox: string, forMs: number) => Promise<void>;
  /** How many mailboxes are remembered. */
  readonly size: number;
};
