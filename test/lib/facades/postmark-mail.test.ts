import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError, type Problem } from '../../../src/lib/errors.ts';
import { fieldProblems } from '../../../src/lib/facades/field-rules.ts';
import { EMAIL_RULES } from '../../../src/lib/facades/postmark-fields.ts';
import { asTheirs, toMail } from '../../../src/lib/facades/postmark-mail.ts';
import { LongBase64 } from '../../../src/lib/mail/long-base64.ts';
import type { Mail } from '../../../src/lib/mail/mail-schema.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';

const EMAIL = {
  From: 'noreply@contoso.example',
  To: 'chan@fabrikam.example',
  Subject: 'Hello',
  TextBody: 'Hello!',
};

/** The email as the relay reads it. Throws what is wrong with it, at the fields of Postmark. */
const read = (written: unknown): Mail => {
  const mail = toMail(written);
  try {
    return readMail(mail.input);
  } catch (error) {
    throw error instanceof AppError ? asTheirs(error, mail.fieldOf) : error;
  }
};

const problemsOf = (written: unknown): readonly Problem[] => {
  try {
    read(written);
  } catch (error) {
    if (error instanceof AppError) return error.facts.problems ?? [];
    throw error;
  }
  return [];
};

const problem = (more: object) =>
  problemsOf({ ...EMAIL, ...more }).map(({ code, pointer }) => [code, pointer]);

