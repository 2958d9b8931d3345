import type { Caller, Door } from '../callers/caller.ts';
import {
  asMailOf,
  decideSender,
  defaultSenderOf,
  requireDoor,
  requireEnabled,
  requirePriority,
  requireRecipients,
  requireSize,
  withinCeiling,
} from '../callers/caller-policy.ts';
import { requireWithinDay } from '../callers/quota.ts';
import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import { factsOfUnreadable } from '../ledger/arrived-message.ts';
import type { Identity } from '../ledger/identity.ts';
import type { MailFacts } from '../ledger/ledger-row.ts';
import type { Diverted } from '../ledger/transitions.ts';
import type { Address } from '../mail/address.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { type Priority, USUAL_PRIORITY } from '../mail/priority.ts';
import { readMail, sketchMail } from '../mail/read-mail.ts';
import { decideSendAt, sendAtOf } from '../mail/send-at.ts';
import type { SenderPolicy } from '../mail/sender-policy.ts';
import { type LimitsOf, requireWithinBudgets } from '../sending/external-recipients.ts';
import { isAboutOriginals, redirectMail } from '../sending/redirect-mail.ts';
import { decideHandling, type Handling, type Safety } from '../sending/safety.ts';
import { type PlanPolicy, planSend, type SendPlan } from '../sending/send-plan.ts';
import { type ResolveNeeds, resolveFiles } from './resolve-files.ts';
import { isStorageFailure } from './storage-failure.ts';
import { withWholeMessage } from './whole-message.ts';

/** Who may send, and what the ledger may keep of an email. */
export type AcceptPolicy = {
  readonly senderPolicy: SenderPolicy;
  /** Whether the ledger may hold the addresses of recipients. */
  readonly ledgerRecipients: boolean;
  readonly plan: PlanPolicy;
  readonly safety: Safety;
  /** Limits of recipients that mailboxes share. */
  readonly limitsOf: LimitsOf;
};

/** Where a mail came from, and since when it is known. */
export type Origin = {
  readonly mailId: string;
  readonly caller: string;
  readonly acceptedAt: Date;
  /** The hash its content is known by, where that is known already. */
  readonly contentHash?: string;
};

/** A mail that may be sent and can be carried: everything that can be wrong with it has been looked at. */
export type AcceptableMail = {
  readonly mail: Mail;
  readonly sender: Address;
  readonly caller: Caller;
  readonly handling: Handling;
  /** With which it goes, by the rules of now: what the ledger says of it stays. */
  readonly priority: Priority;
  readonly plan: SendPlan;
  readonly facts: MailFacts;
};

/** What the ledger says of an email that goes to another address than its recipients, or to nobody. */
export const divertedBy = ({ kind }: Handling): Diverted => ({
  redirected: kind === 'redirect',
  captured: kind === 'capture',
});

/** A mail that may not be sent, why, and what the ledger can say of it. */
export type Refused = { readonly refused: AppError; readonly facts: MailFacts };

/** A mail that may be sent, as far as it can be judged by itself. */
export type JudgedMail = {
  readonly mail: Mail;
  readonly sender: Address;
  readonly caller: Caller;
  readonly handling: Handling;
  readonly priority: Priority;
};

/**
 * Reads a mail and decides whether this caller may send it, and as whom, without asking anybody: a whole message that is in a blob is in
 * `input` by then. `door` is how it came, where that is still to be judged. Throws an AppError that lists every problem.
 */
export const judgeMail = (
  policy: AcceptPolicy,
  caller: Caller,
  door: Door | undefined,
  input: unknown,
): JudgedMail => {
  requireCaller(caller, door);
  const judged = judgeRead(policy, caller, readMail(input));
  const { to, cc, bcc } = judged.mail;
  requireWithinDay(caller, to.length + cc.length + bcc.length);
  return judged;
};

const requireCaller = (caller: Caller, door: Door | undefined): void =>
  door === undefined ? requireEnabled(caller) : requireDoor(caller, door);

const judgeRead = (
  { senderPolicy, safety }: AcceptPolicy,
  caller: Caller,
  read: Mail,
  { acceptedAs, acceptedWith }: Pick<Claims, 'acceptedAs' | 'acceptedWith'> = {},
): JudgedMail => {
  if (acceptedWith === undefined) requirePriority(caller, read);
  const mail = asMailOf(caller, { ...read, ...defined({ priority: acceptedWith ?? read.priority }) });
  const sender = decideSender(caller, senderPolicy, mail, acceptedAs);
  requireRecipients(caller, mail);
  const priority = withinCeiling(caller, mail.priority);
  return { mail, sender, caller, handling: decideHandling(safety, mail, sender), priority };
};

type Hashes = Pick<Identity, 'hashOfContent' | 'hashOfKey' | 'hashOfAddress'>;

