import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Errors, Models, ServerClient } from 'postmark';
import { afterAll, describe, expect, test } from 'vitest';
import type { FaultRuleInput } from '../../local/graph/fault-rules.ts';
import type { CapturedMail } from '../../src/lib/inbox/captured-mail.ts';
import { features, type PostmarkFeature } from '../fixtures/facade-features/postmark.ts';
import { run } from '../support/caller-examples.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { codeBlocksOf, ROOT, readDocument } from '../support/documents.ts';
import { CONDITION_MS, TOOLS_MS } from '../support/patience.ts';
import { expectNoCanary } from './no-canary.ts';
import { LANES, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({ settings: { MAIL_FACADES: 'postmark' } });
const folder = mkdtempSync(join(tmpdir(), 'postmark-'));
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await relay.close();
});

const addCaller = async (name: string, more: Record<string, unknown> = {}): Promise<string> => {
  const { body } = await relay.call('POST', '/api/callers', {
    key: KEYS.masterKey,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, senders: ['*@contoso.example'], ...more }),
  });
  return String(body.key);
};
const KEY = await addCaller('postmark-app');

/** The client of Postmark; the two lines that change are its arguments. */
const client = (key = KEY) =>
  new ServerClient(key, {
    requestHost: `${new URL(relay.url()).host}/api/postmark`,
    useHttps: false,
    timeout: CONDITION_MS / 1000,
  });

/** Exchange lets 30 emails a minute out of a mailbox; the last three are for faults. */
const senders = LANES.slice(0, 9);
let sends = 0;
const nextSender = (): string => {
  sends += 1;
  return senders[sends % senders.length] ?? '';
};

const email = (marker: string, more: Partial<Models.Message> = {}): Models.Message => ({
  From: nextSender(),
  To: 'Canary Chan <canary-to@fabrikam.example>',
  Subject: `canary-subject ${marker}`,
  TextBody: 'canary-body',
  ...more,
});

const arrived = async (marker: string): Promise<CapturedMail['request']['body']['message']> => {
  const [mail, ...more] = await relay.mailsAbout(marker);
  expect([mail === undefined, more]).toEqual([false, []]);
  return (mail as CapturedMail).request.body.message;
};

type Answer = { readonly status: number; readonly body: unknown; readonly headers: Headers };

