import { gzipSync } from 'node:zlib';
import type { HttpRequest, HttpRequestInit, HttpResponseInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { sendMailHttp } from '../../src/functions/send-mail.http.ts';
import { catalogue, type ErrorCode } from '../../src/lib/error-catalogue.ts';
import { AppError } from '../../src/lib/errors.ts';
import { aDeclaredCaller, knowing } from '../support/a-caller.ts';
import { aMail } from '../support/a-mail.ts';
import { inMemoryPorts, type World } from '../support/in-memory-ports.ts';
import { bodyOf, INVOCATION_ID, invocation, MAIL_URL, mailRequest } from './invocation.ts';

const post = async (request: HttpRequest, world: World = inMemoryPorts()) => {
  const { context, logged, events } = invocation();
  const answer = (await sendMailHttp((log) => ({ ...world.needs, log }))(
    request,
    context,
  )) as HttpResponseInit;
  return { ...world, answer, logged, events };
};

const headersOf = ({ headers }: HttpResponseInit) => new Headers(headers as Record<string, string>);

describe('an email that names a file in storage', () => {
  const naming = (blob: string) => mailRequest(aMail({ attachments: [{ blob }] }));

  test('is sent with it', async () => {
    const world = inMemoryPorts();
    world.blobs.set('a/report.txt', { content: Buffer.from('report'), etag: '"1"' });
    const { answer, plans } = await post(naming('a/report.txt'), world);
    expect(answer.status).toBe(200);
    expect(plans[0]?.body.toString()).toContain(
      `"name":"report.txt","contentType":"text/plain","contentBytes":"${Buffer.from('report').toString('base64')}"`,
    );
  });

  test.each([
    ['is not there', undefined, 'ATTACHMENT_NOT_FOUND', 422],
    ['cannot be looked for', 'attachments.find', 'MAIL_NOT_STORED', 503],
  ] as const)('that %s is refused, and nothing was accepted', async (_, failing, code, status) => {
    const world = inMemoryPorts();
    if (failing !== undefined) world.fail(failing);
    const { answer } = await post(naming('gone.txt'), world);
    expect(bodyOf(answer)).toMatchObject({ code, status });
    expect(world.rows()).toEqual([]);
  });

  test('is refused before the file is read where there is no memory for it', async () => {
    const world = inMemoryPorts();
    world.blobs.set('large.bin', { content: Buffer.alloc(2_000_000), etag: '"1"' });
    world.needs.admission.open().grow(15_900_000);
    const { answer } = await post(naming('large.bin'), world);
    expect(bodyOf(answer)).toMatchObject({ code: 'RELAY_BUSY' });
    expect(headersOf(answer).get('retry-after')).not.toBeNull();
  });
});

describe('an error names the email that the ledger has', () => {
  test('when Graph accepted it and that could not be recorded; the log says that it was sent', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 202, graphRequestId: 'r-1' });
    world.fail('ledger.replace');
    const { answer, events, logged } = await post(mailRequest(aMail()), world);
    const [row] = world.rows();
    expect(bodyOf(answer)).toMatchObject({ code: 'OUTCOME_UNKNOWN', status: 502, id: row?.mailId });
    expect(events()).toEqual(['MailSent', 'StorageFailed', 'RequestRefused']);
    expect(logged.at(-1)?.event).toMatchObject({ mailId: row?.mailId });
  });

  test('when its key was used for another, or it was rejected', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 404, upstreamCode: 'ErrorInvalidUser' });
    const send = (subject: string) =>
      post(mailRequest(aMail({ subject }), { headers: { 'idempotency-key': 'k' } }), world);
    const { answer } = await send('one');
    const [row] = world.rows();
    expect(bodyOf(answer)).toMatchObject({ code: 'MAILBOX_NOT_FOUND', id: row?.mailId });
    expect(bodyOf((await send('another')).answer)).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
      id: row?.mailId,
    });
  });
});

