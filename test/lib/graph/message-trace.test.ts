import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { mayTrace } from '../../../local/directory.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { openMessageTraces } from '../../../src/lib/graph/message-trace.ts';
import { routeTraces } from '../../../src/lib/graph/route-traces.ts';
import type { TraceQuery } from '../../../src/lib/ports.ts';
import {
  aMessage,
  contosoForTests,
  graphForTests,
  send,
  tokenWith,
} from '../../local/graph/graph-for-tests.ts';
import { aConnection } from '../../support/a-connection.ts';
import { graphCall } from './graph-call-for-tests.ts';
import { scriptedServer } from './scripted-server.ts';

const NOW = new Date('2026-03-02T08:10:00Z');
const BY_SENDER: TraceQuery = {
  by: 'sender',
  sender: 'noreply@contoso.example',
  from: new Date('2026-03-02T07:55:00.999Z'),
  to: new Date('2026-03-02T08:09:59.999Z'),
};
const readToken = () => tokenWith({ roles: ['ExchangeMessageTrace.Read.All'], exp: 4_000_000_000 });

const traced = async (options: Parameters<typeof graphForTests>[0] = {}) => {
  const graph = await graphForTests({ directory: () => mayTrace(contosoForTests()), ...options });
  const traces = openMessageTraces(graphCall(graph.url, { readToken }), graph.url, () => NOW);
  const to = (...addresses: readonly string[]) =>
    send(graph, {
      body: {
        message: aMessage({ toRecipients: addresses.map((address) => ({ emailAddress: { address } })) }),
      },
    });
  return { graph, traces, to };
};

describe('the trace of a sender', () => {
  test('is asked by one sender and one window in whole seconds, by one request for a page of 5000', async () => {
    const { graph, traces, to } = await traced();
    await to('ada@fabrikam.example', 'bounce@fabrikam.example');
    graph.pass(600_000);
    graph.requests.clear();
    expect(await traces.list(BY_SENDER)).toEqual({
      kind: 'rows',
      rows: ['ada@fabrikam.example', 'bounce@fabrikam.example'].map((recipient, index) => ({
        traceId: expect.any(String),
        messageId: graph.captured[0]?.internetMessageId,
        sender: 'noreply@contoso.example',
        recipient,
        receivedAt: new Date('2026-03-02T08:00:00.250Z'),
        status: index === 0 ? 'delivered' : 'failed',
      })),
    });
    const [request, ...more] = graph.requests.list();
    expect(more).toEqual([]);
    expect(decodeURIComponent(request?.path ?? '')).toBe(
      "/v1.0/admin/exchange/tracing/messageTraces?$filter=senderAddress eq 'noreply@contoso.example' and receivedDateTime ge 2026-03-02T07:55:00Z and receivedDateTime le 2026-03-02T08:09:59Z&$top=5000",
    );
  });

  test('goes on with the link of a page', async () => {
    const { graph, traces, to } = await traced();
    await to('bob@fabrikam.example');
    graph.pass(1);
    await to('ada@fabrikam.example');
    graph.pass(600_000);
    const first = await traces.list(BY_SENDER, '/admin/exchange/tracing/messageTraces?$top=1');
    const next = first.kind === 'rows' ? first.next : undefined;
    const second = await traces.list(BY_SENDER, next);
    expect([first, second]).toMatchObject([
      { rows: [{ recipient: 'ada@fabrikam.example' }] },
      { rows: [{ recipient: 'bob@fabrikam.example' }] },
    ]);
  });

  test('can be asked by the Message-ID', async () => {
    const { graph, traces, to } = await traced();
    await to('ada@fabrikam.example');
    await to('bob@fabrikam.example');
    graph.pass(600_000);
    const messageId = graph.captured[1]?.internetMessageId ?? '';
    const { from, to: end } = BY_SENDER;
    expect(await traces.list({ by: 'message-id', messageId, from, to: end })).toMatchObject({
      rows: [{ recipient: 'bob@fabrikam.example', messageId }],
    });
  });

  test('has the events of one recipient, also of one with a quote in the address', async () => {
    const { graph, traces, to } = await traced();
    await to("bounce.5.7.1.o'hara@fabrikam.example");
    graph.pass(600_000);
    const page = await traces.list(BY_SENDER);
    const [row] = page.kind === 'rows' ? page.rows : [];
    if (row === undefined) throw new Error('expected a row');
    expect(await traces.details(row)).toMatchObject({
      kind: 'events',
      events: [{ event: 'Drop' }, { event: 'Receive' }, { event: 'Submit' }, { event: 'Fail' }],
    });
  });
});

