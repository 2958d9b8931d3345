import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const base64 = (text: string | Buffer): string => Buffer.from(text as string).toString('base64');
const lines = (...some: readonly string[]): string => `${some.join('\r\n')}\r\n`;

const HEADER = {
  From: 'Contoso <noreply@contoso.example>',
  To: 'chan@contoso.example',
  Subject: 'Pay slip',
  Date: 'Mon, 02 Mar 2026 08:00:00 +0000',
  'Message-ID': '<a@contoso.example>',
  'MIME-Version': '1.0',
};

/** A message that is fine as it is; a list gives a field several times. */
const aMessage = (
  override: Readonly<Record<string, string | readonly string[] | undefined>> = {},
  body = lines('Your pay slip is ready.'),
): string =>
  `${Object.entries({ ...HEADER, ...override })
    .flatMap(([name, value]) => [value ?? []].flat().map((one) => `${name}: ${one}\r\n`))
    .join('')}\r\n${body}`;

const read = (message: string | Buffer, beside: Record<string, unknown> = {}) =>
  readMail({ mime: base64(message), ...beside });
const problems = (message: string | Buffer) => problemsOf(() => read(message));
const expectedOf = (message: string | Buffer) =>
  errorOf(() => read(message)).facts.problems?.map(({ expected }) => expected);

describe('a whole message says whom it is from and for', () => {
  test('in its header', () => {
    const { from, to, cc, bcc, subject } = read(
      aMessage({
        To: '"Chan, Tai-man" <chan@contoso.example>, lee@contoso.example',
        Cc: '=?UTF-8?B?546L?= <wong@contoso.example>',
        Bcc: 'audit@contoso.example',
      }),
    );
    expect({ from, to, cc, bcc, subject }).toEqual({
      from: { address: 'noreply@contoso.example' },
      to: [{ address: 'chan@contoso.example' }, { address: 'lee@contoso.example' }],
      cc: [{ address: 'wong@contoso.example' }],
      bcc: [{ address: 'audit@contoso.example' }],
      subject: 'Pay slip',
    });
  });

  test('with addresses over several lines, and an empty group', () => {
    const message = aMessage({
      To: 'undisclosed-recipients:;',
      Bcc: 'a@contoso.example,\r\n\tb@contoso.example',
    });
    expect([read(message).to, read(message).bcc.map(({ address }) => address)]).toEqual([
      [],
      ['a@contoso.example', 'b@contoso.example'],
    ]);
  });

  test('and leaves to the fields what the relay does with it', () => {
    const { idempotencyKey, onUnknown, tags } = read(aMessage(), {
      idempotencyKey: 'k',
      onUnknown: 'hold',
      tags: ['a'],
    });
    expect({ idempotencyKey, onUnknown, tags }).toEqual({
      idempotencyKey: 'k',
      onUnknown: 'hold',
      tags: ['a'],
    });
  });

  test('every other field is refused by its name, unless it says nothing', () => {
    expect(
      problemsOf(() => read(aMessage(), { subject: 'x', to: 'a@b.cc', saveToSentItems: false, zzz: 1 })),
    ).toEqual([
      'MIME_EXCLUDES_FIELD /to',
      'MIME_EXCLUDES_FIELD /subject',
      'MIME_EXCLUDES_FIELD /saveToSentItems',
      'FIELD_UNKNOWN /zzz',
    ]);
    expect(read(aMessage(), { subject: null, cc: [], text: '' }).subject).toBe('Pay slip');
  });

  test('a fault of the message and a field beside it are told together', () => {
    expect(problemsOf(() => readMail({ mime: '', subject: 'x' })).sort()).toEqual([
      'MIME_EXCLUDES_FIELD /subject',
      'MIME_INVALID /mime',
    ]);
  });
});

