import { AppError } from './errors.ts';
import type { Identity } from './ledger/identity.ts';
import type { NewMail } from './ledger/ledger-row.ts';
import type { Address } from './mail/address.ts';
import type { Mail } from './mail/mail-schema.ts';
import { readMail } from './mail/read-mail.ts';
import { planSend, type SendPlan } from './mail/send-plan.ts';
import { decideSender, type SenderPolicy } from './mail/sender-policy.ts';

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

/**
 * Reads a mail, decides its sender, and plans how it goes. Where it is refused the error lists every problem, and the
 * facts are as many as could be read.
 */
export const tryToAccept = (
  needs: AcceptNeeds,
  identity: Pick<Identity, 'hashOfContent' | 'hashOfKey'>,
  origin: Origin,
  input: unknown,
): AcceptableMail | Refused => {
  let facts = unreadable(origin);
  try {
    const mail = readMail(input);
    const hash = origin.contentHash ?? identity.hashOfContent(input as object);
    facts = factsOf(needs, identity, { ...origin, contentHash: hash }, mail);
    const sender = decideSender(mail.from, needs.senderPolicy);
    return { mail, sender, plan: planSend(origin.mailId, sender, mail), facts };
  } catch (reason) {
    if (reason instanceof AppError) return { refused: reason, facts };
    throw reason;
  }
};

/** As `tryToAccept`, for a caller who is told: throws the reason. */
export const acceptMail = (...input: Parameters<typeof tryToAccept>): AcceptableMail => {
  const accepted = tryToAccept(...input);
  if ('refused' in accepted) throw accepted.refused;
  return accepted;
};

const factsOf = (
  needs: AcceptNeeds,
  { hashOfKey }: Pick<Identity, 'hashOfKey'>,
  origin: Origin,
  mail: Mail,
): NewMail => {
  const recipients = [...mail.to, ...mail.cc, ...mail.bcc];
  return {
    ...unreadable(origin),
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
