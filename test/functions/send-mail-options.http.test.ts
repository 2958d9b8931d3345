import type { HttpRequest, HttpRequestInit, HttpResponseInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { cancelMailHttp } from '../../src/functions/cancel-mail.http.ts';
import { toMailAnswer } from '../../src/functions/mail-answer.ts';
import { isMime, readMimeBody } from '../../src/functions/mime-body.ts';
import { sendMailHttp } from '../../src/functions/send-mail.http.ts';
import { makeAdmission } from '../../src/lib/delivery/admission.ts';
import { aDelivery } from '../support/a-delivery.ts';
import { aMail } from '../support/a-mail.ts';
import { inMemoryPorts, type World } from '../support/in-memory-ports.ts';
import { bodyOf, invocation, mailRequest } from './invocation.ts';

const post = async (request: HttpRequest, world: World = inMemoryPorts()) => {
  const handler = sendMailHttp((log) => ({ ...world.needs, log }));
  const answer = (await handler(request, invocation().context)) as HttpResponseInit;
  return { ...world, answer, status: answer.status ?? 200, body: bodyOf(answer) };
};

describe('POST /api/mail?dryRun=true', () => {
  const dryly = (query: Record<string, string>, mail = aMail()) => post(mailRequest(mail, { query }));

  test.each([
    ['dryRun', 'true'],
    ['DRYRUN', 'True'],
    ['dryrun', '1'],
    ['dry-run', 'true'],
    ['dry_run', 'TRUE'],
  ])('answers 200 with the plan, and sends nothing: ?%s=%s', async (name, value) => {
    const { status, body, effects, rows } = await dryly({ [name]: value });
    expect([status, effects, rows()]).toEqual([200, [], []]);
    expect(body).toMatchObject({
      dryRun: true,
      plan: { kind: 'json', reason: expect.any(String), warnings: [] },
      requests: [{ method: 'POST' }],
    });
    expect(body).not.toHaveProperty('id');
  });

  test.each([
    ['dryRun', 'false'],
    ['dryRun', '0'],
    ['clientId', 'true'],
  ])('sends where it is not asked for: ?%s=%s', async (name, value) => {
    const { status, plans } = await dryly({ [name]: value });
    expect([status, plans.length]).toEqual([200, 1]);
  });

  test.each([
    ['dryRun', ''],
    ['dryRun', 'yes'],
    ['dryRun', 'on'],
    ['Dry-Run', 'tru'],
  ])('neither plans nor sends where the wish is not clear: ?%s=%s', async (name, value) => {
    const { status, body, effects } = await dryly({ [name]: value });
    expect([status, body.code, effects]).toEqual([400, 'QUERY_INVALID', []]);
    expect(body.detail).toContain('Expected dryRun=true or dryRun=false');
  });

  test('refuses what sending would refuse', async () => {
    const { status, body } = await dryly({ dryRun: 'true' }, aMail({ to: 'nobody' }));
    expect([status, body.code]).toEqual([400, 'ADDRESS_INVALID']);
  });
});

describe('a request for an email that waits', () => {
  test('is answered 202 with the time, as often as it is repeated', async () => {
    const world = inMemoryPorts();
    const mail = aMail({ sendAt: '2026-03-04T10:00:00+02:00' });
    const request = () => mailRequest(mail, { headers: { 'idempotency-key': 'k' } });
    const first = await post(request(), world);
    expect([first.status, first.body]).toEqual([
      202,
      expect.objectContaining({ state: 'queued', sendAt: '2026-03-04T08:00:00.000Z' }),
    ]);
    const again = await post(request(), world);
    expect([again.status, again.body]).toEqual([202, first.body]);
    expect(again.answer.headers).toMatchObject({ 'idempotent-replayed': 'true' });
  });
});

test('what recipients may not get as asked is told each time the request is repeated', async () => {
  const world = inMemoryPorts();
  const mail = aMail({ messageId: '<own@contoso.example>' });
  const request = () => mailRequest(mail, { headers: { 'idempotency-key': 'k' } });
  const first = await post(request(), world);
  expect(first.body.warnings).toMatchObject([{ code: 'MESSAGE_ID_MAY_CHANGE', pointer: '/messageId' }]);
  expect((await post(request(), world)).body).toEqual(first.body);
});

test('what recipients may not get as asked is told with whatever answer accepts the email', () => {
  const { rows } = aDelivery();
  const warnings = [
    { code: 'FIELD_INVALID', pointer: '/headers/x-a', detail: 'Exchange removes it.' },
  ] as const;
  for (const row of [rows.sent, rows.queued, rows.unknown])
    expect(toMailAnswer({ row, repeated: false, warnings }, 'url').body).toMatchObject({ warnings });
  const { body } = toMailAnswer({ row: rows.sent, repeated: true, warnings: [] }, 'url');
  expect(body).not.toHaveProperty('warnings');
});

describe('DELETE /api/mail/{id}', () => {
  const cancel = async (world: World, id: string, init: HttpRequestInit = {}) => {
    const handler = cancelMailHttp((log) => ({ ...world.needs, log }));
    const request = mailRequest('', { method: 'DELETE', params: { id }, ...init });
    const answer = (await handler(request, invocation().context)) as HttpResponseInit;
    return { status: answer.status ?? 200, body: bodyOf(answer), headers: answer.headers };
  };
  const waiting = async () => {
    const world = inMemoryPorts();
    const mail = mailRequest(aMail({ sendAt: '2026-03-04T08:00:00Z' }));
    return { world, id: String((await post(mail, world)).body.id) };
  };

  test('cancels an email that waits, and says so again when it is repeated', async () => {
    const { world, id } = await waiting();
    const first = await cancel(world, id.toUpperCase());
    expect(first).toMatchObject({ status: 200, body: { id, state: 'canceled' } });
    expect(await cancel(world, id)).toEqual(first);
  });

  test('is 409 for one that was sent, with what to do', async () => {
    const world = inMemoryPorts();
    const id = String((await post(mailRequest(aMail()), world)).body.id);
    const { status, body } = await cancel(world, id);
    expect([status, body.code, body.id]).toEqual([409, 'MAIL_NOT_WAITING', id]);
    expect(body.remedy).toMatch(/cannot be recalled/);
  });

  test.each([
    ['another caller', { headers: { 'x-functions-key': 'another' } }, undefined],
    ['nobody knows the id', {}, '01890000-0000-7000-8000-000000000000'],
    ['the id is none', {}, 'batch'],
  ])('is 404 as the status when %s', async (_case, init, asked) => {
    const { world, id } = await waiting();
    expect(await cancel(world, asked ?? id, init)).toMatchObject({
      status: 404,
      body: { code: 'MAIL_NOT_FOUND' },
    });
  });
});

describe('an email in MIME', () => {
  const MIME = Buffer.from(
    'From: a@contoso.example\r\nTo: b@contoso.example\r\nSubject: =?x?=\r\n\r\n\xe9',
    'latin1',
  );
  const mime = (body: Uint8Array, headers: Record<string, string> = {}) =>
    mailRequest(body, { headers: { 'content-type': 'message/rfc822', ...headers } });
  const room = () => makeAdmission(100_000_000).open();

  test.each(['message/rfc822', 'Message/RFC822; charset=us-ascii', 'message/rfc822; x="a;b"'])(
    'is known by its media type, with any parameters: %s',
    (type) => expect(isMime(mime(MIME, { 'content-type': type }))).toBe(true),
  );

  test.each(['application/json', 'message/rfc8220', 'text/plain; a=message/rfc822', 'message', ''])(
    'and by no other: %s',
    (type) => expect(isMime(mime(MIME, { 'content-type': type }))).toBe(false),
  );

  const FULL = [
    'From: Relay <noreply@contoso.example>',
    'To: Chan <chan@fabrikam.example>',
    'Subject: A whole message',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    'Hello',
    '',
  ].join('\r\n');

  test('is sent as it is, once for each key', async () => {
    const world = inMemoryPorts();
    const request = () => mime(Buffer.from(FULL), { 'idempotency-key': 'k' });
    const first = await post(request(), world);
    expect([first.status, first.body.state]).toEqual([200, 'sent']);
    expect((await post(request(), world)).body).toEqual(first.body);
    const sent = world.plans.map(({ kind, body }) => [
      kind,
      Buffer.from(body.toString(), 'base64').toString(),
    ]);
    expect(sent).toEqual([['mime', expect.stringContaining('Subject: A whole message\r\n')]]);
  });

  test('is the same email as its JSON, which alone can wait', async () => {
    const world = inMemoryPorts();
    await post(mime(Buffer.from(FULL), { 'idempotency-key': 'k' }), world);
    const json = { mime: Buffer.from(FULL).toString('base64') };
    const again = await post(mailRequest(json, { headers: { 'idempotency-key': 'k' } }), world);
    expect(again.answer.headers).toMatchObject({ 'idempotent-replayed': 'true' });
    const later = await post(mailRequest({ ...json, sendAt: '2026-03-03T08:00:00Z' }), world);
    expect([later.status, later.body.sendAt]).toEqual([202, '2026-03-03T08:00:00.000Z']);
  });

  test('can be planned without sending it, and queued', async () => {
    const dry = await post(
      mailRequest(Buffer.from(FULL), {
        query: { dryRun: 'true' },
        headers: { 'content-type': 'message/rfc822' },
      }),
    );
    expect([dry.body, dry.effects]).toMatchObject([{ dryRun: true, plan: { kind: 'mime' } }, []]);
    const queued = await post(mime(Buffer.from(FULL), { prefer: 'respond-async' }));
    expect([queued.status, queued.plans]).toEqual([202, []]);
  });

  test('is read byte for byte', async () => {
    expect(await readMimeBody(mime(MIME), room())).toEqual({ mime: MIME.toString('base64') });
    const large = Buffer.alloc(3_000_000, 0xe9);
    expect(await readMimeBody(mime(large), room())).toEqual({ mime: large.toString('base64') });
  });

  test.each<[string, Uint8Array, Record<string, string>, number, string]>([
    ['is larger than it says', Buffer.alloc(3_000_001, 65), {}, 413, 'MAIL_TOO_LARGE'],
    ['says that it is larger', MIME, { 'content-length': '3000001' }, 413, 'MAIL_TOO_LARGE'],
    ['is empty', Buffer.alloc(0), {}, 400, 'FIELD_INVALID'],
    ['is compressed', MIME, { 'content-encoding': 'gzip' }, 415, 'CONTENT_ENCODING_UNSUPPORTED'],
    ['is compressed in silence', Buffer.from([0x1f, 0x8b, 8, 0]), {}, 415, 'CONTENT_ENCODING_UNSUPPORTED'],
  ])('that %s is refused, and nothing is accepted', async (_case, body, headers, status, code) => {
    const { answer, body: problem, effects } = await post(mime(body, headers));
    expect([answer.status, problem.code, effects]).toEqual([status, code, []]);
    if (code === 'MAIL_TOO_LARGE') expect(problem.detail).toMatch(/at most 3000000 bytes/);
  });

  test('for which there is no memory at the moment is refused for a while', async () => {
    const admission = makeAdmission(1000);
    admission.open().grow(500_000);
    await expect(readMimeBody(mime(Buffer.alloc(200_000, 65)), admission.open())).rejects.toMatchObject({
      code: 'RELAY_BUSY',
    });
  });

  test('whose request breaks off is refused', async () => {
    const body = new ReadableStream({
      pull: (controller) => controller.error(new Error('aborted')),
    });
    await expect(readMimeBody({ headers: new Headers(), body } as never, room())).rejects.toMatchObject({
      code: 'MIME_INCOMPLETE',
    });
  });
});