describe('what Postmark calls its fields', () => {
  test('each field that is carried is one of ours', () => {
    const mail = read({
      From: 'Payroll <payroll@contoso.example>',
      To: '"Li, Wei" <wei@fabrikam.example>, chan@fabrikam.example',
      Cc: 'cc@fabrikam.example',
      Bcc: 'bcc@fabrikam.example',
      ReplyTo: 'a@contoso.example, b@contoso.example',
      Subject: 'Hello',
      TextBody: 'text',
      HtmlBody: '<img src="cid:logo">',
      Tag: 'password reset',
      Metadata: { order: '4711', 'is new': true, none: null },
      Headers: [
        { Name: 'X-Order', Value: '4711' },
        { Name: 'Message-ID', Value: '<1@contoso.example>' },
        { Name: 'In-Reply-To', Value: '<2@contoso.example>' },
        { Name: 'references', Value: '<3@contoso.example>' },
        { Name: 'X-Priority', Value: '5' },
        { Name: 'X-Idempotency-Key', Value: 'key-1' },
      ],
      Attachments: [
        {
          Name: 'a.txt',
          Content: 'YQ==',
          ContentType: 'text/plain',
          ContentID: null,
          Disposition: 'attachment',
        },
        { Name: 'logo.png', Content: 'YQ==', ContentType: 'image/png', ContentID: 'cid:logo' },
      ],
    });
    expect(mail).toMatchObject({
      from: { name: 'Payroll', address: 'payroll@contoso.example' },
      to: [{ name: 'Li, Wei', address: 'wei@fabrikam.example' }, { address: 'chan@fabrikam.example' }],
      cc: [{ address: 'cc@fabrikam.example' }],
      bcc: [{ address: 'bcc@fabrikam.example' }],
      replyTo: [{ address: 'a@contoso.example' }, { address: 'b@contoso.example' }],
      subject: 'Hello',
      text: 'text',
      html: '<img src="cid:logo">',
      tags: ['password-reset', 'order.4711', 'is-new.true'],
      headers: [{ name: 'X-Order', value: '4711' }],
      messageId: '<1@contoso.example>',
      inReplyTo: '<2@contoso.example>',
      references: ['<3@contoso.example>'],
      importance: 'low',
      idempotencyKey: 'key-1',
      attachments: [
        { filename: 'a.txt', content: 'YQ==' },
        { filename: 'logo.png', cid: 'logo' },
      ],
    });
  });

  test('names are known in any case, as clients for Java and .NET write ContentId', () => {
    const Attachments = [{ Name: 'a.png', Content: 'YQ==', ContentType: 'image/png', ContentId: 'cid:a' }];
    const mail = read({ ...EMAIL, HtmlBody: '<img src="cid:a">', Attachments, trackOpens: false });
    expect(mail.attachments).toMatchObject([{ cid: 'a' }]);
    expect(problem({ to: 'b@fabrikam.example' })).toEqual([['FIELD_REPEATED', 'To']]);
  });

  test.each<[string, object]>([
    ['no subject', { Subject: undefined }],
    ['a subject that is null', { Subject: null }],
    ['an empty text', { TextBody: '' }],
    ['an empty HTML', { TextBody: null, HtmlBody: '' }],
    ['no sender', { From: undefined }],
    ['empty lists and maps of PHP', { Headers: [], Attachments: [], Metadata: [] }],
    ['entries that are null', { Headers: [null], Attachments: [null] }],
    ['a header without a value', { Headers: [{ Name: 'X-Order', Value: null }] }],
    ['tracking that is off', { TrackOpens: false, TrackLinks: 'none', InlineCss: false }],
    ['its transactional stream', { MessageStream: 'outbound' }],
    [
      'several headers that say the same importance',
      {
        Headers: [
          { Name: 'X-Priority', Value: '1 (Highest)' },
          { Name: 'X-MSMail-Priority', Value: 'High' },
          { Name: 'Importance', Value: 'High' },
        ],
      },
    ],
    ['addresses in double quotes', { To: '"a@fabrikam.example","b@fabrikam.example"' }],
  ])('%s is accepted', (_case, more) => {
    expect(problem(more)).toEqual([]);
  });

  test.each<[object, string, string]>([
    [{ TrackOpens: true }, 'FACADE_FIELD_NOT_CARRIED', 'TrackOpens'],
    [{ TrackLinks: 'TextOnly' }, 'FACADE_FIELD_NOT_CARRIED', 'TrackLinks'],
    [{ MessageStream: 'broadcast' }, 'FACADE_FIELD_NOT_CARRIED', 'MessageStream'],
    [{ TemplateId: 1 }, 'FACADE_FIELD_NOT_CARRIED', 'TemplateId'],
    [{ TemplateModel: { a: 1 } }, 'FACADE_FIELD_NOT_CARRIED', 'TemplateModel'],
    [{ InlineCss: true }, 'FACADE_FIELD_NOT_CARRIED', 'InlineCss'],
    [{ ReplyTo2: 'x' }, 'FIELD_UNKNOWN', 'ReplyTo2'],
    [{ 'a@b.example': 'x' }, 'FIELD_UNKNOWN', ''],
    [{ To: ['a@fabrikam.example'] }, 'FIELD_INVALID', 'To'],
    [{ To: 'nobody' }, 'ADDRESS_INVALID', 'To'],
    [{ To: '' }, 'RECIPIENT_MISSING', 'To'],
    [{ From: 'a@b.example, c@d.example' }, 'ADDRESS_INVALID', 'From'],
    [{ ReplyTo: 'nobody' }, 'ADDRESS_INVALID', 'ReplyTo'],
    [{ Subject: 'a\r\nBcc: x@y.example' }, 'LINE_BREAK_NOT_ALLOWED', 'Subject'],
    [{ TextBody: null }, 'BODY_MISSING', 'TextBody'],
    [{ HtmlBody: 1 }, 'FIELD_INVALID', 'HtmlBody'],
    [{ Tag: 1 }, 'FIELD_INVALID', 'Tag'],
    [{ Tag: '通知' }, 'FIELD_INVALID', 'Tag'],
    [{ Tag: 'x'.repeat(51) }, 'FIELD_INVALID', 'Tag'],
    [{ Metadata: { order: 'é' } }, 'FIELD_INVALID', 'Metadata.order'],
    [{ Metadata: { order: {} } }, 'FIELD_INVALID', 'Metadata.order'],
    [{ Metadata: { 'x@y.example': 'é' } }, 'FIELD_INVALID', 'Metadata'],
    [{ Metadata: 'x' }, 'FIELD_INVALID', 'Metadata'],
    [
      { Metadata: Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`k${at}`, 'v'])) },
      'FIELD_INVALID',
      'Tag and Metadata',
    ],
    [{ Headers: { 'X-Order': '1' } }, 'FIELD_INVALID', 'Headers'],
    [{ Headers: ['x'] }, 'FIELD_INVALID', 'Headers[0]'],
    [{ Headers: [{ Name: 1, Value: 'x' }] }, 'FIELD_INVALID', 'Headers[0].Name'],
    [{ Headers: [{ Name: 'X-A', Value: 1 }] }, 'FIELD_INVALID', 'Headers[0]'],
    [{ Headers: [{ Name: 'References', Value: 1 }] }, 'FIELD_INVALID', 'Headers[0].Value'],
    [{ Headers: [{ Name: 'To', Value: 'x@y.example' }] }, 'HEADER_NOT_CARRIED', 'Headers[0]'],
    [{ Headers: [{ Name: 'x-pm-tag', Value: 'x' }] }, 'FACADE_FIELD_NOT_CARRIED', 'Headers[0].Name'],
    [{ Tag: 'user chan@fabrikam.example' }, 'FIELD_INVALID', 'Tag'],
    [{ Headers: [{ Name: '__proto__', Value: 'x' }] }, 'HEADER_NOT_CARRIED', 'Headers[0].Name'],
    [{ Headers: [{ Name: 'X-Idempotency-Key', Value: 'a b' }] }, 'IDEMPOTENCY_KEY_INVALID', 'Headers[0]'],
    [{ Headers: [{ Name: 'Importance', Value: 'very' }] }, 'FIELD_INVALID', 'Headers[0]'],
    [
      {
        Headers: [
          { Name: 'X-A', Value: '1' },
          { Name: 'x-a', Value: '2' },
        ],
      },
      'FIELD_REPEATED',
      'Headers[1]',
    ],
    [
      { ReplyTo: 'a@contoso.example', Headers: [{ Name: 'Reply-To', Value: 'b@contoso.example' }] },
      'FIELD_REPEATED',
      'Headers[0]',
    ],
    [{ Attachments: {}, Cc: '' }, 'FIELD_INVALID', 'Attachments'],
    [{ Attachments: ['x'] }, 'FIELD_INVALID', 'Attachments[0]'],
    [{ Attachments: [null, { Name: 'a.txt', Content: '%' }] }, 'BASE64_INVALID', 'Attachments[1].Content'],
    [{ Attachments: [{ Name: '', Content: 'YQ==' }] }, 'FIELD_INVALID', 'Attachments[0].Name'],
    [{ Attachments: [{ Name: 'a', Content: 'YQ==', Path: 'x' }] }, 'FIELD_UNKNOWN', 'Attachments[0].Path'],
    [
      { Attachments: [{ Name: 'a', Content: 'YQ==', Disposition: 'form-data' }] },
      'FIELD_INVALID',
      'Attachments[0].Disposition',
    ],
  ])('%j is refused: %s at %s', (more, code, pointer) => {
    expect(problem(more)).toEqual([[code, pointer]]);
  });

  test('what is expected is said with the fields of Postmark', () => {
    const [header] = problemsOf({ ...EMAIL, Headers: [{ Name: 'Subject', Value: 'x' }] });
    expect(header?.expected).toBe('the field `Subject` instead of this header');
    const [receipt] = problemsOf({ ...EMAIL, Headers: [{ Name: 'Return-Receipt-To', Value: 'x' }] });
    expect(receipt?.expected).toContain('`deliveryReceipt` of POST /api/v1/mail');
    expect(problemsOf({ ...EMAIL, TextBody: null })[0]?.expected).toBe('TextBody or HtmlBody');
  });

  test.each([null, undefined, 1, 'x', [], [EMAIL]])('%j is not an email', (written) => {
    expect(problemsOf(written)).toMatchObject([{ pointer: '', expected: 'an email as a JSON object' }]);
  });
});