describe('its bytes stay as they are', () => {
  const bytesOf = (message: string | Buffer) => read(message).raw?.bytes.toString('latin1');

  test('where every line ends in CRLF', () => {
    expect(bytesOf(aMessage())).toBe(aMessage());
  });

  test('LF alone at the end of a line becomes CRLF, also in a part and in an only body', () => {
    const bodies = [
      'a\r\n\r\nb\r\n',
      '--b\r\nContent-Type: text/plain\r\n\r\n\r\na\r\n--b\r\n\r\nc\r\n--b--\r\n',
    ];
    for (const body of bodies) {
      const message = aMessage(
        body.startsWith('-') ? { 'Content-Type': 'multipart/mixed; boundary=b' } : {},
        body,
      );
      expect(bytesOf(message.replaceAll('\r\n', '\n'))).toBe(message);
      expect(bytesOf(message.slice(0, -body.length) + body.replaceAll('\r\n', '\n'))).toBe(message);
    }
  });

  test('LF becomes CRLF where headers are removed', () => {
    const message = aMessage({ Received: 'from a\r\n\tby b', 'X-Order': '7' });
    expect(bytesOf(message.replaceAll('\r\n', '\n'))).toBe(aMessage({ 'X-Order': '7' }));
  });

  test('but for headers of an earlier journey, and those that are the relay’s or Exchange’s', () => {
    const message = aMessage({
      Received: ['from a', 'from b\r\n\tby c'],
      'Return-Path': '<a@b.cc>',
      'DKIM-Signature': 'v=1;\r\n d=contoso.example',
      'X-MailRelay-Id': 'x',
      'X-MS-Exchange-Organization-SCL': '-1',
      'X-Order': '7',
    });
    expect(bytesOf(message)).toBe(aMessage({ 'X-Order': '7' }));
    expect(read(message).raw?.removed).toEqual([
      'Received',
      'Return-Path',
      'DKIM-Signature',
      'X-MailRelay-Id',
      'X-MS-Exchange-Organization-SCL',
    ]);
    expect(read(message).raw?.uncertain).toEqual(['X-Order']);
  });

  test('and what a message needs and lacks is known', () => {
    const bare = aMessage({ Date: undefined, 'Message-ID': undefined, 'MIME-Version': undefined });
    expect(read(bare).raw?.missing).toEqual(['Date', 'Message-ID', 'MIME-Version']);
    expect(read(aMessage()).raw?.missing).toEqual([]);
  });
});

describe('a file for a pickup directory has its envelope in it', () => {
  const receivers = (...addresses: readonly string[]) => ({
    'X-Receiver': addresses,
    'X-Sender': HEADER.From,
  });

  test('whom To and Cc do not name is in Bcc, and nobody sees the envelope', () => {
    const message = aMessage(receivers('chan@contoso.example', 'Audit <AUDIT@contoso.example>'));
    expect(read(message).bcc).toEqual([{ address: 'AUDIT@contoso.example' }]);
    expect(read(message).raw?.bytes.toString()).toBe(`Bcc: AUDIT@contoso.example\r\n${aMessage()}`);
  });

  test('a Bcc that is there stands once', () => {
    const message = aMessage({ Bcc: 'a@b.cc', ...receivers('chan@contoso.example', 'a@b.cc') });
    expect(read(message).raw?.bytes.toString()).toBe(`Bcc: a@b.cc\r\n${aMessage()}`);
  });

  test('an envelope that leaves somebody out, or is of another sender, is refused', () => {
    expect(expectedOf(aMessage(receivers('a@b.cc')))).toEqual([
      'no X-Receiver headers, or one for each address of To, Cc and Bcc',
    ]);
    expect(expectedOf(aMessage({ 'X-Sender': 'ceo@contoso.example' }))).toEqual([
      'no header X-Sender, or the same address as in From',
    ]);
  });
});

