import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { decodeUtf8, parseJson, readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail, base64Of } from '../../support/a-mail.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

describe('recipients may be written as people write them', () => {
  test.each([
    ['a bare address', 'chan@contoso.example', [{ address: 'chan@contoso.example' }]],
    [
      'a name and an address',
      'Chan <chan@contoso.example>',
      [{ name: 'Chan', address: 'chan@contoso.example' }],
    ],
    [
      'a Chinese name',
      '陳大文 <chan@contoso.example>',
      [{ name: '陳大文', address: 'chan@contoso.example' }],
    ],
    [
      'a quoted name with a comma',
      '"Chan, Tai Man" <chan@contoso.example>',
      [{ name: 'Chan, Tai Man', address: 'chan@contoso.example' }],
    ],
    [
      'several in one text',
      'a@contoso.example, "B, C" <b@contoso.example>',
      [{ address: 'a@contoso.example' }, { name: 'B, C', address: 'b@contoso.example' }],
    ],
    [
      'an object',
      { name: 'Müller, Hans', address: 'hans@contoso.example' },
      [{ name: 'Müller, Hans', address: 'hans@contoso.example' }],
    ],
    [
      'a list of both',
      ['a@contoso.example', { address: 'b@contoso.example' }],
      [{ address: 'a@contoso.example' }, { address: 'b@contoso.example' }],
    ],
    ['an internationalised address', '陳@例子.公司', [{ address: '陳@例子.公司' }]],
  ])('%s', (_, to, expected) => {
    expect(read({ to }).to).toEqual(expected);
  });
});

