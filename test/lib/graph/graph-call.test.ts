import { describe, expect, test } from 'vitest';
import { obtainCertificate } from '../../../local/certificate.ts';
import type { FaultRuleInput } from '../../../local/graph/fault-rules.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { openGraphMail } from '../../../src/lib/graph/graph-mail.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { TokenError } from '../../../src/lib/vault/entra-token.ts';
import { inFolder } from '../../local/certificate-for-tests.ts';
import { graphForTests, tokenWith } from '../../local/graph/graph-for-tests.ts';
import { aMail } from '../../support/a-mail.ts';
import { directPlanOf } from '../../support/a-plan.ts';
import { graphCall, MAILBOX, SEND_MAIL } from './graph-call-for-tests.ts';
import { scriptedServer } from './scripted-server.ts';

type CallFault = Exclude<FaultRuleInput, { on: 'connect' }>['fault'];

const plan = await directPlanOf('01a20556-8aab-77d5-aa30-5d8c2af8cc90', { address: MAILBOX }, aMail());
const { contentType, body } = plan;
const post = { method: 'POST', path: SEND_MAIL, contentType, body } as const;
const requestId = expect.stringMatching(/^[0-9a-f-]{36}$/);

describe('sending through Graph', () => {
  test('a mail goes out in one request, with the token, and 202 is reported with the request id', async () => {
    const graph = await graphForTests();
    const report = await openGraphMail(graphCall(graph.url))(plan);

    expect(report).toEqual({ kind: 'answered', status: 202, graphRequestId: requestId, text: '' });
    expect(graph.captured).toHaveLength(1);
    expect(graph.captured[0]?.request.body).toEqual(JSON.parse(plan.body.toString()));
    expect(graph.captured[0]?.request.path).toBe(`/v1.0${SEND_MAIL}`);
  });

  test.each<[string, CallFault, Partial<SendReport>]>([
    [
      '429 with Retry-After',
      { kind: 'answer', status: 429, retryAfter: '2.128' },
      { kind: 'answered', status: 429, retryAfter: '2.128', upstreamCode: 'ApplicationThrottled' },
    ],
    [
      '202 with Retry-After',
      { kind: 'answer', status: 202, retryAfter: '7', accept: true },
      { kind: 'answered', status: 202, retryAfter: '7' },
    ],
    [
      '503',
      { kind: 'answer', status: 503 },
      { kind: 'answered', status: 503, upstreamCode: 'ErrorServerBusy' },
    ],
    ['504', { kind: 'answer', status: 504 }, { kind: 'answered', status: 504, upstreamCode: 'UnknownError' }],
    ['500', { kind: 'answer', status: 500, body: '' }, { kind: 'answered', status: 500 }],
    ['200', { kind: 'answer', status: 200 }, { kind: 'answered', status: 200 }],
    [
      'a page of HTML in place of an error',
      { kind: 'answer', status: 502, body: '<html>Bad gateway</html>', contentType: 'text/html' },
      { kind: 'answered', status: 502 },
    ],
    [
      'a code that could not be one',
      { kind: 'answer', status: 400, code: 'ada@contoso.example is bad' },
      { kind: 'answered', status: 400 },
    ],
    [
      'a reset before the mail was taken',
      { kind: 'reset', when: 'before' },
      { kind: 'lost', why: 'connection' },
    ],
    [
      'a reset after the mail was taken',
      { kind: 'reset', when: 'after' },
      { kind: 'lost', why: 'connection' },
    ],
    ['no answer in time', { kind: 'delay', ms: 60_000 }, { kind: 'lost', why: 'timeout' }],
  ])('%s is reported as it is, after one request', async (_case, fault, expected) => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'sendMail', fault });
    // Long enough for a connection on a busy machine; only what waits for the deadline has a short one.
    const timeoutMs = fault.kind === 'delay' ? 2000 : 30_000;
    const report = await openGraphMail(graphCall(graph.url, { timeoutMs }))(plan);

    expect(report).toMatchObject(expected);
    if (!('upstreamCode' in expected)) expect(report).not.toHaveProperty('upstreamCode');
    expect(graph.requests.list()).toHaveLength(1);
  });

  test('Graph saying that the request is too large is recognised by its words', async () => {
    const graph = await graphForTests();
    const message = 'Maximum request length exceeded.';
    graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 400, code: 'BadRequest', message } });
    expect(await openGraphMail(graphCall(graph.url))(plan)).toMatchObject({ status: 400, tooLarge: true });
  });

  test('a token Graph refuses is given up, and others are kept', async () => {
    const graph = await graphForTests();
    const token = await tokenWith({ exp: 1 });
    const refused = graphCall(graph.url, { readToken: async () => token });
    expect(await refused(post)).toMatchObject({ kind: 'answered', status: 401 });
    expect(refused.forgotten).toEqual([token]);

    graph.faults.add({ on: 'sendMail', fault: { kind: 'answer', status: 403 } });
    const kept = graphCall(graph.url);
    await kept(post);
    expect(kept.forgotten).toEqual([]);
  });
});

