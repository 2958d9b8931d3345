import { describe, expect, test } from 'vitest';
import {
  aMessage,
  errorOf,
  type GraphForTests,
  graphForTests,
  refusalOf,
  send,
  tokenWith,
} from './graph-for-tests.ts';

const HEADERS = [
  'From: Contoso <noreply@contoso.example>',
  'To: Ada <ada@fabrikam.example>',
  'Subject: Pay slip',
  'MIME-Version: 1.0',
];
const PROPERTIES = 'String {00020386-0000-0000-C000-000000000046} Name';

/** MIME with these headers, a body in text and CRLF at the end of each line. */
const mimeOf = (headers: readonly string[], body: readonly string[] = ['Attached.']) =>
  [...headers, '', ...body, ''].join('\r\n');

const sendMime = (
  graph: { readonly url: string },
  mime: string | Buffer,
  { mailbox, headers }: { mailbox?: string; headers?: Record<string, string> } = {},
) =>
  send(graph, {
    ...(mailbox !== undefined && { mailbox }),
    raw: Buffer.from(mime).toString('base64'),
    headers: { 'content-type': 'text/plain', ...headers },
  });

async function captureOf(graph: GraphForTests, mime: string) {
  const response = await sendMime(graph, mime);
  expect([response.status, await response.text()]).toEqual([202, '']);
  const [mail] = graph.captured;
  return mail!;
}

const multipart = (type: string, ...parts: readonly (readonly string[])[]) => [
  ...parts.flatMap((part) => [`--${type}`, ...part]),
  `--${type}--`,
];

