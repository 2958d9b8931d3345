import { AppError, type ErrorReport } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerRow } from '../ledger/ledger-row.ts';

export type MailStatus = {
  readonly id: string;
  readonly state: LedgerRow['state'];
  readonly sender: string;
  readonly recipients: number;
  readonly tags: readonly string[];
  readonly acceptedAt: string;
  readonly updatedAt: string;
  /** What happened, oldest first. */
  readonly timeline: readonly {
    readonly at: string;
    readonly event: string;
    readonly [fact: string]: unknown;
  }[];
  readonly [more: string]: unknown;
};

/** What the ledger says of a mail, in the words of the API. */
export const toStatus = (row: LedgerRow): MailStatus => {
  const { mailId, state, sender, recipients, recipientAddresses, tags, acceptedAt, updatedAt } = row;
  return {
    id: mailId,
    state,
    sender,
    recipients,
    ...(recipientAddresses === undefined ? {} : { recipientAddresses }),
    tags,
    acceptedAt,
    updatedAt,
    ...(row.state === 'sent' && row.graphRequestId !== undefined
      ? { graphRequestId: row.graphRequestId }
      : {}),
    ...(row.state === 'sent' ? { verified: row.verified } : {}),
    ...(row.state === 'deferred' ? { until: row.until } : {}),
    ...(row.state === 'closed' ? { note: row.note } : {}),
    ...('reason' in row ? { reason: reasonOf(row) } : {}),
    ...(row.omittedAttempts > 0 ? { omittedAttempts: row.omittedAttempts } : {}),
    timeline: [
      { at: acceptedAt, event: 'accepted' },
      ...(row.replayedAt === undefined ? [] : [{ at: row.replayedAt, event: 'replayed' }]),
      ...row.attempts.map(({ at, outcome, ...facts }) => ({ at, event: `attempt ${outcome}`, ...facts })),
      ...(state === 'queued' ? [] : [{ at: updatedAt, event: state }]),
    ].sort((one, other) => one.at.localeCompare(other.at)),
  };
};

/** While the relay is at it, nobody else must do anything: what the catalogue says is for a held email. */
const reasonOf = (row: Extract<LedgerRow, { reason: ErrorReport }>): ErrorReport => {
  if (row.reason.code !== 'OUTCOME_UNKNOWN') return row.reason;
  if (row.state === 'unknown')
    return { ...row.reason, remedy: 'Wait. The relay looks for the email in the mailbox of the sender.' };
  if (row.state === 'deferred')
    return { ...row.reason, remedy: 'Wait. The relay sends the email once more, as onUnknown says.' };
  return row.reason;
};

/** The status of a caller's own mail. Throws MAIL_NOT_FOUND alike for one that is not there and one of somebody else. */
export const readMailStatus = async (
  { ledger }: { readonly ledger: Ledger },
  mailId: string,
  caller: string,
): Promise<MailStatus> => {
  const entry = isMailId(mailId) ? await ledger.find(mailId.toLowerCase()) : undefined;
  if (entry === undefined || entry.row.caller !== caller) throw new AppError('MAIL_NOT_FOUND');
  return toStatus(entry.row);
};

export const isMailId = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
