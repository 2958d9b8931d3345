import { createHmac } from 'node:crypto';
import type { CloudEvent } from './cloud-event.ts';

/*
 * Standard Webhooks 1.0.0, the symmetric scheme (https://github.com/standard-webhooks/standard-webhooks, spec). Receivers verify it
 * with the libraries of Standard Webhooks or Svix.
 */

const PREFIX = 'whsec_';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
/** "At least 24 bytes (192 bits, 512 maximum)" */
const LEAST_BYTES = 24;
const MOST_BYTES = 64;

/** The key in a signing secret; undefined where the text is none. */
export const readSigningSecret = (text: string): Buffer | undefined => {
  const base64 = text.trim().slice(PREFIX.length);
  if (!text.trim().startsWith(PREFIX) || !BASE64.test(base64)) return undefined;
  const key = Buffer.from(base64, 'base64');
  return key.length >= LEAST_BYTES && key.length <= MOST_BYTES ? key : undefined;
};

/** The body of a webhook, which is also what was signed: the event as it stays through all attempts. */
export const bodyOf = (event: CloudEvent): string => JSON.stringify(event);

/** The headers of one attempt, with a signature by each of the keys: a receiver accepts the one whose secret it has. */
export const headersOf = (
  { id, body }: { readonly id: string; readonly body: string },
  keys: readonly Uint8Array[],
  now: Date,
): Readonly<Record<string, string>> => {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const sign = (key: Uint8Array): string =>
    `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  return {
    // CloudEvents, HTTP protocol binding: structured mode.
    'content-type': 'application/cloudevents+json; charset=utf-8',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': keys.map(sign).join(' '),
  };
};
