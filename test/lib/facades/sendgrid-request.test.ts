import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { withFields } from '../../../src/lib/facades/field-rules.ts';
import { readSendGridRequest } from '../../../src/lib/facades/sendgrid-request.ts';
import { LongBase64 } from '../../../src/lib/mail/long-base64.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';

const TO = { personalizations: [{ to: [{ email: 'chan@contoso.example' }] }] };
const aRequest = (more: object = {}, personalization: object = {}) => ({
  personalizations: [{ to: [{ email: 'chan@contoso.example' }], ...personalization }],
  from: { email: 'noreply@contoso.example' },
  subject: 'Pay slip',
  content: [{ type: 'text/plain', value: 'It is attached.' }],
  ...more,
});

const inputOf = (request: unknown) => {
  const [mail] = readSendGridRequest(request).mails;
  if (mail === undefined) throw new Error('no email');
  return mail;
};

/** What is wrong, by the fields of SendGrid: of the request, or of an email that it becomes. */
const problemsOf = (request: unknown): readonly (readonly [code: string, field: string])[] => {
  try {
    for (const { input, fieldOf } of readSendGridRequest(request).mails)
      try {
        readMail(input);
      } catch (error) {
        throw error instanceof AppError ? withFields(error, fieldOf) : error;
      }
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return (error.facts.problems ?? [{ code: error.code, pointer: '' }]).map(({ code, pointer }) => [
      code,
      pointer,
    ]);
  }
};

describe('a request with every field that the relay carries', () => {
  test('becomes an email with all of it', () => {
    const { input } = inputOf({
      personalizations: [
        {
          to: [{ email: 'chan@contoso.example', name: 'Chan Tai Man' }, { email: 'lee@contoso.example' }],
          cc: [{ email: 'cc@contoso.example' }],
          bcc: [{ email: 'bcc@contoso.example' }],
          headers: { 'X-Order': '4711' },
          custom_args: { order: 4711 },
        },
      ],
      from: { email: 'noreply@contoso.example', name: 'Contoso' },
      reply_to: { email: 'help@contoso.example', name: 'Help' },
      subject: 'Pay slip',
      content: [
        { type: 'text/plain', value: 'It is attached.' },
        { type: 'text/html; charset=utf-8', value: '<p>It is attached. <img src="cid:logo"></p>' },
      ],
      attachments: [
        { content: 'JVBERi0x', type: 'application/pdf', filename: 'payslip.pdf', disposition: 'attachment' },
        {
          content: 'iVBORw0K',
          type: 'image/png',
          filename: 'logo.png',
          disposition: 'inline',
          content_id: 'logo',
        },
      ],
      categories: ['Pay slips'],
      custom_args: { run: 'November' },
      headers: { 'In-Reply-To': '<1@contoso.example>', Importance: 'high' },
      send_at: 1796083200,
    });
    expect(readMail(input)).toMatchObject({
      from: { name: 'Contoso', address: 'noreply@contoso.example' },
      to: [{ name: 'Chan Tai Man', address: 'chan@contoso.example' }, { address: 'lee@contoso.example' }],
      cc: [{ address: 'cc@contoso.example' }],
      bcc: [{ address: 'bcc@contoso.example' }],
      replyTo: [{ name: 'Help', address: 'help@contoso.example' }],
      subject: 'Pay slip',
      text: 'It is attached.',
      html: '<p>It is attached. <img src="cid:logo"></p>',
      attachments: [
        { filename: 'payslip.pdf', contentType: 'application/pdf', content: 'JVBERi0x' },
        { filename: 'logo.png', cid: 'logo' },
      ],
      headers: [{ name: 'X-Order', value: '4711' }],
      inReplyTo: '<1@contoso.example>',
      importance: 'high',
      tags: ['Pay-slips', 'run.November', 'order.4711'],
      sendAt: '2026-12-01T00:00:00.000Z',
    });
  });

  test('says nothing by fields that are null, empty or switched off', () => {
    const { input } = inputOf(
      aRequest(
        {
          reply_to: null,
          reply_to_list: [],
          attachments: [],
          template_id: '',
          sections: {},
          headers: {},
          categories: null,
          custom_args: {},
          send_at: null,
          batch_id: null,
          asm: null,
          ip_pool_name: '',
          mail_settings: {
            bcc: { enable: false, email: '' },
            footer: { enable: false },
            sandbox_mode: { enable: false },
            spam_check: null,
            bypass_list_management: { enable: true },
          },
          tracking_settings: {
            click_tracking: { enable: false, enable_text: false },
            open_tracking: {},
            ganalytics: null,
            subscription_tracking: { enable: false },
          },
        },
        {
          cc: [],
          bcc: null,
          subject: null,
          headers: {},
          substitutions: {},
          dynamic_template_data: {},
          custom_args: null,
        },
      ),
    );
    expect(Object.keys(input).sort()).toEqual(['from', 'subject', 'text', 'to']);
  });
});

