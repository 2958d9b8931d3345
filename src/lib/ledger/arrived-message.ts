import { QUEUE } from '../callers/known-callers.ts';
import { AppError } from '../errors.ts';
import { keyOfMail } from '../mail/idempotency-key.ts';
import { earlierIdOfKey, earlierIdOfMessage } from './earlier-identity.ts';
import type { Identity } from './identity.ts';
import { isClosedUnseen, type LedgerRow, type MailFacts } from './ledger-row.ts';
import {
  type Envelope,
  newEnvelope,
  notOurs,
  readQueueMessage,
  type UnprovenEnvelope,
} from './queue-message.ts';

/** What is known of a queue message. Its `caller` decides more than whose it is: only to `mail` did the relay ever write. */
export type MessageFacts = {
  /** Exactly as it is on the queue. */
  readonly text: string;
  /** The id Storage gave it; undefined where the sender could have written what the host says. */
  readonly messageId?: string;
  readonly insertedAt: Date;
  /** Whose email it is where the relay did not write it: that is decided by the queue it came by. */
  readonly caller: string;
};

/** A message as an email to deliver. */
export type Arrival = {
  readonly envelope: Envelope;
  /** An application's own, and so nearly always new. */
  readonly isBare: boolean;
  /** Its id is made from that of the message: moved to another queue, it would be another email. */
  readonly isKnownByMessage: boolean;
  /** The id under which it is held if it is not acceptable: never that of its key, which its correction may use. */
  readonly refusedId: string;
  /** The id under which it is held if its own belongs to another email. */
  readonly strayId: string;
};

/** What a message says by itself. */
export type ReadMessage =
  /** No email, or what claims to be the relay's own message and is not; it is held under this id. */
  | { readonly kind: 'unreadable'; readonly mailId: string; readonly reason: AppError }
  | { readonly kind: 'envelope'; readonly arrival: Arrival }
  /** `earlierId` is the id that an earlier version of the relay would have given it. */
  | {
      readonly kind: 'bare';
      readonly arrival: Arrival;
      readonly mail: object;
      readonly earlierId: string | undefined;
    }
  /** Only worth what the ledger says too; `bare` is what it is without a row. */
  | {
      readonly kind: 'unproven';
      readonly claim: UnprovenEnvelope;
      readonly bare: Extract<ReadMessage, { kind: 'bare' }> | undefined;
    };

/** Reads a message and says whose email it is, as far as the message can tell. Never throws. */
export const readMessage = (facts: MessageFacts, identity: Identity): ReadMessage => {
  try {
    const read = readQueueMessage(facts.text, identity);
    switch (read.kind) {
      case 'envelope': {
        const { kind: _, ...envelope } = read;
        return { kind: 'envelope', arrival: ofRelay(envelope, identity) };
      }
      case 'bare':
        return readBare(facts, identity, read.mail);
      case 'unproven': {
        // An earlier version of the relay, which wrote no tag, knew no other queue.
        if (read.isTagged || facts.caller !== QUEUE) throw notOurs();
        const bare = read.mail === undefined ? undefined : readBare(facts, identity, read.mail);
        return { kind: 'unproven', claim: read, bare };
      }
    }
  } catch (reason) {
    if (!(reason instanceof AppError)) throw reason;
    return unreadable(facts, identity, reason);
  }
};

export const unreadable = (
  facts: MessageFacts,
  identity: Identity,
  reason: AppError,
): Extract<ReadMessage, { kind: 'unreadable' }> => ({
  kind: 'unreadable',
  mailId: idOfMessage(facts, identity),
  reason,
});

/** What the ledger can say of a message that cannot be read as an email. */
export const factsOfUnreadable = ({
  mailId,
  caller,
  acceptedAt,
  contentHash = '',
}: Pick<Envelope, 'mailId' | 'caller' | 'acceptedAt'> & { readonly contentHash?: string }): MailFacts => ({
  mailId,
  caller,
  acceptedAt: acceptedAt.toISOString(),
  sender: '',
  recipients: 0,
  tags: [],
  bodyHash: contentHash,
  leavesCopy: false,
});

