import * as z from 'zod';
import { AppError } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import { lookOfText } from '../mail/not-json.ts';
import { apartFromPriority, type Priority, readPriority } from '../mail/priority.ts';
import { decodeUtf8, parseJson } from '../mail/read-mail.ts';

/** What the relay knows of an email that waits on the queue `mail`. */
export type Envelope = {
  readonly mailId: string;
  readonly acceptedAt: Date;
  readonly caller: string;
  /** Of two messages for one email, the one with the lower turn is stale. */
  readonly turn: number;
  /** What is due: to send the email, or to look whether it was sent. */
  readonly phase: 'send' | 'look-up';
  /** How often it has been looked for. */
  readonly lookUps: number;
  /** The one chance of `onUnknown: resend` is used. Here too, as the row that says so may be late. */
  readonly resent?: boolean;
  /** It came by a queue, and waits before anybody has looked whether its caller may send in this way. */
  readonly unjudged?: boolean;
  /** The time it was told to come back at, to keep its mailbox within the limits: by then it has waited its turn. */
  readonly dueAt?: Date;
  /** By which its content is known, wherever that is. */
  readonly contentHash: string;
  /** What the email says of its priority; of an email in the ledger, its row says it first. */
  readonly priority?: Priority;
  /** The email as it was received, without its priority; `stored` where it is too big for a message, to be found by id and hash. */
  readonly content: { readonly mail: unknown } | 'stored';
};

/** The first envelope of an email, to be sent as soon as it can be. */
export const newEnvelope = (
  mail: Pick<
    Envelope,
    'mailId' | 'acceptedAt' | 'caller' | 'contentHash' | 'content' | 'unjudged' | 'priority'
  >,
): Envelope => ({ ...mail, ...contentApart(mail.content), turn: 0, phase: 'send', lookUps: 0 });

/** The last release knows no priority, and would hold an email that has one: it is beside the content, not in it. */
const contentApart = (content: Envelope['content']): Pick<Envelope, 'content' | 'priority'> => {
  if (content === 'stored' || !isObject(content.mail)) return { content };
  const { content: mail, ...priority } = apartFromPriority(content.mail);
  return { content: { mail }, ...priority };
};

/**
 * A message that looks like an envelope and does not prove to be ours: of an earlier version of the relay, which wrote
 * no tag, or of anybody who may write to the queue. What it says is only worth what the ledger says too.
 */
export type UnprovenEnvelope = {
  readonly kind: 'unproven';
  readonly mailId: string;
  readonly caller: string;
  readonly isTagged: boolean;
  /** Undefined where the content is stored. */
  readonly mail: object | undefined;
};

export type QueueMessage =
  /** An application's own: a stranger's email. */
  | { readonly kind: 'bare'; readonly mail: object }
  | ({ readonly kind: 'envelope' } & Envelope)
  | UnprovenEnvelope;

/** Makes and checks the tag that proves a text to be the relay's own. */
export type Seal = {
  readonly tagOf: (text: string) => string;
  readonly isTag: (tag: string, text: string) => boolean;
  readonly isContent: (hash: string, mail: unknown) => boolean;
};

/** The field names are none that the functions host would copy over its own metadata (`id`, `dequeueCount`...). */
const envelopeSchema = z.strictObject({
  relay: z.strictObject({
    mailId: z.uuid(),
    acceptedAt: z.iso.datetime(),
    caller: z.string().max(100),
    turn: z.int().min(0),
    phase: z.enum(['send', 'look-up']),
    lookUps: z.int().min(0).optional(),
    resent: z.boolean().optional(),
    unjudged: z.boolean().optional(),
    dueAt: z.iso.datetime().optional(),
    contentHash: z.string().max(100).optional(),
    tag: z.string().max(100).optional(),
  }),
  mail: z.record(z.string(), z.unknown()).optional(),
  /**
   * The priority, with a tag of its own. An early version named a blob here, so every version accepts the field, and those that know no
   * priority do not read it. A new field in `relay`, or text in its tag, would make them hold the message as somebody else's.
   */
  payload: z.string().max(200).optional(),
});

type Relay = z.output<typeof envelopeSchema>['relay'];

/** A storage queue message holds 64 KiB of text; base64 leaves three quarters of it (Azure Queue Storage limits). */
export const MAX_MESSAGE_BYTES = 49_152;

/**
 * Reads the text of a queue message: JSON, or base64 of JSON. Throws MESSAGE_UNREADABLE, JSON_UNREADABLE. `seal` tells
 * the relay's own messages from those of others.
 */
