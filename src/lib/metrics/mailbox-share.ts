/** How much of its limits a mailbox uses, all instances together. */
export type MailboxShare = {
  /** In the table and on the operator page alone: a metric and a log have `mailboxTag` in its place. */
  readonly address: string;
  /** Emails sent in the busiest of the last minutes, of what a mailbox may send in one; 1 is all. */
  readonly minute: number;
  /** Recipients of the last 24 hours, of what a mailbox may have in a day; 1 is all. */
  readonly day: number;
  readonly sentLastDay: number;
  readonly recipientsLastDay: number;
  /** Graph limits it until then; absent where it does not. */
  readonly pausedUntil?: string;
  /** How often Graph limited it in the last 24 hours. */
  readonly pausesLastDay: number;
};
