import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { withFields } from '../../../src/lib/facades/field-rules.ts';
import { namesDistance, readUpdate, translateEmail } from '../../../src/lib/facades/resend-mail.ts';
import { LongBase64 } from '../../../src/lib/mail/long-base64.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { problemsOf } from '../../support/problems-of.ts';

const NOW = new Date('2026-11-26T12:00:00.000Z');
const after = (milliseconds: number) => new Date(NOW.getTime() + milliseconds);
const EMAIL = { from: 'Shop <shop@contoso.example>', to: ['a@x.example'], subject: 'Hello', text: 'Hi' };

const translate = (fields: Record<string, unknown> = {}, index?: number) =>
  translateEmail({ ...EMAIL, ...fields }, { after, ...(index === undefined ? {} : { index }) });
/** What the relay would send. */
const read = (fields: Record<string, unknown> = {}) => readMail(translate(fields).input);
/** The problems, by the names of Resend, wherever they are found. */
const problems = (fields: Record<string, unknown>, index?: number) =>
  problemsOf(() => {
    const { input, fieldOf } = translate(fields, index);
    try {
      readMail(input);
    } catch (error) {
      throw error instanceof AppError ? withFields(error, fieldOf) : error;
    }
  });

describe('an email of Resend is one of the relay', () => {
  test.each<[string, Record<string, unknown>, object]>([
    ['its sender', {}, { from: { name: 'Shop', address: 'shop@contoso.example' } }],
    [
      'recipients as a list',
      { to: ['a@x.example', 'B <b@x.example>'] },
      { to: [{ address: 'a@x.example' }, { name: 'B', address: 'b@x.example' }] },
    ],
    ['a recipient as text', { to: 'a@x.example' }, { to: [{ address: 'a@x.example' }] }],
    [
      'cc and bcc alone',
      { to: [], cc: 'c@x.example', bcc: ['d@x.example'] },
      { to: [], cc: [{ address: 'c@x.example' }], bcc: [{ address: 'd@x.example' }] },
    ],
    ['reply_to', { reply_to: ['r@x.example'] }, { replyTo: [{ address: 'r@x.example' }] }],
    ['an empty subject', { subject: '' }, { subject: '' }],
    ['html and text', { html: '<p>Hi</p>' }, { html: '<p>Hi</p>', text: 'Hi' }],
    ['html alone, with the null of a serialiser', { html: '<p>Hi</p>', text: null }, { html: '<p>Hi</p>' }],
    [
      'headers',
      { headers: { 'X-Entity-Ref-ID': '1' } },
      { headers: [{ name: 'X-Entity-Ref-ID', value: '1' }] },
    ],
    [
      'a reply address among the headers',
      { headers: { 'reply-to': 'r@x.example' } },
      { replyTo: [{ address: 'r@x.example' }], headers: [] },
    ],
    [
      'a thread among the headers',
      {
        headers: {
          'Message-ID': '<m@x.example>',
          'In-Reply-To': '<a@x.example>',
          References: '<a@x.example> <b@x.example>',
        },
      },
      {
        messageId: '<m@x.example>',
        inReplyTo: '<a@x.example>',
        references: ['<a@x.example>', '<b@x.example>'],
      },
    ],
    ['Importance', { headers: { Importance: 'High' } }, { importance: 'high' }],
    ['Priority', { headers: { Priority: 'non-urgent' } }, { importance: 'low' }],
    ['X-Priority', { headers: { 'X-Priority': '2 (High)' } }, { importance: 'high' }],
    ['tags', { tags: [{ name: 'category', value: 'confirm_email' }] }, { tags: ['category.confirm_email'] }],
    [
      'tags with blanks, numbers and nothing',
      { tags: [{ name: 'my tag', value: 7 }, { name: 'only' }, null] },
      { tags: ['my-tag.7', 'only'] },
    ],
    ['a moment', { scheduled_at: '2026-12-01T09:00:00+01:00' }, { sendAt: '2026-12-01T08:00:00.000Z' }],
    ['a distance', { scheduled_at: 'in 1 min' }, { sendAt: '2026-11-26T12:01:00.000Z' }],
    [
      'a file',
      { attachments: [{ filename: 'a.txt', content: 'aGVsbG8=' }] },
      { attachments: [{ filename: 'a.txt', content: 'aGVsbG8=', contentType: 'text/plain' }] },
    ],
    [
      'a file as bytes',
      { attachments: [{ filename: 'a.txt', content: [104, 105] }] },
      { attachments: [{ content: 'aGk=' }] },
    ],
    [
      'a file as a Buffer',
      { attachments: [{ filename: 'a.txt', content: { type: 'Buffer', data: [104, 105] } }] },
      { attachments: [{ content: 'aGk=' }] },
    ],
    [
      'an empty file',
      { attachments: [{ filename: 'a.txt', content: '' }] },
      { attachments: [{ content: '' }] },
    ],
    [
      'a calendar as it is',
      { attachments: [{ filename: 'a.ics', content: 'BEGIN:VCALENDAR\r\nEND:VCALENDAR' }] },
      { attachments: [{ content: Buffer.from('BEGIN:VCALENDAR\r\nEND:VCALENDAR').toString('base64') }] },
    ],
    [
      'an inline file',
      { html: '<img src="cid:i">', attachments: [{ filename: 'a.png', content: '', content_id: 'i' }] },
      { attachments: [{ cid: 'i' }] },
    ],
    [
      'an inline file by its earlier name',
      {
        html: '<img src="cid:i">',
        attachments: [{ filename: 'a.png', content: '', inline_content_id: 'i' }],
      },
      { attachments: [{ cid: 'i' }] },
    ],
  ])('with %s', (_case, fields, expected) => {
    expect(read(fields)).toMatchObject(expected);
  });

  test('and what asks for nothing is passed over', () => {
    const empty = {
      ...{ cc: [], bcc: null, reply_to: '', headers: [], tags: [], attachments: [], scheduled_at: null },
      ...{ template: null, topic_id: '', react: null, html: null, nobody_knows: null },
    };
    expect(read(empty)).toEqual(read());
  });

  test('with a long file as it was received', () => {
    const content = new LongBase64([Buffer.alloc(100_000, 'A')], false);
    const { input } = translate({ attachments: [{ filename: 'a.bin', content }] });
    expect((input.attachments as { content: unknown }[])[0]?.content).toBe(content);
  });

  test('with many bytes as a long file', () => {
    const bytes = Array.from({ length: 90_000 }, (_, index) => index % 256);
    const { input } = translate({ attachments: [{ filename: 'a.bin', content: bytes }] });
    const { content } = (input.attachments as { content: LongBase64 }[])[0]!;
    expect(content).toBeInstanceOf(LongBase64);
    expect(Buffer.from(content.slice(0), 'base64')).toEqual(Buffer.from(bytes));
  });
});