describe('a large mail for which the instance has no memory at the moment', () => {
  const large = () => {
    const content = Buffer.alloc(2_900_000).toString('base64');
    return aMail({ attachments: [{ filename: 'a.pdf', content }] });
  };

  test.each([
    ['says its length', { 'content-length': '3900000' }],
    ['does not', {}],
  ])(
    'is refused before it is read to its end, with a time to come back, when the request %s',
    async (_case, headers) => {
      const world = inMemoryPorts();
      const room = world.needs.admission.open();
      room.grow(14_000_000);
      const { answer } = await post(mailRequest(large(), { headers }), world);
      expect([answer.status, headersOf(answer).get('retry-after')]).toEqual([503, '30']);
      expect(bodyOf(answer)).toMatchObject({ code: 'RELAY_BUSY', fixedBy: 'time' });
      expect([world.plans, world.rows()]).toEqual([[], []]);
      expect((await post(mailRequest(aMail()), world)).answer.status).toBe(200);
      room.close();
      expect((await post(mailRequest(large(), { headers }), world)).answer.status).toBe(200);
    },
  );

  test('gives its room back when it was sent, refused or invalid', async () => {
    const world = inMemoryPorts();
    const wrong = { ...large(), to: 'nobody' };
    for (const mail of [large(), wrong, large(), wrong, large(), wrong])
      expect((await post(mailRequest(mail), world)).answer.status).not.toBe(503);
  });
});

describe('POST /api/mail answers', () => {
  test('200 with id, sender and the request id of Graph when the mail was sent', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 202, graphRequestId: 'r-1' });
    const { answer, plans, events } = await post(mailRequest(aMail()), world);
    const [row] = world.rows();
    expect(answer.status).toBe(200);
    expect(bodyOf(answer)).toEqual({
      id: row?.mailId,
      state: 'sent',
      sender: 'noreply@contoso.example',
      graphRequestId: 'r-1',
    });
    expect(plans).toHaveLength(1);
    expect(events()).toEqual(['MailSent']);
  });

  test('202 with a status URL, without the key that rode in the query, when the mail is queued', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 429, retryAfter: '7' });
    const url = `${MAIL_URL}/?code=a-key`;
    const { answer, messages } = await post(mailRequest(aMail(), { url }), world);
    const [row] = world.rows();
    expect(answer.status).toBe(202);
    expect(bodyOf(answer)).toEqual({
      id: row?.mailId,
      state: 'queued',
      statusUrl: `${MAIL_URL}/${row?.mailId}`,
    });
    expect(headersOf(answer).get('location')).toBe(`${MAIL_URL}/${row?.mailId}`);
    expect(messages).toMatchObject([{ delayMs: 7000 }]);
  });

  test('202 unknown when nobody knows whether the mail was sent', async () => {
    const { answer } = await post(mailRequest(aMail()), inMemoryPorts({ kind: 'lost', why: 'timeout' }));
    expect([answer.status, bodyOf(answer).state]).toEqual([202, 'unknown']);
  });

  test('202 unknown when the mail may have been sent, and is sent once more by choice', async () => {
    const world = inMemoryPorts({ kind: 'lost', why: 'timeout' });
    const { answer } = await post(mailRequest(aMail({ onUnknown: 'resend' })), world);
    expect([answer.status, bodyOf(answer).state]).toEqual([202, 'unknown']);
    expect(world.rows()).toMatchObject([{ state: 'deferred', resent: true }]);
  });

  test.each(['readIdentity', 'create'])(
    '503 MAIL_NOT_STORED, and that sending again is safe, when storage fails before anything: %s',
    async (name) => {
      const world = inMemoryPorts();
      const fail = () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
      const broken =
        name === 'create' ? { ledger: { ...world.needs.ledger, create: fail } } : { readIdentity: fail };
      const { answer } = await post(mailRequest(aMail()), {
        ...world,
        needs: { ...world.needs, ...broken } as never,
      });
      expect([answer.status, bodyOf(answer).code]).toEqual([503, 'MAIL_NOT_STORED']);
      expect(bodyOf(answer).remedy).toMatch(/safe to send again/);
      expect(world.plans).toEqual([]);
    },
  );

  test('503 without a word of safety when storage fails as a mail is asked for that may have been sent', async () => {
    const world = inMemoryPorts();
    const request = () => mailRequest(aMail(), { headers: { 'idempotency-key': 'k' } });
    await post(request(), world);
    const ledger = { ...world.needs.ledger, find: () => Promise.reject(new AppError('STORAGE_UNAVAILABLE')) };
    const { answer } = await post(request(), { ...world, needs: { ...world.needs, ledger } as never });
    expect([answer.status, bodyOf(answer).code]).toEqual([503, 'STORAGE_UNAVAILABLE']);
    expect(JSON.stringify(bodyOf(answer))).not.toMatch(/safe/);
  });

  test('the first answer again, marked, when the key is known', async () => {
    const world = inMemoryPorts();
    const request = () => mailRequest(aMail(), { headers: { 'idempotency-key': 'k' } });
    const first = await post(request(), world);
    const again = await post(request(), world);
    expect(headersOf(first.answer).has('idempotent-replayed')).toBe(false);
    expect(headersOf(again.answer).get('idempotent-replayed')).toBe('true');
    expect(bodyOf(again.answer)).toEqual(bodyOf(first.answer));
    expect(world.plans).toHaveLength(1);
  });
});

