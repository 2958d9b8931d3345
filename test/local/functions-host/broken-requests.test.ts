import { expect, test } from 'vitest';
import { hostApp } from './hosted-app.ts';
import { connectRaw } from './send-raw.ts';
import { createTestClock } from './test-clock.ts';

const head = (path: string, framing: string) => `POST ${path} HTTP/1.1\r\nHost: HOST\r\n${framing}\r\n\r\n`;
const CHUNKED = 'Transfer-Encoding: chunked';
const CHUNK = '3\r\nabc\r\n';
const NO_CHUNK = 'no hexadecimal number\r\n';

const REFUSED = /^HTTP\/1\.1 500 .*\r\nconnection: close\r\n.*\r\n\r\n$/is;

test.each([
  ['in the packet of its head', [head('/api/count', CHUNKED) + CHUNK + NO_CHUNK]],
  ['before anything else', [head('/api/count', CHUNKED) + NO_CHUNK]],
  ['later', [head('/api/count', CHUNKED) + CHUNK, NO_CHUNK]],
])('a chunk without a length, %s, ends the invocation', async (_, packets) => {
  const { port, idle, lines } = await hostApp('stream-app');
  const client = await connectRaw(port);
  for (const packet of packets) await client.write(packet);
  expect(await client.closed).toMatch(/^HTTP\/1\.1 400 /);
  await idle();
  expect(lines.join('\n')).toContain("Executed 'Functions.count' (Failed");
});

test('a client that leaves after the first bytes ends the invocation', async () => {
  const { port, idle, lines } = await hostApp('stream-app');
  const client = await connectRaw(port);
  await client.write(head('/api/count', CHUNKED) + CHUNK);
  client.leave();
  await expect.poll(() => lines.join('\n')).toContain("Executing 'Functions.count'");
  await idle();
  expect(lines.join('\n')).toContain("Executed 'Functions.count' (Failed");
});

test('a client that leaves after the last byte lets the invocation run to its end', async () => {
  const { port, idle, lines } = await hostApp('stream-app');
  const client = await connectRaw(port);
  await client.write(`${head('/api/count', 'Content-Length: 3')}abc`);
  client.leave();
  await expect.poll(() => lines.join('\n')).toContain("Executing 'Functions.count'");
  await idle();
  expect(lines.join('\n')).toContain("Executed 'Functions.count' (Succeeded");
});

test.each([
  ['stream-app', '/api/count'],
  ['http-app', '/api/echo/mail'],
])('%s: a body that is shorter than its Content-Length never reaches the app', async (app, path) => {
  const { port, idle, lines } = await hostApp(app);
  const client = await connectRaw(port);
  await client.write(`${head(path, 'Content-Length: 100')}abc`);
  client.leave();
  await client.closed;
  await idle();
  expect(lines.join('\n')).not.toContain('Executing');
});

/** Lets time pass until the host has closed the connection, as nothing says when it began to wait for the body. */
const passTimeUntil = async <Value>(
  clock: ReturnType<typeof createTestClock>,
  wanted: Promise<Value>,
): Promise<Value> => {
  let isOver = false;
  void wanted.then(() => {
    isOver = true;
  });
  while (!isOver) await clock.advance(1000);
  return wanted;
};

test.each([
  ['stream-app', '/api/count', CHUNKED, CHUNK],
  ['stream-app', '/api/count', 'Content-Length: 100', 'abc'],
  ['http-app', '/api/echo/mail', 'Content-Length: 100', 'abc'],
])(
  '%s: %s, %s: a client that stops sending is refused long before functionTimeout',
  async (app, path, framing, body) => {
    const clock = createTestClock('2026-11-22T08:00:00Z');
    const { port, idle, lines } = await hostApp(app, { clock });
    const client = await connectRaw(port);
    await client.write(head(path, framing) + body);
    expect(await passTimeUntil(clock, client.closed)).toMatch(REFUSED);
    await idle();
    expect(lines.join('\n')).not.toContain('Timeout value');
    expect(lines.join('\n')).not.toContain('(Succeeded');
  },
);