describe('personalizations', () => {
  test('are an email each, with their own sender, subject, headers, arguments and time', () => {
    const { mails } = readSendGridRequest({
      ...aRequest({
        headers: { 'X-A': 'all', 'X-B': 'all' },
        custom_args: { a: '1', b: '1' },
        send_at: 1796083200,
      }),
      personalizations: [
        ...TO.personalizations,
        {
          to: [{ email: 'lee@contoso.example' }],
          from: { email: 'hr@contoso.example' },
          subject: 'Own',
          headers: { 'x-a': 'own' },
          custom_args: { a: '2' },
          send_at: 1796083260,
        },
      ],
    });
    expect(mails.map(({ input }) => input)).toMatchObject([
      { subject: 'Pay slip', headers: { 'X-A': 'all', 'X-B': 'all' }, tags: ['a.1', 'b.1'] },
      {
        from: { address: 'hr@contoso.example' },
        subject: 'Own',
        headers: { 'X-B': 'all', 'x-a': 'own' },
        tags: ['a.2', 'b.1'],
        sendAt: '2026-12-01T00:01:00.000Z',
      },
    ]);
  });

  test('share the files and texts of the request, which are not copied', () => {
    const content = new LongBase64([new Uint8Array(100_000).fill(0x41)], false);
    const { mails } = readSendGridRequest({
      ...aRequest({ attachments: [{ content, filename: 'a.bin' }] }),
      personalizations: Array.from({ length: 100 }, () => TO.personalizations[0]),
    });
    const files = new Set(mails.map(({ input }) => input.attachments));
    expect(files.size).toBe(1);
    expect([...files][0]).toMatchObject([{ content }]);
  });

  test('are at most as many as SendGrid allows, and not more than an instance can hold', () => {
    const many = (count: number, more: object = {}) => ({
      ...aRequest(more),
      personalizations: Array.from({ length: count }, () => TO.personalizations[0]),
    });
    expect(readSendGridRequest(many(1000)).mails).toHaveLength(1000);
    expect(problemsOf(many(1001))).toEqual([['RECIPIENTS_TOO_MANY', 'personalizations']]);
    const content = new LongBase64([new Uint8Array(3_000_000).fill(0x41)], false);
    const large = { attachments: [{ content, filename: 'a.bin' }] };
    expect(readSendGridRequest(many(16, large)).mails).toHaveLength(16);
    expect(problemsOf(many(17, large))).toEqual([['REQUEST_TOO_LARGE', '']]);
    // Small ones take time too.
    const files = {
      attachments: Array.from({ length: 250 }, () => ({ content: 'QUJD', filename: 'a.txt' })),
    };
    expect(readSendGridRequest(many(99, files)).mails).toHaveLength(99);
    expect(problemsOf(many(100, files))).toEqual([['REQUEST_TOO_LARGE', '']]);
  });
});

