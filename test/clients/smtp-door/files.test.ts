import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeBase64,
  decodeQuotedPrintable,
  transferEncodingOf,
} from '../../../clients/smtp-door/src/message/transfer-encoding.ts';
import { json, judge, message } from './judge.ts';

const HEAD = [
  'From: scanner@contoso.com',
  'To: chan@contoso.com',
  'Subject: Scan',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  'Content-Type: text/plain',
  '',
];
const LONG = 'x'.repeat(1200);

/** A message with a file, which must be built again where its text has a line that is too long. */
const withFile = (file: Buffer, encoding: string, type = 'text/csv', text = LONG): Buffer =>
  Buffer.concat([
    message(
      ...HEAD,
      text,
      '--b',
      `Content-Type: ${type}; name=file`,
      `Content-Transfer-Encoding: ${encoding}`,
      'Content-Disposition: attachment; filename=file',
      '',
    ),
    file,
    message('', '--b--'),
  ]);

const fileOf = async (bytes: Buffer): Promise<Buffer> => {
  const [file] = (await json(bytes)).attachments as readonly { readonly content: string }[];
  return Buffer.from(file?.content ?? '', 'base64');
};

const CSV = Buffer.from('1;Hans;1,00\r\n2;Lee;2,00\r\n');
const EVERY_BYTE = Buffer.from(Array.from({ length: 1024 }, (_, place) => place % 256));
const LATIN = Buffer.from('M\xfcller;Gr\xf6\xdfe\r\n', 'latin1');

describe('a file of a message that is built again has every byte that was sent', () => {
  test.each<[string, string, Buffer, Buffer, string?]>([
    ['text in 7bit', '7bit', CSV, CSV],
    ['text in 8bit', '8bit', LATIN, LATIN],
    [
      'text in quoted-printable',
      'quoted-printable',
      Buffer.from('1;a=3Db \t\r\n2;=\r\nc\r\n'),
      Buffer.from('1;a=b\r\n2;c\r\n'),
    ],
    ['text in base64', 'base64', Buffer.from(LATIN.toString('base64')), LATIN],
    [
      'an attached message',
      '7bit',
      Buffer.from('Subject: a\r\n\r\nText\r\n'),
      Buffer.from('Subject: a\r\n\r\nText\r\n'),
      'message/rfc822',
    ],
    [
      'a calendar',
      '7bit',
      Buffer.from('BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n\r\n'),
      Buffer.from('BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n\r\n'),
      'text/calendar',
    ],
    ['text that is shown elsewhere', '8bit', LATIN, LATIN, 'text/plain'],
    ['a file without an encoding', 'binary', EVERY_BYTE, EVERY_BYTE, 'image/tiff'],
    ['a file that says 8bit', '8bit', EVERY_BYTE, EVERY_BYTE, 'application/octet-stream'],
  ])('%s (%s)', async (_, encoding, sent, expected, type) => {
    expect(await fileOf(withFile(sent, encoding, type))).toEqual(expected);
  });

  test('also where it is the only reason to build it again', async () => {
    const sent = Buffer.from('II*\rscan\n');
    expect(await fileOf(withFile(sent, '8bit', 'image/tiff', 'Text'))).toEqual(sent);
    expect(await fileOf(withFile(sent, '7bit', 'text/csv', 'Text'))).toEqual(sent);
  });

  test('also where it is the whole message', async () => {
    const header = message(
      'From: scanner@contoso.com',
      'To: chan@contoso.com',
      'Content-Type: image/tiff; name=scan.tif',
      'Content-Transfer-Encoding: binary',
      '',
    );
    const file = Buffer.concat([EVERY_BYTE, Buffer.from('\r\n')]);
    expect(await fileOf(Buffer.concat([header, file]))).toEqual(file);
  });

  test('whatever its bytes are', async () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    await fc.assert(
      fc.asyncProperty(bytes, async (file) => {
        fc.pre(!/(?:^|[\r\n])--b/.test(file.toString('latin1')));
        expect(await fileOf(withFile(file, 'binary', 'image/tiff'))).toEqual(file);
      }),
      { numRuns: 100 },
    );
  });
});

