import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AppError } from '../../../src/lib/errors.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { describePlan } from '../../../src/lib/sending/describe-plan.ts';
import { RELAY_ID_PROPERTY } from '../../../src/lib/sending/json-message.ts';
import type { OutgoingMail } from '../../../src/lib/sending/outgoing-mail.ts';
import { outgoing } from '../../../src/lib/sending/outgoing-mail.ts';
import { MAX_REQUEST_BYTES, type PlanPolicy, planSend } from '../../../src/lib/sending/send-plan.ts';
import { aMail, base64Of } from '../../support/a-mail.ts';
import { ACCEPTED_AT, directPlanOf, planOf, STANDARD } from '../../support/a-plan.ts';
import { anInvitation } from '../../support/an-invitation.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const sender = { name: 'Contoso', address: 'noreply@contoso.example' };
const plan = (override: Record<string, unknown>) => directPlanOf('id-1', sender, aMail(override));
const message = async (override: Record<string, unknown>) =>
  JSON.parse((await plan(override)).body.toString()).message;
const refusal = (override: Record<string, unknown>): Promise<AppError> =>
  plan(override).then(
    () => {
      throw new TypeError('it is not refused');
    },
    (error: AppError) => error,
  );

describe('a mail becomes the request Graph knows', () => {
  test('every field', async () => {
    const { body, mailbox } = await plan({
      to: 'Chan <chan@contoso.example>',
      cc: 'c@contoso.example',
      bcc: 'b@contoso.example',
      replyTo: 'r@contoso.example',
      html: '<p><img src="cid:logo"></p>',
      text: undefined,
      headers: { 'x-batch': '7' },
      importance: 'high',
      saveToSentItems: false,
      readReceipt: true,
      deliveryReceipt: true,
      tags: ['pay-slip'],
      attachments: [{ filename: 'logo.png', content: base64Of(2), cid: 'logo' }],
    });
    expect(mailbox).toBe('noreply@contoso.example');
    expect(JSON.parse(body.toString())).toEqual({
      message: {
        subject: 'Pay slip',
        body: { contentType: 'html', content: '<p><img src="cid:logo"></p>' },
        from: { emailAddress: { name: 'Contoso', address: 'noreply@contoso.example' } },
        toRecipients: [{ emailAddress: { name: 'Chan', address: 'chan@contoso.example' } }],
        ccRecipients: [{ emailAddress: { address: 'c@contoso.example' } }],
        bccRecipients: [{ emailAddress: { address: 'b@contoso.example' } }],
        replyTo: [{ emailAddress: { address: 'r@contoso.example' } }],
        importance: 'high',
        isReadReceiptRequested: true,
        isDeliveryReceiptRequested: true,
        internetMessageHeaders: [{ name: 'x-batch', value: '7' }],
        attachments: [
          {
            '@odata.type': '#microsoft.graph.fileAttachment',
            name: 'logo.png',
            contentType: 'image/png',
            contentBytes: base64Of(2),
            isInline: true,
            contentId: 'logo',
          },
        ],
        singleValueExtendedProperties: [{ id: RELAY_ID_PROPERTY, value: 'id-1' }],
      },
      saveToSentItems: false,
    });
  });

  test('what was not given is left out', async () => {
    expect(Object.keys(await message({}))).toEqual([
      'subject',
      'body',
      'from',
      'toRecipients',
      'importance',
      'singleValueExtendedProperties',
    ]);
  });

  test('an empty text is a body', async () => {
    expect((await message({ text: '' })).body).toEqual({ contentType: 'text', content: '' });
  });
});

describe('what one request cannot carry is refused with limit and figure', () => {
  test('a file of 3 MB', async () => {
    const { code, facts } = await refusal({
      attachments: [{ filename: 'a', content: base64Of(3_000_000) }],
    });
    expect(code).toBe('MAIL_TOO_LARGE');
    expect(facts.problems).toEqual([
      {
        code: 'MAIL_TOO_LARGE',
        pointer: '/attachments/0/content',
        expected: 'a file of less than 3000000 bytes, or the setting MAIL_LARGE_ATTACHMENTS',
        received: 'a file of 3000000 bytes',
      },
    ]);
  });

  test('several files that are small each', async () => {
    const attachments = [1, 2].map((index) => ({ filename: `${index}`, content: base64Of(1_600_000) }));
    const { code, message: text } = await refusal({ attachments });
    expect(code).toBe('MAIL_TOO_LARGE');
    expect(text).toMatch(/can have 4000000 bytes; this email needs 42\d{5}/);
  });

  test('a long text just fits, counted in bytes and not in characters', async () => {
    const room = MAX_REQUEST_BYTES - (await plan({ text: '' })).body.length;
    const longest = await plan({ text: '薪'.repeat(Math.floor(room / 3)) });
    expect(longest.body.length).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
    expect((await refusal({ text: '薪'.repeat(Math.floor(room / 3) + 1) })).code).toBe('MAIL_TOO_LARGE');
  });
});