describe('what a mail leaves out has its usual value', () => {
  test('every optional field', () => {
    expect(readMail(aMail())).toEqual({
      to: [{ address: 'chan@contoso.example' }],
      cc: [],
      bcc: [],
      replyTo: [],
      subject: 'Pay slip',
      text: 'Your pay slip is ready.',
      attachments: [],
      headers: [],
      importance: 'normal',
      saveToSentItems: true,
      readReceipt: false,
      deliveryReceipt: false,
      tags: [],
    });
  });

  test.each([
    ['slip.pdf', 'application/pdf'],
    ['薪資單.XLSX', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['unknown.zzz', 'application/octet-stream'],
  ])('the type of %s is guessed from its name', (filename, contentType) => {
    expect(read({ attachments: [{ filename, content: base64Of(3) }] }).attachments[0]).toMatchObject({
      contentType,
    });
  });
});

const tooMany = Array.from({ length: 501 }, (_, index) => `p${index}@contoso.example`);

describe('each kind of bad input is its own problem at its own place', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['an unknown field', { attachment: [] }, ['FIELD_UNKNOWN /attachment']],
    [
      'an unknown field inside',
      { attachments: [{ filename: 'a', content: '', url: 'x' }] },
      ['FIELD_UNKNOWN /attachments/0/url'],
    ],
    ['a field the host keeps for itself', { id: 'x' }, ['FIELD_UNKNOWN /id']],
    ['no recipient', { to: undefined }, ['RECIPIENT_MISSING /to']],
    ['an empty list of recipients', { to: [] }, ['RECIPIENT_MISSING /to']],
    ['neither text nor html', { text: undefined }, ['BODY_MISSING /text']],
    ['text and html together', { html: '<p>x</p>' }, ['BODY_TEXT_AND_HTML /html']],
    ['a malformed address', { to: 'chan.contoso.example' }, ['ADDRESS_INVALID /to']],
    ['a malformed address in a list', { to: ['a@contoso.example', 'b@'] }, ['ADDRESS_INVALID /to/1']],
    ['a malformed address in an object', { cc: { address: 'x' } }, ['ADDRESS_INVALID /cc/address']],
    ['an address without a top-level domain', { to: 'root@localhost' }, ['ADDRESS_INVALID /to']],
    ['two senders', { from: 'a@contoso.example, b@contoso.example' }, ['ADDRESS_INVALID /from']],
    ['a number for a recipient', { to: 7 }, ['FIELD_INVALID /to']],
    ['a number in a list of recipients', { to: ['a@contoso.example', 7] }, ['FIELD_INVALID /to/1']],
    [
      'an unknown field of a recipient',
      { to: { address: 'a@contoso.example', mail: '' } },
      ['FIELD_UNKNOWN /to/mail'],
    ],
    [
      'a line break in the subject',
      { subject: 'Hi\r\nBcc: x@evil.example' },
      ['LINE_BREAK_NOT_ALLOWED /subject'],
    ],
    [
      'a line break in an address',
      { to: 'a@contoso.example\r\nBcc: x@evil.example' },
      ['LINE_BREAK_NOT_ALLOWED /to'],
    ],
    [
      'a line break in a name',
      { to: { name: 'A\nB', address: 'a@contoso.example' } },
      ['LINE_BREAK_NOT_ALLOWED /to/name'],
    ],
    [
      'a line break in a header value',
      { headers: { 'x-a': 'b\nc' } },
      ['LINE_BREAK_NOT_ALLOWED /headers/x-a'],
    ],
    [
      'a line break in a header name',
      { headers: { 'x-a\r\nBcc': 'b' } },
      ['LINE_BREAK_NOT_ALLOWED /headers'],
    ],
    [
      'a line break in a file name',
      { attachments: [{ filename: 'a\nb', content: '' }] },
      ['LINE_BREAK_NOT_ALLOWED /attachments/0/filename'],
    ],
    [
      'a line break in a content type',
      { attachments: [{ filename: 'a', contentType: 'text/plain;\r\nx: y', content: '' }] },
      ['LINE_BREAK_NOT_ALLOWED /attachments/0/contentType'],
    ],
    [
      'a slash in a file name',
      { attachments: [{ filename: '../a', content: '' }] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    [
      'content that is not base64',
      { attachments: [{ filename: 'a', content: 'nope!' }] },
      ['BASE64_INVALID /attachments/0/content'],
    ],
    [
      'base64 without padding',
      { attachments: [{ filename: 'a', content: 'YQ' }] },
      ['BASE64_INVALID /attachments/0/content'],
    ],
    [
      'base64 for URLs',
      { attachments: [{ filename: 'a', content: '-_-_' }] },
      ['BASE64_INVALID /attachments/0/content'],
    ],
    [
      'a header outside x-',
      { headers: { 'List-Unsubscribe': '<mailto:x>' } },
      ['HEADER_NOT_CARRIED /headers/List-Unsubscribe'],
    ],
    [
      'six headers',
      { headers: { 'x-1': 'a', 'x-2': 'a', 'x-3': 'a', 'x-4': 'a', 'x-5': 'a', 'x-6': 'a' } },
      ['HEADERS_TOO_MANY /headers'],
    ],
    ['half a character', { text: 'a\ud83d' }, ['TEXT_MALFORMED /text']],
    ['501 recipients', { to: tooMany }, ['RECIPIENTS_TOO_MANY /to']],
    [
      '501 recipients over to, cc and bcc',
      { to: tooMany.slice(0, 200), cc: tooMany.slice(200, 300), bcc: tooMany.slice(300) },
      ['RECIPIENTS_TOO_MANY /to'],
    ],
    ['an unknown importance', { importance: 'urgent' }, ['FIELD_INVALID /importance']],
    ['a text for a flag', { saveToSentItems: 'false' }, ['FIELD_INVALID /saveToSentItems']],
    ['no subject', { subject: undefined }, ['FIELD_INVALID /subject']],
    ['a tag with an address in it', { tags: ['a@contoso.example'] }, ['FIELD_INVALID /tags/0']],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });

  test('500 recipients are fine', () => {
    expect(read({ to: tooMany.slice(1) }).to).toHaveLength(500);
  });
});

const file = (override: Record<string, unknown> = {}) => ({
  filename: 'a.txt',
  content: 'YQ==',
  ...override,
});

