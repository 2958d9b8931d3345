import { describe, expect, test, vi } from 'vitest';
import { judgeMessage } from '../../../clients/smtp-door/src/message/judge-message.ts';
import { faultByRules } from '../../../clients/smtp-door/src/message/rules.ts';
import { SCANNER } from './door-for-tests.ts';
import { json, judge, message } from './judge.ts';

const HEAD = ['From: Scanner <scanner@contoso.com>', 'To: chan@contoso.com', 'Subject: Scan'];
const GOOD = message(...HEAD, 'MIME-Version: 1.0', '', 'See the file.');

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

describe('a well-formed message', () => {
  test.each([
    ['in plain text', GOOD],
    ['without Date, Message-ID and MIME-Version, which the relay adds', message(...HEAD, '', 'Hello')],
    [
      'with folded fields, a Bcc that is the rest of the envelope, and a group without members',
      message(
        'From: scanner@contoso.com',
        'To: undisclosed-recipients:;',
        'Bcc: Chan Tai Man',
        ' <chan@contoso.com>',
        'Subject: =?utf-8?B?5o6D5o+P?=',
        '',
        'Hello',
      ),
    ],
    [
      'with traces of its way, which the relay takes out',
      message('Received: from a by b; Thu, 26 Nov 2026 10:00:00 +0800', ...HEAD, '', 'Hello'),
    ],
    [
      'with 8-bit text that says its charset',
      message(
        ...HEAD,
        'Content-Type: text/plain; charset=utf-8',
        'Content-Transfer-Encoding: 8bit',
        '',
        utf8('Größe'),
      ),
    ],
    ['with dots at the beginning of lines', message(...HEAD, '', '.', '..', '.text')],
  ])('goes as it is, byte for byte: %s', async (_, bytes) => {
    const judged = await judge(bytes);
    expect(judged.text).toBe(bytes.toString('latin1'));
    expect(judged).toMatchObject({ kind: 'email', contentType: 'message/rfc822', notes: {} });
  });
});

