/** An email as the door gives it to the relay. The body is what is posted, byte for byte, also from the spool. */
export type Submission = {
  /** Of this door: names the files of the spool and the lines of the log. Random. */
  readonly id: string;
  /** The account of the configuration, never its key: the spool keeps this on disk. */
  readonly account: string;
  /** Posted as Idempotency-Key: the same for a transaction that a client repeats because it saw no reply. */
  readonly idempotencyKey: string;
  /** Where that key is random: equal for all emails with this account, envelope and content. Not part of what is posted. */
  readonly contentKey?: string;
  readonly receivedAt: Date;
  readonly contentType: 'message/rfc822' | 'application/json';
  readonly body: Buffer;
};

/** What became of a submission, as the client is told it. Texts are one line of ASCII for the log of a device; no address, subject or key. */
export type Delivered =
  /** The relay has it, whatever it knows of the outcome: 250. */
  | { readonly kind: 'accepted'; readonly id: string; readonly state: string }
  /** It is on the disk of this door, written through: 250. */
  | { readonly kind: 'spooled' }
  /** Repeating does not help: 5xx with this enhanced status code (RFC 3463). */
  | { readonly kind: 'refused'; readonly code: string; readonly enhanced: string; readonly text: string }
  /** Repeating can help: 4xx. `isUncertain` where the relay may have it all the same. */
  | {
      readonly kind: 'later';
      readonly code: string;
      readonly enhanced: string;
      readonly text: string;
      readonly isUncertain?: boolean;
    };

/** Gives an email to the relay, or to the spool where there is one and the relay is away. Never throws. */
export type Deliver = (submission: Submission) => Promise<Delivered>;
