import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import { factsOfUnreadable } from '../ledger/arrived-message.ts';
import type { Identity } from '../ledger/identity.ts';
import type { MailFacts } from '../ledger/ledger-row.ts';
import type { Address } from '../mail/address.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { readMail, sketchMail } from '../mail/read-mail.ts';
import { decideSendAt, sendAtOf } from '../mail/send-at.ts';
import { decideSender, type SenderPolicy } from '../mail/sender-policy.ts';
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
  readonly plan: SendPlan;
  readonly facts: MailFacts;
};

/** A mail that may not be sent, why, and what the ledger can say of it. */
export type Refused = { readonly refused: AppError; readonly facts: MailFacts };

/** A mail that may be sent, as far as it can be judged by itself. */
export type JudgedMail = { readonly mail: Mail; readonly sender: Address };

/**
 * Reads a mail and decides its sender, without asking anybody: a whole message that is in a blob is in `input` by then. Throws an
 * AppError that lists every problem.
 */
export const judgeMail = ({ senderPolicy }: AcceptPolicy, input: unknown): JudgedMail => {
  const mail = readMail(input);
  return { mail, sender: decideSender(mail.from, senderPolicy, pointerOf(mail)) };
};

const pointerOf = ({ raw }: Mail) => (raw === undefined ? '/from' : '/mime');

type Hashes = Pick<Identity, 'hashOfContent' | 'hashOfKey'>;

/** Plans how a judged mail goes, and says what the ledger keeps of it. Throws MAIL_TOO_LARGE, SEND_AT_INVALID. */
export const planMail = async (
  needs: ResolveNeeds,
  policy: AcceptPolicy,
  hashes: Hashes,
  origin: Origin,
  input: object,
  { mail, sender }: JudgedMail,
): Promise<AcceptableMail> => ({
  mail,
  sender,
  plan: await planFor(needs, policy, origin, { mail, sender }),
  facts: factsOf(policy, hashes, origin, input, mail),
});

/** How a judged mail goes. Its Date is when it is to be sent, not when it was received. Throws MAIL_TOO_LARGE, SEND_AT_INVALID. */
export const planFor = async (
  needs: ResolveNeeds,
  { plan }: Pick<AcceptPolicy, 'plan'>,
  { mailId, acceptedAt }: Pick<Origin, 'mailId' | 'acceptedAt'>,
  { mail, sender }: JudgedMail,
): Promise<SendPlan> => {
  const sendAt = decideSendAt(mail.sendAt, acceptedAt);
  const date = sendAt === undefined ? acceptedAt : new Date(sendAt);
  return planSend(mailId, sender, await resolveFiles(needs, mail, plan), plan, date);
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
  input: unknown,
): Promise<AcceptableMail | Refused> => {
  let facts: MailFacts | undefined;
  try {
    const mail = readMail(await withWholeMessage(needs, input));
    facts = factsOf(policy, hashes, origin, input as object, mail);
    const sender = decideSender(mail.from, policy.senderPolicy, pointerOf(mail));
    const plan = await planFor(needs, policy, origin, { mail, sender });
    return { mail, sender, plan, facts };
  } catch (reason) {
    if (!(reason instanceof AppError) || isStorageFailure(reason)) throw reason;
    return { refused: reason, facts: facts ?? sketchFacts(policy, hashes, origin, input) };
  }
};

/** What the ledger can say of a mail that is refused: as much as can be read. */
export const sketchFacts = (
  policy: AcceptPolicy,
  hashes: Hashes,
  origin: Origin,
  input: unknown,
): MailFacts => {
  const mail = sketchMail(input);
  return mail === undefined
    ? factsOfUnreadable(origin)
    : factsOf(policy, hashes, origin, input as object, mail);
};

const factsOf = (
  policy: AcceptPolicy,
  { hashOfContent, hashOfKey }: Hashes,
  origin: Origin,
  input: object,
  mail: Mail,
): MailFacts => {
  const recipients = [...mail.to, ...mail.cc, ...mail.bcc];
  return {
    ...factsOfUnreadable({ ...origin, contentHash: origin.contentHash ?? hashOfContent(input) }),
    sender: (mail.from ?? policy.senderPolicy.defaultSender).address,
    recipients: recipients.length,
    tags: mail.tags,
    ...defined({
      recipientAddresses: policy.ledgerRecipients ? recipients.map(({ address }) => address) : undefined,
      keyHash: mail.idempotencyKey === undefined ? undefined : hashOfKey(mail.idempotencyKey),
      sendAt: sendAtOf(mail, origin.acceptedAt),
    }),
    leavesCopy: mail.saveToSentItems,
  };
};