const request = async (
  { method, path, headers, body }: PostmarkFeature['request'],
  key = KEY,
  base = '/api/postmark',
): Promise<Answer> => {
  const response = await fetch(`${relay.url()}${base}${path}`, {
    method,
    headers: {
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...Object.fromEntries(
        Object.entries({ 'x-postmark-server-token': key, ...headers }).map(([name, value]) => [
          name.toLowerCase(),
          value,
        ]),
      ),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const answer = { status: response.status, body: JSON.parse(text), headers: response.headers };
  if (JSON.stringify(answer.body).includes('"ErrorCode":') && !text.includes('"ErrorCode":0'))
    errors.push(text);
  return answer;
};
/** Every error that was returned, as text: nothing of an email may be in it. */
const errors: string[] = [];

const failed = async (attempt: Promise<unknown>): Promise<InstanceType<typeof Errors.PostmarkError>> => {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Errors.PostmarkError);
  errors.push((error as Error).message);
  return error as InstanceType<typeof Errors.PostmarkError>;
};

describe.concurrent('postmark for Node.js, with another address and key', () => {
  test('the example of docs/migrate/postmark.md is sent, with the address and key of this relay', async () => {
    const page = readDocument('docs/migrate/postmark.md');
    const [example = ''] = codeBlocksOf(page).flatMap(({ language, text }) =>
      language === 'js' ? [text] : [],
    );
    const marker = newMarker();
    const file = join(folder, 'example.cjs');
    const lines = [
      ['gmr_...', KEY],
      [
        '"<app>.azurewebsites.net/api/postmark"',
        `"${new URL(relay.url()).host}/api/postmark", useHttps: false`,
      ],
      ['noreply@contoso.example', nextSender()],
      ['Hello from Postmark"', `Hello ${marker}"`],
    ] as const;
    writeFileSync(
      file,
      lines.reduce((code, [written, here]) => {
        expect(code).toContain(written);
        return code.replace(written, here);
      }, example),
    );
    const { status, output } = await run([process.execPath, file], {
      folder,
      environment: { NODE_PATH: join(ROOT, 'node_modules') },
    });
    expect([status, output]).toEqual([0, expect.stringMatching(/^[\da-f-]{36}\n$/)]);
    await arrived(marker);
  });

  test('its documented first example is sent', async () => {
    const marker = newMarker();
    const answer = await client().sendEmail({
      From: 'noreply@contoso.example',
      To: 'canary-to@fabrikam.example',
      Subject: `Hello from Postmark ${marker}`,
      HtmlBody: '<strong>Hello</strong> dear Postmark user.',
      TextBody: 'Hello from Postmark!',
      MessageStream: 'outbound',
    });
    expect(answer).toEqual({
      To: 'canary-to@fabrikam.example',
      SubmittedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+\+00:00$/),
      MessageID: expect.stringMatching(/^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/),
      ErrorCode: 0,
      Message: 'OK',
    });
    expect(await arrived(marker)).toMatchObject({
      body: {
        contentType: 'html',
        content: expect.stringContaining('<strong>Hello</strong> dear Postmark user.'),
      },
      toRecipients: [{ emailAddress: { address: 'canary-to@fabrikam.example' } }],
    });
  });

  test('attachments arrive byte for byte, one of 2 MB and one inline', async () => {
    const marker = newMarker();
    const bytes = Buffer.alloc(2_000_000, 'canary attachment ');
    const content = bytes.toString('base64');
    await client().sendEmail(
      email(marker, {
        TextBody: '',
        HtmlBody: '<img src="cid:logo.png">',
        Attachments: [
          new Models.Attachment('canary.bin', content, 'application/octet-stream'),
          new Models.Attachment('logo.png', 'iVBORw0KGgo=', 'image/png', 'cid:logo.png', 8, 'inline'),
        ],
      }),
    );
    const { attachments = [] } = await arrived(marker);
    expect(attachments.map(({ name, contentId, isInline }) => [name, contentId, isInline])).toEqual([
      ['canary.bin', undefined, undefined],
      ['logo.png', 'logo.png', true],
    ]);
    expect(attachments[0]?.contentBytes === content).toBe(true);
  });

  test('a batch has an outcome for each email', async () => {
    const [first, second] = [newMarker(), newMarker()];
    const answers = await client().sendEmailBatch([
      email(first),
      email(first, { From: 'canary@fabrikam.example' }),
      email(first, { TrackOpens: true }),
      email(second, { To: 'not an address' }),
      email(second, { Cc: 'canary-cc@fabrikam.example' }),
    ]);
    expect(answers.map(({ ErrorCode }) => ErrorCode)).toEqual([0, 400, 300, 300, 0]);
    expect(answers[2]?.Message).toContain('TrackOpens: expected false');
    expect(answers[4]).toMatchObject({ Cc: 'canary-cc@fabrikam.example', Message: 'OK' });
    await arrived(first);
    await arrived(second);
  });

  test('a large batch is queued, and every email of it arrives', async () => {
    const marker = newMarker();
    const answers = await client().sendEmailBatch(Array.from({ length: 30 }, () => email(marker)));
    expect(new Set(answers.map(({ MessageID }) => MessageID)).size).toBe(30);
    await relay.arrives(marker, 30);
  });

  test('callbacks are called', async () => {
    const marker = newMarker();
    const answer = await new Promise((resolve, reject) => {
      client()
        .sendEmail(email(marker), (error, result) => (error === null ? resolve(result) : reject(error)))
        .catch(() => undefined);
    });
    expect(answer).toMatchObject({ ErrorCode: 0 });
  });

  test('the status of an email and the server can be read', async () => {
    const { MessageID } = await client().sendEmail(email(newMarker(), { Tag: 'welcome' }));
    const details = await client().getOutboundMessageDetails(MessageID);
    expect(details).toMatchObject({
      MessageID,
      Tag: 'welcome',
      Status: 'Sent',
      From: expect.stringContaining('@contoso.example'),
      Subject: '',
      MessageEvents: [],
    });
    expect(await client().getServer()).toMatchObject({ Name: 'postmark-app', DeliveryType: 'Live' });
  });

  test('an email of another caller does not exist', async () => {
    const other = await addCaller('postmark-other');
    const { MessageID } = await client().sendEmail(email(newMarker()));
    const error = await failed(client(other).getOutboundMessageDetails(MessageID));
    expect([error.statusCode, error.code]).toEqual([404, 701]);
  });

  test.each<[string, Partial<Models.Message>, string, string]>([
    [
      'a malformed address',
      { To: 'canary at fabrikam.example' },
      'InvalidEmailRequestError 422 300',
      'To: expected',
    ],
    [
      'tracking',
      { TrackLinks: Models.LinkTrackingOptions.HtmlOnly },
      'InvalidEmailRequestError 422 300',
      'TrackLinks: expected None',
    ],
    ['no body', { TextBody: '' as never, HtmlBody: null as never }, 'OK', ''],
    [
      'a sender that is not allowed',
      { From: 'canary@fabrikam.example' },
      'ApiInputError 422 400',
      'From: expected',
    ],
    [
      'a sender without a mailbox',
      { From: 'nobody@contoso.example' },
      'ApiInputError 422 400',
      'administrator',
    ],
    [
      'an attachment that is not base64',
      { Attachments: [new Models.Attachment('canary.txt', '%%%', 'text/plain')] },
      'InvalidEmailRequestError 422 300',
      'Attachments[0].Content: expected',
    ],
  ])('%s is what the library throws for Postmark: %s', async (_case, more, expected, words) => {
    const sent = client().sendEmail(email(newMarker(), more));
    if (expected === 'OK') {
      expect(await sent).toMatchObject({ ErrorCode: 0 });
      return;
    }
    const error = await failed(sent);
    expect(`${error.name} ${error.statusCode} ${error.code}`).toBe(expected);
    expect(error.message).toContain(words);
  });

  test.each<[string, () => string, string]>([
    ['a token of Postmark', () => 'ed742d75-5a45-49b6-a0a1-5b9ec3dc9e5d', 'a token of Postmark'],
    ['the test token alone', () => 'POSTMARK_API_TEST', 'POSTMARK_API_TEST.gmr_'],
    ['a key that nobody has', () => `${KEY.slice(0, -4)}2222`, 'does not know this key'],
  ])('%s is an InvalidAPIKeyError that says what to do', async (_case, key, words) => {
    const error = await failed(client(key()).sendEmail(email(newMarker())));
    expect(error).toBeInstanceOf(Errors.InvalidAPIKeyError);
    expect([error.statusCode, error.code]).toEqual([401, 10]);
    expect(error.message).toContain(words);
  });

  test('the test token before the key checks an email and sends nothing', async () => {
    const marker = newMarker();
    const checking = client(`POSTMARK_API_TEST.${KEY}`);
    expect(await checking.sendEmail(email(marker))).toMatchObject({
      ErrorCode: 0,
      Message: 'Test job accepted',
      MessageID: '00000000-0000-0000-0000-000000000000',
    });
    const error = await failed(checking.sendEmail(email(marker, { From: 'canary@fabrikam.example' })));
    expect(error.code).toBe(400);
    const answers = await checking.sendEmailBatch([email(marker), email(marker, { To: '' })]);
    expect(answers.map(({ ErrorCode }) => ErrorCode)).toEqual([0, 300]);
    expect(await relay.mailsAbout(marker)).toEqual([]);
  });

  test('a caller that is switched off may not send', async () => {
    const key = await addCaller('postmark-off', { disabled: true });
    const error = await failed(client(key).sendEmail(email(newMarker())));
    expect([error.statusCode, error.code]).toEqual([422, 413]);
  });
});

describe('when Graph does not send', () => {
  type CallFault = Exclude<FaultRuleInput, { on: 'connect' }>['fault'];
  const fault = (mailbox: string, what: CallFault, times = 1) =>
    relay.cloud.graph.faults.add({ on: 'sendMail', mailbox, times, fault: what });

  test('a throttled email is queued and successful, and arrives once', async () => {
    const marker = newMarker();
    fault('lane9@contoso.example', { kind: 'answer', status: 429, retryAfter: '1' });
    const answer = await client().sendEmail(email(marker, { From: 'lane9@contoso.example' }));
    expect(answer.ErrorCode).toBe(0);
    await relay.arrives(marker);
  });

  test('an unknown outcome is a success, because an error would be sent again', async () => {
    const marker = newMarker();
    fault('lane10@contoso.example', { kind: 'answer', status: 504, accept: true });
    const answer = await client().sendEmail(email(marker, { From: 'lane10@contoso.example' }));
    expect(answer.ErrorCode).toBe(0);
    const details = await client().getOutboundMessageDetails(answer.MessageID);
    expect(['Queued', 'Sent']).toContain(details.Status);
    await arrived(marker);
  });

  test('an email that Graph rejects is an error with its reason, and its id', async () => {
    fault('lane11@contoso.example', {
      kind: 'answer',
      status: 400,
      code: 'ErrorInvalidRecipients',
      message: 'x',
    });
    const error = await failed(client().sendEmail(email(newMarker(), { From: 'lane11@contoso.example' })));
    expect([error.statusCode, error.code]).toEqual([422, 300]);
    expect(error.message).toMatch(/RECIPIENT_REFUSED, email [\da-f-]{36}/);
  });
});

describe('what the façade does with each field and call of Postmark', async () => {
  const { body } = await request({ method: 'POST', path: '/email', body: email(newMarker()) });
  const { MessageID: id } = body as { readonly MessageID: string };

  test.concurrent.each(
    features.map((one, index) => [`${index + 1}. ${one.feature}: ${one.outcome}`, one] as const),
  )('%s', async (_title, { request: template, outcome, error, shows }) => {
    const marker = newMarker();
    const sender = nextSender();
    const fill = <Value>(value: Value): Value =>
      JSON.parse(
        JSON.stringify(value ?? null)
          .replaceAll('{marker}', marker)
          .replaceAll('{id}', id)
          .replaceAll('{sender}', sender)
          .replaceAll('{key}', KEY),
      );
    const asked = { ...template, path: fill(template.path), headers: fill(template.headers ?? {}) };
    const answer = await request({
      ...asked,
      ...(template.body === undefined ? {} : { body: fill(template.body) }),
    });
    if (outcome === 'refused') {
      const [status, code, field] = (error ?? '').split(' ');
      expect([answer.status, answer.body]).toMatchObject([Number(status), { ErrorCode: Number(code) }]);
      if (field !== undefined)
        expect((answer.body as { Message: string }).Message).toContain(`${field}: expected`);
      expect(await relay.mailsAbout(marker)).toEqual([]);
      return;
    }
    expect([answer.status, answer.body]).toMatchObject([
      200,
      shows?.answer === undefined ? {} : fill(shows.answer),
    ]);
    if (shows?.message !== undefined) expect(await arrived(marker)).toMatchObject(fill(shows.message));
    if (shows?.contains !== undefined) {
      const [mail] = await relay.mailsAbout(marker);
      const received = [
        Buffer.from(mail?.mime ?? '', 'base64').toString(),
        JSON.stringify(mail?.request.body),
      ].join('\n');
      for (const text of fill(shows.contains)) expect(received).toContain(text);
    }
    if (shows?.tags !== undefined)
      expect((await relay.show((answer.body as { MessageID: string }).MessageID)).body.tags).toEqual(
        shows.tags,
      );
    if (outcome === 'ignored because it asks for nothing') await arrived(marker);
  });

  test('an email with an idempotency key is sent once, and a recipient does not get the key', async () => {
    const marker = newMarker();
    const body = email(marker, { Headers: [{ Name: 'x-idempotency-key', Value: marker }] });
    const first = await client().sendEmail(body);
    const second = await client().sendEmail(body);
    expect(second.MessageID).toBe(first.MessageID);
    expect((await arrived(marker)).internetMessageHeaders).toBeUndefined();
    const error = await failed(client().sendEmail({ ...body, Subject: 'canary, another' }));
    expect(error.message).toContain('X-Idempotency-Key');
  });
});

describe('requests as other clients write them', () => {
  const json = JSON.stringify(email(newMarker()));
  test.each<[string, PostmarkFeature['request'], number, number]>([
    [
      '.NET: charset, and a path that ends in a slash',
      {
        method: 'POST',
        path: '/email/',
        headers: { 'content-type': 'application/json; charset=utf-8' },
        body: json,
      },
      200,
      0,
    ],
    ['upper case in the path', { method: 'POST', path: '/Email', body: json }, 200, 0],
    [
      'a form',
      {
        method: 'POST',
        path: '/email',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'a=b',
      },
      422,
      409,
    ],
    ['no JSON', { method: 'POST', path: '/email', body: '{From: 1}' }, 422, 402],
    [
      'a field twice',
      { method: 'POST', path: '/email', body: '{"From":"a@b.example","From":"c@d.example"}' },
      422,
      403,
    ],
    ['a list for one email', { method: 'POST', path: '/email', body: [] }, 422, 300],
    ['an email for a list', { method: 'POST', path: '/email/batch', body: {} }, 422, 300],
    ['nothing', { method: 'POST', path: '/email', body: '' }, 422, 402],
    ['too many bytes', { method: 'POST', path: '/email', body: `"${'canary'.repeat(1_500_000)}"` }, 413, 300],
    [
      'a batch with one idempotency key',
      { method: 'POST', path: '/email/batch', headers: { 'idempotency-key': 'x' }, body: [] },
      422,
      300,
    ],
    ['an empty batch', { method: 'POST', path: '/email/batch', body: [] }, 200, 0],
    ['another method', { method: 'DELETE', path: '/email' }, 404, 404],
  ])('%s', async (_case, asked, status, code) => {
    const answer = await request(asked);
    expect([answer.status, (answer.body as { ErrorCode?: number }).ErrorCode ?? 0]).toEqual([status, code]);
  });

  test.each<[string, Record<string, string>]>([
    ['a token of an account', { 'x-postmark-server-token': '', 'x-postmark-account-token': 'x' }],
    ['two keys', { 'x-api-key': KEY }],
    ['no key', { 'x-postmark-server-token': '' }],
    ['a function key beside it', { 'x-functions-key': KEYS.functionKey }],
  ])('%s is refused as a bad token', async (_case, headers) => {
    const answer = await request({ method: 'GET', path: '/server', headers });
    expect([answer.status, answer.body]).toMatchObject([
      401,
      { ErrorCode: 10, Message: expect.stringMatching(/X-Postmark-(?:Server|Account)-Token/) },
    ]);
  });

  test('a key in the query is never accepted', async () => {
    const answer = await request({ method: 'GET', path: `/server?token=${KEY}` });
    expect([answer.status, answer.body]).toMatchObject([401, { ErrorCode: 10 }]);
  });

  test('clients that take no path send at the root of the host', async () => {
    for (const path of ['/email', '/email/batch']) {
      const marker = newMarker();
      const body = path === '/email' ? email(marker) : [email(marker)];
      expect((await request({ method: 'POST', path, body }, KEY, '')).status).toBe(200);
      await arrived(marker);
    }
  });

  test('addresses in double quotes, as the client for Java writes lists', async () => {
    const marker = newMarker();
    const To = '"canary-a@fabrikam.example","canary-b@fabrikam.example"';
    await client().sendEmail(email(marker, { To }));
    expect((await arrived(marker)).toRecipients).toHaveLength(2);
  });
});

const PYTHON = '/usr/bin/python3';
const has = (command: string, ...args: readonly string[]): boolean => spawnSync(command, args).status === 0;
const MAILER = '/usr/share/php/Symfony/Component/Mailer';

/** Runs a program with the address and key in its environment, and gives what it printed as JSON. */
const printed = async (command: readonly string[], file: string, code: string): Promise<unknown> => {
  writeFileSync(join(folder, file), code);
  const { hostname, port } = new URL(relay.url());
  const { status, output } = await run([...command, file], {
    folder,
    environment: {
      KEY,
      FROM: nextSender(),
      HOST: hostname,
      PORT: port,
      BASE: `${relay.url()}/api/postmark/`,
    },
  });
  expect([status, output]).toEqual([0, expect.stringMatching(/^\{/)]);
  return JSON.parse(output);
};

describe('clients in other languages, unchanged', () => {
  test.skipIf(!has('ruby', '-e', "require 'postmark'"))(
    'ruby-postmark sends, sends batches, reads and raises (skipped without it)',
    async () => {
      const marker = newMarker();
      const result = await printed(
        ['ruby'],
        'send.rb',
        `require 'postmark'
client = Postmark::ApiClient.new(ENV['KEY'], host: ENV['HOST'], port: ENV['PORT'].to_i, secure: false, path_prefix: '/api/postmark/')
mail = { from: ENV['FROM'], to: 'Canary <canary-to@fabrikam.example>', subject: 'canary ${marker}',
         html_body: '<b>canary</b>', text_body: 'canary', tag: 'big-bang', track_opens: false,
         attachments: [{ 'Name' => 'canary.txt', 'Content' => ['canary'].pack('m'), 'ContentType' => 'text/plain' }] }
one = client.deliver(mail)
batch = client.deliver_in_batches([mail.merge(subject: 'canary batch-${marker}'), mail.merge(to: 'x')])
error = begin
  client.deliver(mail.merge(track_opens: true)); nil
rescue Postmark::ApiInputError => e
  e
end
puts JSON.generate(id: one[:message_id], batch: batch.map { |r| r[:error_code] }, error: error.class.name, code: error.error_code,
                   status: client.get_message(one[:message_id])[:status])
`,
      );
      expect(result).toEqual({
        id: expect.stringMatching(/^[\da-f-]{36}$/),
        batch: [0, 300],
        error: 'Postmark::InvalidEmailAddressError',
        code: 300,
        status: 'Sent',
      });
      const [message] = await relay.mailsAbout(` ${marker}`);
      expect(message?.request.body.message.attachments).toMatchObject([{ name: 'canary.txt' }]);
      await relay.arrives(`batch-${marker}`);
    },
    TOOLS_MS,
  );

  test.skipIf(!has(PYTHON, '-c', 'import anymail'))(
    "django-anymail's backend for Postmark sends, with inline images, and raises (skipped without it)",
    async () => {
      const marker = newMarker();
      const result = await printed(
        [PYTHON],
        'send.py',
        `import json, os, django
from django.conf import settings
settings.configure(EMAIL_BACKEND='anymail.backends.postmark.EmailBackend',
                   ANYMAIL={'POSTMARK_SERVER_TOKEN': os.environ['KEY'], 'POSTMARK_API_URL': os.environ['BASE']})
django.setup()
from django.core.mail import EmailMultiAlternatives
from anymail.exceptions import AnymailAPIError
from anymail.message import attach_inline_image
mail = EmailMultiAlternatives('canary ${marker}', 'canary', 'Canary <%s>' % os.environ['FROM'], ['canary-to@fabrikam.example'],
                              cc=['"Li, Wei" <canary-cc@fabrikam.example>'], reply_to=['canary@contoso.example'], headers={'X-Order': '4711'})
cid = attach_inline_image(mail, bytes.fromhex('89504e470d0a1a0a'), filename='logo.png')
mail.attach_alternative('<img src="cid:%s">' % cid, 'text/html')
mail.attach('canary.txt', 'canary', 'text/plain')
mail.tags = ['welcome']
mail.metadata = {'order': 4711}
mail.track_opens = False
mail.track_clicks = False
mail.send()
status = mail.anymail_status
mail.track_opens = True
try:
    mail.send()
    error = None
except AnymailAPIError as e:
    error = str(e)
print(json.dumps({'status': sorted(status.status), 'id': status.message_id, 'error': error}))
`,
      );
      expect(result).toEqual({
        status: ['sent'],
        id: expect.stringMatching(/^[\da-f-]{36}$/),
        error: expect.stringContaining('TrackOpens: expected false'),
      });
      const message = await arrived(marker);
      expect(message).toMatchObject({
        ccRecipients: [{ emailAddress: { name: 'Li, Wei', address: 'canary-cc@fabrikam.example' } }],
        replyTo: [{ emailAddress: { address: 'canary@contoso.example' } }],
      });
      expect(message.attachments?.map(({ name }) => name).sort()).toEqual(['canary.txt', 'logo.png']);
    },
    TOOLS_MS,
  );

  test.skipIf(
    !has(
      'php',
      '-r',
      `exit(is_file("${MAILER}/Bridge/Postmark/autoload.php") && is_file("/usr/share/php/Symfony/Component/HttpClient/autoload.php") ? 0 : 1);`,
    ),
  )(
    "Symfony's bridge to Postmark sends at the root of the host, behind a front end with TLS, and throws (skipped without it)",
    async () => {
      const marker = newMarker();
      const result = await printed(
        ['php'],
        'send.php',
        `<?php
require '${MAILER}/Bridge/Postmark/autoload.php';
require '/usr/share/php/Symfony/Component/HttpClient/autoload.php';
use Symfony\\Component\\HttpClient\\HttpClient;
use Symfony\\Component\\Mailer\\Bridge\\Postmark\\Transport\\PostmarkApiTransport;
use Symfony\\Component\\Mailer\\Header\\{TagHeader, MetadataHeader};
use Symfony\\Component\\Mime\\Email;
use Symfony\\Contracts\\HttpClient\\{HttpClientInterface, ResponseInterface, ResponseStreamInterface};
// In the place of what ends TLS before the relay.
class Front implements HttpClientInterface {
  private $inner;
  function __construct() { $this->inner = HttpClient::create(); }
  function request(string $method, string $url, array $options = []): ResponseInterface { return $this->inner->request($method, str_replace('https://', 'http://', $url), $options); }
  function stream($responses, ?float $timeout = null): ResponseStreamInterface { return $this->inner->stream($responses, $timeout); }
  function withOptions(array $options): static { return $this; }
}
$transport = (new PostmarkApiTransport(getenv('KEY'), new Front()))->setHost(getenv('HOST'))->setPort((int) getenv('PORT'));
$email = fn () => (new Email())->from('Canary <'.getenv('FROM').'>')->to('canary-to@fabrikam.example')->bcc('canary-bcc@fabrikam.example')
  ->subject('canary ${marker}')->text('canary')->html('<img src="cid:logo.png">')->priority(Email::PRIORITY_HIGH)
  ->embed('canary', 'logo.png', 'image/png')->attach('canary', 'canary.txt', 'text/plain');
$mail = $email();
$mail->getHeaders()->add(new TagHeader('password-reset'));
$mail->getHeaders()->add(new MetadataHeader('color', 'blue'));
$sent = $transport->send($mail);
try {
  $transport->send($email()->from('canary@fabrikam.example'));
  $error = null;
} catch (Throwable $thrown) {
  $error = $thrown->getMessage();
}
echo json_encode(['id' => $sent->getMessageId(), 'error' => $error]);
`,
      );
      expect(result).toEqual({
        id: expect.stringMatching(/^[\da-f-]{36}$/),
        error: expect.stringMatching(/From: expected .* \(code 400\)/),
      });
      expect(await arrived(marker)).toMatchObject({
        importance: 'high',
        bccRecipients: [{ emailAddress: { address: 'canary-bcc@fabrikam.example' } }],
      });
    },
    TOOLS_MS,
  );
});

test('nothing of an email, an address or a key is in the log or in an error', () => {
  expect(errors.length).toBeGreaterThan(30);
  expectNoCanary({ ...relay, problems: [...relay.problems, ...errors] });
  for (const text of [...relay.lines, ...errors]) expect(text).not.toContain(KEY.slice(15));
});