describe('substitutions', () => {
  const substituted = (substitutions: object, text: string, more: object = {}) =>
    inputOf(aRequest({ content: [{ type: 'text/plain', value: text }], ...more }, { substitutions })).input;

  test('replace their keys in subject, contents and reply_to', () => {
    expect(
      substituted({ '-name-': 'Chan', '-id-': 4711 }, 'Dear -name-, -name- is -id-.', {
        subject: 'For -name-',
        reply_to: { email: 'help+-id-@contoso.example', name: 'For -name-' },
      }),
    ).toMatchObject({
      subject: 'For Chan',
      text: 'Dear Chan, Chan is 4711.',
      replyTo: { address: 'help+4711@contoso.example', name: 'For Chan' },
    });
  });

  test.each([
    ['a value is not looked through for keys', { a: 'b', b: 'c' }, 'a b', 'b c'],
    ['of two keys the longer one counts', { '%name': 'Chan', '%name2': 'Lee' }, '%name2 %name', 'Lee Chan'],
    ['keys and values are plain text', { '$1.*': '$&' }, '$1.* x', '$& x'],
    ['an empty value removes the key', { '-x-': '' }, 'a-x-b', 'ab'],
  ])('%s', (_rule, substitutions, text, expected) =>
    expect(substituted(substitutions, text).text).toBe(expected),
  );

  test.each([
    ['a value that is no text', { '-x-': { a: 1 } }],
    ['an empty key', { '': 'x' }],
    ['more than 50,000 bytes', { '-x-': 'x'.repeat(50_001) }],
  ])('with %s are refused', (_what, substitutions) =>
    expect(problemsOf(aRequest({}, { substitutions }))).toEqual([
      ['FIELD_INVALID', 'personalizations.0.substitutions'],
    ]),
  );

  test('replace what a regular expression of their keys does, the longest first', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '-'), maxLength: 40 });
    const keys = fc.uniqueArray(
      fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 4 }),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(word, keys, (text, names) => {
        const values = Object.fromEntries(names.map((name, index) => [name, `<${index}>`]));
        const longestFirst = names.toSorted((one, other) => other.length - one.length);
        const expected = text.replaceAll(new RegExp(longestFirst.join('|'), 'g'), (key) =>
          String(values[key]),
        );
        expect(substituted(values, `${text}x`).text).toBe(`${expected}x`);
      }),
      { numRuns: 500 },
    );
  });

  test('of a small request stop growing where all of its emails together are too large, in every field', () => {
    const substitutions = { '-a-': 'y'.repeat(700) };
    const long = '-a-'.repeat(11_000);
    const many = (more: object) => ({
      ...aRequest(more),
      personalizations: Array.from({ length: 1000 }, () => ({ ...TO.personalizations[0], substitutions })),
    });
    for (const more of [
      { content: [{ type: 'text/plain', value: long }] },
      { subject: long },
      { reply_to: { email: 'r@b.example', name: long } },
    ])
      expect(problemsOf(many(more))).toEqual([['REQUEST_TOO_LARGE', '']]);
  });

  test('do not make a text larger than an email can be', () => {
    const content = [{ type: 'text/plain', value: 'x'.repeat(1000) }];
    expect(problemsOf(aRequest({ content }, { substitutions: { x: 'y'.repeat(40_000) } }))).toEqual([
      ['MAIL_TOO_LARGE', ''],
    ]);
  });
});

describe('an idempotency key is the header X-Idempotency-Key of the email, which recipients do not get', () => {
  const keysOf = (request: unknown) =>
    readSendGridRequest(request).mails.map(({ idempotencyKey, input }) => [idempotencyKey, input.headers]);
  const twice = (more: object, ...own: readonly object[]) => ({
    ...aRequest(more),
    personalizations: own.map((one) => ({ ...TO.personalizations[0], ...one })),
  });

  test('of one email', () => {
    expect(keysOf(aRequest({ headers: { 'X-Idempotency-Key': 'order-1', 'X-A': '1' } }))).toEqual([
      ['order-1', { 'X-A': '1' }],
    ]);
    expect(keysOf(aRequest({}, { headers: { 'x-idempotency-key': 'order-1' } }))).toEqual([
      ['order-1', undefined],
    ]);
  });

  test('of a request, from which each of its emails has its own', () => {
    expect(
      keysOf(twice({ headers: { 'X-Idempotency-Key': 'run-1' } }, {}, {}, {})).map(([key]) => key),
    ).toEqual(['run-1', 'run-1.1', 'run-1.2']);
  });

  test.each([
    ['one twice', ['a', 'a']],
    ['one for some', ['a', undefined]],
  ])('but not %s', (_what, keys) => {
    const blocks = keys.map((key) => (key === undefined ? {} : { headers: { 'X-Idempotency-Key': key } }));
    expect(problemsOf(twice({}, ...blocks))).toEqual([['IDEMPOTENCY_KEY_INVALID', 'personalizations']]);
  });

  test('that cannot be one is refused', () => {
    expect(problemsOf(aRequest({ headers: { 'X-Idempotency-Key': 'a b' } }))).toEqual([
      ['IDEMPOTENCY_KEY_INVALID', 'headers.X-Idempotency-Key'],
    ]);
  });
});