test('whatever the subject and the files, the body is the JSON of all of them', async () => {
  const file = fc.record({
    filename: fc.constantFrom('a.bin', '薪資.bin', 'q"u.bin'),
    bytes: fc.uint8Array(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('plain', '薪資單', 'a "quote"'),
      fc.array(file, { maxLength: 4 }),
      async (subject, files) => {
        const attachments = files.map(({ filename, bytes }) => ({
          filename,
          content: Buffer.from(bytes).toString('base64'),
        }));
        const sent = await message({ subject, attachments });
        expect(sent.subject).toBe(subject);
        expect(
          (sent.attachments ?? []).map(({ name, contentBytes }: Record<string, string>) => [
            name,
            contentBytes,
          ]),
        ).toEqual(attachments.map(({ filename, content }) => [filename, content]));
      },
    ),
  );
});

const LARGE: PlanPolicy = { largeAttachments: true, delivery: 'standard' };
const EXACT: PlanPolicy = { largeAttachments: false, delivery: 'exact' };

const way = async (override: Record<string, unknown>, policy = STANDARD) => {
  const sent = await planOf('id-1', sender, aMail(override), policy);
  return sent.kind === 'draft'
    ? [sent.kind, sent.message.contentType, sent.files.map(({ bytes }) => bytes)]
    : [sent.kind, sent.contentType];
};
const files = (...sizes: readonly number[]) =>
  sizes.map((size, index) => ({ filename: `${index}.bin`, content: base64Of(size) }));
const faultOf = (promise: Promise<unknown>): Promise<AppError> =>
  promise.then(
    () => {
      throw new TypeError('it is not refused');
    },
    (error: AppError) => error,
  );

describe('an email goes as JSON where JSON says all of it, and as MIME where it does not', () => {
  const x = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x-${n}`, 'v']));

  test.each<[string, Record<string, unknown>]>([
    ['text', {}],
    ['html', { html: '<p>a</p>', text: undefined }],
    ['html beside an empty text', { html: '<p>a</p>', text: '' }],
    ['five headers', { headers: x(5) }],
    ['a link to unsubscribe', { headers: { 'List-Unsubscribe': '<https://contoso.example/u>', ...x(5) } }],
  ])('JSON: %s', async (_, override) => {
    expect(await way(override)).toEqual(['json', 'application/json']);
  });

  test.each<[string, Record<string, unknown>, string]>([
    ['text and html', { html: '<p>a</p>' }, '`text` and `html` together'],
    ['six headers', { headers: x(6) }, 'more than 5 headers that begin with x-'],
    [
      'another header',
      { headers: { 'Auto-Submitted': 'auto-generated' } },
      'a header that does not begin with x-',
    ],
    ['an answer', { inReplyTo: 'a@b.cc' }, '`inReplyTo`'],
    ['a thread', { references: 'a@b.cc' }, '`references`'],
    ['an id', { messageId: 'a@b.cc' }, '`messageId`'],
    ['an invitation', { calendar: { method: 'REQUEST', ics: anInvitation() } }, '`calendar`'],
  ])('MIME: %s', async (_, override, because) => {
    const { kind, reason } = await planOf('id-1', sender, aMail(override));
    expect([kind, reason]).toEqual(['mime', `The email goes as MIME because it has ${because}.`]);
  });

  test('a link to unsubscribe is a property of MAPI in JSON, and a header in MIME', async () => {
    const headers = { 'List-Unsubscribe': '<mailto:u@contoso.example>' };
    const { internetMessageHeaders, singleValueExtendedProperties } = await message({ headers });
    expect(internetMessageHeaders).toBeUndefined();
    expect(singleValueExtendedProperties).toContainEqual({
      id: 'String 0x1045',
      value: '<mailto:u@contoso.example>',
    });
    const post = { ...headers, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' };
    const mime = Buffer.from((await plan({ headers: post })).body.toString(), 'base64').toString();
    expect(mime).toContain('List-Unsubscribe: <mailto:u@contoso.example>\r\n');
    expect(mime).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n');
  });

  test('without a copy in Sent Items MIME cannot go, and the error names both fields', () => {
    expect(problemsOf(() => readMail(aMail({ html: '<p>a</p>', saveToSentItems: false })))).toEqual([
      'SENT_ITEMS_COPY_NEEDED /saveToSentItems',
    ]);
    expect(
      errorOf(() => readMail(aMail({ html: '<p>a</p>', saveToSentItems: false }))).facts.problems?.[0]
        ?.expected,
    ).toMatch(/^true, or an email without `text`/);
  });

  test('what MIME cannot carry is refused where the email goes as MIME', () => {
    const inReplyTo = 'a@b.cc';
    expect(problemsOf(() => readMail(aMail({ inReplyTo, to: '薪@b.cc' })))).toEqual(['ADDRESS_INVALID /to']);
    expect(readMail(aMail({ to: '薪@b.cc' })).to).toEqual([{ address: '薪@b.cc' }]);
    const html = '<img src="cid:圖">';
    const attachments = [{ filename: 'a.png', content: 'YQ==', cid: '圖' }];
    expect(problemsOf(() => readMail(aMail({ html, attachments })))).toEqual([
      'FIELD_INVALID /attachments/0/cid',
    ]);
  });
});

describe('what is larger than one request goes as a draft where the settings allow it', () => {
  const mime = { html: '<p>a</p>' };

  test.each<[string, Record<string, unknown>, PlanPolicy, unknown[]]>([
    ['small', { attachments: files(1000) }, LARGE, ['json', 'application/json']],
    ['files of 2.9 MB', { attachments: files(2_900_000) }, STANDARD, ['json', 'application/json']],
    [
      'between 2.9 MB and 3 MB',
      { attachments: files(2_999_999) },
      LARGE,
      ['draft', 'application/json', [2_999_999]],
    ],
    ['3 MB', { attachments: files(3_000_000) }, LARGE, ['draft', 'application/json', [3_000_000]]],
    [
      'several',
      { attachments: files(1_600_000, 1_600_000) },
      LARGE,
      ['draft', 'application/json', [1_600_000, 1_600_000]],
    ],
    ['MIME that is safe', { ...mime, attachments: files(1_200_000) }, LARGE, ['mime', 'text/plain']],
    [
      'MIME that is not',
      { ...mime, attachments: files(1_300_000) },
      LARGE,
      ['draft', 'text/plain', [1_300_000]],
    ],
    [
      'MIME that is not, and no drafts',
      { ...mime, attachments: files(1_300_000) },
      STANDARD,
      ['mime', 'text/plain'],
    ],
    [
      'MIME with 3 MB',
      { ...mime, attachments: files(3_000_000) },
      LARGE,
      ['draft', 'text/plain', [3_000_000]],
    ],
    ['a long html and text', { html: 'a'.repeat(2_000_000) }, LARGE, ['draft', 'text/plain', []]],
    ['exact', {}, EXACT, ['draft', 'application/json', []]],
    ['exact, with MIME', { ...mime, attachments: files(10) }, EXACT, ['draft', 'text/plain', [10]]],
    ['exact, without a copy', { saveToSentItems: false }, EXACT, ['json', 'application/json']],
  ])('%s', async (_, override, policy, expected) => {
    expect(await way(override, policy)).toEqual(expected);
  });

  test('the draft of an email with text and html has both, and no file', async () => {
    const sent = await planOf('id-1', sender, aMail({ ...mime, attachments: files(3_000_000) }), LARGE);
    if (sent.kind !== 'draft') throw new TypeError(sent.kind);
    const text = Buffer.from(sent.message.body.toString(), 'base64').toString();
    expect(text).toMatch(/Content-Type: multipart\/alternative/);
    expect(text).not.toContain('0.bin');
    expect(sent.reason).toMatch(/as a draft because it is larger than what sendMail takes as MIME/);
  });

  test.each<[string, Record<string, unknown>, PlanPolicy, string, RegExp]>([
    [
      'MIME without drafts',
      { ...mime, attachments: files(2_300_000) },
      STANDARD,
      'MAIL_TOO_LARGE',
      /can have 4000000 bytes.*MAIL_LARGE_ATTACHMENTS/,
    ],
    [
      'a text of its own, beside files',
      { text: 'a'.repeat(4_000_000), attachments: files(10) },
      LARGE,
      'MAIL_TOO_LARGE',
      /bytes; without its files, this email needs 4000\d{3} in JSON\.$/,
    ],
    [
      'a text of its own, in words without files',
      { text: 'a'.repeat(4_000_000) },
      LARGE,
      'MAIL_TOO_LARGE',
      /bytes; this email needs 4000\d{3} in JSON\.$/,
    ],
    [
      'the same without drafts',
      { text: 'a'.repeat(4_000_000) },
      STANDARD,
      'MAIL_TOO_LARGE',
      /bytes; this email needs 4000\d{3} in JSON\.$/,
    ],
    [
      'MIME without files and drafts',
      { html: 'a'.repeat(4_000_000) },
      STANDARD,
      'MAIL_TOO_LARGE',
      /bytes; this email needs \d{7} as MIME in base64\.$/,
    ],
    [
      'files without a copy',
      { attachments: files(3_000_000), saveToSentItems: false },
      LARGE,
      'SENT_ITEMS_COPY_NEEDED',
      /./,
    ],
  ])('%s is refused', async (_, override, policy, code, words) => {
    const error = await faultOf(planOf('id-1', sender, aMail(override), policy));
    expect([error.code, words.test(error.message)]).toEqual([code, true]);
  });

  const withBlobs = (...sizes: readonly number[]): OutgoingMail => ({
    ...outgoing(readMail(aMail())),
    files: sizes.map((bytes, index) => ({
      filename: `${index}.bin`,
      contentType: 'application/pdf',
      bytes,
      source: { kind: 'blob', name: `${index}`, etag: 'e' },
    })),
  });
  const planBlobs = (policy: PlanPolicy, ...sizes: readonly number[]) =>
    planSend('id-1', sender, withBlobs(...sizes), policy, ACCEPTED_AT);

  test('a file in a blob goes with a draft, whatever its size', async () => {
    expect((await planBlobs(LARGE, 10)).kind).toBe('draft');
    expect((await faultOf(planBlobs(STANDARD, 10))).facts.problems).toMatchObject([
      { code: 'LARGE_ATTACHMENTS_OFF', pointer: '/attachments/0/blob' },
    ]);
  });

  test('no file of more than 150 MB, nor files that have more together', async () => {
    expect((await planBlobs(LARGE, 150_000_000)).kind).toBe('draft');
    expect((await faultOf(planBlobs(LARGE, 150_000_001))).facts.problems).toMatchObject([
      { code: 'MAIL_TOO_LARGE', pointer: '/attachments/0/blob', received: 'a file of 150000001 bytes' },
    ]);
    expect((await faultOf(planBlobs(LARGE, 80_000_000, 80_000_000))).message).toMatch(/have 160000000/);
  });

  test('what a mailbox may not allow is warned of', async () => {
    expect((await planBlobs(LARGE, 27_000_000)).warnings).toEqual([]);
    expect((await planBlobs(LARGE, 28_000_000)).warnings).toMatchObject([
      { code: 'MAILBOX_LIMIT_MAY_BE_LOWER', pointer: '/attachments' },
    ]);
  });
});

describe('what may not arrive is warned of', () => {
  const warnings = async (override: Record<string, unknown>) =>
    (await planOf('id-1', sender, aMail(override))).warnings.map(({ code, pointer }) => `${code} ${pointer}`);

  const anEml = { filename: 'a.eml', content: 'QTogYg0KDQo=', contentType: 'message/rfc822' };
  const withEml = { html: '<p>a</p>', attachments: [{ filename: 'a.txt', content: 'YQ==' }, anEml] };

  test('MIME that Graph may not send in one request is warned of, with its place and size', async () => {
    const megabytes = (count: number) => Buffer.alloc(count * 1_000_000, 1).toString('base64');
    const file = (content: string) => ({ attachments: [{ filename: 'a.bin', content }] });
    const whole = `From: a@b.cc\r\nTo: a@b.cc\r\n\r\n${'a\r\n'.repeat(600_000)}`;
    const places = async (input: Record<string, unknown>, policy = STANDARD) =>
      (await planOf('id-1', sender, input, policy)).warnings.flatMap(({ code, pointer, detail }) =>
        code === 'MIME_SIZE_MAY_BE_REJECTED' ? [[pointer, /has \d{7} bytes/.test(detail)]] : [],
      );
    const input = { to: ['a@b.cc'], subject: 'a', text: 'a', html: '<p>a</p>' };
    expect(await places({ ...input, ...file(megabytes(1)) })).toEqual([]);
    expect(await places({ ...input, ...file(megabytes(1.5)) })).toEqual([['/attachments', true]]);
    expect(await places({ ...input, html: 'ab '.repeat(600_000) })).toEqual([['', true]]);
    expect(await places({ mime: Buffer.from(whole).toString('base64') })).toEqual([['/mime', true]]);
    expect(await places({ ...input, ...file(megabytes(1.5)) }, LARGE)).toEqual([]);
  });

  test('a message as an attachment keeps its type in a draft', async () => {
    const plan = await planOf('id-1', sender, aMail(withEml), EXACT);
    expect([plan.kind, plan.warnings]).toEqual(['draft', []]);
  });

  test.each<[string, Record<string, unknown>, string[]]>([
    ['a message as an attachment', withEml, ['ATTACHMENT_TYPE_CHANGED /attachments/1/contentType']],
    [
      'more of them than are named',
      { html: '<p>a</p>', attachments: Array.from({ length: 30 }, () => anEml) },
      Array.from({ length: 20 }, (_, n) => `ATTACHMENT_TYPE_CHANGED /attachments/${n}/contentType`),
    ],
    ['a message as an attachment by JSON', { attachments: [anEml] }, []],
    ['nothing by JSON', { headers: { 'x-a': '1', 'List-Unsubscribe': '<https://a.bc>' } }, []],
    ['nothing by MIME for itself', { html: '<p>a</p>', inReplyTo: 'a@b.cc' }, []],
    ['an id', { messageId: 'a@b.cc' }, ['MESSAGE_ID_MAY_CHANGE /messageId']],
    [
      'headers by MIME',
      { headers: { 'Auto-Submitted': 'auto-generated', 'x-a': '1' } },
      ['HEADER_MAY_BE_LOST /headers/Auto-Submitted', 'HEADER_MAY_BE_LOST /headers/x-a'],
    ],
  ])('%s', async (_, override, expected) => {
    expect(await warnings(override)).toEqual(expected);
  });

  test('of a whole message, in one warning for each kind', async () => {
    const mime = Buffer.from(
      'From: a@b.cc\r\nTo: c@d.ee\r\nReceived: x\r\nX-A: 1\r\nList-Id: <a.b>\r\n\r\nbody\r\n',
    ).toString('base64');
    const { warnings: given } = await planSend(
      'id-1',
      sender,
      outgoing(readMail({ mime })),
      STANDARD,
      ACCEPTED_AT,
    );
    expect(given).toEqual([
      { code: 'HEADER_REMOVED', pointer: '/mime', detail: 'The relay removed these headers: Received.' },
      {
        code: 'HEADER_MAY_BE_LOST',
        pointer: '/mime',
        detail: 'Exchange may not pass on these headers: X-A, List-Id.',
      },
    ]);
  });
});

describe('a plan as a person reads it', () => {
  test('JSON with its long texts and files cut', async () => {
    const [request] = describePlan(
      await planOf('id-1', sender, aMail({ text: '薪'.repeat(1000), attachments: files(1000) })),
    );
    expect(request).toMatchObject({
      method: 'POST',
      path: '/v1.0/users/noreply%40contoso.example/sendMail',
      headers: { 'Content-Type': 'application/json' },
    });
    const shown = JSON.stringify(request?.body);
    expect(shown).toContain(`${'薪'.repeat(300)}... (1000 characters)`);
    expect(shown).toMatch(/"contentBytes":".{40}\.\.\. \(1336 characters\)"/);
    expect(request?.bodyBytes).toBeGreaterThan(4000);
  });

  test('MIME as lines', async () => {
    const [request] = describePlan(await planOf('id-1', sender, aMail({ html: 'a'.repeat(5000) })));
    const shown = request?.body as readonly string[];
    expect(shown).toContain('Message-ID: <id-1@contoso.example>');
    expect(shown.at(-1)).toMatch(/^\.\.\. \(about \d+ bytes\)$/);
  });

  test('a draft with the way of each file', async () => {
    const requests = describePlan(
      await planOf('id-1', sender, aMail({ attachments: files(10, 5_000_000) }), LARGE),
    );
    expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1.0/users/noreply%40contoso.example/messages',
      'POST /v1.0/users/noreply%40contoso.example/messages/{id}/attachments',
      'POST /v1.0/users/noreply%40contoso.example/messages/{id}/attachments/createUploadSession',
      'PUT {uploadUrl}',
      'POST /v1.0/users/noreply%40contoso.example/messages/{id}/send',
    ]);
    expect(JSON.stringify(requests).length).toBeLessThan(3000);
    expect(requests[3]?.headers).not.toHaveProperty('Authorization');
  });
});