describe('what would arrive as something else, or nowhere, is refused', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['a bare x-', { headers: { 'x-': 'a' } }, ['HEADER_NOT_CARRIED /headers/x-']],
    [
      'an order to Exchange',
      { headers: { 'X-MS-Exchange-Organization-SCL': '-1' } },
      ['HEADER_NOT_CARRIED /headers/X-MS-Exchange-Organization-SCL'],
    ],
    [
      'Microsoft itself',
      { headers: { 'x-microsoft-antispam': 'a' } },
      ['HEADER_NOT_CARRIED /headers/x-microsoft-antispam'],
    ],
    [
      'the filter',
      { headers: { 'x-forefront-antispam-report': 'a' } },
      ['HEADER_NOT_CARRIED /headers/x-forefront-antispam-report'],
    ],
    ...[
      'x-ms-exchange',
      'x-microsoft',
      'X-MS-Has-Attach',
      'x-ms-tnef-correlator',
      'x-forefront',
      'x-originating-ip',
      'X-OriginatorOrg',
      'x-originalarrivaltime',
      'x-exchange-antispam-report-test',
      'x-eopattributedmessage',
    ].map((name): [string, Record<string, unknown>, string[]] => [
      `what Exchange and Outlook tell each other: ${name}`,
      { headers: { [name]: 'v' } },
      [`HEADER_NOT_CARRIED /headers/${name}`],
    ]),
    ['one header twice', { headers: { 'x-a': '1', 'X-A': '2' } }, ['FIELD_REPEATED /headers/X-A']],
    [
      'a header line of more than 998 characters',
      { headers: { 'x-a': 'v'.repeat(994) } },
      ['FIELD_INVALID /headers/x-a'],
    ],
    ['a header name without end', { headers: { [`x-${'n'.repeat(200)}`]: 'v' } }, ['FIELD_INVALID /headers']],
    ['a control character', { text: 'a\u0000b' }, ['CHARACTER_NOT_ALLOWED /text']],
    ['an escape character', { text: undefined, html: '\u001b[1m' }, ['CHARACTER_NOT_ALLOWED /html']],
    ['U+FFFE', { text: 'a\ufffe' }, ['CHARACTER_NOT_ALLOWED /text']],
    ['U+FFFF in a subject', { subject: 'a\uffff' }, ['CHARACTER_NOT_ALLOWED /subject']],
    ['a line separator', { subject: 'a\u2028b' }, ['LINE_BREAK_NOT_ALLOWED /subject']],
    [
      'a paragraph separator in a header',
      { headers: { 'x-a': 'a\u2029b' } },
      ['LINE_BREAK_NOT_ALLOWED /headers/x-a'],
    ],
    ['a line separator in an address', { to: 'a\u2028@contoso.example' }, ['LINE_BREAK_NOT_ALLOWED /to']],
    [
      'a name that turns round',
      { to: { name: 'a\u202eb', address: 'a@contoso.example' } },
      ['CHARACTER_NOT_ALLOWED /to/name'],
    ],
    ['the same as one text', { to: 'a\u2066b <a@contoso.example>' }, ['CHARACTER_NOT_ALLOWED /to']],
    ['an invisible address', { to: ['a\u200b@contoso.example'] }, ['ADDRESS_INVALID /to/0']],
    ['a file named .', { attachments: [file({ filename: '.' })] }, ['FIELD_INVALID /attachments/0/filename']],
    [
      'a file named ..',
      { attachments: [file({ filename: '..' })] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    [
      'a file without a name',
      { attachments: [file({ filename: '' })] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    [
      'exe.jpg that is gpj.exe',
      { attachments: [file({ filename: 'a\u202egpj.exe' })] },
      ['CHARACTER_NOT_ALLOWED /attachments/0/filename'],
    ],
    ...[
      ['FIELD_INVALID', '...'],
      ['FIELD_INVALID', ' a.txt'],
      ['FIELD_INVALID', 'a.txt '],
      ['FIELD_INVALID', 'a.txt.'],
      ['FIELD_INVALID', 'a.txt\u3000'],
      ['CHARACTER_NOT_ALLOWED', 'a\u200b.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\u200d.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\ufe0f.txt'],
      ['CHARACTER_NOT_ALLOWED', '1\ufe0f.txt'],
      ['CHARACTER_NOT_ALLOWED', '\ufeffa.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\u00ad.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\u200e.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\u2800.txt'],
      ['CHARACTER_NOT_ALLOWED', '陳\u200d\u200d文.txt'],
    ].map(([code, filename]): [string, Record<string, unknown>, string[]] => [
      `the file name ${JSON.stringify(filename)}`,
      { attachments: [file({ filename })] },
      [`${code} /attachments/0/filename`],
    ]),
    [
      'a media type with a name that turns round',
      { attachments: [file({ contentType: 'text/plain; name="a\u202eb"' })] },
      ['CHARACTER_NOT_ALLOWED /attachments/0/contentType'],
    ],
    [
      'a media type with an invisible name',
      { attachments: [file({ contentType: 'text/plain; name="a\u200bb"' })] },
      ['CHARACTER_NOT_ALLOWED /attachments/0/contentType'],
    ],
    [
      'a name of 256 characters',
      { attachments: [file({ filename: 'n'.repeat(256) })] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    ['251 files', { attachments: Array.from({ length: 251 }, () => file()) }, ['FIELD_INVALID /attachments']],
    ['eleven tags', { tags: Array.from({ length: 11 }, () => 'a') }, ['FIELD_INVALID /tags']],
    ['a hidden file', { attachments: [file({ cid: 'logo' })] }, ['CID_UNUSED /attachments/0/cid']],
    [
      'one of two files that is hidden',
      { text: undefined, html: '<img src="cid:A">', attachments: [file({ cid: 'a' }), file({ cid: 'b' })] },
      ['CID_UNUSED /attachments/1/cid'],
    ],
    [
      'two files with one content id',
      { text: undefined, html: '<img src="cid:a">', attachments: [file({ cid: 'a' }), file({ cid: 'A' })] },
      ['CID_REPEATED /attachments/1/cid'],
    ],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });

  test('a file the html refers to is inline', () => {
    const mail = read({
      text: undefined,
      html: '<img src="CID:Logo%40x">',
      attachments: [file({ cid: 'logo@X' })],
    });
    expect(mail.attachments[0]?.cid).toBe('logo@X');
  });
});

describe('what applications need goes through', () => {
  test.each([
    'x-auto-response-suppress',
    'X-Priority',
    'x-mailer',
    'x-ms-reactions',
    'x-exchange-rate',
    'x-microsofts-order',
    'x-original-sender',
  ])('the header %s', (name) => {
    expect(read({ headers: { [name]: 'v' } }).headers).toEqual([{ name, value: 'v' }]);
  });

  test.each([
    'Lohnabrechnung 2026.pdf',
    '薪資單.pdf',
    '.profile',
    'a..b.tar.gz',
    '👩\u200d👧.png',
    '❤\ufe0f\u200d🔥.png',
    '1\ufe0f\u20e3.png',
    '葛\u{e0100}城.pdf',
    'क्\u200dष.txt',
    'می\u200cخواهم.txt',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}.png',
  ])('the file name %s', (filename) => {
    expect(read({ attachments: [file({ filename })] }).attachments[0]?.filename).toBe(filename);
  });
});

describe('an idempotency key is the same in the mail as in the header', () => {
  test.each([
    [' ', 'a text with a blank in it'],
    ['a b', 'a text with a blank in it'],
    ['a\nb', 'a text with a blank in it'],
    ['a\u3000b', 'a text with a blank in it'],
    ['clé', 'a text with a character that is not printable ASCII'],
    ['a\u0000', 'a text with a character that is not printable ASCII'],
    ['k'.repeat(256), 'a text with 256 characters, and 255 is the most'],
  ])('%j is refused with the reason', (idempotencyKey, received) => {
    expect(errorOf(() => read({ idempotencyKey }))).toMatchObject({
      code: 'IDEMPOTENCY_KEY_INVALID',
      facts: {
        problems: [
          {
            pointer: '/idempotencyKey',
            expected: '1 to 255 printable ASCII characters without blanks',
            received,
          },
        ],
      },
    });
  });

  test('255 printable characters are one', () => {
    const idempotencyKey = `~!${'k'.repeat(253)}`;
    expect(read({ idempotencyKey }).idempotencyKey).toBe(idempotencyKey);
  });
});

describe('half a character is told wherever it stands', () => {
  const half = 'a\ud800';
  test.each<[string, Record<string, unknown>, string[]]>([
    ['in the sender', { from: { address: `${half}@contoso.example` } }, ['TEXT_MALFORMED /from/address']],
    ['in a recipient', { to: [`${half}@contoso.example`] }, ['TEXT_MALFORMED /to/0']],
    ['in a name', { cc: { name: half, address: 'a@contoso.example' } }, ['TEXT_MALFORMED /cc/name']],
    ['in a key', { idempotencyKey: half }, ['TEXT_MALFORMED /idempotencyKey']],
    ['in a tag', { tags: [half] }, ['TEXT_MALFORMED /tags/0']],
    ['in the subject', { subject: half }, ['TEXT_MALFORMED /subject']],
    ['in the html', { text: undefined, html: half }, ['TEXT_MALFORMED /html']],
    ['in the name of a header', { headers: { [`x-${half}`]: 'v' } }, ['TEXT_MALFORMED /headers']],
    ['in a header', { headers: { 'x-a': half } }, ['TEXT_MALFORMED /headers/x-a']],
    [
      'in the name of a file',
      { attachments: [file({ filename: half })] },
      ['TEXT_MALFORMED /attachments/0/filename'],
    ],
    [
      'in a media type',
      { attachments: [file({ contentType: half })] },
      ['TEXT_MALFORMED /attachments/0/contentType'],
    ],
    ['in a content id', { attachments: [file({ cid: half })] }, ['TEXT_MALFORMED /attachments/0/cid']],
    ['in base64', { attachments: [file({ content: half })] }, ['BASE64_INVALID /attachments/0/content']],
    ['in the name of a field', { [half]: 1 }, ['TEXT_MALFORMED ']],
    ['in the name of a field of a recipient', { to: { [half]: 1 } }, ['TEXT_MALFORMED /to']],
    [
      'in the name of a field of a file',
      { attachments: [{ ...file(), [half]: 1 }] },
      ['TEXT_MALFORMED /attachments/0'],
    ],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });
});

describe('a problem never repeats what may be data', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['an address as the name of a field', { to: { 'chan@example.com': 'Chan' } }, ['FIELD_UNKNOWN /to']],
    ['a person as the name of a field', { to: [{ Chan: 'chan@example.com' }] }, ['FIELD_UNKNOWN /to/0']],
    ['an address beside the fields', { 'chan@example.com': 1, '98765432': 2 }, ['FIELD_UNKNOWN ']],
    [
      'an address in a file',
      { attachments: [{ ...file(), 'chan@example.com': 1 }] },
      ['FIELD_UNKNOWN /attachments/0'],
    ],
    ['an address as a header', { headers: { 'chan@example.com': 'v' } }, ['HEADER_NOT_CARRIED /headers']],
    [
      'a long name of a header',
      { headers: { [`chan-${'n'.repeat(80)}`]: 'v' } },
      ['HEADER_NOT_CARRIED /headers'],
    ],
    ['a typing error', { subjct: 'x' }, ['FIELD_UNKNOWN /subjct']],
    ['what others call an address', { to: { email: 'chan@example.com' } }, ['FIELD_UNKNOWN /to/email']],
  ])('%s', (_, override, expected) => {
    const error = errorOf(() => read(override));
    expect((error.facts.problems ?? []).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(expected);
    expect(JSON.stringify(error.facts)).not.toMatch(/chan/i);
  });
});

