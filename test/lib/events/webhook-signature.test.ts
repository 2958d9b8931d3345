import { Resend } from 'resend';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, test } from 'vitest';
import { bodyOf, headersOf, readSigningSecret } from '../../../src/lib/events/webhook-signature.ts';
import { aCloudEvent, EARLIER_SIGNING_SECRET, SIGNING_SECRET } from '../../support/an-event.ts';

const event = aCloudEvent();
const body = bodyOf(event);
const keysOf = (...secrets: string[]) => secrets.flatMap((one) => readSigningSecret(one) ?? []);
// The verifiers compare the time with their own clock.
const now = new Date();
const headersBy = (...secrets: string[]) => headersOf({ id: event.id, body }, keysOf(...secrets), now);

/** As docs/migrate/resend.md calls it. */
class ResendWebhook {
  readonly #secret: string;

  constructor(secret: string) {
    this.#secret = secret;
  }

  verify(payload: string, headers: Record<string, string>): unknown {
    const [id = '', timestamp = '', signature = ''] = ['id', 'timestamp', 'signature'].map(
      (name) => headers[`webhook-${name}`],
    );
    return new Resend('re_123').webhooks.verify({
      payload,
      headers: { id, timestamp, signature },
      webhookSecret: this.#secret,
    });
  }
}

describe.each([
  ['standardwebhooks', StandardWebhook],
  ['svix', SvixWebhook],
  ['of the client of Resend', ResendWebhook],
])('the verifier %s', (_name, Webhook) => {
  const verify = (secret: string, text = body, headers = headersBy(SIGNING_SECRET)) =>
    new Webhook(secret).verify(text, headers as Record<string, string>);

  test('accepts the signature, and gives the event', () => {
    expect(verify(SIGNING_SECRET)).toEqual(event);
  });

  test('accepts the old secret and the new one while a secret is rotated', () => {
    const both = headersBy(SIGNING_SECRET, EARLIER_SIGNING_SECRET);
    expect(verify(SIGNING_SECRET, body, both)).toEqual(event);
    expect(verify(EARLIER_SIGNING_SECRET, body, both)).toEqual(event);
  });

  test('rejects another secret, and a body, an id or a time that was changed', () => {
    const headers = headersBy(SIGNING_SECRET);
    const later = String(Number(headers['webhook-timestamp']) + 1);
    expect(() => verify(EARLIER_SIGNING_SECRET)).toThrow();
    expect(() => verify(SIGNING_SECRET, body.replace('sent', 'held'))).toThrow();
    expect(() => verify(SIGNING_SECRET, body, { ...headers, 'webhook-id': 'another' })).toThrow();
    expect(() => verify(SIGNING_SECRET, body, { ...headers, 'webhook-timestamp': later })).toThrow();
  });
});

describe('a signing secret', () => {
  test.each([24, 32, 64])('of %s bytes is taken, also with the line break that a tool added', (bytes) => {
    const key = Buffer.alloc(bytes, 3);
    expect(readSigningSecret(`whsec_${key.toString('base64')}\n`)).toEqual(key);
  });

  test.each([
    ['nothing', ''],
    ['no prefix', Buffer.alloc(32).toString('base64')],
    ['too short', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['too long', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['no base64', 'whsec_not base64 at all, whatever it says here'],
    ['base64url', `whsec_${Buffer.alloc(32, 255).toString('base64url')}`],
    ['a private key', `whsk_${Buffer.alloc(32).toString('base64')}`],
  ])('is refused: %s', (_what, text) => {
    expect(readSigningSecret(text)).toBeUndefined();
  });
});
