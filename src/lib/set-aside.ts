import { AppError, type ErrorReport, reportOf } from './errors.ts';
import type { Log } from './log.ts';

/** What is kept of a mail that will not be tried again by itself: enough to mend it and send it. */
export type SetAsideRecord = {
  readonly mailId: string;
  readonly setAsideAt: string;
  readonly acceptedAt?: string;
  readonly attempts: number;
  readonly reason: ErrorReport;
  /** The mail or message as it came. */
  readonly original: unknown;
};

export type SetAsideNeeds = {
  /** Stores the record and gives its name. */
  readonly storeSetAside: (record: SetAsideRecord) => Promise<string>;
  readonly log: Log;
  readonly now: () => Date;
};

export type SetAsideFacts = {
  readonly mailId: string;
  readonly acceptedAt?: Date;
  readonly attempts: number;
  readonly original: unknown;
};

/** Stores a mail with the reason it was not sent, then writes the one log line that alerts watch. */
export const setAside = async (
  needs: SetAsideNeeds,
  facts: SetAsideFacts,
  reason: AppError,
): Promise<void> => {
  const { mailId, acceptedAt, attempts, original } = facts;
  const record = await needs
    .storeSetAside({
      mailId,
      setAsideAt: needs.now().toISOString(),
      ...(acceptedAt === undefined ? {} : { acceptedAt: acceptedAt.toISOString() }),
      attempts,
      reason: reportOf(reason),
      original,
    })
    .catch((cause: unknown) => {
      throw new AppError('STORAGE_UNAVAILABLE', { cause });
    });
  const { upstreamCode, graphRequestId } = reason.facts;
  needs.log({
    event: 'MailSetAside',
    mailId,
    attempts,
    record,
    code: reason.code,
    ...(upstreamCode === undefined ? {} : { upstreamCode }),
    ...(graphRequestId === undefined ? {} : { graphRequestId }),
  });
};
