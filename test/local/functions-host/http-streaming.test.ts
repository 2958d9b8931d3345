import http from 'node:http';
import { expect, test } from 'vitest';
import { hostApp, KEYS } from './hosted-app.ts';
import { sendInChunks, sendRaw } from './send-raw.ts';
import { createTestClock } from './test-clock.ts';

const LIMIT_BYTES = 104_857_600;
const ofBytes = (bytes: number) => Array.from({ length: bytes / 1_048_576 }, () => Buffer.alloc(1_048_576));

test('a body that comes in chunks reaches the app', async () => {
  const { url } = await hostApp('stream-app');
  const { status, text } = await sendInChunks(`${url}/api/echo/mail`, ['{"subject":', '"您好"}']);
  expect([status, JSON.parse(text).body]).toEqual([200, '{"subject":"您好"}']);
});

test('a body with a length reaches the app, and so does everything beside it', async () => {
  const { url } = await hostApp('stream-app');
  const response = await fetch(`${url}/api/echo/mail/42?a=1&b=2&b=3&code=x`, {
    method: 'POST',
    headers: { 'X-Test': 'yes' },
    body: '您好',
  });
  const { invocationId, traceParent, ...rest } = (await response.json()) as Record<string, unknown>;
  expect(rest).toEqual({
    method: 'POST',
    url: `${url}/api/echo/mail/42?a=1&b=2&b=3&code=x`,
    params: { kind: 'mail', id: '42', a: '1', b: '2,3' },
    query: [
      ['a', '1'],
      ['b', '2'],
      ['b', '3'],
      ['code', 'x'],
    ],
    header: 'yes',
    body: '您好',
  });
  expect(response.headers.get('x-ms-invocation-id')).toBe(invocationId);
  expect(traceParent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
});

test('texts of a JSON body and of the query are route values too, and the route has the last word', async () => {
  const { url } = await hostApp('stream-app');
  const response = await fetch(`${url}/api/echo/mail/42?ID=of-the-query&CODE=x`, {
    method: 'POST',
    body: '{"id":"of-the-body","to":"b","list":[1],"more":{}}',
  });
  expect(await response.json()).toMatchObject({ params: { kind: 'mail', id: '42', to: 'b' } });
  const inChunks = await sendInChunks(`${url}/api/echo/mail`, ['{"id":"of-the-body"}']);
  expect(JSON.parse(inChunks.text).params).toEqual({ kind: 'mail' });
});

test('a property of the body or the query that is called headers takes the place of the real ones', async () => {
  const { url } = await hostApp('stream-app');
  const headerSeen = async (path: string, body: string) => {
    const init = { method: 'POST', headers: { 'X-Test': 'real' }, body };
    return ((await (await fetch(url + path, init)).json()) as { header: string | null }).header;
  };
  expect(await headerSeen('/api/echo/mail', '{}')).toBe('real');
  expect(await headerSeen('/api/echo/mail', '{"headers":{"x-test":"of the body"}}')).toBeNull();
  expect(await headerSeen('/api/echo/mail', '{"Headers":{"x-test":"of the body"}}')).toBe('of the body');
  const query = encodeURIComponent('{"x-test":"of the query"}');
  expect(await headerSeen(`/api/echo/mail?Headers=${query}`, '{}')).toBe('of the query');
});

test('the app gets the first chunk before the last was sent', async () => {
  const { url } = await hostApp('stream-app');
  const request = http.request(`${url}/api/firstChunk`, { method: 'POST' });
  request.on('error', () => {});
  request.write('first');
  const answer = await new Promise<string>((resolve) => {
    request.once('response', (response) => response.setEncoding('utf8').once('data', resolve));
  });
  request.destroy();
  expect(answer).toBe('first');
});

test('an app that does not read the body may answer', async () => {
  const { url } = await hostApp('stream-app');
  expect(await sendInChunks(`${url}/api/early`, ofBytes(2_097_152))).toMatchObject({
    status: 401,
    text: 'not read',
  });
});

test('a request without the key does not reach the app', async () => {
  const { url, lines } = await hostApp('stream-app');
  expect((await sendInChunks(`${url}/api/guarded`, ['x'])).status).toBe(401);
  expect(lines.join('\n')).not.toContain('Executing');
  const withKey = await sendInChunks(`${url}/api/guarded`, ['x'], { 'x-functions-key': KEYS.functionKey });
  expect(withKey.text).toBe('in');
});

test('status, headers, cookies and the headers of host.json come through', async () => {
  const { url } = await hostApp('stream-app');
  const response = await fetch(`${url}/api/cookies`);
  expect(response.status).toBe(201);
  expect(response.headers.get('x-own')).toBe('yes');
  expect(response.headers.get('x-frame-options')).toBe('deny');
  expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
  expect((await fetch(`${url}/api/unknown`)).headers.get('x-frame-options')).toBe('deny');
  expect((await fetch(`${url}/api/empty`)).status).toBe(204);
  expect((await fetch(`${url}/api/empty`, { method: 'HEAD' })).status).toBe(204);
});

test.each([
  ['throws', 'broken', 'the inner reason'],
  ['sends a header that is not ASCII', 'notAscii', 'x-name is not ASCII'],
  ['names a cookie with a space', 'badCookie', 'name'],
  ['returns nothing', 'nothing', 'It returned nothing'],
])('a function that %s is 500 without a body and without an id', async (_, name, logged) => {
  const { url, lines } = await hostApp('stream-app');
  const { status, text, headers } = await sendRaw(`${url}/api/${name}`, {});
  expect([status, text, headers['x-ms-invocation-id']]).toEqual([500, '', undefined]);
  await expect.poll(() => lines.join('\n')).toContain(logged);
});

test('a function beyond functionTimeout is 500 without a body and without an id', async () => {
  const clock = createTestClock('2026-11-22T08:00:00Z');
  const { url, lines } = await hostApp('stream-app', { clock });
  const answer = sendInChunks(`${url}/api/slow`, ['x']);
  await expect.poll(() => lines.join('\n')).toContain("Executing 'Functions.slow'");
  await clock.advance(30 * 60_000);
  const { status, text, headers } = await answer;
  expect([status, text, headers['x-ms-invocation-id']]).toEqual([500, '', undefined]);
});

test('a body of 100 MB arrives; one of a byte more is 500, and the connection is closed', async () => {
  const { url } = await hostApp('stream-app');
  const whole = ofBytes(LIMIT_BYTES);
  expect((await sendInChunks(`${url}/api/count`, whole)).text).toBe(String(LIMIT_BYTES));
  const tooMuch = await sendInChunks(`${url}/api/count`, [...whole, 'x']);
  expect([tooMuch.status, tooMuch.headers.connection]).toEqual([500, 'close']);
});

test('a caller who leaves in the middle of the body ends the invocation', async () => {
  const { url, idle, lines } = await hostApp('stream-app');
  const request = http.request(`${url}/api/count`, { method: 'POST' });
  request.on('error', () => {});
  request.write('first');
  await expect.poll(() => lines.join('\n')).toContain("Executing 'Functions.count'");
  request.destroy();
  await idle();
  expect(lines.join('\n')).toContain("Executed 'Functions.count' (Failed");
});
