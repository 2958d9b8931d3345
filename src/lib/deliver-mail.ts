import { acceptMail, countRecipients } from './accept-mail.ts';
import { type AttemptNeeds, attemptMail } from './attempt-mail.ts';
import type { ErrorCode } from './error-catalogue.ts';
import { AppError } from './errors.ts';
import type { Log } from './log.ts';
import { type Envelope, type QueueMessage, readQueueMessage } from './mail/queue-message.ts';
import { parseJson } from './mail/read-mail.ts';
import type { SenderPolicy } from './mail/sender-policy.ts';
import { decideWait } from './mail/wait.ts';
import { type QueueMailNeeds, queueMail } from './queue-mail.ts';
import { type SetAsideNeeds, setAside } from './set-aside.ts';

/** What it takes to send, or why nothing may be sent at present: switched off, or settings are wrong. */
export type Sending =
  | (AttemptNeeds & { readonly senderPolicy: SenderPolicy; readonly giveUpAfterMs: number })
  | { readonly blocked: ErrorCode };

export type DeliverMailNeeds = QueueMailNeeds &
  SetAsideNeeds & {
    readonly sending: Sending;
    /** Gives the stored JSON of a mail, or undefined when it is gone. */
    readonly readPayload: (name: string) => Promise<string | undefined>;
    readonly deletePayload: (name: string) => Promise<void>;
    readonly random: () => number;
    readonly log: Log;
  };

export type DeliveryFacts = {
  /** The id a bare message is known by, always the same for the same message. */
  readonly mailIdOfMessage: string;
  readonly insertedAt: Date;
};

/** While sending is switched off a mail looks again this often. */
export const BLOCKED_WAIT_MS = 120_000;

/**
 * Delivers one queue message: sends it, or lets it wait on the queue, or sets it aside with its reasons. Returns
 * when the message may be deleted; throws only where storage fails, so that the host delivers it again.
 */
export const deliverMail = async (
  needs: DeliverMailNeeds,
  message: unknown,
  facts: DeliveryFacts,
): Promise<void> => {
  const aside = (original: unknown, reason: unknown) => {
    if (!(reason instanceof AppError)) throw reason;
    return setAside(needs, { mailId: facts.mailIdOfMessage, attempts: 0, original }, reason);
  };
  let read: QueueMessage;
  try {
    read = readQueueMessage(message);
  } catch (reason) {
    return aside(message, reason);
  }
  const envelope = toEnvelope(read, facts);
  if ('blocked' in needs.sending) return postpone(needs, envelope, needs.sending.blocked);
  const input = await readContent(needs, envelope);
  if (input === undefined) return aside(message, new AppError('PAYLOAD_MISSING'));
  await deliver({ ...needs, ...needs.sending }, envelope, input);
};

/** Back to the queue as it is, whatever is in it. */
const postpone = async (needs: DeliverMailNeeds, envelope: Envelope, code: ErrorCode): Promise<void> => {
  const { mailId, attempts } = envelope;
  await queueMail(needs, envelope, BLOCKED_WAIT_MS);
  needs.log({ event: 'SendBlocked', mailId, attempts, code });
};

const toEnvelope = (read: QueueMessage, facts: DeliveryFacts): Envelope =>
  read.kind === 'envelope'
    ? read
    : {
        mailId: facts.mailIdOfMessage,
        acceptedAt: facts.insertedAt,
        attempts: 0,
        content: { mail: read.mail },
      };

const readContent = async (needs: DeliverMailNeeds, { content }: Envelope): Promise<unknown> => {
  if ('mail' in content) return content.mail;
  const json = await needs.readPayload(content.payload);
  return json === undefined ? undefined : parseJson(json);
};

const deliver = async (
  needs: DeliverMailNeeds & Exclude<Sending, { blocked: ErrorCode }>,
  envelope: Envelope,
  input: unknown,
): Promise<void> => {
  const { mailId, acceptedAt, content } = envelope;
  const finish = async () => {
    if ('payload' in content) await needs.deletePayload(content.payload);
  };
  const aside = async (attempts: number, reason: AppError) => {
    await setAside(needs, { mailId, acceptedAt, attempts, original: input }, reason);
    await finish();
  };

  const accepted = tryToAccept(mailId, input, needs.senderPolicy);
  if (accepted instanceof AppError) return aside(envelope.attempts, accepted);

  const attempts = envelope.attempts + 1;
  const outcome = await attemptMail(needs, accepted.plan);
  const { kind: _kind, ...facts } = outcome;
  switch (outcome.kind) {
    case 'accepted':
      needs.log({
        event: 'MailSent',
        mailId,
        attempts,
        recipients: countRecipients(accepted.mail),
        tags: accepted.mail.tags,
        ...facts,
      });
      return finish();
    case 'rejected':
    case 'unknown':
      return aside(attempts, new AppError(outcome.code, facts));
    case 'not-sent': {
      const waitMs = decideWait(attempts, outcome.waitMs, needs.random());
      const givesUpAt = acceptedAt.getTime() + needs.giveUpAfterMs;
      if (needs.now().getTime() + waitMs > givesUpAt)
        return aside(
          attempts,
          new AppError('GIVEN_UP', { ...facts, detail: `The last reason: ${outcome.code}.` }),
        );
      await queueMail(needs, { mailId, acceptedAt, attempts, content }, waitMs);
      needs.log({ event: 'MailQueued', mailId, attempts, ...facts, code: outcome.code, waitMs });
    }
  }
};

const tryToAccept = (mailId: string, input: unknown, policy: SenderPolicy) => {
  try {
    return acceptMail(mailId, input, policy);
  } catch (reason) {
    if (reason instanceof AppError) return reason;
    throw reason;
  }
};
