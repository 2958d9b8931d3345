import http from 'node:http';
import { expect, test } from 'vitest';
import { hostApp, KEYS } from './hosted-app.ts';
import { sendInChunks, sendRaw } from './send-raw.ts';
import { createTestClock } from './test-clock.ts';

test('a function gets method, URL, route values, query, headers and body', async () => {
  const { url } = await hostApp('http-app');
  const response = await fetch(`${url}/api/echo/mail/42?a=1&b=2&b=3&code=x`, {
    method: 'POST',
    headers: { 'X-Test': 'yes' },
    body: '您好',
  });
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  // The real host sends it with streaming on only.
  expect(response.headers.get('x-ms-invocation-id')).toBeNull();
  expect(await response.json()).toEqual({
    method: 'POST',
    url: `${url}/api/echo/mail/42?a=1&b=2&b=3&code=x`,
    params: { kind: 'mail', id: '42' },
    // The host joins values of one name.
    query: { a: '1', b: '2,3', code: 'x' },
    header: 'yes',
    body: '您好',
  });
});

test('a route matches without case, an optional value may be absent, a value is decoded', async () => {
  const { url } = await hostApp('http-app');
  const answer = await (await fetch(`${url}/API/Echo/a%20b/`)).json();
  expect(answer).toMatchObject({ params: { kind: 'a b' } });
  expect((answer as { params: object }).params).not.toHaveProperty('id');
});

test('routes are tried in the order of the names of their functions, so a parameter may hide a literal', async () => {
  const { url } = await hostApp('http-app');
  expect(await (await fetch(`${url}/api/hidden/literal`)).text()).toBe('by parameter');
  expect(await (await fetch(`${url}/api/orders/latest`)).text()).toBe('latest');
  expect(await (await fetch(`${url}/api/orders/7`)).text()).toBe('one order');
});

test('an app with a route that would match otherwise than in Azure does not start, and says which', async () => {
  await expect(hostApp('route-app')).rejects.toThrow(
    'Function "rest": the route "api/files/{**path}" has the segment "{**path}". The local functions host supports',
  );
});

test('bytes and cookies come through unchanged, in chunks', async () => {
  const { url } = await hostApp('http-app');
  const response = await fetch(`${url}/api/bytes`, {
    method: 'POST',
    body: new Uint8Array([0, 1, 254, 255]),
  });
  expect(response.status).toBe(201);
  expect(response.headers.get('content-type')).toBe('application/pdf');
  expect(response.headers.get('transfer-encoding')).toBe('chunked');
  expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([255, 254, 1, 0]);
  expect(response.headers.getSetCookie()).toEqual([
    'a=one%20two; Max-Age=60; Path=/; Secure; SameSite=Lax; HttpOnly',
    'b=2; Expires=Wed, 02 Jan 2030 03:04:05 GMT',
  ]);
});

test('a function that returns nothing answers 204', async () => {
  const { url } = await hostApp('http-app');
  expect((await fetch(`${url}/api/nothing`)).status).toBe(204);
});

test('HEAD is answered with headers and no body, and only where the function lists it', async () => {
  const { url } = await hostApp('http-app');
  const response = await fetch(`${url}/api/head`, { method: 'HEAD' });
  expect([response.status, response.headers.get('x-size'), await response.text()]).toEqual([200, '9', '']);
  expect((await fetch(`${url}/api/orders/latest`, { method: 'HEAD' })).status).toBe(404);
});

test('a function that throws answers 500 and says why in the log only', async () => {
  const { url, lines } = await hostApp('http-app');
  const response = await fetch(`${url}/api/broken`);
  expect([response.status, await response.text()]).toEqual([500, '']);
  expect(lines.join('\n')).toContain('the inner reason');
});

