import { randomBytes } from 'node:crypto';
import PostalMime from 'postal-mime';
import { Resend } from 'resend';
import { afterAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { FaultRuleInput } from '../../local/graph/fault-rules.ts';
import { features } from '../fixtures/facade-features/resend.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { expectNoCanary } from './no-canary.ts';
import { newMarker, startRelay } from './relay-for-tests.ts';

type CallFault = Exclude<FaultRuleInput, { on: 'connect' }>['fault'];

const relay = await startRelay({
  settings: { MAIL_FACADES: 'resend', MAIL_VERIFY_SECONDS: '4' },
  sentItemsDelayMs: 500,
});
afterAll(() => relay.close());

const JSON_TYPE = { 'content-type': 'application/json' };
const { body: added } = await relay.call('POST', '/api/callers', {
  key: KEYS.masterKey,
  headers: JSON_TYPE,
  body: JSON.stringify({ name: 'resend', senders: ['*@contoso.example'] }),
});
const key = String(added.key);

// The two things that change: the key and the address.
const resend = new Resend(`re_${key}`, { baseUrl: `${relay.url()}/api/resend` });

const FROM = 'Acme <noreply@contoso.example>';
const anEmail = (marker: string, fields: Record<string, unknown> = {}) => ({
  from: FROM,
  to: 'canary-to@fabrikam.example',
  subject: `canary-subject ${marker}`,
  html: '<p>canary-body</p>',
  ...fields,
});
const fault = (mailbox: string, what: CallFault) =>
  relay.cloud.graph.faults.add({ on: 'sendMail', mailbox, fault: what });

/** An email as Graph has it, with what only its MIME says, where it came as that. */
const messageOf = async (marker: string) => {
  const [mail] = await relay.arrives(marker);
  const message = mail?.request.body.message;
  if (mail?.mime === undefined) return message;
  const { attachments } = await PostalMime.parse(Buffer.from(mail.mime, 'base64'));
  return {
    ...message,
    body: { ...message?.body, content: message?.body?.content.trimEnd() },
    text: mail.text?.trimEnd(),
    inReplyTo: mail.inReplyTo,
    references: mail.references,
    attachments: attachments.map(({ filename, mimeType, disposition, contentId, content }) => ({
      name: filename,
      contentType: mimeType,
      contentBytes: Buffer.from(content as ArrayBuffer).toString('base64'),
      isInline: disposition === 'inline',
      contentId: contentId?.replace(/^<(.*)>$/, '$1'),
    })),
  };
};

/** What a fixture says of a response. */
const asMatcher = (expected: unknown): unknown => {
  if (expected === '{uuid}') return expect.stringMatching(/^[0-9a-f-]{36}$/);
  if (expected === '{text}') return expect.any(String);
  if (Array.isArray(expected)) return expected.map(asMatcher);
  return typeof expected === 'object' && expected !== null
    ? Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, asMatcher(value)]))
    : expected;
};

