import { AppError } from '../errors.ts';
import { asOf, factsOfUnreadable, type MessageFacts, unreadable } from '../ledger/arrived-message.ts';
import { decideDelivery } from '../ledger/delivery-decision.ts';
import { fitsQueueMessage, toQueueText } from '../ledger/queue-message.ts';
import { unexpected } from '../log.ts';
import type { Ports } from '../ports.ts';
import { type ArriveNeeds, arrive } from './arrive.ts';
import { holdUnreadable } from './deliver-mail.ts';
import { type HoldNeeds, hold } from './hold.ts';
import { readContent } from './read-content.ts';
import { isStorageFailure, STORAGE_WAIT_MS } from './storage-failure.ts';

export type HoldPoisonNeeds = HoldNeeds & ArriveNeeds & Pick<Ports, 'poisonQueue'>;

/** Nobody works on a message any more once the host has given it up. */
const NO_LIMIT_MS = 0;
/** Losing a race more often than this is no race but a fault. */
const MAX_RACES = 4;

/**
 * Takes what the functions host gave up on and holds it, readable or not. What is done already stays done, and a
 * copy of a message that was dealt with says nothing of its email. Where anything but storage fails, the text of the
 * message is held as it is: that needs nothing which could fail on the same input again.
 */
export const holdPoisonMessage = async (needs: HoldPoisonNeeds, facts: MessageFacts): Promise<void> => {
  try {
    await holdSurely(needs, facts);
  } catch (failure) {
    if (!isStorageFailure(failure)) throw failure;
    await needs.poisonQueue.put(await textToKeep(needs, facts), STORAGE_WAIT_MS);
    needs.log({ event: 'StorageAwaited', code: failure.code });
  }
};

/**
 * After five failures the host would leave the message where it is until it expires, and nobody would hear of it. In an
 * envelope it keeps its id.
 */
const textToKeep = async (needs: HoldPoisonNeeds, facts: MessageFacts): Promise<string> => {
  try {
    const arrived = await arrive(needs, facts);
    if (arrived.kind === 'unreadable') return facts.text;
    const text = toQueueText(arrived.arrival.envelope, await needs.readIdentity());
    return fitsQueueMessage(text) ? text : facts.text;
  } catch {
    return facts.text;
  }
};

const holdSurely = async (needs: HoldPoisonNeeds, facts: MessageFacts): Promise<void> => {
  try {
    for (let race = 0; race < MAX_RACES; race += 1) if (await holdKnown(needs, facts)) return;
  } catch (error) {
    if (isStorageFailure(error)) throw error;
    if (!(error instanceof AppError)) needs.log(unexpected(error));
  }
  await holdUnreadable(needs, unreadable(facts, await needs.readIdentity(), givenUp()), facts);
};

const givenUp = (): AppError => new AppError('HOST_GAVE_UP');

/** False when another invocation changed the row first, so that it has to be looked at again. */
const holdKnown = async (needs: HoldPoisonNeeds, facts: MessageFacts): Promise<boolean> => {
  const arrived = await arrive(needs, facts);
  if (arrived.kind === 'unreadable') {
    await holdUnreadable(needs, { ...arrived, reason: givenUp() }, facts);
    return true;
  }
  const { arrival } = arrived;
  const { envelope, isBare, refusedId, strayId } = arrival;
  const original = (await readContent(needs, envelope)) ?? facts.text;
  const order = { why: 'refused', reason: givenUp(), original } as const;
  const holdAs = (mailId: string) =>
    hold(needs, { facts: factsOfUnreadable({ ...envelope, mailId }) }, order);
  const entry = await needs.ledger.find(envelope.mailId);
  // What is held must not keep its correction from using the key.
  if (entry === undefined) return (await holdAs(refusedId)) !== undefined || isBare;
  if (asOf(arrival, entry.row, await needs.readIdentity()) === undefined) {
    await holdAs(strayId);
    return true;
  }
  const decision = decideDelivery(entry.row, envelope, needs.clock.now(), NO_LIMIT_MS);
  if (decision.kind === 'afresh') {
    await holdAs(strayId);
    return true;
  }
  if ('row' in decision) {
    const why = decision.kind === 'send' ? 'refused' : 'doubt';
    const subject = { row: decision.row, etag: entry.etag };
    return (await hold(needs, subject, { ...order, why })) !== undefined;
  }
  needs.log({ event: 'MailRepeated', mailId: envelope.mailId, state: entry.row.fate.state });
  return true;
};