test.each([
  ['badHeader', 'Invalid character in header content'],
  ['notAscii', 'x-name is not ASCII'],
  ['badCookie', 'the name of a cookie is not a token'],
  ['wrongLength', 'its Content-Length is 1, and its body has 4 bytes'],
])('an answer that HTTP cannot carry is 500 as well: %s', async (name, logged) => {
  const { url, lines } = await hostApp('http-app');
  const response = await fetch(`${url}/api/${name}`);
  expect([response.status, await response.text(), response.headers.get('set-cookie')]).toEqual([
    500,
    '',
    null,
  ]);
  expect(lines.join('\n')).toContain(`The response of '${name}' cannot be sent: `);
  expect(lines.join('\n')).toContain(logged);
});

test('a body without Content-Length arrives empty where streaming is off, and its header is there', async () => {
  const { url } = await hostApp('http-app');
  const { text } = await sendInChunks(`${url}/api/echo/mail`, ['{"a":1}'], { 'X-Test': 'yes' });
  expect(JSON.parse(text)).toMatchObject({ body: '', header: 'yes' });
});

test('a request in absolute form, as to a proxy, is answered at the Host that was checked', async () => {
  const { url } = await hostApp('http-app');
  const { status, text } = await sendRaw(url, { path: 'http://evil.example/api/echo/mail?a=1' });
  expect(status).toBe(200);
  expect(text).not.toContain('evil.example');
});

test('an empty header is handed on as an empty text', async () => {
  const { url } = await hostApp('http-app');
  const { text } = await sendRaw(`${url}/api/echo/mail`, { headers: { 'X-Test': '' } });
  expect(JSON.parse(text)).toMatchObject({ header: '' });
});

test('a body of 100 MB arrives; one of a byte more is 500, and the connection is closed', async () => {
  const { url, lines } = await hostApp('http-app');
  const post = (bytes: number) => fetch(`${url}/api/size`, { method: 'POST', body: new Uint8Array(bytes) });
  const refused = await post(104_857_601);
  expect([refused.status, refused.headers.get('connection'), await refused.text()]).toEqual([
    500,
    'close',
    '',
  ]);
  expect(lines.join('\n')).not.toContain('Executing');
  expect(await (await post(104_857_600)).text()).toBe('104857600');
});

test.each([
  ['an unknown path', '/api/unknown', 'GET'],
  ['a path without the prefix', '/nothing', 'GET'],
  // The real host does the same: azure-functions-host issue 10098.
  ['a known path with another method', '/api/nothing', 'DELETE'],
])('%s is not found', async (_, path, method) => {
  const { url } = await hostApp('http-app');
  expect((await fetch(`${url}${path}`, { method })).status).toBe(404);
});

test.each([
  ['guarded', {}, '', 401],
  ['guarded', { 'x-functions-key': 'wrong' }, '', 401],
  ['guarded', { 'x-functions-key': KEYS.functionKey }, '', 200],
  ['guarded', { 'x-functions-key': KEYS.masterKey }, '', 200],
  ['guarded', {}, `?code=${KEYS.functionKey}`, 200],
  ['guarded', { 'x-functions-key': 'wrong' }, `?code=${KEYS.functionKey}`, 401],
  ['guarded', {}, `?CODE=${KEYS.functionKey}`, 200],
  ['guarded', {}, `?code=${KEYS.functionKey}&code=wrong`, 200],
  ['guarded', {}, `?code=wrong&code=${KEYS.functionKey}`, 401],
  ['forMaster', { 'x-functions-key': KEYS.functionKey }, '', 401],
  ['forMaster', { 'x-functions-key': KEYS.masterKey }, '', 200],
])('%s with key %j and query "%s" answers %i', async (name, headers, query, status) => {
  const { url } = await hostApp('http-app');
  const response = await fetch(`${url}/api/${name}${query}`, { headers: headers as Record<string, string> });
  expect(response.status).toBe(status);
});

test('of two keys in the header the first one counts', async () => {
  const { url } = await hostApp('http-app');
  const withKeys = (...keys: string[]) =>
    sendRaw(`${url}/api/guarded`, { headers: { 'x-functions-key': keys } });
  expect((await withKeys(KEYS.functionKey, 'wrong')).status).toBe(200);
  expect((await withKeys('wrong', KEYS.functionKey)).status).toBe(401);
});

