import { type Caller, isOf } from '../callers/caller.ts';
import { isNamedSender } from '../callers/caller-policy.ts';
import { toldAttempt, toldReason } from '../callers/told-reason.ts';
import { defined } from '../defined.ts';
import { DAY_CODES } from '../delivery/in-lane.ts';
import { AppError, type ErrorReport, reportOf } from '../errors.ts';
import { type Fate, isClosedUnseen, type LedgerRow, type MailState } from '../ledger/ledger-row.ts';
import { isMailId } from '../ledger/mail-id.ts';
import type { SenderPolicy } from '../mail/sender-policy.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import { findMessageId, type MessageIdNeeds } from './message-id.ts';
import { deliveryEvents, toldDeliveries } from './told-deliveries.ts';

export type MailStatus = {
  readonly id: string;
  readonly state: MailState;
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
  const { facts, progress, fate } = row;
  const { mailId, sender, recipients, recipientAddresses, tags, priority, acceptedAt, sendAt } = facts;
  const { updatedAt, omittedAttempts, redirected, captured } = progress;
  return {
    id: mailId,
    state: fate.state,
    sender,
    recipients,
    ...defined({ recipientAddresses, redirected, captured }),
    tags,
    ...defined({ priority }),
    acceptedAt,
    ...defined({ sendAt }),
    updatedAt,
    ...ofFate(fate, isClosedUnseen(row)),
    ...toldDeliveries(row),
    ...(omittedAttempts > 0 ? { omittedAttempts } : {}),
    timeline: timelineOf(row),
  };
};

/** What the settings name, so that a caller can be told what it may know; absent where they are invalid. */
export type ToldNeeds = { readonly senderPolicy?: SenderPolicy };

/** The same for a caller, who may not know everything of the mailbox. */
export const toStatusFor = ({ senderPolicy }: ToldNeeds, caller: Caller, row: LedgerRow): MailStatus =>
  toStatus(isNamedSender(caller, senderPolicy, row.facts.sender) ? row : withoutMailbox(row));

/** Whether the relay could look into the mailbox says whether there is one. */
const withoutMailbox = ({ facts, progress, fate }: LedgerRow): LedgerRow => {
  const { lookedFor: _, heldBefore, ...told } = progress;
  return {
    facts,
    progress: {
      ...told,
      attempts: progress.attempts.map(toldAttempt),
      ...(heldBefore && { heldBefore: { ...heldBefore, code: toldReason({ code: heldBefore.code }).code } }),
    },
    fate: 'reason' in fate ? { ...fate, reason: toldReason(fate.reason) } : fate,
  } as LedgerRow;
};

/** What a state alone has, for everybody who may see the email. */
const ofFate = (fate: Fate, isUnseen: boolean): Readonly<Record<string, unknown>> => {
  switch (fate.state) {
    case 'sending':
    case 'canceled':
    case 'captured':
      return {};
    case 'queued':
      return fate.limited === undefined
        ? {}
        : { until: fate.limited.until, reason: whileLimited(fate.limited) };
    case 'sent': {
      const { graphRequestId, internetMessageId, verified } = fate;
      return { ...defined({ graphRequestId, internetMessageId }), verified };
    }
    case 'deferred':
      return {
        until: fate.until,
        reason: whileAtIt(fate, 'The relay sends the email once more, as onUnknown says.'),
      };
    case 'unknown':
      return { reason: whileAtIt(fate, 'The relay looks for the email in the mailbox of the sender.') };
    case 'rejected':
    case 'held':
      return { reason: reportOf(fate.reason) };
    case 'closed':
      return {
        note: fate.note,
        reason: { ...reportOf(fate.reason), ...(isUnseen ? { remedy: UNSEEN } : {}) },
      };
  }
};

/** The catalogue says that nothing was sent, which nobody knows of an email whose row was lost. */
const UNSEEN =
  'Look in the Sent Items of the sender. If the email is not there and is wanted after all, its caller sends it again with a new idempotency key.';