describe('what the relay cannot do is refused at the field of SendGrid', () => {
  test.each([
    ['template_id', { template_id: 'd-4711' }],
    ['sections', { sections: { '-a-': 'b' } }],
    ['batch_id', { batch_id: 'abc' }],
    ['asm', { asm: { group_id: 1 } }],
    ['ip_pool_name', { ip_pool_name: 'pool' }],
    ['mail_settings.footer', { mail_settings: { footer: { enable: true, text: 'Footer' } } }],
    ['mail_settings.bcc', { mail_settings: { bcc: { enable: true, email: 'a@contoso.example' } } }],
    ['mail_settings.spam_check', { mail_settings: { spam_check: { enable: true } } }],
    ['tracking_settings.click_tracking', { tracking_settings: { click_tracking: { enable: true } } }],
    ['tracking_settings.open_tracking', { tracking_settings: { open_tracking: { enable: 'yes' } } }],
    [
      'tracking_settings.subscription_tracking',
      { tracking_settings: { subscription_tracking: { enable: true } } },
    ],
    ['tracking_settings.ganalytics', { tracking_settings: { ganalytics: { enable: true } } }],
    ['content.0.type', { content: [{ type: 'text/x-amp-html', value: '<html amp4email>' }] }],
  ])('%s', (field, more) =>
    expect(problemsOf(aRequest(more))).toContainEqual(['FACADE_FIELD_NOT_CARRIED', field]),
  );

  test('personalizations.0.dynamic_template_data', () =>
    expect(problemsOf(aRequest({}, { dynamic_template_data: { a: 1 } }))).toEqual([
      ['FACADE_FIELD_NOT_CARRIED', 'personalizations.0.dynamic_template_data'],
    ]));
});