describe('a connection that was never made', () => {
  test('cut before TLS: not a byte of the mail left', async () => {
    const graph = await graphForTests();
    graph.faults.add({ on: 'connect', fault: { kind: 'reset' } });
    expect(await graphCall(graph.url)(post)).toEqual({ kind: 'not-connected' });
    expect(graph.requests.list()).toEqual([]);
  });

  test('nobody listens', async () => {
    const graph = await graphForTests();
    await graph.close();
    expect(await graphCall(graph.url)(post)).toEqual({ kind: 'not-connected' });
  });

  test('the name is not known', async () => {
    // RFC 6761, 6.4: never resolves.
    const call = graphCall('https://graph.invalid', { timeoutMs: 15_000 });
    expect(await call(post)).toEqual({ kind: 'not-connected' });
  });

  test('the certificate is not trusted', async () => {
    const { tls } = await inFolder((folder) => obtainCertificate(folder, new Date()));
    const server = await scriptedServer((_request, response) => response.writeHead(202).end(), tls);
    expect(await graphCall(server.url)(post)).toEqual({ kind: 'not-connected' });
    expect(server.seen).toEqual([]);
  });
});

describe('answers no Graph would give', () => {
  test('a redirect is reported, not followed: the mail and its token go nowhere else', async () => {
    const elsewhere = await scriptedServer((_request, response) => response.writeHead(202).end());
    const server = await scriptedServer((_request, response) =>
      response.writeHead(307, { location: `${elsewhere.url}/v1.0/users/x/sendMail` }).end(),
    );
    expect(await graphCall(server.url)(post)).toMatchObject({ kind: 'answered', status: 307 });
    expect([server.seen.length, elsewhere.seen.length]).toEqual([1, 0]);
  });

  test('202 decides, also when its body never ends', async () => {
    const server = await scriptedServer((_request, response) => {
      response.writeHead(202, { 'content-length': '1000' });
      response.write('{');
    });
    expect(await graphCall(server.url)(post)).toMatchObject({ kind: 'answered', status: 202 });
  });

  test('an error decides by its status, also when its body breaks off', async () => {
    const server = await scriptedServer((_request, response) => {
      response.writeHead(403, { 'content-length': '1000' });
      response.write('{"error":');
      setImmediate(() => response.destroy());
    });
    expect(await graphCall(server.url)(post)).toMatchObject({ kind: 'answered', status: 403 });
  });

  test('of a page without end only the beginning is read', async () => {
    const server = await scriptedServer((_request, response) => {
      response.writeHead(502, { 'content-type': 'text/html' });
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      response.on('error', () => {});
      more();
    });
    const answer = await graphCall(server.url)(post);
    expect(answer).toMatchObject({ kind: 'answered', status: 502 });
    expect(answer.kind === 'answered' && answer.text.length).toBeLessThan(1_000_000);
  });

  test('what is not HTTP is a lost answer', async () => {
    const server = await scriptedServer((_request, response) => {
      response.socket?.end('canary\r\n\r\n');
    });
    expect(await graphCall(server.url)(post)).toEqual({ kind: 'lost', why: 'connection' });
  });

  test('a request id that is none is left out', async () => {
    const server = await scriptedServer((_request, response) =>
      response.writeHead(202, { 'request-id': 'a b <script>' }).end(),
    );
    expect(await graphCall(server.url)(post)).not.toHaveProperty('graphRequestId');
  });
});

describe('without a token', () => {
  test.each([
    [
      'the reason is reported, and nothing is sent',
      new AppError('SECRET_NOT_FOUND'),
      { kind: 'no-token', code: 'SECRET_NOT_FOUND' },
    ],
    [
      'with what Entra said and how long it wants to be left alone',
      new TokenError({ code: 'ENTRA_UNREACHABLE', aadsts: 90033, retryAfter: '5' }, undefined),
      { kind: 'no-token', code: 'ENTRA_UNREACHABLE', upstreamCode: 'AADSTS90033', retryAfter: '5' },
    ],
  ])('%s', async (_case, reason, expected) => {
    const graph = await graphForTests();
    const call = graphCall(graph.url, { readToken: () => Promise.reject(reason) });
    expect(await openGraphMail(call)(plan)).toEqual(expected);
    expect(graph.requests.list()).toEqual([]);
  });

  test('a fault of our own is thrown as it is', async () => {
    const call = graphCall('https://127.0.0.1:1', { readToken: () => Promise.reject(new TypeError('bug')) });
    await expect(openGraphMail(call)(plan)).rejects.toThrow(TypeError);
  });
});
