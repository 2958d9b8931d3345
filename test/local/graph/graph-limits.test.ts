import { expect, test } from 'vitest';
import { errorOf, graphForTests, send, tokenWith, until } from './graph-for-tests.ts';

const inFlight = (graph: Awaited<ReturnType<typeof graphForTests>>) =>
  graph.requests.list().filter(({ outcome }) => outcome === 'under way').length;

test('the fifth request at once in a mailbox is refused, one in another mailbox is not', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const graph = await graphForTests({
    limits: { on: true },
    capture: ({ mailbox }) => (mailbox === 'hr@contoso.example' ? Promise.resolve() : held),
  });
  const four = Array.from({ length: 4 }, () => send(graph));
  await until(() => inFlight(graph) === 4 && graph.requests.list().every(({ concurrency }) => concurrency));

  const fifth = await send(graph);
  expect(fifth.status).toBe(429);
  expect(fifth.headers.get('retry-after')).toBe('1');
  expect(await errorOf(fifth)).toMatchObject({
    code: 'ApplicationThrottled',
    message: 'Application is over its MailboxConcurrency limit.',
  });
  expect((await send(graph, { mailbox: 'hr@contoso.example' })).status).toBe(202);

  release();
  expect((await Promise.all(four)).map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  expect((await send(graph)).status).toBe(202);
  expect(graph.requests.list().map(({ concurrency }) => concurrency)).toEqual([1, 2, 3, 4, 5, 1, 1]);
});

test('a client that keeps to four at once is never refused', async () => {
  const graph = await graphForTests({ limits: { on: true, messagesPerMinute: 1000 } });
  const token = await tokenWith();
  const sendFifty = async () => {
    for (let i = 0; i < 50; i += 1) expect((await send(graph, { token })).status).toBe(202);
  };
  await Promise.all([sendFifty(), sendFifty(), sendFifty(), sendFifty()]);
  expect(graph.captured).toHaveLength(200);
});

test('the message after the thirtieth in a minute is refused until the first is a minute old', async () => {
  const graph = await graphForTests({ limits: { on: true } });
  for (let i = 0; i < 30; i += 1) {
    expect((await send(graph)).status).toBe(202);
    graph.pass(1000);
  }
  const refused = await send(graph);
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('30');
  expect((await errorOf(refused)).code).toBe('TooManyRequests');

  graph.pass(29_999);
  expect((await send(graph)).headers.get('retry-after')).toBe('1');
  graph.pass(1);
  expect((await send(graph)).status).toBe(202);
  expect(graph.captured).toHaveLength(31);
});

test('a mail that was refused for another reason takes no room in the minute', async () => {
  const graph = await graphForTests({ limits: { on: true, messagesPerMinute: 1 } });
  await send(graph, { body: {} });
  graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 503 } });
  expect((await send(graph)).status).toBe(503);
  expect((await send(graph)).status).toBe(202);
});

test('limits can be switched while the server runs', async () => {
  const graph = await graphForTests({ limits: { on: false, messagesPerMinute: 1 } });
  await send(graph);
  expect((await send(graph)).status).toBe(202);
  graph.settings.change({ limits: { on: true } });
  expect((await send(graph)).status).toBe(202);
  expect((await send(graph)).status).toBe(429);
});
