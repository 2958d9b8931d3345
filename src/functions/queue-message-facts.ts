import type { InvocationContext } from '@azure/functions';
import type { DeliveryFacts } from '../lib/delivery/deliver-mail.ts';

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What the host can have read as a JSON object: that begins with a brace, or with a comment before one. */
const MAY_BE_OBJECT = /^[\s\ufeff]*(\{|\/[/*])/;

/**
 * A queue message and what the host says of it. The host lays top-level fields of a JSON message over its own facts, names
 * compared without case (azure-functions-nodejs-library issue 459). It reads JSON more generously than we do, so those
 * facts are believed only where the message cannot have a field of that name: no object at all, or one without it.
 */
export const queueMessageFacts = (
  message: unknown,
  context: Pick<InvocationContext, 'triggerMetadata'>,
  now: Date,
  caller: string,
): DeliveryFacts => {
  const { text, id, insertedAt, delivery } = believedFacts(message, context);
  return {
    text,
    caller,
    ...(typeof id === 'string' && GUID.test(id) ? { messageId: id.toLowerCase() } : {}),
    insertedAt: insertedAt !== undefined && insertedAt < now ? insertedAt : now,
    redelivered: delivery > 1,
  };
};

/** What the host says of a message, as far as it can be believed. */
export const believedFacts = (
  message: unknown,
  { triggerMetadata }: Pick<InvocationContext, 'triggerMetadata'>,
) => {
  const text = toText(message);
  const names = MAY_BE_OBJECT.test(text) ? fieldNames(text) : [];
  const believed = (name: string): unknown =>
    names === undefined || names.includes(name.toLowerCase()) ? undefined : triggerMetadata?.[name];
  return {
    text,
    id: believed('id'),
    insertedAt: readTime(believed('insertionTime')),
    delivery: Number(believed('dequeueCount')) || 1,
  };
};

/** Messages arrive as bytes (raw-queue-message.ts); JSON that was read already is written again. */
const toText = (message: unknown): string => {
  if (typeof message === 'string') return message;
  return message instanceof Uint8Array ? Buffer.from(message).toString() : (JSON.stringify(message) ?? '');
};

/** The top-level names of a JSON object in lower case; undefined where the host may have read what we cannot. */
const fieldNames = (text: string): readonly string[] | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? Object.keys(value).map((name) => name.toLowerCase())
      : [];
  } catch {
    return undefined;
  }
};

const readTime = (value: unknown): Date | undefined => {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time);
};