describe('an email in MIME', () => {
  test('is captured as the same email in JSON would be, with its MIME', async () => {
    const graph = await graphForTests();
    const mime = mimeOf([
      ...HEADERS,
      'Cc: hr@contoso.example',
      'Reply-To: =?utf-8?B?5Lq66LOH?= <hr@contoso.example>',
      'Importance: high',
      'Disposition-Notification-To: noreply@contoso.example',
      'In-Reply-To: <first@contoso.example>',
      'References: <zero@contoso.example>',
      ' <first@contoso.example>',
    ]);
    const mail = await captureOf(graph, mime);
    expect(mail).toMatchObject({
      via: 'mime',
      mailbox: 'noreply@contoso.example',
      inReplyTo: '<first@contoso.example>',
      references: ['<zero@contoso.example>', '<first@contoso.example>'],
      request: {
        headers: { 'content-type': 'text/plain' },
        body: {
          message: {
            subject: 'Pay slip',
            body: { contentType: 'text', content: 'Attached.\n' },
            from: { emailAddress: { address: 'noreply@contoso.example', name: 'Contoso' } },
            toRecipients: [{ emailAddress: { address: 'ada@fabrikam.example', name: 'Ada' } }],
            ccRecipients: [{ emailAddress: { address: 'hr@contoso.example' } }],
            replyTo: [{ emailAddress: { address: 'hr@contoso.example', name: '人資' } }],
            importance: 'high',
            isReadReceiptRequested: true,
          },
        },
      },
    });
    expect(Buffer.from(mail.mime ?? '', 'base64').toString()).toBe(mime);
  });

  test('has both alternatives, its files, inline images and an invitation', async () => {
    const graph = await graphForTests();
    const mail = await captureOf(
      graph,
      mimeOf(
        [...HEADERS, 'Content-Type: multipart/mixed; boundary="mixed"'],
        multipart(
          'mixed',
          [
            'Content-Type: multipart/alternative; boundary=alternative',
            '',
            ...multipart(
              'alternative',
              [
                'Content-Type: text/plain; charset=utf-8',
                'Content-Transfer-Encoding: base64',
                '',
                '6Jaq6LOH',
              ],
              ['Content-Type: text/html', '', '<p>Pay</p><img src="cid:logo@contoso">'],
              ['Content-Type: text/calendar; method=REQUEST', '', 'BEGIN:VCALENDAR', 'END:VCALENDAR'],
            ),
          ],
          [
            'Content-Type: image/png; name=logo.png',
            'Content-ID: <logo@contoso>',
            'Content-Disposition: inline; filename=logo.png',
            'Content-Transfer-Encoding: base64',
            '',
            'iVBORw==',
          ],
          [
            'Content-Type: application/pdf',
            "Content-Disposition: attachment; filename*=utf-8''%E8%96%AA.pdf",
            'Content-Transfer-Encoding: base64',
            '',
            'JVBERg==',
          ],
        ),
      ),
    );
    expect(mail.text?.trim()).toBe('薪資');
    expect(mail.calendar).toEqual({ method: 'REQUEST', ics: 'BEGIN:VCALENDAR\nEND:VCALENDAR\n' });
    expect(mail.request.body.message.body).toMatchObject({ contentType: 'html' });
    expect(mail.request.body.message.attachments).toEqual([
      {
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: 'logo.png',
        contentType: 'image/png',
        contentBytes: 'iVBORw==',
        isInline: true,
        contentId: 'logo@contoso',
      },
      {
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: '薪.pdf',
        contentType: 'application/pdf',
        contentBytes: 'JVBERg==',
        isInline: false,
      },
    ]);
  });

  test('goes to its Bcc recipients, whom nobody sees', async () => {
    const graph = await graphForTests();
    const mail = await captureOf(graph, mimeOf([...HEADERS, 'Bcc: secret@contoso.example']));
    expect(mail.request.body.message.bccRecipients).toEqual([
      { emailAddress: { address: 'secret@contoso.example' } },
    ]);
    expect(JSON.stringify(mail.headers)).not.toMatch(/secret|bcc/i);
  });

  test('may have Bcc recipients alone', async () => {
    const headers = HEADERS.map((line) => (line.startsWith('To:') ? 'To: undisclosed-recipients:;' : line));
    expect((await sendMime(await graphForTests(), mimeOf([...headers, 'Bcc: a@b.example']))).status).toBe(
      202,
    );
  });

  test('loses Auto-Submitted and Return-Path on the way, and keeps every other header in order', async () => {
    const graph = await graphForTests();
    const mail = await captureOf(
      graph,
      mimeOf([
        'Return-Path: <bounce@contoso.example>',
        ...HEADERS,
        'Auto-Submitted: auto-generated',
        'List-Unsubscribe: <https://contoso.example/u>',
        'X-Trace: 1',
        'X-Trace: 2',
      ]),
    );
    expect(mail.headers?.map(({ name, value }) => `${name}: ${value}`)).toEqual([
      ...HEADERS,
      'List-Unsubscribe: <https://contoso.example/u>',
      'X-Trace: 1',
      'X-Trace: 2',
      `Message-ID: ${mail.internetMessageId}`,
    ]);
  });

  test('may have more than five x- headers', async () => {
    const many = Array.from({ length: 9 }, (_, index) => `X-H${index}: ${index}`);
    expect((await sendMime(await graphForTests(), mimeOf([...HEADERS, ...many]))).status).toBe(202);
  });

  test('may have line breaks in its base64', async () => {
    const graph = await graphForTests();
    const base64 = Buffer.from(mimeOf(HEADERS)).toString('base64');
    const raw = base64.replaceAll(/.{1,76}/g, '$&\r\n');
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    expect((await send(graph, { raw, headers })).status).toBe(202);
  });

  test('is found by an x- header, as an extended property with its name in lower case', async () => {
    const graph = await graphForTests();
    await sendMime(graph, mimeOf([...HEADERS, 'X-MailRelay-Id: Mail-1']));
    expect(await findBy(graph, `${PROPERTIES} x-mailrelay-id`, 'mail-1')).toEqual(['Pay slip']);
    expect(await findBy(graph, `${PROPERTIES} X-MailRelay-Id`, 'mail-1')).toEqual([]);
  });

  test('is not found so where the tenant loses these headers', async () => {
    const graph = await graphForTests();
    graph.settings.change({ mimeHeadersAreProperties: false });
    await sendMime(graph, mimeOf([...HEADERS, 'X-MailRelay-Id: Mail-1']));
    expect(await findBy(graph, `${PROPERTIES} x-mailrelay-id`, 'mail-1')).toEqual([]);
    expect(graph.captured[0]?.headers).toContainEqual({ name: 'X-MailRelay-Id', value: 'Mail-1' });
  });
});

