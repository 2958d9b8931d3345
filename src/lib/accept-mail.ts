import type { Address } from './mail/address.ts';
import type { Mail } from './mail/mail-schema.ts';
import { readMail } from './mail/read-mail.ts';
import { planSend, type SendPlan } from './mail/send-plan.ts';
import { decideSender, type SenderPolicy } from './mail/sender-policy.ts';

/** A mail that may be sent and can be carried: everything that can be wrong with it has been looked at. */
export type AcceptableMail = {
  readonly mailId: string;
  readonly mail: Mail;
  readonly sender: Address;
  readonly plan: SendPlan;
};

/** Reads a mail, decides its sender, and plans how it goes. Throws an AppError that lists every problem. */
export const acceptMail = (mailId: string, input: unknown, policy: SenderPolicy): AcceptableMail => {
  const mail = readMail(input);
  const sender = decideSender(mail.from, policy);
  return { mailId, mail, sender, plan: planSend(mailId, sender, mail) };
};

export const countRecipients = ({ to, cc, bcc }: Mail): number => to.length + cc.length + bcc.length;
