/** What was seen in the mailbox of the sender. */
export type Sighting =
  | {
      readonly kind: 'found';
      readonly internetMessageId?: string;
      /** Address of the sender, as the copy has it. */
      readonly from?: string;
    }
  | { readonly kind: 'absent' }
  /** The draft that was to be sent is still a draft: not sent, or not taken by transport yet. */
  | { readonly kind: 'draft' }
  /** No draft was sent that could be the email. */
  | { readonly kind: 'never-sent' }
  /** The relay may not look; or, where a connection is named, none reaches the tenant of its attempt any more. */
  | { readonly kind: 'cannot-tell'; readonly upstreamCode?: string; readonly lostConnection?: string }
  /** `status` is what Graph answered, where it did. */
  | {
      readonly kind: 'not-now';
      readonly waitMs?: number;
      readonly status?: number;
      readonly upstreamCode?: string;
    };

/**
 * When to look for a mail whose outcome is unknown, as parts of the whole time allowed: soon for the common case,
 * late for copies that Exchange is slow to show in Sent Items (graph: outlook-immutable-id, "may be late").
 */
const PARTS = [0.02, 0.1, 0.3, 1];

/** How many times a mail is looked for before its absence counts. */
export const LOOK_UPS = PARTS.length;

/** The wait before the look-up of this number (0 is the first), in milliseconds. */
export const lookUpWaitMs = (lookUp: number, windowMs: number): number => {
  const due = PARTS[Math.min(lookUp, LOOK_UPS - 1)] ?? 1;
  const before = lookUp === 0 ? 0 : (PARTS[Math.min(lookUp, LOOK_UPS - 1) - 1] ?? 0);
  return Math.ceil((due - before) * windowMs);
};

/** As the last step of our back-off. */
const LONGEST_PAUSE_MS = 600_000;

/**
 * The least to wait when a mailbox could not be read, in milliseconds: a quarter of the time for which the outcome has
 * been unknown, so that a mailbox that stays closed is asked ever more rarely.
 */
export const closedMailboxWaitMs = (unknownForMs: number): number =>
  Math.min(Math.max(0, Math.ceil(unknownForMs / 4)), LONGEST_PAUSE_MS);
