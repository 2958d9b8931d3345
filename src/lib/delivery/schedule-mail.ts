import type { Envelope } from '../ledger/queue-message.ts';
import type { Ports } from '../ports.ts';
import { type QueueMailNeeds, queueMail, storeContent } from './queue-mail.ts';

/**
 * Storage hides a message for seven days at most, and deletes the stored content of an email after MAIL_LEDGER_DAYS, which
 * are two at least. A day is less than both, and bounds how long the message of an email that was canceled stays.
 */
const LONGEST_HOP_MS = 86_400_000;

/** How long the message of an email waits until it is looked at again; 0 when the email is due. */
export const waitUntilDue = (sendAt: string | undefined, now: Date): number =>
  sendAt === undefined ? 0 : Math.min(Math.max(0, Date.parse(sendAt) - now.getTime()), LONGEST_HOP_MS);

/**
 * Lets an email wait for its time, with the same turn: of two such messages either does. Its content is stored, small as it may be: where
 * its caller wants it sent earlier, another message has to find it.
 */
export const scheduleMail = async (
  needs: QueueMailNeeds & Pick<Ports, 'clock' | 'log'>,
  { dueAt: _, ...envelope }: Envelope,
  sendAt: string,
): Promise<void> => {
  const { mailId, contentHash, content } = envelope;
  const waitMs = waitUntilDue(sendAt, needs.clock.now());
  if (content === 'stored') await needs.payloads.keep(mailId, contentHash);
  else await storeContent(needs, envelope);
  await queueMail(needs, { ...envelope, content: 'stored' }, waitMs);
  needs.log({ event: 'MailScheduled', mailId, sendAt, waitMs });
};