const readBare = (
  facts: MessageFacts,
  identity: Identity,
  mail: object,
): Extract<ReadMessage, { kind: 'bare' }> => {
  const { messageId, insertedAt, caller } = facts;
  const key = keyOfMail(mail);
  const ownId = idOfMessage(facts, identity);
  const fromMessage = messageId === undefined ? undefined : earlierIdOfMessage(messageId);
  const envelope = newEnvelope({
    mailId: key === undefined ? ownId : identity.mailIdOfKey(caller, key),
    acceptedAt: insertedAt,
    caller,
    contentHash: identity.hashOfContent(mail),
    content: { mail },
    unjudged: true,
  });
  return {
    kind: 'bare',
    mail,
    earlierId: key === undefined ? fromMessage : earlierIdOfKey(caller, key),
    arrival: {
      envelope,
      isBare: true,
      isKnownByMessage: key === undefined && messageId !== undefined,
      refusedId: ownId,
      strayId: key === undefined ? idBeside(envelope, identity) : ownId,
    },
  };
};

/** The same arrival as the email that the ledger has from before: of an earlier version of the relay, or of an earlier name of its caller. */
export const asEarlier = (
  { arrival, mail }: Extract<ReadMessage, { kind: 'bare' }>,
  { facts: { mailId, bodyHash, caller } }: LedgerRow,
  identity: Identity,
  earlierNames: readonly string[],
): Arrival => {
  const { envelope } = arrival;
  const contentHash = identity.isContent(bodyHash, mail) ? bodyHash : envelope.contentHash;
  const name = earlierNames.includes(caller) ? caller : envelope.caller;
  return { ...arrival, envelope: { ...envelope, mailId, contentHash, caller: name } };
};

/**
 * An unproven envelope as a reminder of an email that the ledger has with the same caller and content: everything else is
 * taken from its row. Undefined where the row is of another email.
 */
export const asReminder = (
  { caller, mail }: UnprovenEnvelope,
  { facts, progress, fate }: LedgerRow,
  content: unknown,
  identity: Identity,
): Arrival | undefined => {
  if (facts.caller !== caller || !identity.isContent(facts.bodyHash, content)) return undefined;
  return ofRelay(
    {
      mailId: facts.mailId,
      acceptedAt: new Date(progress.replayedAt ?? facts.acceptedAt),
      caller,
      turn: progress.turn,
      phase: fate.state === 'unknown' ? 'look-up' : 'send',
      lookUps: 0,
      ...(progress.resent ? { resent: true } : {}),
      ...(fate.state === 'deferred' ? { dueAt: new Date(fate.until) } : {}),
      contentHash: facts.bodyHash,
      content: mail === undefined ? 'stored' : { mail },
    },
    identity,
  );
};

const ofRelay = (envelope: Envelope, identity: Identity): Arrival => ({
  envelope,
  isBare: false,
  isKnownByMessage: false,
  refusedId: envelope.mailId,
  strayId: idBeside(envelope, identity),
});

/** The id under which a message is known whatever it holds. The same text of two callers is two emails. */
const idOfMessage = ({ messageId, text, caller }: MessageFacts, identity: Identity): string => {
  if (messageId !== undefined) return identity.mailIdOfMessage(messageId);
  return identity.mailIdOfText(caller === QUEUE ? text : JSON.stringify([caller, text]));
};

const idBeside = ({ mailId, contentHash }: Envelope, identity: Identity): string =>
  identity.mailIdOfText(`${mailId} ${contentHash}`);

/**
 * The message as one about this row, by whose hash its content is known from then on; undefined where the row is of another
 * email, whose key was used before. A row without a hash is of a message that could not be read, and only the envelope made
 * of it can bring it back. A row of an earlier version can have another hash of the same content.
 */
export const asOf = (
  arrival: Arrival,
  row: LedgerRow,
  identity: Pick<Identity, 'isContent'>,
): Arrival | undefined => {
  if (isClosedUnseen(row)) return arrival;
  const { caller, bodyHash } = row.facts;
  const { envelope, isBare } = arrival;
  const { contentHash, content } = envelope;
  if (caller !== envelope.caller) return undefined;
  if (bodyHash === '') return isBare ? undefined : arrival;
  if (bodyHash === contentHash) return arrival;
  const isSame = content !== 'stored' && identity.isContent(bodyHash, content.mail);
  return isSame ? { ...arrival, envelope: { ...envelope, contentHash: bodyHash } } : undefined;
};