describe('what serialisers write for nothing is nothing', () => {
  const plain = readMail(aMail());
  const optional = [
    'from',
    'cc',
    'bcc',
    'replyTo',
    'html',
    'attachments',
    'headers',
    'importance',
    'saveToSentItems',
    'readReceipt',
    'deliveryReceipt',
    'idempotencyKey',
    'onUnknown',
    'tags',
  ];

  test.each(
    optional.flatMap((field) => [
      [field, null],
      [field, ''],
    ]),
  )('%s: %j', (field, value) => {
    expect(read({ [String(field)]: value })).toEqual(plain);
  });

  test.each<[string, Record<string, unknown>]>([
    ['recipients', { to: ['', 'chan@contoso.example', null, ' '], cc: [''] }],
    ['tags', { tags: ['', null] }],
    ['files', { attachments: ['', null] }],
    ['headers', { headers: { 'x-a': null, 'x-b': '' } }],
    ['a name', { to: { name: null, address: 'chan@contoso.example' } }],
    ['an empty name', { to: { name: '', address: 'chan@contoso.example' } }],
  ])('in %s', (_, override) => {
    expect(read(override)).toEqual(plain);
  });

  test('of an empty body and a full one the full one counts', () => {
    expect(read({ html: '' }).text).toBe(plain.text);
    expect(read({ text: '', html: '<p>x</p>' })).toMatchObject({ html: '<p>x</p>' });
    expect(read({ text: '', html: '<p>x</p>' })).not.toHaveProperty('text');
    expect(read({ text: '', html: '' }).text).toBe('');
    expect(problemsOf(() => read({ text: null, html: null }))).toEqual(['BODY_MISSING /text']);
  });

  test('an optional field of a file', () => {
    expect(read({ attachments: [file({ contentType: null, cid: '' })] }).attachments).toEqual([
      { filename: 'a.txt', content: 'YQ==', contentType: 'text/plain' },
    ]);
  });

  test('words are read in capitals too', () => {
    expect(read({ importance: 'High', onUnknown: 'VERIFY' })).toMatchObject({
      importance: 'high',
      onUnknown: 'verify',
    });
  });

  test('what is required is not absent without a word', () => {
    expect(problemsOf(() => read({ subject: null }))).toEqual(['FIELD_INVALID /subject']);
    expect(problemsOf(() => read({ to: ['', null] }))).toEqual(['RECIPIENT_MISSING /to']);
    expect(problemsOf(() => read({ attachments: [file({ content: null })] }))).toEqual([
      'FIELD_INVALID /attachments/0/content',
    ]);
  });
});

