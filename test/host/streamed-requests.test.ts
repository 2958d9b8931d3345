import { afterAll, expect, test } from 'vitest';
import { connectRaw, sendInChunks } from '../local/functions-host/send-raw.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { canaryMail, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
afterAll(() => relay.close());

const headers = { 'x-functions-key': KEYS.functionKey, 'content-type': 'application/json' };

test('a mail whose body comes without Content-Length is sent', async () => {
  const marker = newMarker();
  const json = JSON.stringify(canaryMail(marker));
  const chunks = [json.slice(0, 10), json.slice(10)];
  const { status, text } = await sendInChunks(`${relay.url()}/api/mail`, chunks, headers);
  expect([status, JSON.parse(text).state]).toEqual([200, 'sent']);
  expect(await relay.mailsAbout(marker)).toHaveLength(1);
});

test('a mail near the largest size arrives whole', async () => {
  const marker = newMarker();
  const content = Buffer.alloc(2_000_000, 'x').toString('base64');
  const attachments = [{ filename: 'big.bin', content }];
  const json = JSON.stringify(canaryMail(marker, { attachments }));
  const chunks = json.match(/.{1,65536}/gs) ?? [];
  const { status } = await sendInChunks(`${relay.url()}/api/mail`, chunks, headers);
  expect(status).toBe(200);
  expect(await relay.mailsAbout(marker)).toHaveLength(1);
});

test.each([
  ['a field called headers', '', { headers: { 'x-canary': 'of the mail' } }],
  ['a query called Headers', `?Headers=${encodeURIComponent('{"content-type":"text/plain"}')}`, {}],
])('the headers of a request are its own, whatever %s says', async (_, query, override) => {
  const marker = newMarker();
  const body = JSON.stringify(canaryMail(marker, override));
  const send = () =>
    relay.call('POST', `/api/mail${query}`, {
      body,
      headers: { 'content-type': 'application/json', 'idempotency-key': `key-${marker}` },
    });
  const [first, second] = [await send(), await send()];
  expect([first.status, second.status]).toEqual([200, 200]);
  expect(second.body.id).toBe(first.body.id);
  expect(await relay.mailsAbout(marker)).toHaveLength(1);
});

test.each([
  ['a chunk without a length', 'no hexadecimal number\r\n'],
  ['the end of the connection', undefined],
])('a body broken off by %s is logged as JSON_UNREADABLE, and nothing is sent', async (_, broken) => {
  const marker = newMarker();
  const known = relay.events('RequestRefused').length;
  const json = JSON.stringify(canaryMail(marker));
  const client = await connectRaw(Number(new URL(relay.url()).port));
  await client.write(
    `POST /api/mail HTTP/1.1\r\nHost: HOST\r\nx-functions-key: ${KEYS.functionKey}\r\nContent-Type: application/json\r\n` +
      `Transfer-Encoding: chunked\r\n\r\n${json.length.toString(16)}\r\n${json}\r\n${broken ?? ''}`,
  );
  if (broken === undefined) client.leave();
  await client.closed;
  await expect.poll(() => relay.events('RequestRefused').length).toBe(known + 1);
  expect(relay.events('RequestRefused').at(-1)).toMatchObject({ code: 'JSON_UNREADABLE' });
  expect(await relay.mailsAbout(marker)).toEqual([]);
});