test('every invocation has a trace, that of its caller where there is one', async () => {
  const { url } = await hostApp('http-app');
  const traceOf = async (headers: Record<string, string>) =>
    (await fetch(`${url}/api/traced`, { headers })).text();
  expect(await traceOf({})).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  expect(await traceOf({ traceparent })).toBe(traceparent);
});

test('a page on the machine of the developer is refused, with the way out', async () => {
  const { url } = await hostApp('http-app');
  const response = await fetch(`${url}/api/nothing`, { headers: { origin: 'http://localhost:3000' } });
  expect(response.status).toBe(403);
  expect(await response.json()).toMatchObject({
    error: { message: expect.stringContaining('from the server side of your application') },
  });
});

test('a function that a setting disabled is found with the master key only', async () => {
  const { url, functions } = await hostApp('http-app', { settings: { 'AzureWebJobs.off.Disabled': 'true' } });
  expect(functions.find(({ name }) => name === 'off')?.disabled).toBe(true);
  expect((await fetch(`${url}/api/off`)).status).toBe(404);
  expect((await fetch(`${url}/api/off`, { headers: { 'x-functions-key': KEYS.masterKey } })).status).toBe(
    200,
  );
});

test('context.log stands in the log with level, function and invocation, one entry per call', async () => {
  const { url, lines } = await hostApp('http-app');
  const id = await (await fetch(`${url}/api/logs`)).text();
  const entry = lines.find((line) => line.includes('careful'));
  expect(entry).toMatch(/^\S+ warning Function\.logs\.User [0-9a-f-]{36}: careful\n {2}second line$/);
  expect(entry).toContain(id);
  expect(lines.join('\n')).not.toContain('not shown');
});

test('hooks run around the handler, may replace it and its result, and share their data', async () => {
  const { url } = await hostApp('http-app');
  expect(await (await fetch(`${url}/api/hooked`)).json()).toEqual({
    seen: ['pre', 'post from pre'],
    was: 'replaced',
  });
});

test('an invocation beyond functionTimeout is given up and counts as failed', async () => {
  const clock = createTestClock('2026-11-22T08:00:00Z');
  const { url, lines, idle } = await hostApp('http-app', { clock });
  const answer = fetch(`${url}/api/slow`);
  await expect.poll(() => lines.some((line) => line.includes("Executing 'Functions.slow'"))).toBe(true);
  await clock.advance(30 * 60_000);
  expect((await answer).status).toBe(500);
  await idle();
  expect(lines.join('\n')).toContain("Timeout value of 00:30:00 exceeded by function 'Functions.slow'");
});

test('a stop waits for what runs, but not for ever, and refuses what comes', async () => {
  const clock = createTestClock('2026-11-22T08:00:00Z');
  const { url, lines, close } = await hostApp('http-app', { clock, drainMs: 10_000 });
  const answer = fetch(`${url}/api/slow`).catch(() => 'cut off');
  await expect.poll(() => lines.some((line) => line.includes("Executing 'Functions.slow'"))).toBe(true);
  const closed = close();
  expect((await fetch(`${url}/api/nothing`)).status).toBe(503);
  await clock.advance(10_000);
  await closed;
  expect(await answer).toBe('cut off');
  expect(lines.join('\n')).toContain('Stopping although 1 invocations still run after 10000 ms.');
});

test('a path that looks like another host stays a path', async () => {
  const { url, port } = await hostApp('http-app');
  const status = await new Promise((resolve, reject) => {
    http
      .get({ host: '127.0.0.1', port, path: '//elsewhere.example/api/nothing' }, ({ statusCode }) =>
        resolve(statusCode),
      )
      .on('error', reject);
  });
  expect(status).toBe(404);
  expect((await fetch(`${url}/api/nothing`)).status).toBe(204);
});
