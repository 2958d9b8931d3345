import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { toMail } from '../../../src/lib/facades/postmark-mail.ts';
import { translateEmail } from '../../../src/lib/facades/resend-mail.ts';

/** A field that is undefined is not there after an email was stored, and its hash would be another. */
const expectSameAfterStoring = (translate: () => { readonly input: unknown }): void => {
  try {
    const { input } = translate();
    expect(input).toStrictEqual(JSON.parse(JSON.stringify(input)));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
};

const RESEND = ['from', 'to', 'cc', 'reply_to', 'subject', 'html', 'text', 'headers', 'attachments', 'tags'];
const POSTMARK = ['From', 'To', 'Cc', 'ReplyTo', 'Subject', 'HtmlBody', 'TextBody', 'Headers', 'Attachments'];
const INNER = [
  'filename',
  'content',
  'content_id',
  'content_type',
  'name',
  'value',
  'Name',
  'Content',
  'Value',
];
const more = [
  ...INNER,
  'ContentID',
  'ContentType',
  'X-Order',
  'References',
  'X-Priority',
  'X-Idempotency-Key',
];

/** What serialisers write in the place of a field. */
const { any: value } = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(null, '', 'YQ==', 'a@b.example', '<a@b.example>', 'cid:a', 5, true, '<img src="cid:a">'),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...more), tie('any'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const fields = (names: readonly string[]) =>
  fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4, noNullPrototype: true });

test('an email of Resend is the same after it was stored, so that it is known by its hash', () => {
  const email = { from: 'a@b.example', to: 'a@b.example', subject: 'a', html: '<img src="cid:a">' };
  const translate = (body: object) => () => translateEmail(body, { after: () => new Date(0) });
  fc.assert(
    fc.property(fields(RESEND), (own) => expectSameAfterStoring(translate({ ...email, ...own }))),
    {
      numRuns: 500,
    },
  );
  const files = [
    { filename: 'a.png', content: 'YQ==' },
    { filename: 'b.png', content: 'YQ==', content_id: 'b' },
  ];
  const { input } = translate({ ...email, attachments: files, tags: [null] })();
  expect(input).toStrictEqual(JSON.parse(JSON.stringify(input)));
});

test('an email of Postmark is the same after it was stored, so that it is known by its hash', () => {
  const email = { From: 'a@b.example', To: 'a@b.example', HtmlBody: '<img src="cid:a">' };
  fc.assert(
    fc.property(fields(POSTMARK), (own) => expectSameAfterStoring(() => toMail({ ...email, ...own }))),
    {
      numRuns: 500,
    },
  );
  const files = [{ Name: 'a.png', Content: 'YQ==' }, null, { Name: 'b', Content: 'YQ==', ContentID: 'b' }];
  const { input } = toMail({ ...email, Attachments: files });
  expect(input).toStrictEqual(JSON.parse(JSON.stringify(input)));
});