describe('what mail servers would refuse, or read otherwise, is refused', () => {
  const multipart = (type: string, body: string) => aMessage({ 'Content-Type': type }, body);
  const mixed = 'multipart/mixed; boundary="b"';
  const nested = (levels: number): string =>
    multipart(
      'multipart/mixed; boundary="b0"',
      `${Array.from({ length: levels }, (_, n) => `--b${n}\r\nContent-Type: multipart/mixed; boundary="b${n + 1}"\r\n\r\n`).join('')}`,
    );

  test.each<[string, string | Buffer, string]>([
    ['nothing', '', 'a message with a header and a body, not an empty one'],
    [
      'only a header',
      aMessage().slice(0, aMessage().indexOf('\r\n\r\n') + 2),
      'an empty line between the header and the body',
    ],
    [
      'a CR alone, which begins a header for some readers',
      aMessage({ Subject: 'hi\rBcc: a@b.cc' }),
      'CRLF at the end of every line, and no CR without LF',
    ],
    ['a CR alone in the body', aMessage({}, 'a\rb'), 'CRLF at the end of every line, and no CR without LF'],
    ['a CR at the end', aMessage({}, 'a\r'), 'CRLF at the end of every line, and no CR without LF'],
    ['two CRs before LF', aMessage({}, 'a\r\r\n'), 'CRLF at the end of every line, and no CR without LF'],
    [
      'CR at the end of every line',
      aMessage().replaceAll('\r\n', '\r'),
      'CRLF at the end of every line, and no CR without LF',
    ],
    [
      'an LF in a header whose lines end in CRLF',
      aMessage({ Subject: 'hi\nBcc: a@b.cc' }),
      'CRLF at the end of every line of a header, or LF at the end of every line: in line 3 of the header, it changes',
    ],
    [
      'an LF in the first line of such a header',
      `X-A: a\nBcc: a@b.cc\r\n${aMessage()}`,
      'CRLF at the end of every line of a header, or LF at the end of every line: in line 2 of the header, it changes',
    ],
    [
      'an empty line of LFs in such a header',
      aMessage({ Subject: 'hi\n\nanother body' }),
      'CRLF at the end of every line of a header, or LF at the end of every line: in line 3 of the header, it changes',
    ],
    [
      'an LF in the header of a part whose boundary line ends in CRLF',
      multipart(mixed, '--b\r\nX-A: a\n\nanother body\r\n\r\n\r\n--b--\r\n'),
      'CRLF at the end of every line of a header, or LF at the end of every line: in line 1 of the header, it changes (of part 1)',
    ],
    ['a NUL', aMessage({}, 'a\0b'), 'a message without NUL bytes'],
    ['no From', aMessage({ From: undefined }), 'exactly one address in the header From'],
    ['two addresses in From', aMessage({ From: 'a@b.cc, d@e.ff' }), 'exactly one address in the header From'],
    ['two headers From', aMessage({ From: ['a@b.cc', 'd@e.ff'] }), 'the header From once'],
    ['two headers To', aMessage({ To: ['a@b.cc', 'd@e.ff'] }), 'the header To once'],
    ['two subjects', aMessage({ Subject: ['a', 'b'] }), 'the header Subject once'],
    [
      'another Sender',
      aMessage({ Sender: 'ceo@contoso.example' }),
      'no header Sender, or the same address as in From',
    ],
    [
      'Resent- headers',
      aMessage({ 'Resent-To': 'a@b.cc' }),
      'a message without Resent- headers, which name other recipients',
    ],
    [
      'an mbox line',
      `From a@b.cc Mon Mar 2\r\n${aMessage()}`,
      'a field such as Subject: text in line 1 of the header',
    ],
    [
      'a line that is no field',
      `${aMessage().replace('Subject:', 'Subject')}`,
      'a field such as Subject: text in line 3 of the header',
    ],
    [
      'a blank before the colon',
      aMessage().replace('From:', 'From :'),
      'a field such as Subject: text in line 1 of the header',
    ],
    [
      'a continued line first',
      ` a\r\n${aMessage()}`,
      'a field such as Subject: text in line 1 of the header, not a line that begins with a blank',
    ],
    [
      'a line of blanks in the header',
      aMessage({ Subject: 'a\r\n ' }),
      'a field such as Subject: text in line 4 of the header, not a line that begins with a blank',
    ],
    [
      'a boundary that never closes',
      multipart(mixed, '--b\r\n\r\na\r\n'),
      'each multipart closed by its boundary with -- at its end',
    ],
    [
      'a boundary that never opens',
      multipart(mixed, 'a\r\n'),
      'each multipart closed by its boundary with -- at its end',
    ],
    [
      'no boundary',
      multipart('multipart/mixed', 'a'),
      'a boundary of at most 70 characters for each multipart',
    ],
    ['parts in parts without end', nested(50), 'parts nested no deeper than 20 levels'],
    ['parts without end', multipart(mixed, '--b\r\n\r\n'.repeat(2000)), 'at most 1000 parts'],
    [
      'the boundary of a multipart around it',
      multipart(mixed, `--b\r\nContent-Type: ${mixed}\r\n\r\n--b--\r\n`),
      'a boundary of its own for each multipart',
    ],
    [
      'a part whose header does not end',
      multipart(mixed, '--b\r\nContent-Type: text/plain\r\n'),
      'an empty line between the header and the body (of part 1)',
    ],
    [
      'binary content',
      aMessage({ 'Content-Transfer-Encoding': 'binary' }),
      'base64 for binary parts: lines of binary content do not survive',
    ],
    [
      'an encoded multipart',
      aMessage({ 'Content-Type': mixed, 'Content-Transfer-Encoding': 'base64' }),
      'a multipart without Content-Transfer-Encoding base64 or quoted-printable',
    ],
    [
      'a long line in the body',
      aMessage({}, `a\r\n${'b'.repeat(999)}\r\n`),
      'lines of at most 998 bytes: line 2 of the body has 999. Encode the body as quoted-printable or base64',
    ],
    [
      'a long line in the header',
      aMessage({ 'X-A': 'a'.repeat(999) }),
      'lines of at most 998 bytes: in line 7 of the header, fold the field over several lines',
    ],
    [
      'fields without end',
      aMessage({ 'X-A': Array.from({ length: 1001 }, () => 'a') }),
      'a header of at most 1000 fields',
    ],
    [
      'a header without end',
      aMessage({ 'X-A': Array.from({ length: 300 }, () => 'a'.repeat(900)) }),
      'a header of at most 256000 bytes',
    ],
  ])('%s', (_, message, expected) => {
    expect(expectedOf(message)).toEqual([expected]);
    expect(problems(message)).toEqual(['MIME_INVALID /mime']);
  });

  test('letters beyond ASCII in a header', () => {
    const [expected] = expectedOf(Buffer.from(aMessage({ Subject: '薪資單' }))) ?? [];
    expect(expected).toMatch(
      /^printable ASCII in line 3 of the header: write other characters as encoded words/,
    );
  });

  test.each<[string, string, string[]]>([
    ['no recipient', aMessage({ To: undefined }), ['RECIPIENT_MISSING /mime']],
    ['a recipient that is none', aMessage({ To: 'a@b.cc, chan' }), ['ADDRESS_INVALID /mime']],
    [
      'too many',
      aMessage({ To: Array.from({ length: 501 }, (_, n) => `a${n}@b.cc`).join(',\r\n ') }),
      ['RECIPIENTS_TOO_MANY /mime'],
    ],
    ['reports suppressed', aMessage({ 'X-Auto-Response-Suppress': 'All' }), ['HEADER_NOT_CARRIED /mime']],
    [
      'several faults',
      aMessage({ Cc: 'chan', Sender: 'a@b.cc' }),
      ['MIME_INVALID /mime', 'ADDRESS_INVALID /mime'],
    ],
  ])('%s', (_, message, expected) => {
    expect(problems(message)).toEqual(expected);
  });

  test('no base64, and more than a request to Graph holds', () => {
    expect(problemsOf(() => readMail({ mime: 'From: a@b.cc' }))).toEqual(['BASE64_INVALID /mime']);
    expect(problemsOf(() => readMail({ mime: 7 }))).toEqual(['FIELD_INVALID /mime']);
    expect(problems(aMessage({}, 'a\r\n'.repeat(1_100_000)))).toEqual(['MAIL_TOO_LARGE /mime']);
  });

  test('no word of it is in the error', () => {
    const message = aMessage(
      { From: 'canary', To: 'canary', 'X-A': 'canary\r\ncanary' },
      'canary\r\n'.repeat(3),
    );
    expect(JSON.stringify(errorOf(() => read(message)).facts)).not.toContain('canary');
  });
});