describe('the Message-ID that a caller chose', () => {
  const OWN = '<own-1@contoso.example>';
  const ways: [way: string, sendIt: (graph: GraphForTests) => Promise<Response>][] = [
    ['MIME', (graph) => sendMime(graph, mimeOf([...HEADERS, `Message-ID: ${OWN}`]))],
    ['JSON', (graph) => send(graph, { body: { message: aMessage({ internetMessageId: OWN }) } })],
  ];
  test.each(ways)('is rewritten in %s', async (_way, sendIt) => {
    const graph = await graphForTests();
    expect((await sendIt(graph)).status).toBe(202);
    const [mail] = graph.captured;
    expect(mail?.internetMessageId).toMatch(/^<.+@contoso\.example>$/);
    expect(mail?.internetMessageId).not.toBe(OWN);
    expect(JSON.stringify(mail?.headers ?? '')).not.toContain(OWN);
  });
  test.each(ways)('is kept in %s where the settings say so', async (_way, sendIt) => {
    const graph = await graphForTests();
    graph.settings.change({ callerMessageId: 'keep' });
    await sendIt(graph);
    expect(graph.captured[0]?.internetMessageId).toBe(OWN);
    const found = await listed(graph, { $filter: `internetMessageId eq '${OWN}'` });
    expect(found).toMatchObject([{ internetMessageId: OWN }]);
  });
  test('has to be one, in JSON', async () => {
    const body = { message: aMessage({ internetMessageId: 'own-1' }) };
    expect(await refusalOf(await send(await graphForTests(), { body }))).toEqual([400, 'RequestBodyRead']);
  });
});

describe('MIME is refused', () => {
  const part = (...lines: readonly string[]) =>
    [[...HEADERS, 'Content-Type: multipart/mixed; boundary="x"'], lines] as const;
  const from = (value: string) => [value, ...HEADERS.slice(1)];
  const refused: [what: string, mime: string | Buffer, status: number, code: string, says: RegExp][] = [
    ['empty', '', 400, 'ErrorMimeContentInvalid', /empty/],
    ['without a header', '\r\nHello', 400, 'ErrorMimeContentInvalid', /no header/],
    ['without an end of its header', 'To: a@b.example\r\n', 400, 'ErrorMimeContentInvalid', /empty line/],
    [
      'with a line that is no header',
      mimeOf([...HEADERS, 'Hello']),
      400,
      'ErrorMimeContentInvalid',
      /line 5/,
    ],
    ['with bare LF', mimeOf(HEADERS).replaceAll('\r\n', '\n'), 400, 'ErrorMimeContentInvalid', /bare LF/],
    ['with one bare LF', mimeOf(HEADERS, ['a\nb']), 400, 'ErrorMimeContentInvalid', /bare LF/],
    ['with bare CR', mimeOf(HEADERS, ['a\rb']), 400, 'ErrorMimeContentInvalid', /bare LF or CR/],
    ['with NUL', mimeOf(HEADERS, ['a\0b']), 400, 'ErrorMimeContentInvalid', /NUL/],
    [
      'with a line of 999 bytes',
      mimeOf(HEADERS, ['x'.repeat(999)]),
      400,
      'ErrorMimeContentInvalid',
      /999 bytes/,
    ],
    [
      'with a header of 999 bytes',
      mimeOf([...HEADERS, `X-A: ${'x'.repeat(994)}`]),
      400,
      'ErrorMimeContentInvalid',
      /998/,
    ],
    ['with raw 8-bit in a header', mimeOf([...HEADERS, 'X-A: 薪']), 400, 'ErrorMimeContentInvalid', /8-bit/],
    [
      'with raw 8-bit in the header of a part',
      mimeOf(...part('--x', 'Content-Disposition: attachment; filename="薪.pdf"', '', 'a', '--x--')),
      400,
      'ErrorMimeContentInvalid',
      /line 8 .*8-bit/,
    ],
    [
      'with more lines than the stand-in reads',
      mimeOf(
        HEADERS,
        Array.from({ length: 100_001 }, () => ''),
      ),
      400,
      'ErrorMimeContentInvalid',
      /has \d{6} lines; this stand-in reads at most 100000/,
    ],
    [
      'with a multipart left open',
      mimeOf(...part('--x', '', 'a')),
      400,
      'ErrorMimeContentInvalid',
      /closing/,
    ],
    [
      'with a multipart without boundary',
      mimeOf([...HEADERS, 'Content-Type: multipart/mixed']),
      400,
      'ErrorMimeContentInvalid',
      /no boundary/,
    ],
    [
      'with two subjects',
      mimeOf([...HEADERS, 'Subject: 2']),
      400,
      'ErrorMimeContentInvalid',
      /Subject more than/,
    ],
    ['without From', mimeOf(HEADERS.slice(1)), 400, 'ErrorMimeContentInvalid', /From has 0/],
    [
      'from two people',
      mimeOf(from('From: noreply@contoso.example, hr@contoso.example')),
      400,
      'ErrorMimeContentInvalid',
      /From has 2/,
    ],
    [
      'from another mailbox',
      mimeOf(from('From: hr@contoso.example')),
      403,
      'ErrorSendAsDenied',
      /right to send/,
    ],
    [
      'with a Sender of another mailbox',
      mimeOf([...HEADERS, 'Sender: hr@contoso.example']),
      403,
      'ErrorSendAsDenied',
      /right to send/,
    ],
    [
      'without recipients',
      mimeOf(HEADERS.filter((line) => !line.startsWith('To:'))),
      400,
      'ErrorInvalidRecipients',
      /no recipients/,
    ],
    [
      'with a recipient that is no address',
      mimeOf([...HEADERS, 'Cc: everybody']),
      400,
      'ErrorInvalidRecipients',
      /not resolved/,
    ],
    [
      'with more than 500 recipients',
      mimeOf([...HEADERS, `Cc: ${Array.from({ length: 500 }, (_, i) => `a${i}@b.example`).join(',\r\n ')}`]),
      400,
      'ErrorExceededMaxRecipientLimit',
      /501/,
    ],
  ];
  test.each(refused)('%s', async (_what, mime, status, code, says) => {
    const graph = await graphForTests();
    const response = await sendMime(graph, mime);
    expect(response.status).toBe(status);
    const error = await errorOf(response);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(says);
    expect(graph.captured).toEqual([]);
  });

  const notBase64 = ['VG8', 'VG86IGE=VG86IGE=', 'VG8-IGE_', '{"message":{}}', 'VG86 IGE='];
  test.each(notBase64)('as what is no base64: %s', async (raw) => {
    const response = await send(await graphForTests(), { raw, headers: { 'content-type': 'text/plain' } });
    expect(await refusalOf(response)).toEqual([400, 'ErrorMimeContentInvalidBase64String']);
  });

  test('over 4 MB of base64 with 413 and a page that is not JSON', async () => {
    const response = await send(await graphForTests(), {
      raw: 'A'.repeat(4_000_001),
      headers: { 'content-type': 'text/plain' },
    });
    expect([response.status, response.headers.get('content-type')]).toEqual([413, 'text/html']);
    expect(await response.text()).toMatch(/^<html>/);
  });

  test('when the app has no Mail.Send', async () => {
    const raw = Buffer.from(mimeOf(HEADERS)).toString('base64');
    const token = await tokenWith({ roles: ['Mail.ReadWrite'] });
    const response = await send(await graphForTests(), {
      raw,
      token,
      headers: { 'content-type': 'text/plain' },
    });
    expect(await refusalOf(response)).toEqual([403, 'ErrorAccessDenied']);
  });
});

