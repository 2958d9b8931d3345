import { type AppError, type ErrorReport, reportOf } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Attempt, holdNew, type LedgerRow, type NewMail, recordHeld } from '../ledger/ledger-row.ts';
import type { Log } from '../log.ts';
import { type AnnounceNeeds, announce } from './mail-event.ts';

/** What is kept of a mail that will not be tried again by itself: enough to mend it and send it. */
export type HeldRecord = {
  readonly mailId: string;
  readonly heldAt: string;
  readonly acceptedAt?: string;
  readonly reason: ErrorReport;
  /** The mail or message as it came; nothing where only the caller had it. */
  readonly original: unknown;
};

export type HoldNeeds = AnnounceNeeds & {
  /** Stores the record and gives its name; the same mail on the same day has one record. */
  readonly storeHeld: (record: HeldRecord) => Promise<string>;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly now: () => Date;
};

export type Holdable = Parameters<typeof recordHeld>[0];

/** A mail that is in the ledger, or what is known of one that is not. */
export type HoldSubject =
  | { readonly row: Holdable; readonly etag: string; readonly attempt?: Attempt }
  | { readonly newMail: NewMail };

/**
 * Holds a mail: the record first, so that the ledger never names one that is not there; the ledger next; the
 * log line that alerts watch last. Undefined when somebody else wrote the row first: then the mail is theirs, nothing
 * may be deleted of it, and the record is swept once the mail has turned out well. Throws STORAGE_UNAVAILABLE.
 */
export const hold = async (
  needs: HoldNeeds,
  subject: HoldSubject,
  original: unknown,
  reason: AppError,
): Promise<LedgerRow | undefined> => {
  const now = needs.now();
  const report = reportOf(reason);
  const { mailId, acceptedAt } = 'row' in subject ? subject.row : subject.newMail;
  const record = await needs.storeHeld({
    mailId,
    heldAt: now.toISOString(),
    acceptedAt,
    reason: report,
    original,
  });
  const row =
    'row' in subject
      ? recordHeld(
          subject.row,
          {
            reason: report,
            record,
            ...(subject.attempt === undefined ? {} : { attempt: subject.attempt }),
          },
          now,
        )
      : holdNew(subject.newMail, report, record, now);
  await announce(needs, row);
  const written =
    'row' in subject ? await needs.ledger.replace(row, subject.etag) : await needs.ledger.create(row);
  if (written === undefined) {
    needs.log({ event: 'LedgerBehind', mailId, state: 'held' });
    return undefined;
  }
  const { upstreamCode, graphRequestId } = reason.facts;
  needs.log({
    event: 'MailHeld',
    mailId,
    attempts: row.attempts.length + row.omittedAttempts,
    record,
    code: reason.code,
    ...(upstreamCode === undefined ? {} : { upstreamCode }),
    ...(graphRequestId === undefined ? {} : { graphRequestId }),
  });
  return row;
};