/** While the relay is at it, nobody else must do anything: what the catalogue says is for a held email. */
const whileAtIt = (
  { reason }: Extract<Fate, { state: 'deferred' | 'unknown' }>,
  what: string,
): ErrorReport => ({
  ...reportOf(reason),
  ...(reason.code === 'OUTCOME_UNKNOWN' ? { remedy: `Wait. ${what}` } : {}),
  ...(DAY_REASONS.has(reason.code) ? { remedy: UNTIL_THE_DAY } : {}),
});

/** It was tried before, and now waits as others do that were not. */
const DAY_REASONS: ReadonlySet<string> = new Set(Object.values(DAY_CODES));
const UNTIL_THE_DAY = 'Wait. The relay sends the email when fewer recipients of the last 24 hours count.';

const whileLimited = ({
  reason,
}: NonNullable<Extract<Fate, { state: 'queued' }>['limited']>): ErrorReport => ({
  ...reportOf(reason),
  remedy:
    reason.code === 'CALLER_LIMIT_REACHED'
      ? 'Wait. The relay sends the email when the limit of its caller allows, and holds it after five days.'
      : UNTIL_THE_DAY,
});

const timelineOf = (row: LedgerRow): MailStatus['timeline'] => {
  const { facts, progress, fate } = row;
  const { replayedAt, replayedBy, heldBefore, attempts, lookedFor = [], updatedAt } = progress;
  const tries = [
    ...attempts.map(({ at, outcome, ...more }) => ({ at, event: `attempt ${outcome}`, ...more })),
    ...lookedFor.map(({ at, seen, times }) => ({ at, event: `look-up ${seen}`, times })),
  ];
  // Of what happened at the same moment, the attempt led to the holding, and the replay to the attempt.
  const isBefore = ({ at }: { readonly at: string }): boolean =>
    heldBefore !== undefined && at <= heldBefore.at;
  return [
    { at: facts.acceptedAt, event: 'accepted' },
    ...tries.filter(isBefore),
    ...(heldBefore === undefined ? [] : [{ event: 'held', ...heldBefore }]),
    ...(replayedAt === undefined
      ? []
      : [{ at: replayedAt, event: 'replayed', ...defined({ by: replayedBy }) }]),
    ...tries.filter((one) => !isBefore(one)),
    ...(fate.state === 'queued' ? [] : [{ at: updatedAt, event: fate.state }]),
    ...deliveryEvents(row),
  ].sort((one, other) => one.at.localeCompare(other.at));
};

/** Throws MAIL_NOT_FOUND, also for what is no id. */
export const findMail = async ({ ledger }: Pick<Ports, 'ledger'>, mailId: string): Promise<LedgerEntry> => {
  const entry = isMailId(mailId) ? await ledger.find(mailId.toLowerCase()) : undefined;
  if (entry === undefined) throw new AppError('MAIL_NOT_FOUND');
  return entry;
};

/** A caller's own mail. Throws MAIL_NOT_FOUND alike for one that is not there and one of another caller. */
export const findOwnMail = async (
  needs: Pick<Ports, 'ledger'>,
  mailId: string,
  caller: Caller,
): Promise<LedgerEntry> => {
  const entry = await findMail(needs, mailId);
  if (!isOf(caller, entry.row.facts.caller)) throw new AppError('MAIL_NOT_FOUND');
  return entry;
};

/** The status of a mail that this caller may see, with the Message-ID it went out with. Throws MAIL_NOT_FOUND. */
export const readMailStatus = async (
  needs: MessageIdNeeds & ToldNeeds,
  mailId: string,
  caller: Caller,
): Promise<MailStatus> => {
  const entry =
    caller.rules.reads === 'all' ? await findMail(needs, mailId) : await findOwnMail(needs, mailId, caller);
  const { timeline, ...status } = toStatusFor(needs, caller, entry.row);
  const messageId = await findMessageId(needs, entry);
  // That the relay may not look into a mailbox is a fact of the mailbox too.
  const told =
    messageId !== undefined &&
    'internetMessageIdUnknown' in messageId &&
    messageId.internetMessageIdUnknown === 'NOT_PERMITTED' &&
    !isNamedSender(caller, needs.senderPolicy, entry.row.facts.sender)
      ? { internetMessageIdUnknown: 'NOT_FOUND_YET' }
      : messageId;
  return { ...status, ...told, timeline };
};