test.each([
  ['LF', '\n'],
  ['CR', '\r'],
])(
  '%s in a message that ends all its lines with it is a new line, also in a file of text',
  async (_, end) => {
    const bytes = Buffer.from(
      withFile(CSV, '7bit', 'text/csv', 'Text').toString('latin1').replaceAll('\r\n', end),
      'latin1',
    );
    const judged = await judge(bytes);
    expect(judged).toMatchObject({ kind: 'email', contentType: 'message/rfc822' });
    expect(judged.text).toContain(CSV.toString());
  },
);

test('LF in a signed message is a new line, which its signature counts as CRLF', async () => {
  const signed = message(
    'From: scanner@contoso.com',
    'To: chan@contoso.com',
    'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; boundary=s',
    '',
    '--s',
    'Content-Type: application/xml',
    '',
    '<a/>',
    '--s',
    'Content-Type: application/pkcs7-signature',
    'Content-Transfer-Encoding: base64',
    '',
    'AAAA',
    '--s--',
  ).toString();
  const judged = await judge(Buffer.from(signed.replaceAll('\r\n', '\n')));
  expect(judged).toMatchObject({ contentType: 'message/rfc822' });
  expect(judged.text).toContain('<a/>\r\n--s');
});

describe('a file whose bytes nobody can know', () => {
  test.each([
    [
      'base64 with something else in it',
      'base64',
      '!!!!notb64',
      /Part 2 says that it is base64, and is cut off/,
    ],
    ['base64 that is cut off', 'base64', 'JVBERi0xLjQKJ', /Part 2 says that it is base64, and is cut off/],
    [
      'uuencode',
      'x-uuencode',
      'begin 644 a.pdf\r\n#0V%T\r\nend',
      /Part 2 has a Content-Transfer-Encoding that email does not know/,
    ],
  ])('is rejected: %s', async (_, encoding, content, text) => {
    const judged = await judge(withFile(Buffer.from(content), encoding, 'application/pdf', 'Text'));
    expect(judged).toMatchObject({ kind: 'refused', code: 550, text: expect.stringMatching(text) });
  });

  test.each([
    ['has no boundary', 'multipart/mixed', /A multipart has no boundary/],
    ['has another boundary than it says', 'multipart/mixed; boundary=c', /A multipart has no parts/],
  ])('is rejected: a multipart that %s', async (_, type, text) => {
    const judged = await judge(
      message(
        'From: a@contoso.com',
        'To: chan@contoso.com',
        `Content-Type: ${type}`,
        '',
        '--b',
        '',
        'Text',
        '--b--',
      ),
    );
    expect(judged).toMatchObject({ kind: 'refused', text: expect.stringMatching(text) });
  });
});

describe('the encodings of parts', () => {
  test.each([
    ['', 'as-is'],
    ['7bit', 'as-is'],
    ['8-Bit;', 'as-is'],
    ['"binary"', 'as-is'],
    ['(comment) BASE64', 'base64'],
    ['quoted-printable', 'quoted-printable'],
    ['x-uuencode', undefined],
    ['uu base64', undefined],
  ])('%j is %s', (value, expected) => {
    expect(transferEncodingOf(value)).toBe(expected);
  });

  test('base64 is decoded whatever its lines and its padding are', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 })),
        fc.boolean(),
        (pieces, isPadded) => {
          const lines = pieces.map((piece) => Buffer.from(piece).toString('base64'));
          const last = lines.pop() ?? '';
          const text = [...lines, isPadded ? last : last.replaceAll('=', '')].join('\r\n');
          expect(decodeBase64(Buffer.from(text))).toEqual(Buffer.concat(pieces));
        },
      ),
    );
  });

  test.each(['JVBERi0xLjQKJ', 'JVBERi0x!', 'J===', 'JVBERh', 'JV\0BE', 'JVB-_w=='])(
    '%j is no base64',
    (text) => {
      expect(decodeBase64(Buffer.from(text))).toBeUndefined();
    },
  );

  test.each([
    ['a=', 'a'],
    ['a= \t\r\nb', 'ab'],
    ['a=\nb', 'ab'],
    ['100 % = all', '100 % = all'],
    ['a  b  \r\n', 'a  b\r\n'],
    ['=c3=BC=C3=', '\xc3\xbc\xc3'],
    ['=0D=0A', '\r\n'],
  ])('quoted-printable %j is %j', (text, expected) => {
    expect(decodeQuotedPrintable(Buffer.from(text)).toString('latin1')).toBe(expected);
  });
});
