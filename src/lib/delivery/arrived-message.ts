import { earlierIdOfKey, earlierIdOfMessage } from '../ledger/earlier-identity.ts';
import type { Identity } from '../ledger/identity.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { LedgerRow } from '../ledger/ledger-row.ts';
import { type Envelope, notOurs, readQueueMessage, type UnprovenEnvelope } from '../ledger/queue-message.ts';
import { keyOfMail } from '../mail/idempotency-key.ts';
import { parseJson } from '../mail/read-mail.ts';

/** Emails that came by queue, whoever put them there. */
export const QUEUE_CALLER = 'queue';

/** What is known of a queue message. */
export type MessageFacts = {
  /** Exactly as it is on the queue. */
  readonly text: string;
  /** The id Storage gave it; undefined where the sender could have written what the host says. */
  readonly messageId?: string;
  readonly insertedAt: Date;
};

/** The identity of the relay, and whether the ledger may hold rows from before it had one. */
export type KnownIdentity = Identity & { readonly hasEarlierRows: boolean };

export type IdentityNeeds = { readonly readIdentity: () => Promise<KnownIdentity> };

export type ArriveNeeds = IdentityNeeds & {
  readonly ledger: Ledger;
  /** Gives the stored JSON of an email, or undefined when it is gone. */
  readonly readPayload: (mailId: string, contentHash: string) => Promise<string | undefined>;
};

/** A message as an email to deliver. */
export type Arrival = {
  readonly envelope: Envelope;
  /**
   * Of a bare message, the id it has without its idempotency key. Under it stands what may not have the key: an email
   * that is not acceptable, so that its correction may use the key; and another email with a key that is taken.
   */
  readonly bareId?: string;
  /** Its id is made from that of the message: moved to another queue, it would be another mail. */
  readonly isKnownByMessage?: true;
};

/** The id under which a message is known whatever it holds. */
export const bareIdOf = (identity: Identity, { messageId, text }: MessageFacts): string =>
  messageId === undefined ? identity.mailIdOfText(text) : identity.mailIdOfMessage(messageId);

/**
 * Reads a message and finds out whose email it is. Throws MESSAGE_UNREADABLE or JSON_UNREADABLE for what is none, and
 * for what claims to be the relay's own message and is not.
 */
export const arrive = async (needs: ArriveNeeds, facts: MessageFacts): Promise<Arrival> => {
  const identity = await needs.readIdentity();
  const read = readQueueMessage(facts.text, identity);
  switch (read.kind) {
    case 'envelope': {
      const { kind: _, ...envelope } = read;
      return { envelope };
    }
    case 'bare':
      return arriveBare(needs, identity, facts, read.mail);
    case 'unproven':
      return arriveUnproven(needs, identity, facts, read);
  }
};

const arriveBare = async (
  needs: ArriveNeeds,
  identity: KnownIdentity,
  facts: MessageFacts,
  mail: object,
): Promise<Arrival> => {
  const key = keyOfMail(mail);
  const bareId = bareIdOf(identity, facts);
  const mailId = key === undefined ? bareId : identity.mailIdOfKey(QUEUE_CALLER, key);
  const known = identity.hasEarlierRows ? await findEarlier(needs.ledger, key, facts) : undefined;
  const isKnown = known !== undefined && identity.isContent(known.bodyHash, mail);
  return {
    bareId,
    ...(key === undefined && facts.messageId !== undefined ? { isKnownByMessage: true } : {}),
    envelope: {
      mailId: known?.mailId ?? mailId,
      acceptedAt: facts.insertedAt,
      caller: QUEUE_CALLER,
      turn: 0,
      phase: 'send',
      lookUps: 0,
      contentHash: isKnown ? known.bodyHash : identity.hashOfContent(mail),
      content: { mail },
    },
  };
};

/** The row an earlier version of the relay made for this key or message. */
const findEarlier = async (
  ledger: Ledger,
  key: string | undefined,
  { messageId }: MessageFacts,
): Promise<LedgerRow | undefined> => {
  const fromMessage = messageId === undefined ? undefined : earlierIdOfMessage(messageId);
  const id = key === undefined ? fromMessage : earlierIdOfKey(QUEUE_CALLER, key);
  return id === undefined ? undefined : (await ledger.find(id))?.row;
};

/**
 * Nothing but a reminder of an email that the ledger has with the same caller and content: everything else is taken from
 * its row. Without a row it is an application's email that an earlier version wrapped while sending was switched off.
 */
const arriveUnproven = async (
  needs: ArriveNeeds,
  identity: KnownIdentity,
  facts: MessageFacts,
  { mailId, caller, isTagged, mail }: UnprovenEnvelope,
): Promise<Arrival> => {
  if (isTagged) throw notOurs();
  const row = (await needs.ledger.find(mailId))?.row;
  if (row === undefined) {
    if (mail === undefined) throw notOurs();
    return arriveBare(needs, identity, facts, mail);
  }
  const content = mail ?? (await readStored(needs, row));
  if (row.caller !== caller || !identity.isContent(row.bodyHash, content)) throw notOurs();
  return {
    envelope: {
      mailId,
      acceptedAt: new Date(row.replayedAt ?? row.acceptedAt),
      caller,
      turn: row.turn,
      phase: row.state === 'unknown' ? 'look-up' : 'send',
      lookUps: 0,
      ...(row.resent ? { resent: true } : {}),
      ...(row.state === 'deferred' ? { dueAt: new Date(row.until) } : {}),
      contentHash: row.bodyHash,
      content: mail === undefined ? 'stored' : { mail },
    },
  };
};

const readStored = async (
  needs: ArriveNeeds,
  { mailId, bodyHash }: Pick<LedgerRow, 'mailId' | 'bodyHash'>,
): Promise<unknown> => {
  const json = await needs.readPayload(mailId, bodyHash);
  return json === undefined ? undefined : parseJson(json);
};

/** The email of an envelope; undefined when it is gone, or is not what the envelope speaks of. */
export const readContent = async (
  needs: ArriveNeeds,
  { mailId, contentHash, content }: Envelope,
): Promise<unknown> => {
  if (content !== 'stored') return content.mail;
  const mail = await readStored(needs, { mailId, bodyHash: contentHash });
  return (await needs.readIdentity()).isContent(contentHash, mail) ? mail : undefined;
};

/**
 * Whether the row is of another email than the message: its key was used before. A row without a hash is of a message
 * that could not be read, and only the envelope made of it can bring it back.
 */
export const isOther = (
  { envelope, bareId }: Arrival,
  row: Pick<LedgerRow, 'caller' | 'bodyHash'>,
): boolean =>
  row.caller !== envelope.caller ||
  (row.bodyHash === '' ? bareId !== undefined : row.bodyHash !== envelope.contentHash);

/** The id for an email whose own belongs to another: that of its message, else one made from what it holds. */
export const idBesideOther = (identity: Identity, { envelope, bareId }: Arrival): string =>
  bareId !== undefined && bareId !== envelope.mailId
    ? bareId
    : identity.mailIdOfText(`${envelope.mailId} ${envelope.contentHash}`);
