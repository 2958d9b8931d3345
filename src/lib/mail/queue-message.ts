import { z } from 'zod';
import { AppError } from '../errors.ts';
import { decodeUtf8, parseJson } from './read-mail.ts';

/**
 * What stands on the queue `mail`: either a bare mail, put there by an application, or the relay's own
 * envelope around one, which keeps id and history while a mail waits. The field names of the envelope are none
 * that the functions host would copy over its own metadata (`id`, `dequeueCount`, `popReceipt`...).
 */
const envelopeSchema = z.strictObject({
  relay: z.strictObject({
    mailId: z.uuid(),
    acceptedAt: z.iso.datetime(),
    caller: z.string().max(100),
    turn: z.int().min(0),
    phase: z.enum(['send', 'look-up']),
    lookUps: z.int().min(0).optional(),
    resent: z.boolean().optional(),
    dueAt: z.iso.datetime().optional(),
  }),
  /** The mail as it came, or the name of the blob that holds it where it is too big for a message. */
  mail: z.record(z.string(), z.unknown()).optional(),
  payload: z.string().max(200).optional(),
});

export type Envelope = {
  readonly mailId: string;
  readonly acceptedAt: Date;
  readonly caller: string;
  /** Of two messages for one mail, the one with the lower turn is stale. */
  readonly turn: number;
  /** What is due: to send the mail, or to look whether it was sent. */
  readonly phase: 'send' | 'look-up';
  /** How often it has been looked for. */
  readonly lookUps: number;
  /** The one chance of `onUnknown: resend` is used. Here too, as the row that says so may be late. */
  readonly resent?: boolean;
  /** The time it was told to come back at, to keep its mailbox within the limits: by then it has waited its turn. */
  readonly dueAt?: Date;
  readonly content: { readonly mail: unknown } | { readonly payload: string };
};

export type QueueMessage =
  | { readonly kind: 'bare'; readonly mail: unknown }
  | ({ readonly kind: 'envelope' } & Envelope);

/** A storage queue message holds 64 KiB of text; base64 leaves three quarters of it (Azure Queue Storage limits). */
export const MAX_MESSAGE_BYTES = 49_152;

/**
 * Reads a queue message as the functions library hands it over: JSON already parsed, or text that is base64
 * of JSON, or bytes. Throws MESSAGE_UNREADABLE.
 */
export const readQueueMessage = (message: unknown): QueueMessage => {
  const value = typeof message === 'string' || message instanceof Uint8Array ? readText(message) : message;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AppError('MESSAGE_UNREADABLE', {
      detail: 'Expected one JSON object, plain or base64-encoded.',
    });
  if (!Object.hasOwn(value, 'relay')) return { kind: 'bare', mail: value };
  const parsed = envelopeSchema.safeParse(value);
  if (!parsed.success || (parsed.data.mail === undefined) === (parsed.data.payload === undefined))
    throw new AppError('MESSAGE_UNREADABLE', {
      detail: 'The message has a field `relay`, which only the relay itself writes, and not as it does.',
    });
  const { relay, mail, payload } = parsed.data;
  return {
    kind: 'envelope',
    mailId: relay.mailId,
    acceptedAt: new Date(relay.acceptedAt),
    caller: relay.caller,
    turn: relay.turn,
    phase: relay.phase,
    lookUps: relay.lookUps ?? 0,
    ...(relay.resent ? { resent: true } : {}),
    ...(relay.dueAt === undefined ? {} : { dueAt: new Date(relay.dueAt) }),
    content: payload === undefined ? { mail } : { payload },
  };
};

const readText = (message: string | Uint8Array): unknown => {
  const text = typeof message === 'string' ? message : decodeUtf8(message);
  const trimmed = text.trim();
  // JSON objects begin with a brace, which base64 has not: the two cannot be confused.
  if (trimmed.startsWith('{')) return parseJson(trimmed);
  const bytes = Buffer.from(trimmed, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== trimmed.replaceAll(/\s/g, ''))
    throw new AppError('MESSAGE_UNREADABLE', { detail: 'Expected JSON, plain or base64-encoded.' });
  return parseJson(decodeUtf8(bytes));
};

/** The text of the relay's own message: base64, because XML cannot carry every character of a mail. */
export const toQueueText = ({
  mailId,
  acceptedAt,
  caller,
  turn,
  phase,
  lookUps,
  resent,
  dueAt,
  content,
}: Envelope): string =>
  Buffer.from(
    JSON.stringify({
      relay: { mailId, acceptedAt: acceptedAt.toISOString(), caller, turn, phase, lookUps, resent, dueAt },
      ...content,
    }),
  ).toString('base64');

/** True when the envelope fits a queue message with its mail inside. */
export const fitsQueueMessage = (text: string): boolean =>
  Buffer.byteLength(text, 'base64') <= MAX_MESSAGE_BYTES;