describe('long base64', () => {
  const long = new LongBase64([Buffer.from('YWJj'.repeat(20_000))], false);

  test('is passed on as the chunks in which it was received', () => {
    const { input } = toMail({ ...EMAIL, Attachments: [{ Name: 'a.bin', Content: long }] });
    expect((input.attachments as readonly { content: unknown }[])[0]?.content).toBe(long);
  });

  test('asks for something in a field that is not carried', () => {
    expect([...fieldProblems({ TemplateAlias: long }, EMAIL_RULES)]).toHaveLength(1);
    expect([...fieldProblems({ Unknown: long }, EMAIL_RULES)]).toHaveLength(1);
  });

  test.each(Object.keys(EMAIL_RULES))('in %s never throws anything but a problem', (name) => {
    expect(() => problemsOf({ ...EMAIL, [name]: long })).not.toThrow();
  });
});

describe('whatever an application sends', () => {
  const address = fc
    .tuple(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), fc.stringMatching(/^[a-z]{1,8}$/))
    .map(([local, domain]) => `${local}@${domain}.example`);
  const name = fc.string({
    unit: fc.constantFrom('a', 'B', ' ', ',', '.', '@', '(', ')', 'é', '陳'),
    maxLength: 12,
  });
  const written = fc
    .tuple(name, address)
    .map(([shown, one]) => (shown.trim() === '' ? one : `"${shown}" <${one}>`));
  const addresses = fc.array(fc.tuple(written, address), { maxLength: 8 });

  test('no recipient is lost, none is added, and none moves from one list to another', () => {
    const list = fc.array(written, { maxLength: 6 });
    fc.assert(
      fc.property(list, list, list, (to, cc, bcc) => {
        fc.pre(to.length + cc.length + bcc.length > 0);
        const mail = read({ ...EMAIL, To: to.join(', '), Cc: cc.join(','), Bcc: bcc.join(' , ') });
        const bare = (one: string) => /<?([^<>\s]+@[^<>\s]+)>?$/.exec(one)?.[1];
        expect([mail.to, mail.cc, mail.bcc].map((found) => found.map((one) => one.address))).toEqual(
          [to, cc, bcc].map((given) => given.map(bare)),
        );
      }),
    );
    fc.assert(
      fc.property(addresses, (pairs) => {
        fc.pre(pairs.length > 0);
        const quoted = pairs.map(([, one]) => `"${one}"`).join(',');
        expect(read({ ...EMAIL, To: quoted }).to.map((one) => one.address)).toEqual(
          pairs.map(([, one]) => one),
        );
      }),
    );
  });

  const FIELD =
    /^(?:From|To|Cc|Bcc|ReplyTo|Subject|TextBody|HtmlBody|Tag|Tag and Metadata|Metadata(?:\.[\w-]+)?|Headers(?:\[\d+\](?:\.[\w-]+)?)?|Attachments(?:\[\d+\](?:\.[\w-]+)?)?|MessageStream|Track\w+|Template\w+|InlineCss|[A-Za-z][\w-]*)?$/;

  test('it is translated, or refused with problems at fields of Postmark, without a word of what was sent', () => {
    const canary = fc.constantFrom(
      'Canary',
      'canary@x.example',
      'canary\n',
      '<canary@x>',
      'cid:canary',
      '%canary',
    );
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      canary,
      fc.constant(null),
      fc.integer(),
      fc.boolean(),
    );
    const pair = fc.record(
      { Name: fc.oneof(fc.constantFrom('X-A', 'Reply-To', 'References', 'Importance'), value), Value: value },
      { requiredKeys: [] },
    );
    const file = fc.record(
      { Name: value, Content: value, ContentType: value, ContentID: value, Disposition: value },
      { requiredKeys: [] },
    );
    const email = fc.record(
      {
        ...Object.fromEntries(Object.keys(EMAIL_RULES).map((field) => [field, value])),
        Headers: fc.oneof(value, fc.array(fc.oneof(pair, value), { maxLength: 4 })),
        Attachments: fc.oneof(value, fc.array(fc.oneof(file, value), { maxLength: 3 })),
        Metadata: fc.oneof(
          value,
          fc.dictionary(fc.oneof(canary, fc.string({ maxLength: 5 })), value, { maxKeys: 4 }),
        ),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(email, fc.jsonValue()), (sent) => {
        for (const { pointer, expected, received } of problemsOf(sent)) {
          expect(pointer).toMatch(FIELD);
          expect(`${expected} ${received}`.toLowerCase()).not.toContain('canary');
        }
      }),
      { numRuns: 200 },
    );
  });
});