describe('what is wrong is told at the field of SendGrid', () => {
  test.each<[string, string, object, object?]>([
    [
      'ADDRESS_INVALID',
      'personalizations.0.to.1.email',
      {},
      { to: [{ email: 'a@b.example' }, { email: 'chan' }] },
    ],
    ['FIELD_INVALID', 'personalizations.0.to.0.email', {}, { to: [{ name: 'Chan' }] }],
    ['FIELD_INVALID', 'personalizations.0.cc', {}, { cc: 'cc@contoso.example' }],
    [
      'FIELD_UNKNOWN',
      'personalizations.0.to.0.address',
      {},
      { to: [{ email: 'a@b.example', address: 'x' }] },
    ],
    ['RECIPIENT_MISSING', 'personalizations.0.to', {}, { to: [] }],
    ['RECIPIENT_MISSING', 'personalizations', { personalizations: [] }],
    ['FIELD_INVALID', 'personalizations.0', { personalizations: ['chan@contoso.example'] }],
    ['LINE_BREAK_NOT_ALLOWED', 'personalizations.0.subject', {}, { subject: 'a\nBcc: b' }],
    ['LINE_BREAK_NOT_ALLOWED', 'subject', { subject: 'a\nBcc: b' }],
    ['FIELD_INVALID', 'subject', { subject: '' }],
    ['FIELD_INVALID', 'from', { from: undefined }],
    ['ADDRESS_INVALID', 'from.email', { from: { email: 'noreply' } }],
    ['ADDRESS_INVALID', 'personalizations.0.from.email', {}, { from: { email: 'noreply' } }],
    ['ADDRESS_INVALID', 'reply_to.email', { reply_to: { email: 'help' } }],
    [
      'ADDRESS_INVALID',
      'reply_to_list.1.email',
      { reply_to_list: [{ email: 'a@b.example' }, { email: 'help' }] },
    ],
    [
      'FIELD_INVALID',
      'reply_to_list',
      { reply_to: { email: 'a@b.example' }, reply_to_list: [{ email: 'c@b.example' }] },
    ],
    [
      'HEADER_NOT_CARRIED',
      'headers.Reply-To',
      { reply_to: { email: 'a@b.example' }, headers: { 'Reply-To': 'c@b.example' } },
    ],
    ['ADDRESS_INVALID', 'headers.Reply-To', { headers: { 'Reply-To': 'help' } }],
    ['BODY_MISSING', 'content', { content: [] }],
    ['BODY_MISSING', 'content', { content: [{ type: 'text/plain', value: '' }] }],
    ['FIELD_INVALID', 'content.0.value', { content: [{ type: 'text/html', value: 5 }] }],
    [
      'FIELD_INVALID',
      'content.1.type',
      {
        content: [
          { type: 'text/plain', value: 'a' },
          { type: 'text/plain', value: 'b' },
        ],
      },
    ],
    ['FACADE_FIELD_NOT_CARRIED', 'content.0.type', { content: [{ type: 'image/png', value: 'a' }] }],
    [
      'CALENDAR_INVALID',
      'content.1.value',
      {
        content: [
          { type: 'text/plain', value: 'a' },
          { type: 'text/calendar', value: 'no calendar' },
        ],
      },
    ],
    ['BASE64_INVALID', 'attachments.0.content', { attachments: [{ filename: 'a.txt', content: 'é' }] }],
    ['FIELD_INVALID', 'attachments.0.filename', { attachments: [{ filename: 'a/b.txt', content: 'YQ==' }] }],
    [
      'FIELD_INVALID',
      'attachments.0.type',
      { attachments: [{ filename: 'a.txt', content: 'YQ==', type: 'text' }] },
    ],
    [
      'FIELD_INVALID',
      'attachments.0.disposition',
      { attachments: [{ filename: 'a.txt', content: 'YQ==', disposition: 'form-data' }] },
    ],
    ['HEADER_NOT_CARRIED', 'headers.Subject', { headers: { Subject: 'a' } }],
    ['HEADER_NOT_CARRIED', 'personalizations.0.headers.X-SMTPAPI', {}, { headers: { 'X-SMTPAPI': '{}' } }],
    [
      'HEADER_NOT_CARRIED',
      'headers.Disposition-Notification-To',
      { headers: { 'Disposition-Notification-To': 'a@b.example' } },
    ],
    ['FIELD_REPEATED', 'headers.x-a', { headers: { 'X-A': '1', 'x-a': '2' } }],
    ['FIELD_INVALID', 'headers.X-A', { headers: { 'X-A': 5 } }],
    ['MESSAGE_ID_INVALID', 'headers.In-Reply-To', { headers: { 'In-Reply-To': 'x' } }],
    ['FIELD_INVALID', 'categories.1', { categories: ['a', '薪資'] }],
    ['FIELD_INVALID', 'categories', { categories: Array.from({ length: 11 }, (_, number) => `c${number}`) }],
    ['FIELD_INVALID', 'custom_args.mail', { custom_args: { mail: 'chan@contoso.example' } }],
    ['FIELD_INVALID', 'custom_args', { custom_args: { 'chan@contoso.example': 'x' } }],
    ['FIELD_INVALID', 'custom_args', { custom_args: 'order=1' }],
    ['SEND_AT_INVALID', 'send_at', { send_at: 1_796_083_200_000 }],
    ['SEND_AT_INVALID', 'send_at', { send_at: 'tomorrow' }],
    ['SEND_AT_INVALID', 'personalizations.0.send_at', {}, { send_at: -1 }],
    ['FIELD_UNKNOWN', 'templateId', { templateId: 'd-1' }],
    ['FIELD_UNKNOWN', 'mail_settings.sandbox', { mail_settings: { sandbox: true } }],
    ['FIELD_INVALID', 'mail_settings', { mail_settings: true }],
  ])('%s at %s', (code, field, more, personalization = {}) =>
    expect(problemsOf(aRequest(more, personalization))).toContainEqual([code, field]),
  );

  test('once, where it is wrong in all emails of a request', () => {
    const request = {
      ...aRequest({ custom_args: { a: '薪資' }, from: { email: 'noreply' } }),
      personalizations: Array.from({ length: 50 }, () => TO.personalizations[0]),
    };
    expect(problemsOf(request)).toEqual([['FIELD_INVALID', 'custom_args.a']]);
  });
});

describe('of attachments', () => {
  const fileOf = (file: object, html = '<img src="cid:logo">') =>
    (
      inputOf(
        aRequest({
          content: [{ type: 'text/html', value: html }],
          attachments: [{ content: 'YQ==', filename: 'a.png', ...file }],
        }),
      ).input.attachments as readonly object[]
    )[0];

  test.each([
    [
      'one without a name gets one by its type',
      { filename: '', type: 'image/png' },
      { filename: 'attachment-1.png' },
    ],
    ['one without a name and type gets one', { filename: null }, { filename: 'attachment-1.bin' }],
  ])('%s', (_rule, file, expected) => expect(fileOf(file)).toMatchObject(expected));
});

test('a name in quotes, as django-anymail writes names, is the name without them', () => {
  const { input } = inputOf(
    aRequest({}, { to: [{ email: 'chan@contoso.example', name: '"Chan, \\"Tai\\" Man"' }] }),
  );
  expect(readMail(input).to).toEqual([{ name: 'Chan, "Tai" Man', address: 'chan@contoso.example' }]);
});