describe('the envelope', () => {
  const header = (text: string): string => text.slice(0, text.indexOf('\r\n\r\n'));

  test.each<[string, readonly string[], readonly string[], string]>([
    [
      'puts a recipient that the header does not name into Bcc',
      ['To: chan@contoso.com'],
      ['chan@contoso.com', 'lee@contoso.com'],
      'Bcc: lee@contoso.com\r\nFrom: a@contoso.com\r\nTo: chan@contoso.com',
    ],
    [
      'puts everyone into Bcc where the header names nobody',
      [],
      ['chan@contoso.com', 'lee@contoso.com'],
      'Bcc: chan@contoso.com, lee@contoso.com\r\nFrom: a@contoso.com',
    ],
    [
      'takes an address out of To that it does not name',
      ['To: Chan <chan@contoso.com>, boss@contoso.com'],
      ['chan@contoso.com'],
      'From: a@contoso.com\r\nTo: Chan <chan@contoso.com>',
    ],
    [
      'takes out a field of which nothing is left',
      ['To: boss@contoso.com', 'Cc: chan@contoso.com'],
      ['chan@contoso.com'],
      'From: a@contoso.com\r\nCc: chan@contoso.com',
    ],
    [
      'keeps the names of those who stay, and encodes them once',
      ['To: =?utf-8?B?6Zmz5aSn5paH?= <chan@contoso.com>, b@contoso.com'],
      ['chan@contoso.com'],
      'From: a@contoso.com\r\nTo: =?UTF-8?B?6Zmz5aSn5paH?= <chan@contoso.com>',
    ],
    [
      'replaces a Bcc that says something else',
      ['To: chan@contoso.com', 'Bcc: boss@contoso.com'],
      ['chan@contoso.com', 'lee@contoso.com'],
      'Bcc: lee@contoso.com\r\nFrom: a@contoso.com\r\nTo: chan@contoso.com',
    ],
    [
      'takes out a Bcc of those who are in To',
      ['To: chan@contoso.com', 'Bcc: chan@contoso.com'],
      ['chan@contoso.com'],
      'From: a@contoso.com\r\nTo: chan@contoso.com',
    ],
    [
      'merges To where it is there twice',
      ['To: chan@contoso.com', 'To: lee@contoso.com'],
      ['chan@contoso.com', 'lee@contoso.com'],
      'From: a@contoso.com\r\nTo: chan@contoso.com, lee@contoso.com',
    ],
    [
      'compares domains in their script and in ASCII, and letters of either case',
      ['To: Chan@XN--BCHER-KVA.example'],
      ['chan@bücher.example'],
      'From: a@contoso.com\r\nTo: Chan@XN--BCHER-KVA.example',
    ],
    [
      'writes a domain of another script in ASCII',
      [],
      ['chan@bücher.example'],
      'Bcc: chan@xn--bcher-kva.example\r\nFrom: a@contoso.com',
    ],
    [
      'takes out a To that is no address',
      ['To: undisclosed'],
      ['chan@contoso.com'],
      'Bcc: chan@contoso.com\r\nFrom: a@contoso.com',
    ],
    [
      'counts, and not what X-Receiver claims',
      ['To: chan@contoso.com', 'X-Receiver: boss@contoso.com', 'X-Sender: boss@contoso.com'],
      ['chan@contoso.com'],
      'From: a@contoso.com\r\nTo: chan@contoso.com',
    ],
    [
      'has each recipient once',
      [],
      ['chan@contoso.com', 'CHAN@contoso.com'],
      'Bcc: CHAN@contoso.com\r\nFrom: a@contoso.com',
    ],
  ])('%s', async (_, fields, to, expected) => {
    const judged = await judge(message('From: a@contoso.com', ...fields, '', 'Hello'), { envelope: { to } });
    expect(header(judged.text)).toBe(expected);
    expect(judged).toMatchObject({ kind: 'email', contentType: 'message/rfc822' });
  });

  test('says in the log how many addresses it took out, and not which', async () => {
    const judged = await judge(
      message('From: a@contoso.com', 'To: chan@contoso.com, b@contoso.com', 'Cc: c@contoso.com', '', ''),
    );
    expect(judged).toMatchObject({ notes: { recipientsRemoved: 2, mailFromDiffers: true } });
  });

  test('rejects addresses that it does not name, where that is set', async () => {
    const judged = await judge(
      message('From: a@contoso.com', 'To: chan@contoso.com, b@contoso.com', '', ''),
      { otherRecipients: 'refuse' },
    );
    expect(judged.text).toBe(
      '550 5.7.1 To and Cc name 1 recipients more than RCPT does. Send to all of them, or take them out of the header.',
    );
  });
});