/** A call as other clients make it. */
const call = async (
  method: string,
  path: string,
  {
    body,
    headers = {},
    at = '/api/resend',
  }: { body?: unknown; headers?: Record<string, string>; at?: string } = {},
) => {
  const response = await fetch(`${relay.url()}${at}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : JSON_TYPE),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  if (response.status >= 400) relay.problems.push(text);
  return { status: response.status, headers: response.headers, body: JSON.parse(text) };
};

describe('the client of Resend, with another key and address', () => {
  test('sends its first example', async () => {
    const marker = newMarker();
    const { data, error } = await resend.emails.send({
      from: 'Acme <noreply@contoso.example>',
      to: ['canary-to@fabrikam.example'],
      subject: `canary-subject ${marker}`,
      html: '<strong>It works!</strong>',
    });
    expect([error, data]).toEqual([null, { id: expect.any(String) }]);
    expect(await messageOf(marker)).toMatchObject({
      subject: `canary-subject ${marker}`,
      body: { contentType: 'html', content: '<strong>It works!</strong>' },
      toRecipients: [{ emailAddress: { address: 'canary-to@fabrikam.example' } }],
    });
    // As of every email of the relay, its state can be asked for with the same id.
    const { body } = await call('GET', `/mail/${data?.id}`, { at: '/api/v1' });
    expect(body).toMatchObject({ id: data?.id, state: 'sent' });
  });

  test('is moved by its environment alone', async () => {
    vi.stubEnv('RESEND_API_KEY', key);
    vi.stubEnv('RESEND_BASE_URL', `${relay.url()}/api/resend`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const marker = newMarker();
    expect(await new Resend().emails.send(anEmail(marker))).toMatchObject({ error: null });
    await relay.arrives(marker);
  });

  test('sends every field, files too, and a large one byte for byte', async () => {
    const marker = newMarker();
    const large = randomBytes(2_000_000);
    const { error } = await resend.emails.send({
      ...anEmail(marker, {}),
      html: '<img src="cid:logo">',
      text: 'canary-text',
      cc: ['canary-cc@fabrikam.example'],
      replyTo: 'canary-reply@fabrikam.example',
      headers: { 'X-Entity-Ref-ID': '42' },
      tags: [{ name: 'category', value: 'confirm_email' }],
      attachments: [
        { filename: 'large.bin', content: large },
        {
          filename: 'logo.png',
          content: Buffer.from('logo').toString('base64'),
          contentType: 'image/png',
          contentId: 'logo',
        },
      ],
    });
    expect(error).toBeNull();
    expect(await messageOf(marker)).toMatchObject({
      text: 'canary-text',
      body: { contentType: 'html', content: '<img src="cid:logo">' },
      ccRecipients: [{ emailAddress: { address: 'canary-cc@fabrikam.example' } }],
      replyTo: [{ emailAddress: { address: 'canary-reply@fabrikam.example' } }],
      internetMessageHeaders: expect.arrayContaining([{ name: 'X-Entity-Ref-ID', value: '42' }]),
      attachments: expect.arrayContaining([
        expect.objectContaining({ name: 'large.bin', contentBytes: large.toString('base64') }),
        expect.objectContaining({ contentType: 'image/png', contentId: 'logo', isInline: true }),
      ]),
    });
  });

  test('repeats a request with its key, and it is one email', async () => {
    const marker = newMarker();
    const send = (fields: object = {}) =>
      resend.emails.send({ ...anEmail(marker), ...fields }, { idempotencyKey: `welcome ${marker}` });
    const first = await send();
    expect(await send()).toMatchObject({ data: first.data, error: null });
    expect(await send({ html: 'canary other' })).toMatchObject({
      data: null,
      error: { name: 'invalid_idempotent_request', statusCode: 409 },
    });
    await relay.arrives(marker, 1);
  });

  test('repeats a request that is to be sent in an hour, and it is one email', async () => {
    const marker = newMarker();
    const send = () =>
      resend.emails.send({ ...anEmail(marker), scheduledAt: 'in 1 hour' }, { idempotencyKey: marker });
    const first = await send();
    await new Promise((resolve) => setTimeout(resolve, 2));
    expect(await send()).toMatchObject({ data: { id: first.data?.id }, error: null });
  });

  test('schedules, looks, moves and cancels', async () => {
    const marker = newMarker();
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const { data } = await resend.emails.send({ ...anEmail(marker), scheduledAt: later });
    const id = data?.id ?? '';
    expect((await resend.emails.get(id)).data).toMatchObject({
      object: 'email',
      id,
      from: 'noreply@contoso.example',
      last_event: 'scheduled',
      scheduled_at: later,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00$/),
    });
    const moved = new Date(Date.now() + 1_800_000).toISOString();
    expect(await resend.emails.update({ id, scheduledAt: moved })).toMatchObject({
      data: { object: 'email', id },
      error: null,
    });
    expect((await resend.emails.get(id)).data).toMatchObject({ scheduled_at: moved });
    expect(await resend.emails.cancel(id)).toMatchObject({ data: { object: 'email', id }, error: null });
    expect((await resend.emails.get(id)).data).toMatchObject({ last_event: 'canceled' });
    expect(await resend.emails.update({ id, scheduledAt: later })).toMatchObject({
      error: { name: 'validation_error', statusCode: 400 },
    });
    expect(await relay.mailsAbout(marker)).toEqual([]);
  });

  test('moves an email to an earlier time, and it is sent then', async () => {
    const marker = newMarker();
    const { data } = await resend.emails.send({ ...anEmail(marker), scheduledAt: 'in 2 days' });
    await resend.emails.update({ id: data?.id ?? '', scheduledAt: 'in 1 sec' });
    await relay.arrives(marker);
    expect((await resend.emails.get(data?.id ?? '')).data).toMatchObject({ last_event: 'sent' });
  });

  test('sends a batch, all or none, and what is possible where it is asked for', async () => {
    const marker = newMarker();
    const all = await resend.batch.send(
      [anEmail(marker), anEmail(marker, { from: 'lane1@contoso.example' })],
      {
        idempotencyKey: marker,
      },
    );
    expect(all).toMatchObject({
      error: null,
      data: { data: [{ id: expect.any(String) }, { id: expect.any(String) }] },
    });
    await relay.arrives(marker, 2);
    for (const { id } of all.data?.data ?? []) await relay.reaches(id, 'sent');
    const again = await resend.batch.send(
      [anEmail(marker), anEmail(marker, { from: 'lane1@contoso.example' })],
      {
        idempotencyKey: marker,
      },
    );
    expect(again.data).toEqual(all.data);
    // The same key is of no other batch, and of no single email: longer, shorter, or in the other mode.
    const extra = newMarker();
    for (const other of [[anEmail(marker)], [...Array(3)].map(() => anEmail(extra))])
      for (const batchValidation of ['strict', 'permissive'] as const)
        expect(await resend.batch.send(other, { idempotencyKey: marker, batchValidation })).toMatchObject({
          data: null,
          error: { name: 'invalid_idempotent_request', statusCode: 409 },
        });
    expect(await resend.emails.send(anEmail(extra), { idempotencyKey: marker })).toMatchObject({
      error: { name: 'invalid_idempotent_request' },
    });
    expect(await relay.mailsAbout(extra)).toEqual([]);
    expect(await relay.mailsAbout(marker)).toHaveLength(2);
    const other = newMarker();
    const mixed = [anEmail(other), anEmail(other, { to: ['nobody'] })];
    expect(await resend.batch.send(mixed)).toMatchObject({
      data: null,
      error: { name: 'validation_error', statusCode: 400, message: expect.stringContaining('`[1].to[0]`') },
    });
    expect(await relay.mailsAbout(other)).toEqual([]);
    expect(await resend.batch.send(mixed, { batchValidation: 'permissive' })).toMatchObject({
      error: null,
      data: { data: [{ id: expect.any(String) }], errors: [{ index: 1, message: expect.any(String) }] },
    });
    await relay.arrives(other, 1);
  });

  test.each<[string, string, number, string]>([
    ['without a key of the relay', 're_123456789', 401, 'missing_api_key'],
    ['with a wrong key', `re_${key.slice(0, -6)}aaaaaa`, 401, 'validation_error'],
  ])('is refused %s, before anything is read', async (_case, wrong, statusCode, name) => {
    const stranger = new Resend(wrong, { baseUrl: `${relay.url()}/api/resend` });
    const { error } = await stranger.emails.send(anEmail(newMarker()));
    expect(error).toMatchObject({ statusCode, name, message: expect.any(String) });
  });

  test('hears why Graph refuses an email', async () => {
    fault('lane2@contoso.example', { kind: 'answer', status: 403, code: 'ErrorAccessDenied' });
    const { error } = await resend.emails.send(anEmail(newMarker(), { from: 'lane2@contoso.example' }));
    expect(error).toMatchObject({ statusCode: 403, name: 'validation_error' });
  });

  test('hears success where the outcome is unknown, and nobody sends it again', async () => {
    const marker = newMarker();
    fault('lane3@contoso.example', { kind: 'answer', status: 504, accept: true });
    const { data, error } = await resend.emails.send(anEmail(marker, { from: 'lane3@contoso.example' }));
    expect([error, data]).toEqual([null, { id: expect.any(String) }]);
    await relay.reaches(data?.id ?? '', 'sent');
    await relay.arrives(marker, 1);
  });
});

test.each(features.map((one, index) => [one.feature, index] as const))(
  'feature: %s',
  async (_feature, index) => {
    const { request, outcome, error, arrives, answers } = features[index]!;
    const marker = newMarker();
    const marked = (body: unknown): unknown =>
      Array.isArray(body)
        ? body.map(marked)
        : typeof body === 'object' && body !== null && 'subject' in body && typeof body.subject === 'string'
          ? { ...body, subject: `${body.subject} ${marker}` }
          : body;
    const waiting = request.path.includes('{id}')
      ? String(
          (await call('POST', '/emails', { body: anEmail(newMarker(), { scheduled_at: 'in 1 hour' }) })).body
            .id,
        )
      : '';
    const answer = await call(request.method, request.path.replace('{id}', waiting), {
      body: marked(request.body),
      ...(request.headers === undefined ? {} : { headers: request.headers }),
    });
    if (outcome === 'refused') {
      const [name, field] = error?.split(' ') ?? [];
      expect(answer.body).toEqual({ statusCode: answer.status, name, message: expect.any(String) });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      if (field !== undefined) expect(answer.body.message).toContain(`\`${field}`);
      expect(await relay.mailsAbout(marker)).toEqual([]);
      return;
    }
    expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
    if (answers !== undefined) expect(answer.body).toMatchObject(asMatcher(answers) as object);
    if (arrives !== undefined) expect(await messageOf(marker)).toMatchObject(arrives);
  },
);