describe('Prefer', () => {
  test.each([
    ['respond-async', true],
    ['respond-async, wait=10', true],
    ['return=minimal, Respond-Async; x=1', true],
    ['wait=10', false],
    ['respond-asynchronously', false],
    ['x="respond-async"', false],
    ['', false],
  ])('%j queues the mail: %s', async (prefer, queues) => {
    const { answer, plans } = await post(mailRequest(aMail(), { headers: { prefer } }));
    expect([answer.status, plans.length]).toEqual(queues ? [202, 0] : [200, 1]);
  });
});

const refusal = async (request: HttpRequest) => {
  const { answer, plans, messages, rows, logged } = await post(request);
  expect([plans, messages, rows()]).toEqual([[], [], []]);
  return { answer, body: bodyOf(answer), logged };
};

const utf16 = new Uint8Array(Buffer.from(JSON.stringify(aMail()), 'utf16le'));
const json = JSON.stringify(aMail());

describe('a request that cannot be read is refused, and nothing is accepted', () => {
  test.each<[string, unknown, HttpRequestInit['headers'], ErrorCode]>([
    ['text', json, { 'content-type': 'text/plain' }, 'CONTENT_TYPE_UNSUPPORTED'],
    ['no media type', json, { 'content-type': '' }, 'CONTENT_TYPE_UNSUPPORTED'],
    ['a part of a MIME message', json, { 'content-type': 'message/partial' }, 'CONTENT_TYPE_UNSUPPORTED'],
    [
      'another charset',
      json,
      { 'content-type': 'application/json; charset=gbk' },
      'CONTENT_TYPE_UNSUPPORTED',
    ],
    ['UTF-16', utf16, {}, 'JSON_UNREADABLE'],
    ['half a character in UTF-8', new Uint8Array([0x7b, 0xe8, 0x96]), {}, 'JSON_UNREADABLE'],
    ['no body', '', {}, 'JSON_UNREADABLE'],
    ['a number', '5', {}, 'JSON_UNREADABLE'],
    ['null', 'null', {}, 'JSON_UNREADABLE'],
    ['a list', `[${json}]`, {}, 'JSON_UNREADABLE'],
    ['two mails', json + json, {}, 'JSON_UNREADABLE'],
    ['more bytes than are read', ' '.repeat(8_000_001), {}, 'MAIL_TOO_LARGE'],
    ['more bytes announced than are read', json, { 'content-length': '8000001' }, 'MAIL_TOO_LARGE'],
    ['an empty key', json, { 'idempotency-key': '' }, 'IDEMPOTENCY_KEY_INVALID'],
    ['a key beyond ASCII', json, { 'idempotency-key': 'cl\u00e9' }, 'IDEMPOTENCY_KEY_INVALID'],
    ['a key of 256 characters', json, { 'idempotency-key': 'k'.repeat(256) }, 'IDEMPOTENCY_KEY_INVALID'],
  ])('%s', async (_case, body, headers, code) => {
    const { answer, body: problem } = await refusal(mailRequest(body, { headers: headers ?? {} }));
    expect([answer.status, problem.code]).toEqual([catalogue[code].status, code]);
  });

  test.each<[string, unknown, HttpRequestInit['headers'], string]>([
    ['no media type', json, { 'content-type': '' }, 'The request has no Content-Type.'],
    [
      'another media type',
      json,
      { 'content-type': 'text/plain' },
      'The Content-Type is not application/json.',
    ],
    [
      'another charset',
      json,
      { 'content-type': 'application/json; odata.metadata=none; charset=utf-16' },
      'The charset of the Content-Type is not utf-8.',
    ],
    ['a compressed body', json, { 'content-encoding': 'gzip' }, 'The Content-Encoding is not identity.'],
    [
      'a body compressed without a word',
      new Uint8Array(gzipSync(json)),
      {},
      'The body is compressed with gzip.',
    ],
    ['UTF-16', utf16, {}, 'Expected text encoded as UTF-8, not as UTF-16.'],
    ['no body', '', {}, 'Expected one JSON object, received nothing.'],
    [
      'lists in lists',
      `{"to":${'['.repeat(5000)}${']'.repeat(5000)}}`,
      {},
      'Expected one JSON object nested no deeper than 32 levels.',
    ],
    [
      'objects in objects',
      `${'{"to":'.repeat(5000)}1${'}'.repeat(5000)}`,
      {},
      'Expected one JSON object nested no deeper than 32 levels.',
    ],
    [
      'more bytes than are read',
      ' '.repeat(8_000_001),
      {},
      'This call accepts at most 8000000 bytes, as MAIL_MAX_REQUEST_MB says; the request has more than 8000000.',
    ],
    [
      'more bytes announced',
      json,
      { 'content-length': '100000000' },
      'This call accepts at most 8000000 bytes, as MAIL_MAX_REQUEST_MB says; the request has 100000000.',
    ],
  ])('%s, and the answer says so', async (_case, body, headers, detail) => {
    const { body: problem } = await refusal(mailRequest(body, { headers: headers ?? {} }));
    expect(problem.detail).toBe(detail);
  });

  test('of a body without end no more is read than the limit', async () => {
    let read = 0;
    const chunk = new Uint8Array(1_000_000).fill(0x20);
    const body = new ReadableStream({
      pull: (controller) => {
        read += 1;
        controller.enqueue(chunk);
      },
    });
    const request = mailRequest('{}');
    Object.defineProperty(request, 'body', { value: body });
    const { body: problem } = await refusal(request);
    expect(problem.code).toBe('MAIL_TOO_LARGE');
    expect(read).toBeLessThan(12);
  });

  test('a body that is cut off is told as that', async () => {
    const body = new ReadableStream({
      pull: (controller) => controller.error(new Error('aborted')),
    });
    const request = mailRequest('{}');
    Object.defineProperty(request, 'body', { value: body });
    const { body: problem } = await refusal(request);
    expect([problem.code, problem.detail]).toEqual([
      'JSON_UNREADABLE',
      'The request ended before its body was complete.',
    ]);
  });

  test('half a character anywhere is an answer the caller understands', async () => {
    const { answer, body } = await refusal(
      mailRequest(
        '{"from":{"address":"\\ud800@contoso.example"},"to":"a@contoso.example","subject":"s","text":"t"}',
      ),
    );
    expect([answer.status, body.code]).toEqual([400, 'TEXT_MALFORMED']);
  });

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/vnd.contoso.mail+json',
    'application/json; odata.metadata=none',
    'application/json; charset=utf-8; profile="a;charset=utf-16"',
    'application/json;',
  ])('%s is read', async (type) => {
    const { answer } = await post(mailRequest(aMail(), { headers: { 'content-type': type } }));
    expect(answer.status).toBe(200);
  });
});