describe('base64', () => {
  const content = base64Of(300);
  const expectedOf = (written: string, filename = 'a.pdf') =>
    errorOf(() => read({ attachments: [{ filename, content: written }] })).facts.problems?.[0];

  test('with line breaks is read as one line', () => {
    const lines = content.replace(/.{76}/g, '$&\r\n');
    expect(read({ attachments: [file({ content: `${lines}\n` })] }).attachments[0]?.content).toBe(content);
  });

  test.each([
    ['a data URL', `data:application/pdf;base64,${content}`, 'without the prefix `data:'],
    ['bytes as Python prints them', `b'${content}'`, 'not a Python bytes literal'],
    ['base64url', '-_-_', 'not base64url'],
    ['base64 without its padding', 'YQ', 'standard base64 with all of its padding, here 2 times ='],
    ['base64 of base64', Buffer.from(content).toString('base64'), 'encoded once'],
    ['some text', 'nope!', 'only letters, digits'],
    ['two texts of base64 in one', 'YQ==YQ==', 'padding only at the end'],
    [
      'bits that belong to no byte',
      'aGVsbG9=',
      'the last character before the padding is not one that an encoder produces here',
    ],
    ['too little padding', 'YQ=', 'with all of its padding, here 2 times ='],
    ['too much padding', 'YWI===', 'with all of its padding, here 1 times ='],
    ['padding where there is none', 'YWJj====', 'with all of its padding, here 0 times ='],
    ['base64 that is cut off', 'YWJjZ', 'some of its characters are missing'],
    ['base64 that is cut off and filled', 'Y===', 'some of its characters are missing'],
  ])('%s is told as that', (_, written, expected) => {
    const problem = expectedOf(written);
    expect(problem).toMatchObject({ code: 'BASE64_INVALID', pointer: '/attachments/0/content' });
    expect(problem?.expected).toContain(expected);
  });

  test('a file of text may hold base64', () => {
    const twice = Buffer.from(content).toString('base64');
    expect(read({ attachments: [{ filename: 'token.txt', content: twice }] }).attachments).toHaveLength(1);
  });
});