describe('requests as other clients write them', () => {
  test('at the root of the host, as the client for .NET makes them', async () => {
    const marker = newMarker();
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      accept: 'application/json',
      'user-agent': 'resend-sdk/0.1.0.0 dotnet/8.0.0',
    };
    const { status, body } = await call('POST', '/emails', {
      at: '',
      headers,
      body: anEmail(marker, { to: ['canary-to@fabrikam.example'] }),
    });
    expect([status, body]).toEqual([200, { id: expect.any(String) }]);
    await relay.arrives(marker);
    expect((await call('GET', `/emails/${body.id}`, { at: '', headers })).body).toMatchObject({
      last_event: 'sent',
    });
    expect(
      await call('PATCH', `/emails/${body.id}`, { at: '', headers, body: { scheduled_at: 'in 1 min' } }),
    ).toMatchObject({
      status: 400,
      body: { name: 'validation_error' },
    });
  });

  test('with the empty lists and nulls of PHP, a slash at the end and a calendar as it is', async () => {
    const marker = newMarker();
    const { status } = await call('POST', '/emails/', {
      body: anEmail(marker, {
        ...{ bcc: [], cc: [], reply_to: [], headers: [], tags: [], text: null, scheduled_at: null },
        attachments: [
          {
            content_type: 'text/calendar',
            content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n',
            filename: 'invite.ics',
          },
        ],
      }),
    });
    expect(status).toBe(200);
    expect((await messageOf(marker))?.attachments).toMatchObject([
      { name: 'invite.ics', contentType: 'text/calendar' },
    ]);
  });

  test.each<[string, string | undefined, Record<string, string>, string]>([
    ['no JSON', 'canary', {}, 'validation_error'],
    ['a form', 'a=canary', { 'content-type': 'application/x-www-form-urlencoded' }, 'validation_error'],
    ['a field twice', '{"from":"canary","from":"canary"}', {}, 'validation_error'],
    ['a list for one email', '[]', {}, 'validation_error'],
    ['a body that is text', '"canary"', {}, 'validation_error'],
    ['nothing', '', {}, 'validation_error'],
  ])('%s is refused in the shape of Resend', async (_case, body, headers, name) => {
    const answer = await call('POST', '/emails', { body, headers });
    expect([answer.status, answer.body]).toEqual([
      400,
      { statusCode: 400, name, message: expect.any(String) },
    ]);
  });

  test.each([
    ['an object', {}],
    ['nobody', []],
    ['too many', Array.from({ length: 101 }, () => anEmail('x'))],
  ])('a batch of %s is refused', async (_case, body) => {
    expect(await call('POST', '/emails/batch', { body })).toMatchObject({
      status: 400,
      body: { name: 'validation_error' },
    });
  });
});

test('nothing of an email, and no key, is in a log or an error', () => {
  expectNoCanary(relay);
  for (const text of [...relay.lines, ...relay.problems]) expect(text).not.toContain(key);
});
