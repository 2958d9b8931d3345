import { AppError } from '../errors.ts';
import type { Identity } from '../ledger/identity.ts';
import type { NewMail } from '../ledger/ledger-row.ts';
import type { Address } from '../mail/address.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { readMail, sketchMail } from '../mail/read-mail.ts';
import { decideSender, type SenderPolicy } from '../mail/sender-policy.ts';
import { planSend, type SendPlan } from '../sending/send-plan.ts';

export type AcceptNeeds = {
  readonly senderPolicy: SenderPolicy;
  /** Whether the ledger may hold the addresses of recipients. */
  readonly ledgerRecipients: boolean;
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
  readonly facts: NewMail;
};

/** A mail that may not be sent, why, and what the ledger can say of it. */
export type Refused = { readonly refused: AppError; readonly facts: NewMail };

/** A mail that may be sent, as far as it can be judged by itself. */
export type JudgedMail = { readonly mail: Mail; readonly sender: Address };

/** Reads a mail and decides its sender, without asking anybody. Throws an AppError that lists every problem. */
export const judgeMail = ({ senderPolicy }: AcceptNeeds, input: unknown): JudgedMail => {
  const mail = readMail(input);
  return { mail, sender: decideSender(mail.from, senderPolicy) };
};

type Hashes = Pick<Identity, 'hashOfContent' | 'hashOfKey'>;

/** Plans how a judged mail goes, and says what the ledger keeps of it. Throws MAIL_TOO_LARGE. */
export const planMail = (
  needs: AcceptNeeds,
  hashes: Hashes,
  origin: Origin,
  input: object,
  { mail, sender }: JudgedMail,
): AcceptableMail => ({
  mail,
  sender,
  plan: planSend(origin.mailId, sender, mail),
  facts: factsOf(needs, hashes, origin, input, mail),
});

/**
 * Judges and plans a mail that nobody waits for. Where it is refused the error lists every problem, and the facts are as
 * many as could be read.
 */
export const tryToAccept = (
  needs: AcceptNeeds,
  hashes: Hashes,
  origin: Origin,
  input: unknown,
): AcceptableMail | Refused => {
  let facts: NewMail | undefined;
  try {
    const mail = readMail(input);
    facts = factsOf(needs, hashes, origin, input as object, mail);
    const sender = decideSender(mail.from, needs.senderPolicy);
    return { mail, sender, plan: planSend(origin.mailId, sender, mail), facts };
  } catch (reason) {
    if (!(reason instanceof AppError)) throw reason;
    return { refused: reason, facts: facts ?? sketchFacts(needs, hashes, origin, input) };
  }
};

/** What the ledger can say of a mail that is refused: as much as can be read. */
export const sketchFacts = (needs: AcceptNeeds, hashes: Hashes, origin: Origin, input: unknown): NewMail => {
  const mail = sketchMail(input);
  return mail === undefined ? unreadable(origin) : factsOf(needs, hashes, origin, input as object, mail);
};

const factsOf = (
  needs: AcceptNeeds,
  { hashOfContent, hashOfKey }: Hashes,
  origin: Origin,
  input: object,
  mail: Mail,
): NewMail => {
  const recipients = [...mail.to, ...mail.cc, ...mail.bcc];
  return {
    ...unreadable({ ...origin, contentHash: origin.contentHash ?? hashOfContent(input) }),
    sender: (mail.from ?? needs.senderPolicy.defaultSender).address,
    recipients: recipients.length,
    ...(needs.ledgerRecipients ? { recipientAddresses: recipients.map(({ address }) => address) } : {}),
    tags: mail.tags,
    ...(mail.idempotencyKey === undefined ? {} : { keyHash: hashOfKey(mail.idempotencyKey) }),
    leavesCopy: mail.saveToSentItems,
  };
};

/** What the ledger can say of a message that cannot be read as a mail. */
export const unreadable = ({ mailId, caller, acceptedAt, contentHash }: Origin): NewMail => ({
  mailId,
  caller,
  acceptedAt: acceptedAt.toISOString(),
  sender: '',
  recipients: 0,
  tags: [],
  bodyHash: contentHash ?? '',
  leavesCopy: false,
});