describe('an error tells the caller everything, and shows nothing', () => {
  const everything = {
    to: 'secret-person',
    subject: 'secret\nsubject',
    importance: 'secret',
    zzz: 1,
    text: undefined,
  };

  test('all problems of a request come at once', () => {
    expect(problemsOf(() => read(everything)).sort()).toEqual([
      'ADDRESS_INVALID /to',
      'BODY_MISSING /text',
      'FIELD_INVALID /importance',
      'FIELD_UNKNOWN /zzz',
      'LINE_BREAK_NOT_ALLOWED /subject',
    ]);
  });

  test('the code is that of the problems when they are of one kind, else MAIL_INVALID', () => {
    expect(errorOf(() => read({ to: 'x', cc: 'y' })).code).toBe('ADDRESS_INVALID');
    expect(errorOf(() => read(everything)).code).toBe('MAIL_INVALID');
  });

  test('what came is described, never quoted', () => {
    expect(JSON.stringify(errorOf(() => read(everything)).facts)).not.toContain('secret');
  });

  test('every problem says what was expected and what came', () => {
    for (const problem of errorOf(() => read(everything)).facts.problems ?? []) {
      expect(problem.expected).not.toBe('');
      expect(problem.received).not.toBe('');
    }
  });

  test.each([[null], [[]], ['text'], [7]])('%j is not a mail', (input) => {
    expect(errorOf(() => readMail(input)).code).toBe('JSON_UNREADABLE');
  });
});