describe('what keeps the relay from reading a trace has its own reason', () => {
  test('the service principal of Microsoft is missing', async () => {
    const { traces } = await traced({ directory: () => contosoForTests() });
    expect(await traces.list(BY_SENDER)).toMatchObject({
      kind: 'failed',
      reason: { code: 'TRACE_PRINCIPAL_MISSING', upstreamCode: 'Unauthorized' },
    });
  });

  test('the permission is missing', async () => {
    const { graph } = await traced();
    const traces = openMessageTraces(graphCall(graph.url), graph.url, () => NOW);
    expect(await traces.list(BY_SENDER)).toMatchObject({
      reason: { code: 'TRACE_NOT_PERMITTED', upstreamCode: 'Authorization_RequestDenied' },
    });
  });

  test('the tenant has asked too often: with the time that Exchange names', async () => {
    const { graph, traces } = await traced();
    graph.settings.change({ tracesPerFiveMinutes: 0 });
    expect(await traces.list(BY_SENDER)).toMatchObject({
      reason: { code: 'TRACE_THROTTLED' },
      waitMs: 300_000,
    });
  });

  test.each([
    [500, 'TRACE_UNAVAILABLE'],
    [504, 'TRACE_UNAVAILABLE'],
    [401, 'GRAPH_TOKEN_NOT_ACCEPTED'],
    [400, 'TRACE_REFUSED'],
    [204, 'TRACE_REFUSED'],
  ])('Graph says %d', async (status, code) => {
    const { graph, traces } = await traced();
    graph.faults.add({ on: 'listMessageTraces', fault: { kind: 'answer', status } });
    expect(await traces.list(BY_SENDER)).toMatchObject({ kind: 'failed', reason: { code } });
  });

  test('nobody answers', async () => {
    const { graph, traces } = await traced();
    graph.faults.add({ on: 'getTraceDetails', fault: { kind: 'reset', when: 'before' } });
    expect(await traces.details({ traceId: 'x', recipient: 'ada@x.example' })).toEqual({
      kind: 'failed',
      reason: { code: 'TRACE_UNAVAILABLE' },
    });
  });

  test('there is no token', async () => {
    const { graph } = await traced();
    const refused = () =>
      Promise.reject(new AppError('CLIENT_SECRET_EXPIRED', { upstreamCode: 'AADSTS7000222' }));
    const traces = openMessageTraces(graphCall(graph.url, { readToken: refused }), graph.url, () => NOW);
    expect(await traces.list(BY_SENDER)).toEqual({
      kind: 'failed',
      reason: { code: 'CLIENT_SECRET_EXPIRED', upstreamCode: 'AADSTS7000222' },
    });
  });
});

const answering = async (body: unknown) => {
  const server = await scriptedServer((_request, response: ServerResponse) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  return openMessageTraces(graphCall(server.url), server.url, () => NOW);
};

describe('an answer is trusted in nothing', () => {
  test.each([
    ['another host', 'https://example.net/v1.0/admin/exchange/tracing/messageTraces?$skiptoken=1'],
    ['another path', '/v1.0/users'],
    ['no address', 'next, please'],
    ['no text', 7],
  ])('a link to %s is not followed', async (_case, link) => {
    const traces = await answering({ value: [], '@odata.nextLink': link });
    expect(await traces.list(BY_SENDER)).toEqual({ kind: 'rows', rows: [] });
  });

  test('rows that are none are left out, and a status that nobody knows is not final', async () => {
    const row = {
      id: '1',
      recipientAddress: 'ada@x.example',
      receivedDateTime: '2026-03-02T08:00:00Z',
      status: 'recalled',
    };
    const traces = await answering({
      value: [
        null,
        7,
        {},
        { ...row, id: 1 },
        { ...row, receivedDateTime: 'soon' },
        row,
        { ...row, status: 'constructor' },
        { ...row, status: 'GETTINGSTATUS' },
      ],
    });
    const answer = await traces.list(BY_SENDER);
    expect(answer.kind === 'rows' && answer.rows.map(({ status }) => status)).toEqual([
      'pending',
      'pending',
      'pending',
    ]);
  });

  test.each([
    ['no JSON', '<html>'],
    ['no list', { value: 'none' }],
    ['null', 'null'],
  ])('%s is a refusal', async (_case, body) => {
    const traces = await answering(body);
    expect(await traces.list(BY_SENDER)).toMatchObject({ kind: 'failed', reason: { code: 'TRACE_REFUSED' } });
  });
});

describe('a trace is asked by the connection that the email went by', () => {
  const main = aConnection('main', { tenantId: 'contoso.example' });
  const china = aConnection('china', { cloud: 'china', tenantId: 'fabrikam.example' });
  const routed = routeTraces([main, china], ({ name }) => ({
    list: async () => ({ kind: 'failed', reason: { code: 'UNEXPECTED', detail: name } }),
    details: async () => ({ kind: 'failed', reason: { code: 'UNEXPECTED', detail: name } }),
  }));
  const contoso = { connection: 'main', cloud: 'global', tenantId: 'contoso.example' } as const;

  test('of the tenant of the email', async () => {
    expect(routed.reach('a@x.example', contoso)).toMatchObject({ kind: 'reached' });
    expect(await routed.list(BY_SENDER, 'a@x.example', contoso)).toMatchObject({
      reason: { detail: 'main' },
    });
    expect(await routed.details({ traceId: '1', recipient: 'b' }, 'a@x.example', contoso)).toMatchObject({
      reason: { detail: 'main' },
    });
  });

  test('and not at all in a cloud without message traces, or where no connection reaches the tenant', async () => {
    const inChina = { connection: 'china', cloud: 'china', tenantId: 'fabrikam.example' } as const;
    const gone = { connection: 'old', cloud: 'global', tenantId: 'old.example' } as const;
    const unsupported = { kind: 'failed', reason: { code: 'TRACE_CLOUD_UNSUPPORTED' } };
    expect(routed.reach('a@x.example', inChina)).toEqual(unsupported);
    expect(await routed.list(BY_SENDER, 'a@x.example', inChina)).toEqual(unsupported);
    expect(await routed.details({ traceId: '1', recipient: 'b' }, 'a@x.example', inChina)).toEqual(
      unsupported,
    );
    expect(routed.reach('a@x.example', gone)).toEqual({
      kind: 'failed',
      reason: { code: 'TRACE_CONNECTION_MISSING' },
    });
  });
});