describe('a problem is at the field of Resend', () => {
  test.each<[Record<string, unknown>, string[]]>([
    [{ from: undefined }, ['FIELD_INVALID from']],
    [{ to: undefined }, ['RECIPIENT_MISSING to']],
    [{ to: [''] }, ['RECIPIENT_MISSING to']],
    [{ subject: null }, ['FIELD_INVALID subject']],
    [{ text: undefined }, ['BODY_MISSING text']],
    [{ to: ['a@x.example', 'b'] }, ['ADDRESS_INVALID to[1]']],
    [{ cc: 'b' }, ['ADDRESS_INVALID cc']],
    [{ reply_to: ['b'] }, ['ADDRESS_INVALID reply_to[0]']],
    [{ headers: { 'Reply-To': 'b' } }, ['ADDRESS_INVALID headers.Reply-To']],
    [
      { reply_to: 'r@x.example', headers: { 'Reply-To': 's@x.example' } },
      ['HEADER_NOT_CARRIED headers.Reply-To'],
    ],
    [{ headers: { Importance: 'very' } }, ['FIELD_INVALID headers.Importance']],
    [{ headers: { Importance: 'high', 'X-Priority': '1', 'X-Idempotency-Key': 'k' } }, []],
    [{ headers: { Importance: 'high', Priority: 'non-urgent' } }, ['HEADER_NOT_CARRIED headers.Priority']],
    [{ tags: [{ name: 'user', value: 'chan@fabrikam.example' }] }, ['FIELD_INVALID tags[0]']],
    [{ headers: { Date: 'now' } }, ['HEADER_NOT_CARRIED headers.Date']],
    [{ headers: ['x'] }, ['FIELD_INVALID headers']],
    [{ attachments: [{ filename: 'a' }] }, ['FIELD_INVALID attachments[0].content']],
    [{ attachments: [{ content: '' }] }, ['FIELD_INVALID attachments[0].filename']],
    [{ attachments: [{ filename: false, content: '' }] }, ['FIELD_INVALID attachments[0].filename']],
    [{ attachments: [{ filename: 'a', content: [256] }] }, ['FIELD_INVALID attachments[0].content']],
    [{ attachments: [{ filename: 'a', content: '!' }] }, ['BASE64_INVALID attachments[0].content']],
    [
      { attachments: [{ filename: 'a', path: 'https://x.example/a' }] },
      ['FACADE_FIELD_NOT_CARRIED attachments[0].path'],
    ],
    [
      { attachments: [{ filename: 'a', content: '', content_id: 'i', inline_content_id: 'j' }] },
      ['FIELD_REPEATED attachments[0].inline_content_id'],
    ],
    [
      { attachments: [{ filename: 'a', content: '', content_type: 'x' }] },
      ['FIELD_INVALID attachments[0].content_type'],
    ],
    [{ attachments: 'a' }, ['FIELD_INVALID attachments']],
    [
      { attachments: [{ filename: 'a', content: '', contentId: 'i' }] },
      ['FIELD_UNKNOWN attachments[0].contentId'],
    ],
    [{ tags: [{ name: 'a'.repeat(51) }] }, ['FIELD_INVALID tags[0]']],
    [{ tags: [{ name: '標', value: 'a' }] }, ['FIELD_INVALID tags[0]']],
    [{ tags: [{ value: 'a' }] }, ['FIELD_INVALID tags[0].name']],
    [{ tags: [{ name: 'a', value: {} }] }, ['FIELD_INVALID tags[0].value']],
    [{ tags: ['a'] }, ['FIELD_INVALID tags[0]']],
    [{ tags: Array.from({ length: 11 }, () => ({ name: 'a' })) }, ['FIELD_INVALID tags']],
    [{ scheduled_at: 'tomorrow at 9am' }, ['SEND_AT_INVALID scheduled_at']],
    [{ scheduled_at: 5 }, ['SEND_AT_INVALID scheduled_at']],
    [{ template: { id: 't' } }, ['FACADE_FIELD_NOT_CARRIED template']],
    [{ topic_id: 't' }, ['FACADE_FIELD_NOT_CARRIED topic_id']],
    [{ react: {} }, []],
    [{ react: { type: 'p' } }, ['FACADE_FIELD_NOT_CARRIED react']],
    [{ replyTo: 'r@x.example' }, ['FIELD_UNKNOWN replyTo']],
  ])('%j', (fields, expected) => {
    if (expected.length === 0) expect(read(fields)).toBeDefined();
    else {
      expect(problems(fields)).toEqual(expected);
      // In a batch, with the place of the email.
      expect(problems(fields, 2)).toEqual(expected.map((one) => one.replace(' ', ' [2].')));
    }
  });

  test.each([[null], [[]], ['text'], [5]])('an email that is none: %j', (body) => {
    expect(problemsOf(() => translateEmail(body, { after }))).toEqual(['FIELD_INVALID ']);
    expect(problemsOf(() => translateEmail(body, { after, index: 3 }))).toEqual(['FIELD_INVALID [3]']);
  });
});

