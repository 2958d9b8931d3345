import { readMail } from '../src/lib/mail/read-mail.ts';
import { planSend } from '../src/lib/sending/send-plan.ts';

/** As many as the queue path is measured with at most. */
export const MAILBOXES: readonly string[] = Array.from(
  { length: 20 },
  (_, index) => `bench${index + 1}@contoso.example`,
);

/** The mailbox of a mail, when `among` of them take turns. */
export const mailboxOf = (index: number, among = MAILBOXES.length): string => MAILBOXES[index % among] ?? '';

/** About what an approval or a pay slip notice is: 2 KB of HTML, no attachment. */
const HTML = `<p>Your pay slip for November is ready.</p>${'<p>You find it in the portal.</p>'.repeat(60)}`;

/** A mail as an application gives it to the relay. */
export const sampleMail = (mailbox: string) => ({
  from: mailbox,
  to: 'chan@contoso.example',
  subject: 'Pay slip',
  html: HTML,
});

/** The same mail as the relay gives it to Graph. */
export const sampleGraphBody = (mailbox: string): string =>
  planSend(
    '0193e8a0-0000-7000-8000-000000000000',
    { address: mailbox },
    readMail(sampleMail(mailbox)),
  ).body.toString();
