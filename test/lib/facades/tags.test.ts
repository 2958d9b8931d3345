import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toMail } from '../../../src/lib/facades/postmark-mail.ts';
import { translateEmail } from '../../../src/lib/facades/resend-mail.ts';
import { readSendGridRequest } from '../../../src/lib/facades/sendgrid-request.ts';
import { TAG_FORM, toTag } from '../../../src/lib/facades/tags.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { errorOf } from '../../support/problems-of.ts';

test.each([
  [['welcome'], 'welcome'],
  [['Order confirmation'], 'Order-confirmation'],
  [['a/b:c&d'], 'a-b-c-d'],
  [[' user ', ' 1 '], 'user.1'],
  [['user_id', '4711'], 'user_id.4711'],
  [['version', '1.2'], 'version.1.2'],
  [['x'.repeat(50)], 'x'.repeat(50)],
])('%j becomes a tag', (parts, tag) => expect(toTag(...parts)).toBe(tag));

test.each([
  ['is not ASCII', ['薪資']],
  ['is longer than a tag', ['x'.repeat(51)]],
  ['is too long with its value', ['x'.repeat(30), 'y'.repeat(20)]],
  ['may be an address, which must not be logged', ['chan@contoso.example']],
  ['has a line break', ['a\nb']],
  ['is empty', ['']],
  ['is blank', [' ']],
  ['has an empty name', ['', '4711']],
])('what %s is no tag', (_why, parts) => expect(toTag(...parts)).toBeUndefined());

test('what becomes a tag is one by the rules of an email', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const tag = toTag(text);
      if (tag !== undefined)
        expect(readMail({ to: 'a@b.example', subject: '', text: '', tags: [tag] }).tags).toEqual([tag]);
    }),
  );
});

const REFUSED = expect.objectContaining({ code: 'FIELD_INVALID', expected: TAG_FORM });
const problemsIn = (translate: () => unknown): unknown => errorOf(translate).facts.problems;

test('what may be an address is no tag of any provider', () => {
  const address = 'chan@contoso.example';
  const sendgrid = (more: object) => () =>
    readSendGridRequest({
      personalizations: [{ to: [{ email: 'a@b.example' }] }],
      from: { email: 'a@b.example' },
      ...more,
    });
  expect(problemsIn(sendgrid({ categories: [address] }))).toEqual([REFUSED]);
  expect(problemsIn(sendgrid({ custom_args: { user: address } }))).toEqual([REFUSED]);
  const resend = { from: 'a@b.example', to: 'a@b.example', subject: '', text: '' };
  expect(
    problemsIn(() =>
      translateEmail({ ...resend, tags: [{ name: 'user', value: address }] }, { after: () => new Date() }),
    ),
  ).toEqual([REFUSED]);
  const postmark = { From: 'a@b.example', To: 'a@b.example', TextBody: '' };
  expect(problemsIn(() => toMail({ ...postmark, Tag: address }))).toEqual([REFUSED]);
  expect(problemsIn(() => toMail({ ...postmark, Metadata: { user: address } }))).toEqual([REFUSED]);
});
