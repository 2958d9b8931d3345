import { afterEach, expect, test } from 'vitest';
import { postMailTo } from '../../../clients/smtp-door/src/relay/post-mail.ts';
import { aSubmission } from './a-submission.ts';
import { type RelayStandIn, startRelayStandIn } from './relay-stand-in.ts';

let relay: RelayStandIn | undefined;
afterEach(() => relay?.close());

const NOW = new Date('2026-11-26T10:00:00Z');
const start = async (...fault: Parameters<typeof startRelayStandIn>) => {
  relay = await startRelayStandIn(...fault);
  return { relay, post: postMailTo({ url: relay.url }, () => NOW) };
};

test('a key of the relay goes to /v1/mail and a function key to /mail, with the email byte for byte', async () => {
  const { relay, post } = await start();
  const body = Buffer.from([0x46, 0x0d, 0x0a, 0x0d, 0x0a, 0xff, 0x00, 0x80]);
  expect(await post(aSubmission({ idempotencyKey: 'k1', body }), 'gmr_a_b', 10_000)).toEqual({
    kind: 'response',
    status: 200,
    body: { kind: 'mail', id: 'mail-k1', state: 'sent' },
    retryAfterMs: undefined,
  });
  await post(aSubmission({ idempotencyKey: 'k2', contentType: 'application/json' }), 'function-key', 10_000);
  expect(relay.emails.get('k1')?.body.equals(body)).toBe(true);
  expect(
    relay.requests.map(({ path, headers }) => [
      path,
      headers['x-api-key'],
      headers['x-functions-key'],
      headers['content-type'],
      headers['idempotency-key'],
    ]),
  ).toEqual([
    ['/api/v1/mail', 'gmr_a_b', undefined, 'message/rfc822', 'k1'],
    ['/api/mail', undefined, 'function-key', 'application/json', 'k2'],
  ]);
});

test('Retry-After and the problem of the relay are read', async () => {
  const { post } = await start(() => ({
    kind: 'answer',
    status: 429,
    code: 'CALLER_LIMIT_REACHED',
    headers: { 'retry-after': '120' },
  }));
  expect(await post(aSubmission(), 'gmr_x', 10_000)).toMatchObject({
    status: 429,
    retryAfterMs: 120_000,
    body: { kind: 'problem', code: 'CALLER_LIMIT_REACHED', remedy: 'Do this.' },
  });
});

test('a redirect is not followed, so that no other host gets the key', async () => {
  const other = await startRelayStandIn();
  try {
    const { post } = await start(() => ({
      kind: 'answer',
      status: 307,
      headers: { location: `${other.url}/v1/mail` },
    }));
    expect(await post(aSubmission(), 'gmr_x', 10_000)).toMatchObject({
      status: 307,
      body: { kind: 'foreign' },
    });
    expect(other.requests).toEqual([]);
  } finally {
    await other.close();
  }
});

test('a connection that breaks is tried once more, and the relay still has one email', async () => {
  let cuts = 0;
  const { relay, post } = await start(() => (++cuts === 1 ? { kind: 'cut', when: 'after' } : undefined));
  expect(await post(aSubmission(), 'gmr_x', 10_000)).toMatchObject({ status: 200 });
  expect([relay.requests.length, relay.emails.size]).toEqual([2, 1]);
});

test('no response is a code of the network, or a timeout', async () => {
  const { post, relay } = await start(() => ({ kind: 'cut', when: 'before' }));
  expect(await post(aSubmission(), 'gmr_x', 10_000)).toEqual({
    kind: 'none',
    why: 'network',
    cause: 'UND_ERR_SOCKET',
  });
  await relay.close();
  expect(await post(aSubmission(), 'gmr_x', 10_000)).toEqual({
    kind: 'none',
    why: 'network',
    cause: 'ECONNREFUSED',
  });
  const never: typeof fetch = (_, init) =>
    new Promise((_resolve, reject) =>
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
    );
  expect(await postMailTo({ url: relay.url }, () => NOW, never)(aSubmission(), 'gmr_x', 1)).toEqual({
    kind: 'none',
    why: 'timeout',
    cause: 'TIMEOUT',
  });
});
