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
import type { Ports } from '../ports.ts';
import { readStored } from './read-content.ts';

export type ArriveNeeds = Pick<Ports, 'ledger' | 'payloads' | 'readIdentity'>;

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
  { ledger }: ArriveNeeds,
  identity: KnownIdentity,
  bare: Extract<ReadMessage, { kind: 'bare' }>,
): Promise<Arrival> => {
  const { arrival, earlierId } = bare;
  const isFromBefore = identity.hasEarlierRows && earlierId !== undefined;
  const earlier = isFromBefore ? await ledger.find(earlierId) : undefined;
  return earlier === undefined ? arrival : asEarlier(bare, earlier.row, identity);
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