test('a false 200 can be had for large MIME alone, with nothing sent', async () => {
  const graph = await graphForTests();
  graph.faults.add({
    on: 'sendMail',
    times: 100,
    mimeAboveBytes: 2_240_000,
    fault: { kind: 'answer', status: 200 },
  });
  const large = mimeOf(
    HEADERS,
    Array.from({ length: 2300 }, () => 'x'.repeat(998)),
  );
  expect((await sendMime(graph, large)).status).toBe(200);
  expect(graph.captured).toEqual([]);
  expect((await sendMime(graph, mimeOf(HEADERS))).status).toBe(202);
  expect((await send(graph)).status).toBe(202);
});

async function listed(graph: GraphForTests, options: Record<string, string>) {
  const response = await send(graph, {
    method: 'GET',
    path: `/v1.0/users/noreply@contoso.example/messages?${new URLSearchParams(options)}`,
    token: await tokenWith({ roles: ['Mail.Read'] }),
  });
  return ((await response.json()) as { value: { subject: string }[] }).value;
}

const findBy = async (graph: GraphForTests, id: string, value: string) =>
  (
    await listed(graph, {
      $filter: `singleValueExtendedProperties/Any(ep: ep/id eq '${id}' and ep/value eq '${value}')`,
    })
  ).map(({ subject }) => subject);