test('text/calendar is an invitation with the method that it says', () => {
  const ics = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'METHOD:CANCEL',
    'BEGIN:VEVENT',
    'UID:1',
    'ORGANIZER:mailto:a@b.example',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
  const content = [
    { type: 'text/plain', value: 'Canceled' },
    { type: 'text/calendar; method=CANCEL', value: ics },
  ];
  expect(readMail(inputOf(aRequest({ content })).input).calendar).toMatchObject({ method: 'CANCEL', ics });
});

test.each([
  [true, true],
  ['true', true],
  [1, true],
  [false, false],
  [null, false],
])('sandbox_mode.enable of %j means %j', (enable, expected) =>
  expect(readSendGridRequest(aRequest({ mail_settings: { sandbox_mode: { enable } } })).isSandbox).toBe(
    expected,
  ),
);

test.each([[null], ['text'], [5], [[]]])('%j is no request', (body) =>
  expect(problemsOf(body)).toEqual([['JSON_UNREADABLE', '']]),
);

describe('for every request', () => {
  const address = fc
    .tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.option(fc.string({ maxLength: 10 }), { nil: undefined }))
    .map(([local, name]) => ({ email: `${local}@contoso.example`, ...(name === undefined ? {} : { name }) }));
  const people = fc.array(address, { minLength: 1, maxLength: 5 });
  const block = fc.record(
    {
      to: people,
      cc: people,
      bcc: people,
      subject: fc.string(),
      substitutions: fc.dictionary(fc.string(), fc.string()),
    },
    { requiredKeys: ['to'] },
  );

  test('no recipient is lost, added or given to another email', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (personalizations) => {
        const request = { ...aRequest(), personalizations };
        if (problemsOf(request).length > 0) return;
        const { mails } = readSendGridRequest(request);
        expect(
          mails.map(({ input }) => {
            const { to, cc, bcc } = readMail(input);
            return [to, cc, bcc].map((list) => list.map(({ address: one }) => one));
          }),
        ).toEqual(
          personalizations.map(({ to, cc = [], bcc = [] }) =>
            [to, cc, bcc].map((list) => list.map(({ email }) => email)),
          ),
        );
      }),
    );
  });

  const names = [
    'from',
    'reply_to',
    'reply_to_list',
    'subject',
    'content',
    'attachments',
    'headers',
    'categories',
    'custom_args',
    'send_at',
    'mail_settings',
    'tracking_settings',
    'personalizations',
    'sections',
  ];
  const inner = [
    'to',
    'cc',
    'from',
    'subject',
    'headers',
    'substitutions',
    'custom_args',
    'send_at',
    'email',
    'name',
    'type',
    'value',
    'filename',
    'disposition',
    'content_id',
    'content',
    'enable',
  ];
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(
        null,
        true,
        0,
        -1,
        1e30,
        '',
        'text/plain',
        'inline',
        'a@b.example',
        'cid:x',
        '薪資',
        '\ud800',
      ),
      fc.string(),
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...inner), tie('any'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).any;

  test('an email is the same after it was stored, so that it is known by its hash', () => {
    const isStored = (request: unknown): boolean => {
      try {
        for (const { input } of readSendGridRequest(request).mails)
          expect(input).toStrictEqual(JSON.parse(JSON.stringify(input)));
        return true;
      } catch (error) {
        if (error instanceof AppError) return false;
        throw error;
      }
    };
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3, noNullPrototype: true }),
        (more) => {
          isStored(aRequest(more));
        },
      ),
      { numRuns: 500 },
    );
    const file = { content: 'YQ==', filename: 'a.png' };
    expect(isStored(aRequest({ attachments: [file, null], reply_to: { email: 'a@b.example' } }))).toBe(true);
    expect(isStored(aRequest({}, { to: [{ email: 'a@b.example' }, null], substitutions: { a: 'b' } }))).toBe(
      true,
    );
  });

  test('what is wrong is an error of the relay whose every field is one of SendGrid', () => {
    const known = new Set([...names, ...inner, 'template_id', 'bcc']);
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 6, noNullPrototype: true }),
        (more) => {
          for (const [code, field] of problemsOf(aRequest(more))) {
            if (!['MAIL_TOO_LARGE', 'REQUEST_TOO_LARGE'].includes(code)) expect(field, code).not.toBe('');
            for (const name of field.split('.').filter((one) => one !== '' && !/^\d+$/.test(one)))
              expect(known).toContain(name);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