describe('the sender', () => {
  const from = (text: string): string | undefined => /^From: .*$/m.exec(text)?.[0]?.trim();
  const own = { from: 'Scanner 3 <devices@contoso.com>' };

  test.each<[string, readonly string[], Parameters<typeof judge>[1], string]>([
    [
      'is that of the message',
      ['From: Chan <chan@contoso.com>'],
      { account: own },
      'From: Chan <chan@contoso.com>',
    ],
    [
      'is that of the account where the message has none',
      [],
      { account: own },
      'From: Scanner 3 <devices@contoso.com>',
    ],
    [
      'is that of the account where the message has no address',
      ['From: Scanner'],
      { account: own },
      'From: Scanner 3 <devices@contoso.com>',
    ],
    ['is that of MAIL where the account has none', [], {}, 'From: scanner@contoso.com'],
    [
      'is that of the account in place of another, where that is set; the name stays',
      ['From: Room 7 <scan@localhost>'],
      { account: { from: 'devices@contoso.com', replaceFrom: true } },
      'From: Room 7 <devices@contoso.com>',
    ],
    [
      'stays as it is written where it is that of the account',
      ['From: "Room 7" <Devices@contoso.com>'],
      { account: { from: 'devices@contoso.com', replaceFrom: true } },
      'From: "Room 7" <Devices@contoso.com>',
    ],
    [
      'is written once where it is there twice',
      ['From: chan@contoso.com', 'From: chan@contoso.com'],
      {},
      'From: chan@contoso.com',
    ],
  ])('%s', async (_, fields, over, expected) => {
    const judged = await judge(message(...fields, 'To: chan@contoso.com', '', 'Hello'), over);
    expect(from(judged.text)).toBe(expected);
    expect(judged.text.match(/^From:/gm)).toHaveLength(1);
  });

  test('cannot be several', async () => {
    const judged = await judge(message('From: a@contoso.com, b@contoso.com', 'To: chan@contoso.com', '', ''));
    expect(judged.text).toBe(
      '550 5.6.0 The header From has several addresses. Set one sender address in this device.',
    );
  });

  test('cannot be nobody', async () => {
    const judged = await judge(message('To: chan@contoso.com', '', ''), {
      envelope: { from: 'root@localhost' },
    });
    expect(judged.text).toMatch(/^553 5\.1\.7 The message has no sender address\. Set a sender address/);
  });

  test('is alone: a Sender with another address goes', async () => {
    const judged = await judge(
      message('From: chan@contoso.com', 'Sender: root@contoso.com', 'To: chan@contoso.com', '', ''),
    );
    expect(judged.text).not.toContain('Sender');
  });
});

