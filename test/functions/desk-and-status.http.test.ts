import { HttpRequest, type HttpRequestInit, type HttpResponseInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import { closeMailHttp, listMailHttp, replayMailHttp } from '../../src/functions/desk.http.ts';
import { healthDetailsHttp, healthHttp } from '../../src/functions/health.http.ts';
import { mailStatusHttp } from '../../src/functions/mail-status.http.ts';
import { sendMailHttp } from '../../src/functions/send-mail.http.ts';
import { aMail } from '../support/a-mail.ts';
import { inMemoryPorts } from '../support/in-memory-ports.ts';
import { bodyOf, invocation, MAIL_URL, mailRequest } from './invocation.ts';

const get = (init: HttpRequestInit = {}) =>
  new HttpRequest({ method: 'GET', url: MAIL_URL, headers: { 'x-functions-key': 'a-key' }, ...init });

/** A relay with one mail that is held, and its functions. */
const aDesk = async () => {
  const world = inMemoryPorts({ kind: 'answered', status: 504 });
  let other: object = {};
  const needs = (log: unknown) => ({ ...world.needs, ...other, log: log as () => void });
  const run = async (
    handler: ReturnType<typeof listMailHttp>,
    request: HttpRequest,
  ): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> => {
    const answer = (await handler(request, invocation().context)) as HttpResponseInit;
    const headers = new Headers(answer.headers as Record<string, string>);
    return { status: answer.status ?? 200, body: bodyOf(answer), headers };
  };
  const mail = mailRequest(aMail({ onUnknown: 'hold' }));
  const { body } = await run(sendMailHttp(needs), mail);
  const id = String(body.id);
  return {
    ...world,
    id,
    /** Takes something else in place of what the desk needs. */
    use: (needed: object) => {
      other = needed;
    },
    list: (query: Record<string, string>) => run(listMailHttp(needs), get({ query })),
    replay: (mailId = id) => run(replayMailHttp(needs), mailRequest({}, { params: { id: mailId } })),
    close: (note: unknown, type = 'application/json') =>
      run(closeMailHttp(needs), mailRequest(note, { params: { id }, headers: { 'content-type': type } })),
    status: (init: HttpRequestInit) => run(mailStatusHttp(needs), get(init)),
  };
};

describe('GET /api/mail/{id}', () => {
  test('tells a caller of his mail, in whichever case he writes its id, and is not to be cached', async () => {
    const { status, id } = await aDesk();
    const answer = await status({ params: { id: id.toUpperCase() } });
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(answer.body).toMatchObject({ id, state: 'held', reason: { code: 'OUTCOME_UNKNOWN' } });
    expect(answer.body).not.toHaveProperty('recipientAddresses');
  });

  test.each([
    ['another caller', { headers: { 'x-functions-key': 'another' } }, undefined],
    ['nobody knows the id', {}, '01890000-0000-7000-8000-000000000000'],
    ['the id is none', {}, "x' or true"],
    ['there is no id', {}, ''],
  ])('is 404 when %s', async (_case, init, asked) => {
    const { status, id } = await aDesk();
    const answer = await status({ ...init, params: { id: asked ?? id } });
    expect([answer.status, answer.body.code]).toEqual([404, 'MAIL_NOT_FOUND']);
  });
});

describe('the desk', () => {
  test('keeps what it says out of caches, problems too', async () => {
    const { list, replay, close } = await aDesk();
    for (const answer of [
      await list({ state: 'held' }),
      await list({}),
      await close({}),
      await replay(),
      await replay(),
    ])
      expect([answer.headers.get('cache-control'), answer.headers.get('x-content-type-options')]).toEqual([
        'no-store',
        'nosniff',
      ]);
  });

  test('lists and shows what is held', async () => {
    const { list, id, records } = await aDesk();
    expect((await list({ state: 'held' })).body.mails).toMatchObject([{ id }]);
    const record = [...records.keys()][0];
    expect((await list({ id })).body).toMatchObject({ id, state: 'held', record });
  });

  test.each<[Record<string, string>, string]>([
    [{}, 'Expected ?state=held or ?id='],
    [{ state: 'sent' }, 'Expected ?state=held or ?id='],
    [{ state: '' }, 'Expected ?state=held or ?id='],
    [{ after: 'x' }, 'Expected ?state=held or ?id='],
    [{ id: '' }, 'Expected in `id` the id of an email'],
    [{ state: 'held', id: '' }, 'Expected id alone'],
    [{ state: 'held', id: '01890000-0000-7000-8000-000000000000' }, 'Expected id alone'],
    [{ id: '01890000-0000-7000-8000-000000000000', after: 'x' }, 'Expected id alone'],
    [{ state: 'held', foo: '' }, 'Expected no parameters other than'],
    [{ state: 'held', State: 'held' }, 'Expected no parameters other than'],
    [{ state: 'held', after: '' }, 'Expected in `after` the `next` of the previous page'],
    [{ state: 'held', after: 'garbage' }, 'Expected in `after` the `next` of the previous page'],
  ])('does not know the query %j, and says what it expects', async (query, expected) => {
    const { list } = await aDesk();
    const { status, body } = await list(query);
    expect([status, body.code]).toEqual([400, 'QUERY_INVALID']);
    expect(body.detail).toContain(expected);
  });

  test('takes a key in the query as the host does', async () => {
    const { list } = await aDesk();
    expect((await list({ state: 'held', code: 'k', clientId: 'default' })).status).toBe(200);
  });

  test('goes on where a page ended, by its `next`', async () => {
    const desk = await aDesk();
    const asked: (string | undefined)[] = [];
    const listRecords = async (_limit: number, after: string | undefined) => {
      asked.push(after);
      return { records: [], ...(after === undefined ? { next: '2!92!頁' } : {}) };
    };
    desk.use({ records: { ...desk.needs.records, list: listRecords } });
    const { next } = (await desk.list({ state: 'held' })).body;
    const last = await desk.list({ state: 'held', after: String(next) });
    expect(last.body).toEqual({ mails: [] });
    expect(asked).toEqual([undefined, '2!92!頁']);
  });

  test('replays a mail by the queue: 202, and a second time it is no longer held', async () => {
    const { replay, messages, records, id } = await aDesk();
    expect(await replay()).toMatchObject({ status: 202, body: { id, state: 'queued' } });
    expect([messages.length, records.size]).toEqual([1, 0]);
    expect(await replay()).toMatchObject({ status: 409, body: { code: 'MAIL_NOT_HELD' } });
    expect(messages).toHaveLength(1);
  });

  test('closes a mail with a note, trimmed', async () => {
    const { close, records } = await aDesk();
    expect(await close({ note: ' found ' })).toMatchObject({
      status: 200,
      body: { state: 'closed', note: 'found' },
    });
    expect(records.size).toBe(0);
  });

  test.each([
    [{}, 'received nothing.'],
    [{ note: 5 }, 'received number.'],
    [{ note: '' }, 'received empty text.'],
    [{ note: ' ' }, 'received only blanks.'],
    [{ note: 'done', force: true }, 'Expected no field but `note`, received others.'],
    [{ note: 'x'.repeat(501) }, 'received 501 characters.'],
    [{ note: 'a\u001b[2J' }, 'received text with a line break or control character.'],
    [{ note: '\ud800' }, 'received text in which a character is cut in half.'],
    [null, 'received null.'],
    [[], 'received list of 0 items.'],
  ])('does not close a mail with %j, and says what it received', async (note, received) => {
    const { close, records } = await aDesk();
    const { status, body } = await close(note);
    expect([status, body.code]).toEqual([400, 'NOTE_MISSING']);
    expect(body.detail).toContain(received);
    expect(records.size).toBe(1);
  });

  test('takes a note in which everything is escaped', async () => {
    const { close } = await aDesk();
    const note = '"'.repeat(500);
    expect(await close({ note })).toMatchObject({ status: 200, body: { note } });
  });

  test('says of a request with more than a note how large it may be, and nothing of attachments', async () => {
    const { close, records } = await aDesk();
    const { status, body } = await close({ note: 'x'.repeat(9_000_000) });
    expect([status, body.code]).toEqual([413, 'REQUEST_TOO_LARGE']);
    expect(body.detail).toContain('at most 16000 bytes');
    expect(JSON.stringify(body)).not.toContain('attachment');
    expect(records.size).toBe(1);
  });

  test('reads a note as JSON only', async () => {
    const { close } = await aDesk();
    expect(await close('note=x', 'application/x-www-form-urlencoded')).toMatchObject({ status: 415 });
  });
});

test('health says that the app is up, and its version', async () => {
  const answer = await healthHttp('1.2.3')(get(), invocation().context);
  expect(answer).toEqual({
    jsonBody: { status: 'up', version: '1.2.3' },
    headers: { 'cache-control': 'no-store' },
  });
});

test('the details of health say what keeps emails from their recipients, and are not to be stored', async () => {
  const report = () => ({ settingsInvalid: [], safetyOn: ['MAIL_REDIRECT_TO'] as const });
  const now = () => new Date('2026-03-02T08:00:00Z');
  expect(await healthDetailsHttp('1.2.3', now, report)(get(), invocation().context)).toEqual({
    jsonBody: { status: 'up', version: '1.2.3', time: '2026-03-02T08:00:00.000Z', ...report() },
    headers: { 'cache-control': 'no-store' },
  });
});