/** Plans how a judged mail goes, and says what the ledger keeps of it. Throws EXTERNAL_RECIPIENTS_TOO_MANY, MAIL_TOO_LARGE, MAIL_TOO_LARGE_FOR_CALLER, SEND_AT_INVALID. */
export const planMail = async (
  needs: ResolveNeeds,
  policy: AcceptPolicy,
  hashes: Hashes,
  origin: Origin,
  input: object,
  judged: JudgedMail,
): Promise<AcceptableMail> => {
  requireWithinBudgets(policy.limitsOf, judged);
  return {
    mail: judged.mail,
    sender: judged.sender,
    caller: judged.caller,
    handling: judged.handling,
    priority: judged.priority,
    plan: await planFor(needs, policy, origin, judged),
    facts: factsOf(policy, hashes, origin, input, judged.mail, judged.sender.address),
  };
};

/** How a judged mail goes. Its Date is when it is to be sent, not when it was received. Throws MAIL_TOO_LARGE, SEND_AT_INVALID. */
export const planFor = async (
  needs: ResolveNeeds,
  { plan }: Pick<AcceptPolicy, 'plan'>,
  { mailId, acceptedAt }: Pick<Origin, 'mailId' | 'acceptedAt'>,
  { mail, sender, caller, handling }: JudgedMail,
): Promise<SendPlan> => {
  const sendAt = decideSendAt(mail.sendAt, acceptedAt);
  const date = sendAt === undefined ? acceptedAt : new Date(sendAt);
  const outgoing = await resolveFiles(needs, mail, plan);
  requireSize(caller, outgoing);
  if (handling.kind !== 'redirect') return planSend(mailId, sender, outgoing, plan, date);
  // The size is that of what is sent, with what the redirection adds.
  const redirected = redirectMail(outgoing, sender, handling.to);
  const { warnings, ...planned } = await planSend(mailId, sender, redirected, plan, date);
  return { ...planned, warnings: warnings.filter((one) => !isAboutOriginals(one)) };
};

/** Whose mail it is, and what was decided of it before. */
export type Claims = {
  readonly caller: Caller;
  /** How it came, where that is still to be judged. */
  readonly door?: Door | undefined;
  /** The address as which it was accepted. */
  readonly acceptedAs?: string | undefined;
  /** The priority with which it was accepted: it is not refused for it afterwards. */
  readonly acceptedWith?: Priority | undefined;
};

/**
 * Judges and plans a mail that nobody waits for. Where it is refused the error lists every problem, and the facts are as
 * many as could be read.
 */
export const tryToAccept = async (
  needs: ResolveNeeds,
  policy: AcceptPolicy,
  hashes: Hashes,
  origin: Origin,
  { caller, door, ...before }: Claims,
  input: unknown,
): Promise<AcceptableMail | Refused> => {
  const byDefault = defaultSenderOf(caller, policy.senderPolicy)?.address;
  let facts: MailFacts | undefined;
  try {
    const read = readMail(await withWholeMessage(needs, input));
    facts = factsOf(policy, hashes, origin, input as object, asMailOf(caller, read), byDefault);
    requireCaller(caller, door);
    const judged = judgeRead(policy, caller, read, before);
    return await planMail(needs, policy, hashes, origin, input as object, judged);
  } catch (reason) {
    if (!(reason instanceof AppError) || isStorageFailure(reason)) throw reason;
    return { refused: reason, facts: facts ?? sketchFacts(policy, hashes, origin, input, caller) };
  }
};

/** What the ledger can say of a mail that is refused: as much as can be read, and is known of its caller. */
export const sketchFacts = (
  policy: AcceptPolicy,
  hashes: Hashes,
  origin: Origin,
  input: unknown,
  caller: Caller | undefined,
): MailFacts => {
  const mail = sketchMail(input);
  const byDefault = caller && defaultSenderOf(caller, policy.senderPolicy)?.address;
  return mail === undefined
    ? factsOfUnreadable(origin)
    : factsOf(policy, hashes, origin, input as object, mail, byDefault);
};

const factsOf = (
  policy: AcceptPolicy,
  { hashOfContent, hashOfKey, hashOfAddress }: Hashes,
  origin: Origin,
  input: object,
  mail: Mail,
  /** Of an email that names no sender; empty where nobody knows as whom it would go. */
  sender = '',
): MailFacts => {
  const recipients = [...mail.to, ...mail.cc, ...mail.bcc];
  const { priority = USUAL_PRIORITY } = mail;
  return {
    ...factsOfUnreadable({ ...origin, contentHash: origin.contentHash ?? hashOfContent(input) }),
    sender: mail.from?.address ?? sender,
    recipients: recipients.length,
    recipientHashes: recipients.map(({ address }) => hashOfAddress(address)),
    tags: mail.tags,
    ...defined({
      priority: priority === USUAL_PRIORITY ? undefined : priority,
      recipientAddresses: policy.ledgerRecipients ? recipients.map(({ address }) => address) : undefined,
      keyHash: mail.idempotencyKey === undefined ? undefined : hashOfKey(mail.idempotencyKey),
      sendAt: sendAtOf(mail, origin.acceptedAt),
    }),
    leavesCopy: mail.saveToSentItems,
  };
};
