import fc from 'fast-check';
import { expect } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import type { Mail } from '../../../src/lib/mail/mail-schema.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';

/** The base64 of a file in the email. */
export const contentOf = (file: Mail['attachments'][number]): string =>
  'content' in file ? String(file.content) : '';

/** Text has CRLF inside MIME; and a message ends with a line end, which is no part of a text. */
export const asText = (text: string | undefined): string | undefined =>
  text?.replaceAll(/\r\n|\r|\n/g, '\n').replace(/\n+$/, '');

/** Blanks at the ends of a header mean nothing. */
export const asLine = (text: string): string => text.replaceAll(/^[ \t]+|[ \t]+$/g, '');

/** Domains in other scripts travel in their ASCII form (IDNA). */
export const asAddress = ({
  name = '',
  address = '',
}: {
  name?: string | undefined;
  address?: string | undefined;
}) => {
  const at = address.lastIndexOf('@');
  return { name, address: `${address.slice(0, at)}@${new URL(`http://${address.slice(at + 1)}`).hostname}` };
};

/** Texts of every script, with what has a meaning in MIME. */
const piece = fc.oneof(
  { weight: 12, arbitrary: fc.string({ unit: 'grapheme', maxLength: 30 }) },
  // Seldom, as two of them are too long for most fields.
  {
    weight: 1,
    arbitrary: fc.constantFrom('a'.repeat(990), '"'.repeat(500), '"\\'.repeat(40), ' '.repeat(200)),
  },
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      '薪資單',
      '=?UTF-8?Q?a?=',
      '"',
      '\\',
      ', ',
      '<a@b.cc>',
      '. ',
      'é',
      '👩‍👩‍👧',
      '  ',
      'a'.repeat(90),
      '=?utf-8?b?YQ==?=',
      '=?',
      '文'.repeat(70),
      '(c)',
      "'",
      ';',
      ':',
      '%41',
    ),
  },
);
const line = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''));
const bodyWith = (boundary: string) =>
  fc
    .array(
      fc.oneof(
        line,
        fc.constantFrom(
          '.',
          '..',
          'From me',
          '',
          '--',
          `--${boundary}`,
          'x'.repeat(2000),
          'a =3D b',
          'blank ',
        ),
      ),
      {
        minLength: 1,
        maxLength: 8,
      },
    )
    .chain((lines) => fc.constantFrom('\n', '\r\n', '\r').map((end) => lines.join(end)));
const address = fc.constantFrom(
  'chan@contoso.example',
  "o'hara+x@b.cc",
  'a@薪資.example',
  '1.2_3@sub.b-c.dd',
);
const person = fc.record({ name: line, address });
const people = fc.array(person, { maxLength: 3 });
const file = fc.record({
  filename: line,
  bytes: fc.uint8Array({ maxLength: 300 }),
  contentType: fc.constantFrom(
    'application/pdf',
    'text/plain; charset=utf-16',
    'message/rfc822',
    'text/html',
  ),
});
const header = fc.tuple(fc.constantFrom('x-a', 'X-Order', 'Comments', 'Organization'), line);

/** An email of an application, valid or not; its bodies may have a line that begins like the boundary given. */
export const anyMail = (boundary: string) =>
  fc.record({
    to: fc.array(person, { minLength: 1, maxLength: 3 }),
    cc: people,
    bcc: people,
    replyTo: people,
    subject: fc.oneof(line, fc.constant('')),
    text: bodyWith(boundary),
    html: bodyWith(boundary),
    files: fc.array(file, { maxLength: 3 }),
    headers: fc.array(header, { maxLength: 4 }).map((some) => Object.fromEntries(some)),
  });

type Generated = ReturnType<typeof anyMail> extends fc.Arbitrary<infer Value> ? Value : never;

/** The mail where it is valid; what is refused says so, and cannot be damaged. */
export const tryToRead = ({ files, html, ...rest }: Generated): Mail | undefined => {
  try {
    return readMail({
      ...rest,
      html: `${html}<img src="cid:logo">`,
      attachments: [
        { filename: 'logo.png', content: 'AAEC', cid: 'logo' },
        ...files.map(({ bytes, ...file }) => ({ ...file, content: Buffer.from(bytes).toString('base64') })),
      ],
    });
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    return undefined;
  }
};
