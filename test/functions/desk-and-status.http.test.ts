import { HttpRequest, type HttpRequestInit, type HttpResponseInit } from '@azure/functions';
import { describe, expect, test } from 'vitest';
import {
  closeMailHttp,
  listMailHttp,
  replayMailHttp,
  searchMailHttp,
} from '../../src/functions/desk.http.ts';
import { healthDetailsHttp, healthHttp } from '../../src/functions/health.http.ts';
import { mailStatusHttp } from '../../src/functions/mail-status.http.ts';
import { sendMailHttp } from '../../src/functions/send-mail.http.ts';
import { queueNew } from '../../src/lib/ledger/transitions.ts';
import { aMail } from '../support/a-mail.ts';
import { aNewMail } from '../support/a-new-mail.ts';
import { inMemoryPorts } from '../support/in-memory-ports.ts';
import { bodyOf, invocation, MAIL_URL, mailRequest } from './invocation.ts';

const OTHER_ID = '0195539a-2800-7000-8000-000000000000';

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
    search: (terms: unknown, init: HttpRequestInit = {}) =>
      run(searchMailHttp(needs), mailRequest(terms, init)),
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
      await list({ state: 'none' }),
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

  test('finds every email, newest first, if nothing else is asked for', async () => {
    const { list, id } = await aDesk();
    expect((await list({})).body).toMatchObject({ mails: [{ id }] });
    expect((await list({ state: 'sent' })).body).toEqual({ mails: [] });
  });

  test('finds the same by a body as by an address', async () => {
    const { list, search, id } = await aDesk();
    const terms = { state: 'held', sender: 'NoReply@contoso.example', from: '2h' };
    const byAddress = (await list(terms)).body;
    expect(byAddress).toMatchObject({ mails: [{ id }] });
    expect((await search(terms)).body).toEqual(byAddress);
    expect((await search({ ...terms, limit: 1 })).body.mails).toEqual(byAddress.mails);
  });

  test('takes a plus sign of an address for itself, although a URL means a space by it', async () => {
    const { list } = await aDesk();
    expect((await list({ recipient: 'ann b@fabrikam.example' })).status).toBe(200);
    expect((await list({ from: '2026-03-02T08:00:00 08:00' })).status).toBe(200);
  });

  test.each<[Record<string, string>, string]>([
    [{ id: '' }, 'Expected in `id` the id of an email'],
    [{ state: 'held', id: '' }, 'Expected `id` without parameters of a search'],
    [{ id: '01890000-0000-7000-8000-000000000000', after: 'x' }, 'Expected `id` without parameters'],
    [{ content: 'true' }, 'Expected `content` and `delivery` beside the `id`'],
    [
      { id: '01890000-0000-7000-8000-000000000000', content: 'yes' },
      'Expected content=true or content=false',
    ],
    [{ state: 'held', foo: '' }, 'Expected no parameters other than state, sender'],
    [{ state: 'held', State: 'held' }, 'received `State`'],
    [{ state: 'held', after: '' }, 'Expected in `after` a value, received nothing.'],
    [{ state: 'held', after: 'garbage' }, 'Expected in `after` the `next` of the previous page'],
    [{ after: Buffer.from('mail page\nx').toString('base64url') }, 'Expected in `after` the `next`'],
  ])('does not know the query %j, and says what it expects', async (query, expected) => {
    const { list } = await aDesk();
    const { status, body } = await list(query);
    expect([status, body.code]).toEqual([400, 'QUERY_INVALID']);
    expect(body.detail).toContain(expected);
  });

  test.each([
    [[], 'received list of 0 items'],
    [null, 'received null'],
    [{ limit: '1', recipient: ['a@b.example'] }, 'Expected in `recipient` a value, received list of 1 item'],
  ])('does not search by the body %j, and says what it expects', async (terms, expected) => {
    const { search } = await aDesk();
    const { status, body } = await search(terms);
    expect([status, body.code]).toEqual([400, 'QUERY_INVALID']);
    expect(body.detail).toContain(expected);
  });

  test('takes a search in the body or in the address, and not one half in each', async () => {
    const { search } = await aDesk();
    const answer = await search({ state: 'held' }, { query: { sender: 'a@b.example' } });
    expect([answer.status, answer.body.detail]).toEqual([
      400,
      'Expected the search in the body, received parameters in the address.',
    ]);
  });

  test('shows subject and recipients of a held email only if they are asked for, and logs that they were read', async () => {
    const { list, id } = await aDesk();
    expect((await list({ id })).body).not.toHaveProperty('content');
    const { subject, to } = aMail();
    const { content } = (await list({ id, content: 'true' })).body;
    expect(content).toEqual({ subject, to: [to].flat().map(String), cc: [], bcc: [] });
  });

  test('takes a key in the query as the host does', async () => {
    const { list } = await aDesk();
    expect((await list({ state: 'held', code: 'k', clientId: 'default' })).status).toBe(200);
  });

  test('goes on where a page ended, by its `next`, with the same search', async () => {
    const { list, search, id, needs } = await aDesk();
    const row = (await needs.ledger.find(id))?.row;
    const earlier = { ...aNewMail(new Date('2026-03-01T08:00:00Z'), { mailId: OTHER_ID }) };
    await needs.ledger.create(queueNew(earlier, new Date('2026-03-01T08:00:00Z')));
    const first = (await list({ limit: '1' })).body;
    expect(first.mails).toMatchObject([{ id: row?.facts.mailId }]);
    const second = await search({ limit: 1, after: first.next });
    expect(second.body).toEqual({ mails: [expect.objectContaining({ id: OTHER_ID })] });
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