describe('a problem answer', () => {
  test('is problem+json with the words of the catalogue, every problem, and the invocation to quote', async () => {
    const { answer, body, logged } = await refusal(mailRequest({ subject: 'canary', nope: 'canary' }));
    expect(headersOf(answer).get('content-type')).toBe('application/problem+json');
    expect(body).toMatchObject({
      type: 'urn:graph-mail-relay:error:MAIL_INVALID',
      title: catalogue.MAIL_INVALID.title,
      status: 400,
      instance: `urn:uuid:${INVOCATION_ID}`,
      code: 'MAIL_INVALID',
      remedy: catalogue.MAIL_INVALID.remedy,
      fixedBy: 'caller',
    });
    expect(body.problems).toHaveLength(3);
    expect(logged).toEqual([
      {
        level: 'information',
        event: {
          event: 'RequestRefused',
          code: 'MAIL_INVALID',
          codes: expect.arrayContaining(['FIELD_UNKNOWN', 'RECIPIENT_MISSING', 'BODY_MISSING']),
        },
      },
    ]);
    expect(JSON.stringify([body, logged])).not.toContain('canary');
  });

  test('of what an administrator mends is an error in the log, of what a caller mends is not', async () => {
    const denied = { kind: 'answered', status: 403, upstreamCode: 'ErrorAccessDenied' } as const;
    const { logged } = await post(mailRequest(aMail()), inMemoryPorts(denied));
    expect(logged.map(({ level, event }) => [level, event.event])).toEqual([
      ['error', 'MailRejected'],
      ['error', 'RequestRefused'],
    ]);
  });

  test('of something unforeseen says nothing of it; the log has the stack without the message', async () => {
    const { context, logged } = invocation();
    const answer = await sendMailHttp(() => {
      throw new TypeError('canary@contoso.example');
    })(mailRequest(aMail()), context);
    expect(bodyOf(answer as HttpResponseInit)).toMatchObject({ status: 500, code: 'UNEXPECTED' });
    expect(logged.map(({ event }) => event.event)).toEqual(['Unexpected', 'RequestRefused']);
    expect(JSON.stringify([answer, logged])).not.toContain('canary');
  });

  test.each<[ErrorCode, string | null]>([
    ['STORAGE_UNAVAILABLE', '30'],
    ['MAILBOX_BOOKED_UP', '30'],
    ['MAIL_DISABLED', '30'],
    ['MAIL_UNDER_WAY', '5'],
    ['MAIL_NOT_HELD', null],
    ['MAIL_INVALID', null],
  ])('%s has Retry-After %s', async (code, retryAfter) => {
    const { context } = invocation();
    const answer = await sendMailHttp(() => {
      throw new AppError(code);
    })(mailRequest(aMail()), context);
    expect(headersOf(answer as HttpResponseInit).get('retry-after')).toBe(retryAfter);
  });
});

describe('over the daily limit of its caller', () => {
  test('a request gets 429 and the seconds until midnight UTC; another key has its own limit', async () => {
    const world = inMemoryPorts();
    const callers = knowing(aDeclaredCaller('function-keys', { rules: { mailsPerDay: 1 } }));
    const limited = { ...world, needs: { ...world.needs, callers } };
    const status = async (key: string) => {
      const { answer } = await post(mailRequest(aMail(), { headers: { 'x-functions-key': key } }), limited);
      return [answer.status, headersOf(answer).get('retry-after'), bodyOf(answer).code];
    };
    expect(await status('key-1')).toEqual([200, null, undefined]);
    expect(await status('key-1')).toEqual([429, '57600', 'CALLER_LIMIT_REACHED']);
    expect(await status('key-2')).toEqual([200, null, undefined]);
  });
});
