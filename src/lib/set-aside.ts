import { type AppError, type ErrorReport, reportOf } from './errors.ts';
import type { Ledger } from './ledger/ledger.ts';
import {
  type Attempt,
  type LedgerRow,
  type NewMail,
  recordSetAside,
  setAsideNew,
} from './ledger/ledger-row.ts';
import type { Log } from './log.ts';
import { type AnnounceNeeds, announce } from './mail-event.ts';

/** What is kept of a mail that will not be tried again by itself: enough to mend it and send it. */
export type SetAsideRecord = {
  readonly mailId: string;
  readonly setAsideAt: string;
  readonly acceptedAt?: string;
  readonly reason: ErrorReport;
  /** The mail or message as it came; nothing where only the caller had it. */
  readonly original: unknown;
};

export type SetAsideNeeds = AnnounceNeeds & {
  /** Stores the record and gives its name; the same mail on the same day has one record. */
  readonly storeSetAside: (record: SetAsideRecord) => Promise<string>;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly now: () => Date;
};

export type SettableAside = Parameters<typeof recordSetAside>[0];

/** A mail that is in the ledger, or what is known of one that is not. */
export type SetAsideSubject =
  | { readonly row: SettableAside; readonly etag: string; readonly attempt?: Attempt }
  | { readonly newMail: NewMail };

/**
 * Sets a mail aside: the record first, so that the ledger never names one that is not there; the ledger next; the
 * log line that alerts watch last. Undefined when somebody else wrote the row first: then the mail is theirs, nothing
 * may be deleted of it, and the record is swept once the mail has turned out well. Throws STORAGE_UNAVAILABLE.
 */
export const setAside = async (
  needs: SetAsideNeeds,
  subject: SetAsideSubject,
  original: unknown,
  reason: AppError,
): Promise<LedgerRow | undefined> => {
  const now = needs.now();
  const report = reportOf(reason);
  const { mailId, acceptedAt } = 'row' in subject ? subject.row : subject.newMail;
  const record = await needs.storeSetAside({
    mailId,
    setAsideAt: now.toISOString(),
    acceptedAt,
    reason: report,
    original,
  });
  const row =
    'row' in subject
      ? recordSetAside(
          subject.row,
          {
            reason: report,
            record,
            ...(subject.attempt === undefined ? {} : { attempt: subject.attempt }),
          },
          now,
        )
      : setAsideNew(subject.newMail, report, record, now);
  await announce(needs, row);
  const written =
    'row' in subject ? await needs.ledger.replace(row, subject.etag) : await needs.ledger.create(row);
  if (written === undefined) {
    needs.log({ event: 'LedgerBehind', mailId, state: 'set-aside' });
    return undefined;
  }
  const { upstreamCode, graphRequestId } = reason.facts;
  needs.log({
    event: 'MailSetAside',
    mailId,
    attempts: row.attempts.length + row.forgottenAttempts,
    record,
    code: reason.code,
    ...(upstreamCode === undefined ? {} : { upstreamCode }),
    ...(graphRequestId === undefined ? {} : { graphRequestId }),
  });
  return row;
};
