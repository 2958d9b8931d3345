import * as z from 'zod';
import { EVENT_TYPES } from '../ledger/relay-event.ts';
import type { CloudEvent } from './cloud-event.ts';
import { bodyOf } from './webhook-signature.ts';

/**
 * A message of the relay to itself: to post an event. Without a receiver, to every receiver that wants it; then there is one message
 * for each of them.
 */
export type WebhookMessage = {
  readonly event: CloudEvent;
  readonly receiver?: string;
  /** Attempts that were made already. */
  readonly attempts: number;
  readonly since: Date;
};

type Seal = {
  readonly tagOf: (text: string) => string;
  readonly isTag: (tag: string, text: string) => boolean;
};

/** Everything that is signed later is one text, which is compared and never written again. */
const schema = z.strictObject({
  body: z.string(),
  receiver: z.string().optional(),
  attempts: z.int().min(0),
  since: z.iso.datetime(),
  tag: z.string(),
});

const eventSchema = z.object({
  specversion: z.literal('1.0'),
  id: z.string(),
  source: z.string(),
  type: z.enum(EVENT_TYPES),
  subject: z.string(),
  time: z.string(),
  datacontenttype: z.literal('application/json'),
  data: z.record(z.string(), z.unknown()),
});

/** Begins with a word, so that it is no text that another kind of message is sealed with. */
const sealedText = ({ body, receiver = '', attempts, since }: Omit<z.output<typeof schema>, 'tag'>): string =>
  `webhook\n${JSON.stringify([body, receiver, attempts, since])}`;

/** The text of a message: base64, because XML cannot carry every character of a tag. */
export const toWebhookText = (
  { event, receiver, attempts, since }: WebhookMessage,
  { tagOf }: Pick<Seal, 'tagOf'>,
): string => {
  const fields = {
    body: bodyOf(event),
    ...(receiver === undefined ? {} : { receiver }),
    attempts,
    since: since.toISOString(),
  };
  return Buffer.from(JSON.stringify({ ...fields, tag: tagOf(sealedText(fields)) })).toString('base64');
};

/** Reads a message; undefined for whatever the relay did not write. */
export const readWebhookText = (text: string, { isTag }: Pick<Seal, 'isTag'>): WebhookMessage | undefined => {
  const parsed = schema.safeParse(parseJson(Buffer.from(text, 'base64').toString()));
  if (!parsed.success) return undefined;
  const { tag, ...fields } = parsed.data;
  if (!isTag(tag, sealedText(fields))) return undefined;
  const event = eventSchema.safeParse(parseJson(fields.body));
  if (!event.success) return undefined;
  return {
    event: event.data as CloudEvent,
    ...(fields.receiver === undefined ? {} : { receiver: fields.receiver }),
    attempts: fields.attempts,
    since: new Date(fields.since),
  };
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