describe('a problem says which place it speaks of, and what came there', () => {
  test.each<[string, Record<string, unknown>, object]>([
    [
      'one address of a text with several',
      { to: 'a@x.com, b@x.com, c@x, d@x.com' },
      {
        pointer: '/to',
        expected: expect.stringContaining('has a dot in it'),
        received: 'text of 30 characters, in which address number 3 is wrong',
      },
    ],
    [
      'the value of a header that cannot be named',
      { headers: { 'x-a/b': 1 } },
      {
        pointer: '/headers',
        expected: 'text as the value of each header',
        received: 'a header with the value number',
      },
    ],
    [
      'the value of a header with a name',
      { headers: { 'x-a': 1 } },
      { pointer: '/headers/x-a', expected: 'text', received: 'number' },
    ],
    [
      'the only address of a text',
      { to: `${'l'.repeat(65)}@example.com` },
      {
        pointer: '/to',
        expected: 'at most 64 characters before the @, not 65',
        received: 'text of 77 characters',
      },
    ],
  ])('%s', (_, override, expected) => {
    expect(errorOf(() => read(override)).facts.problems).toEqual([expect.objectContaining(expected)]);
  });
});

describe('JSON is read with care', () => {
  test.each([
    ['a cut-off text', '{"to":'],
    ['a field named __proto__', '{"headers":{"__proto__":"x"}}'],
    ['nothing', ''],
  ])('%s is refused', (_, text) => {
    expect(errorOf(() => parseJson(text)).code).toBe('JSON_UNREADABLE');
  });

  test('other encodings than UTF-8 are refused', () => {
    expect(errorOf(() => decodeUtf8(Buffer.from('{"a":"\xfc"}', 'latin1'))).code).toBe('JSON_UNREADABLE');
  });

  test.each([
    ['beside each other', '{"subject":"a","to":"x","subject":"b"}', ['FIELD_REPEATED /subject']],
    ['once by an escape', '{"subject":"a","\\u0073ubject":"b"}', ['FIELD_REPEATED /subject']],
    ['in a recipient of a list', '{"to":[{},{"name":"a","name":"b"}]}', ['FIELD_REPEATED /to/1/name']],
    ['in a file', '{"attachments":[{"content":"","content":""}]}', ['FIELD_REPEATED /attachments/0/content']],
    ['in the headers', '{"headers":{"x-a":"1","x-a":"2"}}', ['FIELD_REPEATED /headers/x-a']],
    ['under a name that may be data', '{"to":{"chan@x.com":1,"chan@x.com":2}}', ['FIELD_REPEATED /to']],
  ])('a field written twice, %s, is refused', (_, text, expected) => {
    expect(problemsOf(() => parseJson(text))).toEqual(expected);
  });

  test('one name in several objects is fine', () => {
    const text = '{"to":[{"name":"a"},{"name":"a, \\"b\\": {["}],"name":["name","name"]}';
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  test.each([
    ['objects', '{},', '{}'],
    ['lists', '[],', '[]'],
    ['fields', '{"a":1},', '{"a":1}'],
  ])('more %s than any mail has are refused before they are built', (_, many, last) => {
    expect(errorOf(() => parseJson(`[${many.repeat(1_000_000)}${last}]`))).toMatchObject({
      code: 'JSON_UNREADABLE',
      facts: { detail: 'Expected one JSON object with at most 20000 objects, lists and fields.' },
    });
  });

  test.each([
    ['little-endian', Buffer.from('{"a":1}', 'utf16le')],
    ['big-endian', Buffer.from('{"a":1}', 'utf16le').swap16()],
    ['with its mark', Buffer.from('\ufeff陳', 'utf16le')],
  ])('UTF-16, %s, is told as that', (_, bytes) => {
    expect(errorOf(() => decodeUtf8(bytes)).facts.detail).toBe(
      'Expected text encoded as UTF-8, not as UTF-16.',
    );
  });

  test('a text that mentions __proto__ in a value is fine', () => {
    expect(parseJson('{"text":"\\"__proto__\\""}')).toEqual({ text: '"__proto__"' });
  });

  test('a field named __proto__ by an escape is refused too', () => {
    expect(errorOf(() => parseJson('{"headers":{"__proto\\u005f_":"x"}}')).code).toBe('JSON_UNREADABLE');
  });

  test.each([
    ['[', ']'],
    ['{"a":', '1}'],
  ])('nesting without end (%s) is refused, not overflowed', (open, close) => {
    const inner =
      open.repeat(50_000) + close.repeat(open === '[' ? 50_000 : 1) + '}'.repeat(open === '[' ? 0 : 49_999);
    expect(errorOf(() => parseJson(inner))).toMatchObject({
      code: 'JSON_UNREADABLE',
      facts: { detail: 'Expected one JSON object nested no deeper than 32 levels.' },
    });
    expect(errorOf(() => readMail(aMail({ to: JSON.parse(inner) }))).code).toBe('JSON_UNREADABLE');
  });
});

describe('hostile input costs little', () => {
  test.each([
    ['brackets without end', '('.repeat(100_000)],
    ['quotes without end', '"'.repeat(100_000)],
    ['words without end', 'a '.repeat(50_000)],
  ])('%s', (_, to) => {
    expect(problemsOf(() => read({ to: Array.from({ length: 60 }, () => to) }))).toHaveLength(60);
  });

  test('more recipients than a mail may have are told as that, and not read', () => {
    const to = '"x y" <a@b.cc>,'.repeat(6000);
    expect(problemsOf(() => read({ to }))).toEqual(['RECIPIENTS_TOO_MANY /to']);
    expect(problemsOf(() => read({ to: [to, '(', 7] }))).toEqual(['RECIPIENTS_TOO_MANY /to']);
    expect(problemsOf(() => read({ to: Array.from({ length: 1_000_000 }, () => 1) }))).toEqual([
      'RECIPIENTS_TOO_MANY /to',
    ]);
  });

  test('a request with a hundred thousand mistakes is told of the first hundred', () => {
    const fields = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`f${index}`, 1]));
    const { facts } = errorOf(() => read(fields));
    expect(facts.problems).toHaveLength(100);
    expect(facts.detail).toBe('There are 100000 problems; the first 100 are listed.');
  });
});

