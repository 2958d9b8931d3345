import { expect, test } from 'vitest';
import { graphForTests, send } from './graph-for-tests.ts';

async function control(graph: { readonly url: string }, method: string, path: string, body?: unknown) {
  const response = await fetch(`${graph.url}/_control/${path}`, {
    method,
    ...(body !== undefined && {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test('fault rules are added, listed with how often they fired, and cleared, without a token', async () => {
  const graph = await graphForTests();
  const rule = {
    on: 'sendMail',
    mailbox: 'hr@contoso.example',
    fault: { kind: 'answer', status: 429, retryAfter: '2' },
  };
  expect(await control(graph, 'POST', 'faults', rule)).toMatchObject({
    status: 201,
    body: { id: 1, times: 1, fired: 0 },
  });

  expect((await send(graph)).status).toBe(202);
  expect((await send(graph, { mailbox: 'hr@contoso.example' })).status).toBe(429);

  const { body } = await control(graph, 'GET', 'faults');
  expect(body).toMatchObject({ faults: [{ ...rule, id: 1, passed: 0, fired: 1 }] });
  expect(await control(graph, 'DELETE', 'faults')).toEqual({ status: 200, body: { faults: [] } });
  expect(graph.faults.list()).toEqual([]);
});

test('a rule that is not valid is refused with every problem and an example', async () => {
  const graph = await graphForTests();
  const rule = { on: 'sendMail', times: 0, fault: { kind: 'answer', status: 1000 } };
  const { status, body } = await control(graph, 'POST', 'faults', rule);
  expect(status).toBe(400);
  expect(body.problems).toEqual([
    expect.stringMatching(/^times: /),
    expect.stringMatching(/^fault\.status: /),
  ]);
  expect(body.error).toContain('For example: {"on":"sendMail"');
  expect(graph.faults.list()).toEqual([]);
});

test('a rule for new connections leaves no old one open, not even the one it came by', async () => {
  const graph = await graphForTests();
  expect((await send(graph)).status).toBe(202);
  await control(graph, 'POST', 'faults', { on: 'connect', fault: { kind: 'reset' } });
  await expect(send(graph)).rejects.toThrow('fetch failed');
  expect((await send(graph)).status).toBe(202);
});

test('requests are listed with what came of them, and cleared; control requests are not among them', async () => {
  const graph = await graphForTests();
  await send(graph, { mailbox: 'payslips@contoso.example', headers: { 'client-request-id': 'one' } });
  await send(graph, { token: 'a.b.c', headers: { 'client-request-id': 'two' } });

  const { body } = await control(graph, 'GET', 'requests');
  expect(body.requests).toEqual([
    {
      requestId: graph.captured[0]?.graphRequestId,
      clientRequestId: 'one',
      time: '2026-03-02T08:00:00.250Z',
      method: 'POST',
      path: '/v1.0/users/payslips@contoso.example/sendMail',
      mailbox: 'payroll@contoso.example',
      concurrency: 1,
      outcome: 'answered',
      status: 202,
      code: null,
      accepted: true,
      fault: null,
    },
    expect.objectContaining({
      clientRequestId: 'two',
      mailbox: null,
      concurrency: null,
      status: 401,
      code: 'InvalidAuthenticationToken',
      accepted: false,
    }),
  ]);
  await control(graph, 'DELETE', 'requests');
  expect(graph.requests.list()).toEqual([]);
});

test('settings are read and changed one by one', async () => {
  const graph = await graphForTests();
  expect((await control(graph, 'PUT', 'settings', { limits: { messagesPerMinute: 3 } })).status).toBe(200);
  expect((await control(graph, 'PUT', 'settings', { sentItemsDelayMs: 4000 })).status).toBe(200);
  expect((await control(graph, 'GET', 'settings')).body).toEqual({
    limits: {
      on: false,
      concurrentPerMailbox: 4,
      messagesPerMinute: 3,
      bytesPerFiveMinutes: 150_000_000,
      messageBytes: 35_000_000,
    },
    reportDelayMs: 0,
    traceDelayMs: 300_000,
    tracesPerFiveMinutes: 100,
    sentItemsDelayMs: 4000,
    transportDelayMs: 0,
    callerMessageId: 'rewrite',
    mimeHeadersAreProperties: true,
    uploadSessionMs: 3_600_000,
    newSecretDelayMs: 4000,
  });
});

const refused: [method: string, path: string, body: unknown, status: number, says: RegExp][] = [
  ['PUT', 'settings', { limits: { on: 'yes' } }, 400, /limits\.on/],
  ['PUT', 'settings', { delay: 1 }, 400, /"delay"/],
  ['POST', 'faults', '{', 400, /not valid JSON/],
  ['PUT', 'faults', {}, 404, /expected GET, POST or DELETE \/_control\/faults/],
  ['GET', 'fault', undefined, 404, /_control\/fault'/],
];
test.each(refused)(
  '%s %s with %j is refused with what would be right',
  async (method, path, body, status, says) => {
    const answer = await control(await graphForTests(), method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body.error).toMatch(says);
  },
);

test('a rule is taken only as application/json, which no web page can send unasked', async () => {
  const graph = await graphForTests();
  const response = await fetch(`${graph.url}/_control/faults`, { method: 'POST', body: '{}' });
  expect(response.status).toBe(415);
});
