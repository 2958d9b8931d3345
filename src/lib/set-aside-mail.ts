import { unacceptable } from './accept-mail.ts';
import { type MessageFacts, QUEUE_CALLER, toEnvelope } from './arrived-message.ts';
import { AppError } from './errors.ts';
import { decideDelivery } from './ledger/delivery-decision.ts';
import { hashBody } from './ledger/idempotency.ts';
import { type Envelope, type QueueMessage, readQueueMessage } from './mail/queue-message.ts';
import { parseJson } from './mail/read-mail.ts';
import { type SetAsideNeeds, setAside } from './set-aside.ts';

export type SetAsideMailNeeds = SetAsideNeeds & {
  readonly readPayload: (name: string) => Promise<string | undefined>;
};

/** Nobody works on a message any more once the host has given it up. */
const NO_LIMIT_MS = 0;

/**
 * Takes what the functions host gave up on and sets it aside, readable or not. What is done already stays done, and a
 * copy of a message that was dealt with says nothing of its mail.
 */
export const setAsideMail = async (
  needs: SetAsideMailNeeds,
  message: unknown,
  facts: MessageFacts,
): Promise<void> => {
  const reason = new AppError('HOST_GAVE_UP');
  const asNew = (original: unknown) => {
    const origin = { mailId: facts.mailIdOfMessage, caller: QUEUE_CALLER, acceptedAt: facts.insertedAt };
    return setAside(needs, { newMail: unacceptable(origin) }, original, reason);
  };

  const read = tryToRead(message);
  if (read === undefined) return void (await asNew(message));
  const envelope = toEnvelope(read, facts);
  const original = await readOriginal(needs, envelope, message);
  const entry = await needs.ledger.find(envelope.mailId);
  // Under its key there may be another mail, and what is set aside must not keep its correction from using the key.
  if (read.kind === 'bare' && entry?.row.bodyHash !== hashBody(read.mail))
    return void (await asNew(original));

  const decision = decideDelivery(entry?.row, envelope, needs.now(), NO_LIMIT_MS);
  if (entry === undefined)
    return void (await setAside(needs, { newMail: unacceptable(envelope) }, original, reason));
  if (!('row' in decision))
    return needs.log({ event: 'MailRepeated', mailId: envelope.mailId, state: entry.row.state });
  await setAside(needs, { row: decision.row, etag: entry.etag }, original, reason);
};

const tryToRead = (message: unknown): QueueMessage | undefined => {
  try {
    return readQueueMessage(message);
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
};

const readOriginal = async (
  needs: SetAsideMailNeeds,
  { content }: Envelope,
  message: unknown,
): Promise<unknown> => {
  if ('mail' in content) return content.mail;
  const json = await needs.readPayload(content.payload);
  return json === undefined ? message : parseJson(json);
};
