import { describe, expect, test } from 'vitest';
import { toMail } from '../../../src/lib/facades/postmark-mail.ts';
import { translateEmail } from '../../../src/lib/facades/resend-mail.ts';
import { readSendGridRequest } from '../../../src/lib/facades/sendgrid-request.ts';
import { contentIdOf } from '../../../src/lib/facades/shown-files.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';

type File = { readonly id?: unknown; readonly disposition?: string };

/** An email with an html and files of each provider, as the relay reads it. */
const PROVIDERS: Readonly<Record<string, (html: string | null, files: readonly File[]) => unknown>> = {
  sendgrid: (html, files) =>
    readSendGridRequest({
      personalizations: [{ to: [{ email: 'a@fabrikam.example' }] }],
      from: { email: 'noreply@contoso.example' },
      subject: 'Hello',
      content: [
        { type: 'text/plain', value: 'Hello' },
        ...(html === null ? [] : [{ type: 'text/html', value: html }]),
      ],
      attachments: files.map(({ id, disposition }, index) => ({
        filename: `${index}.png`,
        content: 'YQ==',
        disposition,
        content_id: id,
      })),
    }).mails[0]?.input,
  resend: (html, files) =>
    translateEmail(
      {
        ...{
          from: 'noreply@contoso.example',
          to: 'a@fabrikam.example',
          subject: 'Hello',
          text: 'Hello',
          html,
        },
        attachments: files.map(({ id }, index) => ({
          filename: `${index}.png`,
          content: 'YQ==',
          content_id: id ?? null,
        })),
      },
      { after: () => new Date() },
    ).input,
  postmark: (html, files) =>
    toMail({
      ...{ From: 'noreply@contoso.example', To: 'a@fabrikam.example', Subject: 'Hello', TextBody: 'Hello' },
      HtmlBody: html,
      Attachments: files.map(({ id, disposition }, index) => ({
        Name: `${index}.png`,
        Content: 'YQ==',
        Disposition: disposition,
        ContentID: id,
      })),
    }).input,
};

const cidsOf = (provider: string, html: string | null, files: readonly File[]) =>
  readMail(PROVIDERS[provider]?.(html, files)).attachments.map(({ cid }) => cid);
const LOGO = '<img src="cid:logo">';

describe.each(Object.keys(PROVIDERS))('a file of %s', (provider) => {
  test.each<[string, string | null, readonly File[], readonly (string | undefined)[]]>([
    ['whose id the html shows is inline', LOGO, [{ id: 'logo' }], ['logo']],
    ['is so in either case', LOGO, [{ id: 'Logo' }], ['Logo']],
    [
      'is so however its id is written',
      `${LOGO}<img src="cid:a">`,
      [{ id: '<logo>' }, { id: 'cid:a' }],
      ['logo', 'a'],
    ],
    [
      'whose id the html does not show is an attachment',
      LOGO,
      [{ id: 'logo' }, { id: 'other' }],
      ['logo', undefined],
    ],
    ['with an id in an email without html is an attachment', null, [{ id: 'logo' }], [undefined]],
    [
      'with an id that only a link names is an attachment',
      '<a href="cid:logo">',
      [{ id: 'logo' }],
      [undefined],
    ],
    [
      'of several with one id that nothing shows is an attachment',
      '<p>',
      [{ id: 'a' }, { id: 'a' }],
      [undefined, undefined],
    ],
    ['that cannot be an id, and is not shown, is an attachment', '<p>', [{ id: 'a b' }], [undefined]],
  ])('%s', (_rule, html, files, cids) => expect(cidsOf(provider, html, files)).toEqual(cids));
});

describe.each(['sendgrid', 'postmark'])('a file of %s with a disposition', (provider) => {
  test.each<[string, File, string | undefined]>([
    [
      'is shown where the html shows it, whatever its disposition',
      { id: 'logo', disposition: 'attachment' },
      'logo',
    ],
    [
      'is an attachment where nothing shows it, also one that is inline',
      { id: 'x', disposition: 'inline' },
      undefined,
    ],
    ['is an attachment without an id, also one that is inline', { disposition: 'Inline' }, undefined],
  ])('%s', (_rule, file, cid) => expect(cidsOf(provider, LOGO, [file])).toEqual([cid]));
});

test('a content id that is no text stays what it is, so that it is refused', () => {
  expect(contentIdOf(5)).toBe(5);
});

test('of several emails of one request, each shows the files that its own html does', () => {
  const { mails } = readSendGridRequest({
    personalizations: [
      { to: [{ email: 'a@fabrikam.example' }], substitutions: { '{{logo}}': 'red' } },
      { to: [{ email: 'b@fabrikam.example' }], substitutions: { '{{logo}}': 'blue' } },
    ],
    from: { email: 'noreply@contoso.example' },
    subject: 'Hello',
    content: [{ type: 'text/html', value: '<img src="cid:{{logo}}">' }],
    attachments: ['red', 'blue'].map((id) => ({ filename: `${id}.png`, content: 'YQ==', content_id: id })),
  });
  expect(mails.map(({ input }) => readMail(input).attachments.map(({ cid }) => cid))).toEqual([
    ['red', undefined],
    [undefined, 'blue'],
  ]);
});
