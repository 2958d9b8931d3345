import { QUEUE } from '../callers/known-callers.ts';
import {
  type Arrival,
  asEarlier,
  asReminder,
  type MessageFacts,
  type ReadMessage,
  readMessage,
  unreadable,
} from '../ledger/arrived-message.ts';
import type { KnownIdentity } from '../ledger/identity.ts';
import { notOurs } from '../ledger/queue-message.ts';
import { keyOfMail } from '../mail/idempotency-key.ts';
import type { Ports } from '../ports.ts';
import { readStored } from './read-content.ts';

export type ArriveNeeds = Pick<Ports, 'ledger' | 'payloads' | 'readIdentity' | 'callers'>;

export type Unreadable = Extract<ReadMessage, { kind: 'unreadable' }>;

/** Reads a message and finds out whose email it is, by the ledger where the message cannot tell. */
export const arrive = async (
  needs: ArriveNeeds,
  facts: MessageFacts,
): Promise<{ readonly kind: 'arrived'; readonly arrival: Arrival } | Unreadable> => {
  const identity = await needs.readIdentity();
  const read = readMessage(facts, identity);
  switch (read.kind) {
    case 'unreadable':
      return read;
    case 'envelope':
      return { kind: 'arrived', arrival: read.arrival };
    case 'bare':
      return { kind: 'arrived', arrival: await arriveBare(needs, identity, read) };
    case 'unproven': {
      const arrival = await arriveUnproven(needs, identity, read);
      return arrival === undefined ? unreadable(facts, identity, notOurs()) : { kind: 'arrived', arrival };
    }
  }
};

const arriveBare = async (
  needs: ArriveNeeds,
  identity: KnownIdentity,
  bare: Extract<ReadMessage, { kind: 'bare' }>,
): Promise<Arrival> => {
  const { arrival, earlierId } = bare;
  const earlierNames = await earlierNamesOf(needs, bare);
  const key = keyOfMail(bare.mail);
  const earlierIds = [
    ...(key === undefined ? [] : earlierNames.map((name) => identity.mailIdOfKey(name, key))),
    ...(identity.hasEarlierRows && earlierId !== undefined ? [earlierId] : []),
  ];
  for (const id of earlierIds) {
    const earlier = await needs.ledger.find(id);
    if (earlier !== undefined) return asEarlier(bare, earlier.row, identity, earlierNames);
  }
  return arrival;
};

/** An application can have sent an email by HTTP, with a function key, before it was declared and got a queue of its own. */
const earlierNamesOf = async (
  { callers }: ArriveNeeds,
  { arrival }: Extract<ReadMessage, { kind: 'bare' }>,
): Promise<readonly string[]> => {
  const { caller } = arrival.envelope;
  if (caller === QUEUE) return [];
  return (await callers.known()).named(caller)?.earlierNames ?? [];
};

/** Without a row it is an application's email that an earlier version wrapped while sending was switched off. */
const arriveUnproven = async (
  needs: ArriveNeeds,
  identity: KnownIdentity,
  { claim, bare }: Extract<ReadMessage, { kind: 'unproven' }>,
): Promise<Arrival | undefined> => {
  const row = (await needs.ledger.find(claim.mailId))?.row;
  if (row === undefined) return bare === undefined ? undefined : arriveBare(needs, identity, bare);
  const content = claim.mail ?? (await readStored(needs, row.facts));
  return asReminder(claim, row, content, identity);
};
