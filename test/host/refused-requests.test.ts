import { afterAll, describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../src/lib/error-catalogue.ts';
import { base64Of } from '../support/a-mail.ts';
import { expectNoCanary } from './no-canary.ts';
import { type Answer, canaryMail, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
afterAll(() => relay.close());

const marker = newMarker();
const mail = (override: Record<string, unknown> = {}) => canaryMail(marker, override);
const without = (...names: string[]) =>
  Object.fromEntries(Object.entries(mail()).filter(([name]) => !names.includes(name)));

type Problem = { readonly code: string; readonly pointer: string };
const pointersOf = ({ body }: Answer): string[] =>
  ((body.problems ?? []) as Problem[]).map(({ code, pointer }) => `${code} ${pointer}`);

/** What every problem answer has (RFC 9457), with the words of the catalogue. */
const expectProblem = ({ status, headers, body }: Answer, code: ErrorCode) => {
  expect([status, headers.get('content-type')]).toEqual([catalogue[code].status, 'application/problem+json']);
  expect(body).toMatchObject({
    type: `urn:graph-mail-relay:error:${code}`,
    title: catalogue[code].title,
    status: catalogue[code].status,
    instance: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/),
    code,
    remedy: catalogue[code].remedy,
    fixedBy: catalogue[code].fixedBy,
  });
  for (const problem of (body.problems ?? []) as Problem[])
    expect(problem).toEqual({
      code: expect.any(String),
      pointer: expect.any(String),
      expected: expect.any(String),
      received: expect.any(String),
    });
};

describe.concurrent('a request that is refused', () => {
  test.each<[string, unknown, ErrorCode, readonly string[]]>([
    [
      'an unknown field',
      mail({ replyto: 'canary@fabrikam.example' }),
      'FIELD_UNKNOWN',
      ['FIELD_UNKNOWN /replyto'],
    ],
    [
      'an unknown field of an attachment',
      mail({ attachments: [{ filename: 'canary.txt', content: 'YQ==', type: 'canary' }] }),
      'FIELD_UNKNOWN',
      ['FIELD_UNKNOWN /attachments/0/type'],
    ],
    ['no recipient', without('to'), 'RECIPIENT_MISSING', ['RECIPIENT_MISSING /to']],
    ['an empty list of recipients', mail({ to: [] }), 'RECIPIENT_MISSING', ['RECIPIENT_MISSING /to']],
    ['neither text nor html', without('text'), 'BODY_MISSING', ['BODY_MISSING /text']],
    [
      'text and html without a copy in Sent Items',
      mail({ html: '<p>canary</p>', saveToSentItems: false }),
      'SENT_ITEMS_COPY_NEEDED',
      ['SENT_ITEMS_COPY_NEEDED /saveToSentItems'],
    ],
    ['a message that is no MIME', { mime: base64Of(30) }, 'MIME_INVALID', ['MIME_INVALID /mime']],
    [
      'a message and a field beside it',
      {
        mime: Buffer.from('From: canary@fabrikam.example\r\nTo: canary@fabrikam.example\r\n\r\n').toString(
          'base64',
        ),
        text: 'canary',
      },
      'MIME_EXCLUDES_FIELD',
      ['MIME_EXCLUDES_FIELD /text'],
    ],
    [
      'an invitation that is no calendar',
      mail({ calendar: { method: 'REQUEST', ics: 'canary' } }),
      'CALENDAR_INVALID',
      ['CALENDAR_INVALID /calendar/ics'],
    ],
    [
      'a message id with a line break',
      mail({ inReplyTo: '<canary@fabrikam>\r\nBcc: x' }),
      'LINE_BREAK_NOT_ALLOWED',
      ['LINE_BREAK_NOT_ALLOWED /inReplyTo'],
    ],
    ['a malformed address', mail({ to: 'canary@@fabrikam' }), 'ADDRESS_INVALID', ['ADDRESS_INVALID /to']],
    [
      'a malformed address in a list',
      mail({ cc: ['a@fabrikam.example', 'canary at fabrikam'] }),
      'ADDRESS_INVALID',
      ['ADDRESS_INVALID /cc/1'],
    ],
    [
      'brackets in an address that never close',
      mail({ to: '('.repeat(50_000) }),
      'ADDRESS_INVALID',
      ['ADDRESS_INVALID /to'],
    ],
    ['a name without end', mail({ to: '"'.repeat(99_999) }), 'ADDRESS_INVALID', ['ADDRESS_INVALID /to']],
    [
      'a list of a hundred thousand recipients',
      mail({ bcc: Array.from({ length: 100_000 }, () => 'canary <c@fabrikam.example>') }),
      'RECIPIENTS_TOO_MANY',
      ['RECIPIENTS_TOO_MANY /bcc'],
    ],
    [
      'a line break in the subject',
      mail({ subject: 'canary\r\nBcc: canary@fabrikam.example' }),
      'LINE_BREAK_NOT_ALLOWED',
      ['LINE_BREAK_NOT_ALLOWED /subject'],
    ],
    [
      'a line break in the name of a recipient',
      mail({ to: { name: 'Canary\nBcc: x', address: 'canary@fabrikam.example' } }),
      'LINE_BREAK_NOT_ALLOWED',
      ['LINE_BREAK_NOT_ALLOWED /to/name'],
    ],
    [
      'a line break in a header',
      mail({ headers: { 'x-note': 'canary\r\nx-more: 1' } }),
      'LINE_BREAK_NOT_ALLOWED',
      ['LINE_BREAK_NOT_ALLOWED /headers/x-note'],
    ],
    [
      'wrong base64',
      mail({ attachments: [{ filename: 'canary.txt', content: 'canary!!' }] }),
      'BASE64_INVALID',
      ['BASE64_INVALID /attachments/0/content'],
    ],
    [
      'more than 500 recipients',
      mail({ to: Array.from({ length: 501 }, (_, n) => `canary${n}@fabrikam.example`) }),
      'RECIPIENTS_TOO_MANY',
      ['RECIPIENTS_TOO_MANY /to'],
    ],
    [
      'an attachment of 3 MB',
      mail({ attachments: [{ filename: 'canary.bin', content: base64Of(3_000_000) }] }),
      'MAIL_TOO_LARGE',
      ['MAIL_TOO_LARGE /attachments/0/content'],
    ],
    [
      'attachments that together are more than one Graph request carries',
      mail({
        attachments: ['canary1.bin', 'canary2.bin'].map((filename) => ({
          filename,
          content: base64Of(1_600_000),
        })),
      }),
      'MAIL_TOO_LARGE',
      [],
    ],
    [
      'a sender that is not allowed',
      mail({ from: 'canary@fabrikam.example' }),
      'SENDER_NOT_ALLOWED',
      ['SENDER_NOT_ALLOWED /from'],
    ],
    [
      'a header Graph does not carry',
      mail({ headers: { Received: 'canary' } }),
      'HEADER_NOT_CARRIED',
      ['HEADER_NOT_CARRIED /headers/Received'],
    ],
    [
      'fifty-one headers',
      mail({ headers: Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`x-${n}`, 'canary'])) }),
      'HEADERS_TOO_MANY',
      ['HEADERS_TOO_MANY /headers'],
    ],
    ['half a character', mail({ text: 'canary \ud83d' }), 'TEXT_MALFORMED', ['TEXT_MALFORMED /text']],
    [
      'half a character in the sender',
      mail({ from: { address: '\ud800canary@fabrikam.example' } }),
      'TEXT_MALFORMED',
      ['TEXT_MALFORMED /from/address'],
    ],
    [
      'half a character in a key',
      mail({ idempotencyKey: 'canary\ud800' }),
      'TEXT_MALFORMED',
      ['TEXT_MALFORMED /idempotencyKey'],
    ],
    [
      'an address as the name of a field',
      mail({ to: { 'canary@fabrikam.example': 'Canary' } }),
      'FIELD_UNKNOWN',
      ['FIELD_UNKNOWN /to'],
    ],
    [
      'an address as the name of a header',
      mail({ headers: { 'x-canary@fabrikam.example': 'canary', 'canary@fabrikam.example': 'canary' } }),
      'HEADER_NOT_CARRIED',
      ['HEADER_NOT_CARRIED /headers'],
    ],
    [
      'an order to Exchange',
      mail({ headers: { 'x-ms-exchange-organization-scl': '-1' } }),
      'HEADER_NOT_CARRIED',
      ['HEADER_NOT_CARRIED /headers/x-ms-exchange-organization-scl'],
    ],
    [
      'a control character in the text',
      mail({ text: 'canary\u0001' }),
      'CHARACTER_NOT_ALLOWED',
      ['CHARACTER_NOT_ALLOWED /text'],
    ],
    [
      'a file no mail client would show',
      mail({ attachments: [{ filename: 'canary.png', content: 'YQ==', cid: 'canary' }] }),
      'CID_UNUSED',
      ['CID_UNUSED /attachments/0/cid'],
    ],
    [
      'a file that html only mentions',
      {
        ...without('text'),
        html: '<!-- cid:canary --><a href="cid:canary">canary</a><img alt="cid:canary">',
        attachments: [{ filename: 'canary.png', content: 'YQ==', cid: 'canary' }],
      },
      'CID_UNUSED',
      ['CID_UNUSED /attachments/0/cid'],
    ],
    [
      'a file whose name ends as Windows does not keep it',
      mail({ attachments: [{ filename: 'canary.txt.', content: 'YQ==' }] }),
      'FIELD_INVALID',
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    [
      'an idempotency key of a blank in the mail',
      mail({ idempotencyKey: ' ' }),
      'IDEMPOTENCY_KEY_INVALID',
      ['IDEMPOTENCY_KEY_INVALID /idempotencyKey'],
    ],
    [
      'ten recipients of brackets',
      mail({ to: Array.from({ length: 10 }, () => '('.repeat(599)) }),
      'ADDRESS_INVALID',
      Array.from({ length: 10 }, (_, index) => `ADDRESS_INVALID /to/${index}`),
    ],
    [
      'five hundred domains of one letter',
      mail({ to: Array.from({ length: 500 }, () => `${'a.'.repeat(290)}a canary`) }),
      'ADDRESS_INVALID',
      Array.from({ length: 100 }, (_, index) => `ADDRESS_INVALID /to/${index}`),
    ],
    [
      'a value of the wrong type',
      mail({ importance: 'canary' }),
      'FIELD_INVALID',
      ['FIELD_INVALID /importance'],
    ],
    ['a list instead of a mail', [mail()], 'JSON_UNREADABLE', []],
  ])('%s', async (_case, input, code, pointers) => {
    const answer = await relay.send(input);
    expectProblem(answer, code);
    expect(pointersOf(answer)).toEqual(pointers);
  });

  test('all problems of a request at once', async () => {
    const answer = await relay.send({
      too: 'canary',
      subject: 'canary\n',
      attachments: [{ filename: 'canary.txt', content: '*' }],
    });
    expectProblem(answer, 'MAIL_INVALID');
    expect(pointersOf(answer).toSorted()).toEqual([
      'BASE64_INVALID /attachments/0/content',
      'BODY_MISSING /text',
      'FIELD_UNKNOWN /too',
      'LINE_BREAK_NOT_ALLOWED /subject',
      'RECIPIENT_MISSING /to',
    ]);
  });

  test('more problems than anybody reads: the first hundred, and how many there are', async () => {
    const fields = Array.from({ length: 5000 }, (_, number) => [`field${number}`, 'canary']);
    const answer = await relay.send(mail(Object.fromEntries(fields)));
    expectProblem(answer, 'FIELD_UNKNOWN');
    expect(answer.body.problems).toHaveLength(100);
    expect(answer.body.detail).toContain('5000');
  });

  const raw = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string>) =>
    relay.call('POST', '/api/mail', { body, headers });
  const json = { 'content-type': 'application/json' };
  const text = JSON.stringify(mail());

  test.each<[string, string | Uint8Array<ArrayBuffer>, Record<string, string>, ErrorCode]>([
    ['not JSON', '{"to": canary', json, 'JSON_UNREADABLE'],
    ['nothing', '', json, 'JSON_UNREADABLE'],
    ['bytes as Python prints them', `b'${text}'`, json, 'JSON_UNREADABLE'],
    ['base64', Buffer.from(text).toString('base64'), json, 'JSON_UNREADABLE'],
    ['JSON in UTF-16', new Uint8Array(Buffer.from(text, 'utf16le')), json, 'JSON_UNREADABLE'],
    ['a __proto__', `{"__proto__": {"to": "canary"}, ${text.slice(1)}`, json, 'JSON_UNREADABLE'],
    [
      'lists in lists',
      `{"to":${'['.repeat(5000)}${']'.repeat(5000)},${text.slice(1)}`,
      json,
      'JSON_UNREADABLE',
    ],
    ['a field written twice', `{"subject":"canary",${text.slice(1)}`, json, 'FIELD_REPEATED'],
    ['a list of millions of ones', `{"to":[${'1,'.repeat(3_900_000)}1]}`, json, 'MAIL_INVALID'],
    ['a compressed request', text, { ...json, 'content-encoding': 'gzip' }, 'CONTENT_ENCODING_UNSUPPORTED'],
    ['no media type', text, { 'content-type': '' }, 'CONTENT_TYPE_UNSUPPORTED'],
    [
      'a form',
      'to=canary',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'CONTENT_TYPE_UNSUPPORTED',
    ],
    [
      'another charset',
      text,
      { 'content-type': 'application/json; charset=big5' },
      'CONTENT_TYPE_UNSUPPORTED',
    ],
    ['a request of more than 8 MB', ' '.repeat(8_000_001), json, 'MAIL_TOO_LARGE'],
    [
      'an idempotency key with a space',
      text,
      { ...json, 'idempotency-key': 'canary 1' },
      'IDEMPOTENCY_KEY_INVALID',
    ],
    [
      'a long idempotency key',
      text,
      { ...json, 'idempotency-key': 'canary'.repeat(50) },
      'IDEMPOTENCY_KEY_INVALID',
    ],
  ])('%s', async (_case, body, headers, code) => expectProblem(await raw(body, headers), code));

  test('two idempotency keys that differ', async () => {
    const answer = await relay.send(mail({ idempotencyKey: 'canary-1' }), { 'idempotency-key': 'canary-2' });
    expectProblem(answer, 'IDEMPOTENCY_KEY_INVALID');
  });
});

test('of all these nothing went to Graph, and nothing was queued', async () => {
  expect(relay.cloud.graph.requests.list()).toEqual([]);
  expect(await relay.messagesOn('mail')).toBe(0);
  expect(relay.events('RequestRefused').length).toBe(relay.problems.length);
});

test('nothing of these mails stands in the log or in a problem answer', () => expectNoCanary(relay));
