import { describe, expect, test } from 'vitest';
import { FaultRuleInvalidError } from '../../../local/graph/installed-faults.ts';
import { errorOf, graphForTests, send, until } from './graph-for-tests.ts';

const causeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable('the call was answered'),
    (error: Error) => (error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.name,
  );

describe('an answer', () => {
  test('stands in for the true one, as often as the rule says, and accepts nothing', async () => {
    const graph = await graphForTests();
    graph.faults.add({
      on: 'sendMail',
      times: 2,
      fault: { kind: 'answer', status: 429, retryAfter: '2.128' },
    });
    for (const _ of [1, 2]) {
      const response = await send(graph);
      expect(response.status).toBe(429);
      expect(response.headers.get('retry-after')).toBe('2.128');
      expect((await errorOf(response)).code).toBe('ApplicationThrottled');
    }
    expect(graph.captured).toEqual([]);
    expect((await send(graph)).status).toBe(202);
    expect(graph.faults.list()).toMatchObject([{ id: 1, times: 2, fired: 2 }]);
  });

  test('leaves Retry-After out when the rule does', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 429 } });
    expect((await send(graph)).headers.has('retry-after')).toBe(false);
  });

  test.each(['0', 'Wed, 01 Jan 2020 00:00:00 GMT', '86400000'])(
    'may have any Retry-After: %s',
    async (text) => {
      const graph = await graphForTests();
      graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 503, retryAfter: text } });
      expect((await send(graph)).headers.get('retry-after')).toBe(text);
    },
  );

  test('may be a 407, which fetch makes an error', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 407 } });
    await expect(send(graph)).rejects.toThrow('fetch failed');
    expect(graph.requests.list()).toMatchObject([{ status: 407 }]);
  });

  // https://fetch.spec.whatwg.org/#http-network-or-cache-fetch: the request goes once more, on a connection of its own.
  test('may be a 421, after which fetch sends the request again by itself', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 421 } });
    expect((await send(graph)).status).toBe(202);
    expect(graph.requests.list()).toMatchObject([{ status: 421 }, { status: 202 }]);
  });

  test('may be a 504 for a mail that was accepted', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 504, accept: true } });
    const response = await send(graph);
    expect(response.status).toBe(504);
    expect(await errorOf(response)).toMatchObject({ code: 'UnknownError', message: '' });
    expect(graph.captured).toHaveLength(1);
    expect(graph.requests.list()).toMatchObject([{ status: 504, accepted: true, fault: 1 }]);
  });

  test('may be a 200 for a mail that was not', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 200 } });
    const response = await send(graph);
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(graph.captured).toEqual([]);
  });

  test('may be a 202 with Retry-After', async () => {
    const graph = await graphForTests();
    graph.faults.add({
      on: 'sendMail',
      fault: { kind: 'answer', status: 202, retryAfter: '5', accept: true },
    });
    const response = await send(graph);
    expect([response.status, response.headers.get('retry-after')]).toEqual([202, '5']);
    expect(graph.captured).toHaveLength(1);
  });

  test('may be a page of a proxy', async () => {
    const graph = await graphForTests();
    const page = '<html><title>502 Bad Gateway</title></html>';
    graph.faults.add({
      on: 'sendMail',
      fault: { kind: 'answer', status: 502, body: page, contentType: 'text/html' },
    });
    const response = await send(graph);
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(await response.text()).toBe(page);
  });

  test('may carry a code and message of its own', async () => {
    const graph = await graphForTests();
    const fault = {
      kind: 'answer' as const,
      status: 400,
      code: 'ErrorQuotaExceeded',
      message: 'Mailbox full.',
    };
    graph.faults.add({ on: 'sendMail', fault });
    expect(await errorOf(await send(graph))).toMatchObject({
      code: 'ErrorQuotaExceeded',
      message: 'Mailbox full.',
    });
  });
});

describe('a reset', () => {
  test('before accepting ends the connection and nothing is sent', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'reset', when: 'before' } });
    expect(await causeOf(send(graph))).toBe('ECONNRESET');
    expect(graph.captured).toEqual([]);
    expect(graph.requests.list()).toMatchObject([{ outcome: 'reset', status: null, accepted: false }]);
    expect((await send(graph)).status).toBe(202);
  });

  test('after accepting ends the connection of a mail that is sent', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'reset', when: 'after' } });
    expect(await causeOf(send(graph))).toBe('ECONNRESET');
    expect(graph.captured).toHaveLength(1);
    expect(graph.requests.list()).toMatchObject([{ outcome: 'reset', status: null, accepted: true }]);
  });

  test('of new connections happens before a request can be sent', async () => {
    const graph = await graphForTests();
    expect((await send(graph)).status).toBe(202);
    graph.faults.add({ on: 'connect', times: 2, fault: { kind: 'reset' } });
    expect(await causeOf(send(graph))).toBe('ECONNRESET');
    expect(await causeOf(send(graph))).toBe('ECONNRESET');
    expect((await send(graph)).status).toBe(202);
    expect(graph.faults.list()).toMatchObject([{ fired: 2 }]);
    expect(graph.requests.list()).toHaveLength(2);
  });
});

describe('a delay', () => {
  const longMs = 600_000;

  test('comes before the true answer', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'delay', ms: 5 } });
    expect((await send(graph)).status).toBe(202);
    expect(graph.captured).toHaveLength(1);
  });

  test('may end in another answer', async () => {
    const graph = await graphForTests();
    const afterwards = { kind: 'answer' as const, status: 504, accept: true };
    graph.faults.add({ on: 'sendMail', fault: { kind: 'delay', ms: 5, afterwards } });
    expect((await send(graph)).status).toBe(504);
    expect(graph.captured).toHaveLength(1);
  });

  const leavings: [whenClientLeaves: 'accept' | 'forget', mails: number][] = [
    ['accept', 1],
    ['forget', 0],
  ];
  test.each(leavings)(
    'ends when the client hangs up: %s leaves %i mails',
    async (whenClientLeaves, mails) => {
      const graph = await graphForTests();
      graph.faults.add({ on: 'sendMail', fault: { kind: 'delay', ms: longMs, whenClientLeaves } });
      const client = new AbortController();
      const sending = causeOf(send(graph, { signal: client.signal }));
      await until(() => graph.faults.list()[0]?.fired === 1);
      client.abort();
      expect(await sending).toBe('AbortError');
      await until(() => graph.requests.list()[0]?.outcome === 'client left');
      expect(graph.requests.list()).toMatchObject([{ status: null, accepted: mails === 1 }]);
      expect(graph.captured).toHaveLength(mails);
    },
  );

  test('does not hold up the end of the server', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault: { kind: 'delay', ms: longMs, whenClientLeaves: 'accept' } });
    const sending = causeOf(send(graph));
    await until(() => graph.faults.list()[0]?.fired === 1);
    await graph.close();
    expect(graph.captured).toHaveLength(1);
    expect(await sending).toBe('UND_ERR_SOCKET');
  });
});

test('a mail that Graph would refuse does not use up a rule', async () => {
  const graph = await graphForTests();
  graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 503 } });
  expect((await send(graph, { body: {} })).status).toBe(400);
  expect((await send(graph)).status).toBe(503);
});

test('a rule for a mailbox that does not exist is refused with the ones that do', async () => {
  const graph = await graphForTests();
  const add = () =>
    graph.faults.add({
      on: 'sendMail',
      mailbox: 'x@contoso.example',
      fault: { kind: 'answer', status: 503 },
    });
  expect(add).toThrow(FaultRuleInvalidError);
  expect(add).toThrow(/noreply@contoso\.example.*received x@contoso\.example/);
});