describe('what readers of MIME would read in different ways is refused', () => {
  const IN_WORDS =
    'a Content-Type such as text/plain; charset="utf-8": after the type only parameters, without comments, each value a word or in quotes';
  const ENCODING =
    'a Content-Transfer-Encoding that is 7bit, 8bit, quoted-printable or base64, and nothing after it';
  const CHARACTERS =
    "a boundary of letters, digits, blanks and '()+_,-./:=? in one line, which does not end with a blank";
  const REST =
    'base64 in a part that says so, with padding only at its end: line 1 of the body has something else';
  const FEWER = 'base64 in groups of four characters: the part that ends at line';
  const typed = (type: string) => aMessage({ 'Content-Type': type }, '--real\r\n\r\na\r\n--real--\r\n');
  const encoded = (encoding: string, body = 'YQ==\r\n') =>
    aMessage({ 'Content-Transfer-Encoding': encoding }, body);
  const inPart = (header: string, body = 'a') =>
    aMessage(
      { 'Content-Type': 'multipart/mixed; boundary=real' },
      `--real\r\n${header}\r\n\r\n${body}\r\n--real--\r\n`,
    );

  test.each<[string, string, string]>([
    ['a comment before the boundary', typed('multipart/mixed (; boundary=fake); boundary=real'), IN_WORDS],
    ['a comment with the boundary', typed('multipart/mixed; boundary=real (; boundary=fake)'), IN_WORDS],
    [
      'a comment in the type',
      typed('multipart(x)/mixed; boundary=real'),
      'a Content-Type that begins with a type such as text/plain',
    ],
    ['no type', typed('; boundary=real'), 'a Content-Type that begins with a type such as text/plain'],
    [
      'two boundaries',
      typed('multipart/mixed; boundary=fake; Boundary=real'),
      'each parameter of a Content-Type once',
    ],
    [
      'a boundary in pieces',
      typed('multipart/mixed; boundary*0=re; boundary*1=al'),
      'the boundary of each multipart in one parameter, without the * of RFC 2231',
    ],
    [
      'two forms of a boundary',
      typed("multipart/mixed; boundary=fake; boundary*=us-ascii''real"),
      'the boundary of each multipart in one parameter, without the * of RFC 2231',
    ],
    ['a boundary with an escape', typed('multipart/mixed; boundary="re\\al"'), CHARACTERS],
    ['a boundary with other characters', typed('multipart/mixed; boundary="re<al"'), CHARACTERS],
    ['a boundary that ends with a blank', typed('multipart/mixed; boundary="real "'), CHARACTERS],
    ['a boundary over two lines', typed('multipart/mixed; boundary="re\r\n al"'), CHARACTERS],
    ['an empty boundary', typed('multipart/mixed; boundary=""'), CHARACTERS],
    [
      'a boundary that is too long',
      typed(`multipart/mixed; boundary=${'b'.repeat(71)}`),
      'a boundary of at most 70 characters for each multipart',
    ],
    ['quotes that do not end', typed('multipart/mixed; boundary="real'), IN_WORDS],
    ['words after quotes', typed('multipart/mixed; boundary="real" x'), IN_WORDS],
    ['a parameter without a value', typed('multipart/mixed; x; boundary=real'), IN_WORDS],
    ['a value that needs quotes', typed('multipart/mixed; type=text/html; boundary=real'), IN_WORDS],
    ['a comment in a part', inPart('Content-Type: text/plain (a)'), IN_WORDS],
    ['another encoding', encoded('uuencode'), ENCODING],
    ['an encoding with a comment', encoded('binary (x)'), ENCODING],
    ['an encoding with a comment before it', encoded('(x) base64'), ENCODING],
    ['two encodings', encoded('base64, 7bit'), ENCODING],
    ['no encoding', encoded(''), ENCODING],
    ['such an encoding of a part', inPart('Content-Transfer-Encoding: base64;'), ENCODING],
    [
      'two types of a part',
      inPart('Content-Type: text/plain\r\nContent-type: multipart/mixed; boundary=b'),
      'the header Content-type once (of part 1)',
    ],
    [
      'two locations of a part',
      inPart('Content-Location: a\r\nContent-Location: b'),
      'the header Content-Location once (of part 1)',
    ],
    ['two languages', aMessage({ 'Content-Language': ['a', 'b'] }), 'the header Content-Language once'],
    ['other characters in base64', encoded('base64', 'YQ==x\r\n'), REST],
    ['blanks in base64', encoded('BASE64', 'YQ ==\r\n'), REST],
    ['too much padding', encoded('base64', 'YQ===\r\n'), REST],
    ['text after the end of base64', encoded('base64', 'YQ==\r\nYQ==\r\n'), REST.replace('line 1', 'line 2')],
    [
      'text in a base64 part',
      inPart('Content-Transfer-Encoding: base64', 'Y!=='),
      REST.replace('line 1', 'line 4'),
    ],
    [
      'base64 that ends too early',
      encoded('base64', 'YQ=\r\n'),
      `${FEWER} 1 of the body has a group of fewer`,
    ],
    [
      'a base64 part that ends too early',
      inPart('Content-Transfer-Encoding: base64', 'YQ'),
      `${FEWER} 5 of the body has a group of fewer`,
    ],
    [
      'a boundary line in the header of a part',
      aMessage(
        { 'Content-Type': 'multipart/mixed; boundary="a:b"' },
        '--a:b\r\n--a:b\r\n\r\n\r\n--a:b--\r\n',
      ),
      'a field such as Subject: text in line 1 of the header (of part 1)',
    ],
    [
      'a boundary line with many blanks',
      aMessage(
        { 'Content-Type': 'multipart/mixed; boundary=b' },
        `--b\r\n\r\n--b--${' '.repeat(300)}\r\n--b\r\n\r\n--b--\r\n`,
      ),
      'no boundary line after the one that closes its multipart',
    ],
  ])('%s', (_, message, expected) => {
    expect(expectedOf(message)).toEqual([expected]);
    expect(problems(message)).toEqual(['MIME_INVALID /mime']);
  });

  test.each<[string, string]>([
    ['what looks like parameters in quotes', typed('multipart/mixed; x="; boundary=fake"; boundary=real')],
    ['escapes in quotes', typed('multipart/mixed; x="a\\"; boundary=fake"; boundary=real')],
    [
      'blanks around parameters, and a semicolon at the end',
      typed('Multipart/Mixed ; \r\n\tboundary="real" ;'),
    ],
    ['an encoding in capitals', encoded('Base64')],
    ['base64 with empty lines at its end', encoded('base64', 'YWFh\r\nYQ==\r\n\r\n\r\n')],
    ['base64 of nothing', inPart('Content-Transfer-Encoding: base64', '')],
    [
      'text after the parts beside base64',
      `${inPart('Content-Transfer-Encoding: base64', 'YQ==')}The end.\r\n`,
    ],
  ])('%s is accepted', (_, message) => {
    expect(read(message).raw?.bytes.toString('latin1')).toBe(message);
  });
});

test('a message with parts in parts, 8-bit text and an epilogue is accepted', () => {
  const body = [
    'This is a message in MIME format.',
    '--a',
    'Content-Type: multipart/alternative; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    '薪資單',
    '--not a boundary',
    '--b',
    '',
    'x',
    '--b--',
    '',
    '--a',
    'Content-Type: message/rfc822',
    '',
    'Subject: attached',
    'Content-Type: multipart/mixed; boundary=c',
    '',
    '--c',
    '--a--',
    'epilogue',
  ];
  const message = aMessage({ 'Content-Type': 'multipart/mixed; boundary="a"' }, lines(...body));
  expect(read(Buffer.from(message)).raw?.bytes).toEqual(Buffer.from(message));
});