export const readQueueMessage = (text: string, seal: Seal): QueueMessage => {
  const value = readText(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('MESSAGE_UNREADABLE', {
      detail: 'Expected one JSON object, plain or base64-encoded.',
    });
  if (!Object.hasOwn(value, 'relay')) return { kind: 'bare', mail: value };
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success) throw notOurs();
  const { relay, mail, payload } = parsed.data;
  return (
    proven(relay, mail, payload, seal) ?? {
      kind: 'unproven',
      mailId: relay.mailId.toLowerCase(),
      caller: relay.caller,
      isTagged: relay.tag !== undefined,
      mail,
    }
  );
};

/** The reason for holding what only looks like a message of the relay. */
export const notOurs = (): AppError =>
  new AppError('MESSAGE_UNREADABLE', {
    detail:
      'The message has the field `relay`, which only the relay writes, but the relay did not write this message.',
  });

const proven = (
  { tag, contentHash, ...relay }: Relay,
  mail: object | undefined,
  payload: string | undefined,
  seal: Seal,
): QueueMessage | undefined => {
  if (tag === undefined || contentHash === undefined) return undefined;
  const content = mail === undefined ? 'stored' : { mail };
  const envelope: Envelope = {
    mailId: relay.mailId,
    acceptedAt: new Date(relay.acceptedAt),
    caller: relay.caller,
    turn: relay.turn,
    phase: relay.phase,
    lookUps: relay.lookUps ?? 0,
    ...(relay.resent ? { resent: true } : {}),
    ...(relay.unjudged ? { unjudged: true } : {}),
    ...(relay.dueAt === undefined ? {} : { dueAt: new Date(relay.dueAt) }),
    contentHash,
    content,
  };
  if (!seal.isTag(tag, sealedText(envelope))) return undefined;
  return mail === undefined || seal.isContent(contentHash, mail)
    ? { kind: 'envelope', ...envelope, ...provenPriority(payload, envelope, seal) }
    : undefined;
};

const sealedPriority = (envelope: Envelope, priority: Priority): string =>
  JSON.stringify([sealedText(envelope), 'priority', priority]);

const writePriority = (envelope: Envelope, { tagOf }: Pick<Seal, 'tagOf'>): string | undefined =>
  envelope.priority && `${envelope.priority} ${tagOf(sealedPriority(envelope, envelope.priority))}`;

/** What is not of the relay, or of another message, says nothing. */
const provenPriority = (
  payload: string | undefined,
  envelope: Envelope,
  { isTag }: Pick<Seal, 'isTag'>,
): Pick<Envelope, 'priority'> => {
  const [word, tag = ''] = payload?.split(' ') ?? [];
  const priority = readPriority(word);
  return priority !== undefined && isTag(tag, sealedPriority(envelope, priority)) ? { priority } : {};
};

/** Everything an envelope says, in one order. Its content is in it by its hash. What an earlier version did not write comes last. */
const sealedText = (envelope: Envelope): string => {
  const { mailId, acceptedAt, caller, turn, phase, lookUps, resent, dueAt, contentHash, content } = envelope;
  const { unjudged } = envelope;
  const where = content === 'stored' ? 'stored' : 'inside';
  return JSON.stringify([
    mailId,
    acceptedAt.toISOString(),
    caller,
    turn,
    phase,
    lookUps,
    resent === true,
    dueAt?.toISOString() ?? '',
    contentHash,
    where,
    ...(unjudged ? ['unjudged'] : []),
  ]);
};

const readText = (message: string): unknown => {
  const text = message.trim();
  // JSON objects begin with a brace, which base64 has not: the two cannot be confused.
  if (text.startsWith('{')) return parseJson(text);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== text.replaceAll(/\s/g, ''))
    throw new AppError('MESSAGE_UNREADABLE', {
      detail: `Expected one JSON object, plain or base64-encoded. ${lookOfText(text)}`.trim(),
    });
  return parseJson(decodeUtf8(bytes));
};

/** The text of the relay's own message: base64, because XML cannot carry every character of an email. */
export const toQueueText = (envelope: Envelope, { tagOf }: Pick<Seal, 'tagOf'>): string => {
  const { mailId, acceptedAt, caller, turn, phase, lookUps, resent, dueAt, contentHash, content } = envelope;
  const { unjudged } = envelope;
  const relay = { mailId, acceptedAt, caller, turn, phase, lookUps, resent, unjudged, dueAt, contentHash };
  return Buffer.from(
    JSON.stringify({
      relay: { ...relay, tag: tagOf(sealedText(envelope)) },
      payload: writePriority(envelope, { tagOf }),
      ...(content === 'stored' ? {} : content),
    }),
  ).toString('base64');
};

/** True when the envelope fits a queue message with its email inside. */
export const fitsQueueMessage = (text: string): boolean =>
  Buffer.byteLength(text, 'base64') <= MAX_MESSAGE_BYTES;