describe('what devices get wrong in a header is put right', () => {
  test.each<[string, readonly string[], string]>([
    ['raw UTF-8', [utf8('Subject: Größe')], 'Subject: =?UTF-8?B?R3LDtsOfZQ==?='],
    ['raw latin-1', ['Subject: Gr\xf6\xdfe'], 'Subject: =?UTF-8?B?R3LDtsOfZQ==?='],
    [
      'raw characters in the name of a file',
      ['Content-Type: text/plain; name=Gr\xf6\xdfe.txt'],
      "Content-Type: text/plain; name*0*=utf-8''Gr%C3%B6%C3%9Fe.txt",
    ],
    ['a blank before the colon', ['Subject : Scan'], 'Subject: Scan'],
    ['a line of nothing but blanks', ['Subject: Scan', '  '], 'Subject: Scan'],
    ['a field that is there twice', ['Subject: Scan', 'Subject: Other'], 'Subject: Scan'],
    [
      'a Message-ID with raw characters',
      ['Message-ID: <\xf6@contoso.com>', 'Subject: Scan'],
      'Subject: Scan',
    ],
    [
      'words that suppress non-delivery reports',
      ['X-Auto-Response-Suppress: All'],
      'X-Auto-Response-Suppress: DR, RN, NRN, OOF, AutoReply',
    ],
    ['a Reply-To that is no address', ['Reply-To: nobody', 'Subject: Scan'], 'Subject: Scan'],
  ])('%s', async (_, fields, expected) => {
    const judged = await judge(
      message('From: scanner@contoso.com', 'To: chan@contoso.com', ...fields, '', 'Hello'),
    );
    expect(judged.text).toBe(
      message('From: scanner@contoso.com', 'To: chan@contoso.com', expected, '', 'Hello').toString('latin1'),
    );
  });

  test('raw characters in names of people', async () => {
    const judged = await judge(
      message('From: Gr\xf6\xdfe <scanner@contoso.com>', utf8('To: 陳大文 <chan@contoso.com>'), '', ''),
    );
    expect(judged.text).toBe(
      message(
        'From: =?UTF-8?B?R3LDtsOfZQ==?= <scanner@contoso.com>',
        'To: =?UTF-8?B?6Zmz5aSn5paH?= <chan@contoso.com>',
        '',
        '',
      ).toString('latin1'),
    );
  });

  test('no empty line after it', async () => {
    const judged = await judge(message(...HEAD, 'This is no field.'));
    expect(judged.text).toBe(message(...HEAD, '', 'This is no field.').toString('latin1'));
  });

  test('no header at all', async () => {
    const judged = await judge(message('The backup is complete.'));
    expect(judged.text).toBe(
      message('From: scanner@contoso.com', 'Bcc: chan@contoso.com', '', 'The backup is complete.').toString(
        'latin1',
      ),
    );
  });

  test('nothing but a header', async () => {
    const judged = await judge(message(...HEAD));
    expect(judged.text).toBe(message(...HEAD, '').toString('latin1'));
  });

  test('nothing at all', async () => {
    const judged = await judge(Buffer.alloc(0));
    expect(judged.text).toBe(
      message('From: scanner@contoso.com', 'Bcc: chan@contoso.com', '').toString('latin1'),
    );
  });

  test('the line that mailbox files have before it', async () => {
    const judged = await judge(message('From root Thu Nov 26 10:00:00 2026', ...HEAD, '', 'Hello'));
    expect(judged.text).toBe(message(...HEAD, '', 'Hello').toString('latin1'));
  });

  test('a field that is longer than a line can be', async () => {
    const judged = await judge(message(...HEAD.slice(0, 2), `Subject: ${'word '.repeat(300)}`, '', 'Hello'));
    expect(judged).toMatchObject({ kind: 'email', contentType: 'message/rfc822' });
    expect(Math.max(...judged.text.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78);
  });
});

describe('line ends', () => {
  test.each([
    ['LF', '\n'],
    ['CR', '\r'],
    ['each kind in turn', '\r\n \n \r'],
  ])('%s become CRLF', async (_, end) => {
    const ends = end.split(' ');
    const lines = [...HEAD, '', 'One', 'two', ''];
    const text = lines
      .map((line, place) => `${line}${place === lines.length - 1 ? '' : ends[place % ends.length]}`)
      .join('');
    const judged = await judge(Buffer.from(text));
    expect(judged.text).toBe(message(...HEAD, '', 'One', 'two').toString('latin1'));
    expect(judged).toMatchObject({ notes: { bareLineEnds: true } });
  });

  test.each(['\n', '\r'])('alone are rejected where that is set: %j', async (end) => {
    const judged = await judge(Buffer.from(GOOD.toString().replace('See', `See${end}`)), {
      bareLineEnds: 'refuse',
    });
    expect(judged.text).toBe(
      '550 5.6.0 The message has a CR or an LF alone. Set this device to end every line with CRLF.',
    );
  });

  test('that are right are no reason to reject', async () => {
    expect(await judge(GOOD, { bareLineEnds: 'refuse' })).toMatchObject({ kind: 'email' });
  });
});

describe('text without a charset', () => {
  test.each([
    ['UTF-8', utf8('Größe'), 'utf-8'],
    ['latin-1', 'Gr\xf6\xdfe', 'windows-1252'],
  ])('in %s gets it', async (_, text, charset) => {
    const judged = await judge(message(...HEAD, '', text));
    expect(judged.text).toBe(
      message(
        ...HEAD,
        `Content-Type: text/plain; charset=${charset}`,
        'Content-Transfer-Encoding: 8bit',
        '',
        text,
      ).toString('latin1'),
    );
  });

  test('gets it in each part', async () => {
    const part = (...fields: readonly string[]) => ['--b', ...fields, '', 'Gr\xf6\xdfe'];
    const judged = await judge(
      message(
        ...HEAD,
        'Content-Type: multipart/mixed; boundary=b',
        '',
        ...part(),
        ...part('Content-Type: text/html', 'Content-Transfer-Encoding: 7bit'),
        ...part('Content-Type: text/plain; charset="us-ascii"'),
        '--b--',
      ),
    );
    expect(judged.text.match(/charset=windows-1252/g)).toHaveLength(3);
    expect(judged.text.match(/Content-Transfer-Encoding: 8bit/g)).toHaveLength(3);
    expect(judged.text).not.toContain('us-ascii');
  });
});

describe('a message that must be built again', () => {
  const LONG = 'x'.repeat(1200);

  test('has its people, texts, files and headers', async () => {
    const mail = await json(
      message(
        'From: "Chan, Tai Man" <chan@contoso.com>',
        'To: Lee <lee@contoso.com>',
        'Subject: =?utf-8?B?5o6D5o+P?=',
        'Message-ID: <scan-1@contoso.com>',
        'In-Reply-To: <question@contoso.com>',
        'Reply-To: help@contoso.com',
        'X-Priority: 1',
        'Importance: High',
        'X-Order: =?utf-8?Q?Gr=C3=B6=C3=9Fe?=',
        'Disposition-Notification-To: chan@contoso.com',
        'Received: from a by b',
        'MIME-Version: 1.0',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Type: multipart/alternative; boundary=c',
        '',
        '--c',
        'Content-Type: text/plain',
        '',
        LONG,
        '--c',
        'Content-Type: text/html',
        '',
        '<p><img src="cid:logo"></p>',
        '--c--',
        '--b',
        'Content-Type: image/png; name=logo.png',
        'Content-ID: <logo>',
        'Content-Transfer-Encoding: base64',
        '',
        'iVBORw0KGgo=',
        '--b',
        'Content-Type: application/pdf',
        'Content-ID: <unused>',
        "Content-Disposition: attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf",
        'Content-Transfer-Encoding: base64',
        '',
        'JVBERi0=',
        '--b--',
      ),
      { envelope: { to: ['lee@contoso.com', 'boss@contoso.com'] } },
    );
    expect(mail).toMatchObject({
      from: { name: 'Chan, Tai Man', address: 'chan@contoso.com' },
      to: [{ name: 'Lee', address: 'lee@contoso.com' }],
      bcc: [{ address: 'boss@contoso.com' }],
      replyTo: [{ address: 'help@contoso.com' }],
      subject: '掃描',
      messageId: '<scan-1@contoso.com>',
      inReplyTo: '<question@contoso.com>',
      importance: 'high',
      readReceipt: true,
      headers: { 'X-Priority': '1', 'X-Order': 'Größe' },
      text: expect.stringContaining(LONG),
      html: expect.stringContaining('cid:logo'),
      attachments: [
        { filename: 'logo.png', contentType: 'image/png', content: 'iVBORw0KGgo=', cid: 'logo' },
        { filename: 'Größe.pdf', contentType: 'application/pdf', content: 'JVBERi0=' },
      ],
    });
    expect(Object.keys(mail.headers as object)).toEqual(['X-Priority', 'X-Order']);
  });

  test.each<[string, Buffer]>([
    ['a line is too long', message(...HEAD, '', LONG)],
    [
      'a multipart is not closed',
      message(...HEAD, 'Content-Type: multipart/mixed; boundary=b', '', '--b', '', 'Hello'),
    ],
    ['a part is binary', message(...HEAD, 'Content-Transfer-Encoding: binary', '', 'Hello')],
    [
      'base64 was encoded line by line',
      message(...HEAD, 'Content-Transfer-Encoding: base64', '', 'SGVsbG8=', 'SGVsbG8='),
    ],
    [
      'the name of a file is raw',
      message(
        ...HEAD,
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Type: text/plain; name=Gr\xf6\xdfe.txt',
        '',
        'Hello',
        '--b--',
      ),
    ],
    ['the type has a comment', message(...HEAD, 'Content-Type: text/plain (plain)', '', 'Hello')],
    ['it has a page break and NULs', message(...HEAD, '', `One\fTwo\0${LONG}`)],
  ])('because %s', async (_, bytes) => {
    expect(faultByRules(await json(bytes))).toBeUndefined();
  });

  test('because it is large has files of every byte', async () => {
    const file = Buffer.from(Array.from({ length: 1_500_000 }, (_, place) => (place * place) % 251));
    const lines = file.toString('base64').match(/.{1,76}/g) ?? [];
    const mail = await json(
      message(
        ...HEAD,
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        '',
        'See',
        '--b',
        'Content-Type: application/pdf',
        'Content-Disposition: attachment; filename="scan.pdf"',
        'Content-Transfer-Encoding: base64',
        '',
        ...lines,
        '--b--',
      ),
    );
    expect(mail.attachments).toEqual([
      { filename: 'scan.pdf', contentType: 'application/pdf', content: file.toString('base64') },
    ]);
  });

  test('keeps an invitation one', async () => {
    const ics = [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:x',
      'METHOD:REQUEST',
      'BEGIN:VEVENT',
      'UID:1',
      'ORGANIZER:mailto:chan@contoso.com',
      'DTSTART:20261201T010000Z',
      'SUMMARY:Meeting',
      'END:VEVENT',
      'END:VCALENDAR',
    ];
    const mail = await json(
      message(
        ...HEAD,
        'Content-Type: multipart/alternative; boundary=b',
        '',
        '--b',
        '',
        LONG,
        '--b',
        'Content-Type: text/calendar; method=REQUEST; charset=utf-8',
        '',
        ...ics,
        '--b--',
      ),
    );
    expect(mail).toMatchObject({
      calendar: { method: 'REQUEST', ics: expect.stringContaining('UID:1') },
      attachments: [],
    });
  });

  test.each<[string, readonly string[]]>([
    [
      'S/MIME',
      [
        'Content-Type: multipart/signed; boundary=b; protocol="application/pkcs7-signature"',
        '',
        '--b',
        '',
        LONG,
        '--b',
        'Content-Type: application/pkcs7-signature; name=smime.p7s',
        'Content-Transfer-Encoding: base64',
        '',
        'AAAA',
        '--b--',
      ],
    ],
    [
      'PGP',
      [
        'Content-Type: multipart/encrypted; boundary=b',
        '',
        '--b',
        'Content-Type: application/pgp-encrypted',
        '',
        LONG,
        '--b--',
      ],
    ],
  ])('is rejected where it has a signature or encryption: %s', async (_, lines) => {
    const judged = await judge(message(...HEAD, ...lines));
    expect(judged.text).toMatch(/^550 5\.6\.3 Expected lines of at most 998 bytes: .* cannot be changed/);
  });

  test('is rejected where its text is in no charset', async () => {
    const judged = await judge(
      message(...HEAD, 'Content-Type: text/plain; charset=utf-8', '', `${LONG}Gr\xf6\xdfe`),
    );
    expect(judged.text).toContain('Set the charset in this device');
  });

  test('is rejected where its recipients were others', async () => {
    const judged = await judge(message(...HEAD, 'Resent-From: lee@contoso.com', '', 'Hello'));
    expect(judged.text).toMatch(/^550 5\.6\.0 Expected /);
  });
});

describe('what costs more to read than any email is worth', () => {
  const HEAD = 'From: a@contoso.com\r\nTo: chan@contoso.com\r\n';

  test.each([
    ['text of short lines', 'a\r\n', ''],
    ['base64 that is padded in each line', 'QQ==\r\n', 'Content-Transfer-Encoding: base64\r\n'],
  ])('is put together as it is read: %s', async (_, line, encoding) => {
    let most = 0;
    vi.stubGlobal(
      'Blob',
      class extends Blob {
        constructor(...[parts = [], options]: ConstructorParameters<typeof Blob>) {
          super(parts, options);
          most = Math.max(most, [...parts].length);
        }
      },
    );
    const built = await json(
      Buffer.from(`${HEAD}Content-Type: text/plain\r\n${encoding}\r\n${line.repeat(600_000)}`),
    );
    vi.unstubAllGlobals();
    expect(String(built.text)).toHaveLength(encoding === '' ? 1_200_000 : 600_000);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(2_000);
  });

  test('is rejected: more parts than the relay takes in a whole message', async () => {
    const parts = '--b\r\n\r\na\r\n'.repeat(1001);
    const bytes = Buffer.from(`${HEAD}Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts}--b--\r\n`);
    expect((await judge(bytes)).text).toBe(
      '550 5.6.0 Expected at most 1000 parts (MIME_INVALID). The message cannot be read: its MIME parts are too many or too deep.',
    );
  });

  test('is rejected: a header of more than a megabyte', async () => {
    const bytes = Buffer.from(`${HEAD}${'X-Order: 7\r\n'.repeat(100_000)}\r\nText\r\n`);
    expect((await judge(bytes)).text).toBe(
      '552 5.3.4 The header of the message has more than 1000000 bytes.',
    );
  });
});

describe('a header that says one thing twice', () => {
  test('is rejected where mail programs choose differently', async () => {
    const judged = await judge(
      message(...HEAD, 'Content-Type: text/plain', 'Content-Type: text/html', '', ''),
    );
    expect(judged.text).toBe(
      '550 5.6.0 The header content-type is there twice with different values. Send it once.',
    );
  });
});

describe('boundaries of Python', () => {
  const multipart = (boundary: string, ...fields: readonly string[]): Buffer =>
    message(
      ...HEAD,
      'Message-ID: <a@contoso.com>',
      ...fields,
      `Content-Type: multipart/mixed; boundary="${boundary}"`,
      '',
      `--${boundary}`,
      'Content-Type: text/plain',
      '',
      `Hello, --${boundary}`,
      `--${boundary}--`,
    );
  const [one, other] = ['===============1234567890123456789==', '===============9876543210987654321=='];

  test('follow from the content, so that the email is the same each time it is sent', async () => {
    const [first, again] = [await judge(multipart(one)), await judge(multipart(other))];
    // What is no boundary stays: then it is another email.
    expect(again.text).toBe(
      first.text
        .replace(`Hello, --${one}`, `Hello, --${other}`)
        .replaceAll(/=_[0-9a-f]{24}/g, /=_[0-9a-f]{24}/.exec(again.text)?.[0] ?? ''),
    );
    const same = (boundary: string) =>
      judge(Buffer.from(multipart(boundary).toString().replace(`Hello, --${boundary}`, 'Hello')));
    expect(await same(one)).toEqual(await same(other));
    expect((await same(one)).text).not.toContain('=====');
  });

  test('stay in what is signed, and others stay everywhere', async () => {
    const signed = Buffer.from(multipart(one).toString().replace('multipart/mixed', 'multipart/signed'));
    expect((await judge(signed)).text).toBe(signed.toString());
    const usual = multipart('----=_Part_1');
    expect((await judge(usual)).text).toBe(usual.toString());
  });
});

test('a message without an envelope, as a file has it, goes to those of its header and of X-Receiver', async () => {
  const bytes = message(
    'X-Sender: scanner@contoso.com',
    'X-Receiver: chan@contoso.com',
    'X-Receiver: lee@contoso.com',
    ...HEAD,
    '',
    'Hello',
  );
  const judged = await judgeMessage(
    { bytes, account: SCANNER },
    { bareLineEnds: 'mend', otherRecipients: 'remove' },
  );
  expect(judged).toMatchObject({ kind: 'email', body: bytes });
});

test('a message that is in a loop is rejected: it has more than 100 Received fields', async () => {
  const trace = (count: number) =>
    Array<string>(count).fill('Received: from a by b; Thu, 26 Nov 2026 10:00:00 +0000');
  expect((await judge(message(...trace(100), ...HEAD, '', 'Hello'))).kind).toBe('email');
  expect(await judge(message(...trace(101), ...HEAD, '', 'Hello'))).toMatchObject({
    code: 554,
    enhanced: '5.4.6',
  });
});
