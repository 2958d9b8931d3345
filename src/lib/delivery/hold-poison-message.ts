import { AppError } from '../errors.ts';
import { decideDelivery } from '../ledger/delivery-decision.ts';
import { fitsQueueMessage, toQueueText } from '../ledger/queue-message.ts';
import { unexpected } from '../log.ts';
import { unreadable } from './accept-mail.ts';
import {
  type ArriveNeeds,
  arrive,
  bareIdOf,
  idBesideOther,
  isOther,
  type MessageFacts,
  QUEUE_CALLER,
  readContent,
} from './arrived-message.ts';
import { type HoldNeeds, hold } from './hold.ts';

export type HoldMailNeeds = HoldNeeds &
  ArriveNeeds & {
    /** Puts a message back on the queue `mail-poison`, invisible for `delayMs`. */
    readonly putPoison: (text: string, delayMs: number) => Promise<void>;
  };

/** How long a message waits when storage fails it. */
const STORAGE_WAIT_MS = 60_000;

/** Nobody works on a message any more once the host has given it up. */
const NO_LIMIT_MS = 0;
/** Losing a race more often than this is no race but a fault. */
const MAX_RACES = 4;

/**
 * Takes what the functions host gave up on and holds it, readable or not. What is done already stays done, and a
 * copy of a message that was dealt with says nothing of its mail. Where anything but storage fails, the text of the
 * message is held as it is: that needs nothing which could fail on the same input again.
 */
export const holdMail = async (needs: HoldMailNeeds, facts: MessageFacts): Promise<void> => {
  try {
    await holdSurely(needs, facts);
  } catch (failure) {
    if (!(failure instanceof AppError) || failure.code !== 'STORAGE_UNAVAILABLE') throw failure;
    await needs.putPoison(await textToKeep(needs, facts), STORAGE_WAIT_MS);
    needs.log({ event: 'StorageAwaited', code: failure.code });
  }
};

/**
 * After five failures the host would leave the message where it is until it expires, and nobody would hear of it. In an
 * envelope it keeps its id.
 */
const textToKeep = async (needs: HoldMailNeeds, facts: MessageFacts): Promise<string> => {
  try {
    const text = toQueueText((await arrive(needs, facts)).envelope, await needs.readIdentity());
    return fitsQueueMessage(text) ? text : facts.text;
  } catch {
    return facts.text;
  }
};

const holdSurely = async (needs: HoldMailNeeds, facts: MessageFacts): Promise<void> => {
  try {
    for (let race = 0; race < MAX_RACES; race += 1) if (await holdKnown(needs, facts)) return;
  } catch (error) {
    if (error instanceof AppError && error.code === 'STORAGE_UNAVAILABLE') throw error;
    if (!(error instanceof AppError)) needs.log(unexpected(error));
  }
  const mailId = bareIdOf(await needs.readIdentity(), facts);
  const newMail = unreadable({ mailId, caller: QUEUE_CALLER, acceptedAt: facts.insertedAt });
  await hold(needs, { newMail }, facts.text, new AppError('HOST_GAVE_UP'));
};

/** False when somebody else changed the row first, so that it has to be looked at again. */
const holdKnown = async (needs: HoldMailNeeds, facts: MessageFacts): Promise<boolean> => {
  const reason = new AppError('HOST_GAVE_UP');
  const arrival = await arrive(needs, facts);
  const { envelope, bareId } = arrival;
  const original = (await readContent(needs, envelope)) ?? facts.text;
  const entry = await needs.ledger.find(envelope.mailId);
  if (entry === undefined) {
    // What is held must not keep its correction from using the key.
    const newMail = unreadable({ ...envelope, mailId: bareId ?? envelope.mailId });
    return (await hold(needs, { newMail }, original, reason)) !== undefined || bareId !== undefined;
  }
  if (isOther(arrival, entry.row)) {
    const newMail = unreadable({ ...envelope, mailId: idBesideOther(await needs.readIdentity(), arrival) });
    await hold(needs, { newMail }, original, reason);
    return true;
  }
  const decision = decideDelivery(entry.row, envelope, needs.now(), NO_LIMIT_MS);
  if ('row' in decision)
    return (await hold(needs, { row: decision.row, etag: entry.etag }, original, reason)) !== undefined;
  needs.log({ event: 'MailRepeated', mailId: envelope.mailId, state: entry.row.state });
  return true;
};