describe('properties', () => {
  test('whatever JSON comes, the answer is a mail or a list of problems', () => {
    const keys = fc.constantFrom(
      'to',
      'cc',
      'subject',
      'text',
      'html',
      'headers',
      'attachments',
      'tags',
      'from',
      'zzz',
    );
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), (input) => {
        try {
          readMail(input);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          for (const problem of (error as AppError).facts.problems ?? [])
            expect(problem.pointer).toMatch(/^(\/[\w.~-]+)*$/);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('whatever text comes, it is read as JSON.parse reads it, or refused', () => {
    const parts = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '"b\\"":',
      '1',
      ' ',
      'null',
      '\u2028',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.array(parts, { maxLength: 15 }).map((some) => some.join('')),
        ),
        (text) => {
          let value: unknown;
          try {
            value = parseJson(text);
          } catch (error) {
            expect(error).toBeInstanceOf(AppError);
            return;
          }
          expect(value).toEqual(JSON.parse(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a mail that is accepted is the same after it was stored as JSON', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const field = fc.record(
      {
        to: fc.constantFrom('a@b.cc; "x, y" <c@d.ee>', ['', 'a@b.cc'], { name: null, address: 'a@b.cc' }),
        subject: text,
        text,
        tags: fc.array(fc.constantFrom('', 'a', null), { maxLength: 3 }),
        headers: fc.dictionary(fc.constantFrom('x-a', 'x-b', 'X-A'), text),
        importance: fc.constantFrom('High', '', null, 'low'),
      },
      { requiredKeys: ['to', 'subject', 'text'] },
    );
    fc.assert(
      fc.property(field, (input) => {
        let mail: unknown;
        try {
          mail = readMail(input);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          return;
        }
        expect(readMail(parseJson(JSON.stringify(input)))).toEqual(mail);
      }),
      { numRuns: 500 },
    );
  });

  test('any name in quotes comes through with its address', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((text) => !/[\p{Cc}"\\]/u.test(text) && text.trim() === text && text.isWellFormed());
    fc.assert(
      fc.property(name, (text) => {
        expect(read({ to: { name: text, address: 'a@contoso.example' } }).to).toEqual([
          { name: text, address: 'a@contoso.example' },
        ]);
      }),
    );
  });

  test('any bytes come through as base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const content = Buffer.from(bytes).toString('base64');
        expect(read({ attachments: [{ filename: 'a.bin', content }] }).attachments[0]?.content).toBe(content);
      }),
    );
  });
});