describe('a new time of an email', () => {
  test('is read as in a new email', () => {
    expect(readUpdate({ scheduled_at: 'in 2 hours' }, after)).toBe('2026-11-26T14:00:00.000Z');
  });

  test.each<[unknown, string]>([
    [{}, 'SEND_AT_INVALID scheduled_at'],
    [null, 'FIELD_INVALID '],
    [{ scheduled_at: 'in 2 hours', subject: 'x' }, 'FIELD_UNKNOWN subject'],
  ])('is needed, and nothing else can be changed: %j', (body, problem) => {
    expect(problemsOf(() => readUpdate(body, after))).toEqual([problem]);
  });
});

test('only a distance depends on when it is read', () => {
  expect(
    [{ scheduled_at: 'in 1 min' }, { scheduled_at: NOW.toISOString() }, null, {}].map(namesDistance),
  ).toEqual([...[true, false, false, false]]);
});

const address = fc.stringMatching(/^[a-z]{1,8}@[a-z]{1,8}\.example$/);
const anything = fc.anything({ maxDepth: 3 });
const field = fc.constantFrom(
  ...[
    'from',
    'to',
    'cc',
    'bcc',
    'reply_to',
    'subject',
    'html',
    'text',
    'headers',
    'attachments',
    'tags',
    'scheduled_at',
  ],
  ...['template', 'topic_id', 'other', '__proto__', 'constructor'],
);

test('whatever is written, it is an email of the relay or a problem with fields of Resend', () => {
  const part = fc.oneof(
    anything,
    fc.array(
      fc.dictionary(fc.constantFrom('filename', 'content', 'content_id', 'path', 'name', 'value'), anything),
    ),
    fc.dictionary(fc.constantFrom('Reply-To', 'Importance', 'X-Priority', 'x-a', 'References'), anything),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(field, part), { maxLength: 4 }), (fields) => {
      try {
        const { input, fieldOf } = translate(Object.fromEntries(fields), 1);
        try {
          readMail(input);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          for (const { pointer } of withFields(error, fieldOf).facts.problems ?? []) {
            expect(pointer.startsWith('[1]')).toBe(true);
            expect(pointer).not.toMatch(/\/|replyTo|sendAt|contentType|\.cid/);
          }
        }
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('no recipient is lost', () => {
  const list = fc.oneof(address, fc.array(address, { maxLength: 5 }));
  fc.assert(
    fc.property(fc.array(address, { minLength: 1, maxLength: 5 }), list, list, (to, cc, bcc) => {
      const mail = read({ to, cc, bcc });
      const addresses = (some: readonly { address: string }[]) => some.map((one) => one.address);
      expect([addresses(mail.to), addresses(mail.cc), addresses(mail.bcc)]).toEqual([
        to,
        [cc].flat(),
        [bcc].flat(),
      ]);
    }),
  );
});
