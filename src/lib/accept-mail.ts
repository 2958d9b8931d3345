import { AppError } from './errors.ts';
import { hashBody, hashKey } from './ledger/idempotency.ts';
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
export type Origin = { readonly mailId: string; readonly caller: string; readonly acceptedAt: Date };

/** A mail that may be sent and can be carried: everything that can be wrong with it has been looked at. */
export type AcceptableMail = {
  readonly mail: Mail;
  readonly sender: Address;
  readonly plan: SendPlan;
  readonly facts: NewMail;
};

/** Reads a mail, decides its sender, and plans how it goes. Throws an AppError that lists every problem. */
export const acceptMail = (needs: AcceptNeeds, origin: Origin, input: unknown): AcceptableMail => {
  const mail = readMail(input);
  const sender = decideSender(mail.from, needs.senderPolicy);
  const plan = planSend(origin.mailId, sender, mail);
  const recipients = [...mail.to, ...mail.cc, ...mail.bcc];
  return {
    mail,
    sender,
    plan,
    facts: {
      ...identify(origin),
      sender: sender.address,
      recipients: recipients.length,
      ...(needs.ledgerRecipients ? { recipientAddresses: recipients.map(({ address }) => address) } : {}),
      tags: mail.tags,
      ...(mail.idempotencyKey === undefined ? {} : { keyHash: hashKey(mail.idempotencyKey) }),
      bodyHash: hashBody(input),
      leavesCopy: mail.saveToSentItems,
    },
  };
};

/** As `acceptMail`, with the error as a value. */
export const tryToAccept = (
  needs: AcceptNeeds,
  origin: Origin,
  input: unknown,
): AcceptableMail | AppError => {
  try {
    return acceptMail(needs, origin, input);
  } catch (reason) {
    if (reason instanceof AppError) return reason;
    throw reason;
  }
};

const identify = ({ mailId, caller, acceptedAt }: Origin) => ({
  mailId,
  caller,
  acceptedAt: acceptedAt.toISOString(),
});

/** What the ledger can say of a message that is not an acceptable mail. */
export const unacceptable = (origin: Origin): NewMail => ({
  ...identify(origin),
  sender: '',
  recipients: 0,
  tags: [],
  bodyHash: '',
  leavesCopy: false,
});
