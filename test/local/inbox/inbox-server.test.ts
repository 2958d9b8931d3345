import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startInbox } from '../../../local/inbox/inbox-server.ts';
import { type MailStore, openMailStore } from '../../../local/inbox/mail-store.ts';
import type { Listening } from '../../../local/listening.ts';
import { A_PNG, aCapturedMail, anInvitation, aPdf, attached, person } from './captured-mails.ts';

const firstMail = { endpoint: 'http://localhost:7071/api/mail', functionKey: 'key', curl: 'curl ...' };

let store: MailStore;
let inbox: Listening;

beforeEach(async () => {
  store = await openMailStore();
  inbox = await startInbox({ store, port: 0, firstMail });
});
afterEach(() => inbox.close());

const ask = (path: string, options: RequestInit = {}) => fetch(`${inbox.url}${path}`, options);
const askJson = async <T = unknown>(path: string) => (await (await ask(path)).json()) as T;
type List = { readonly messages: readonly { readonly ID: string }[] };
const withBody = (method: string, body: unknown): RequestInit => ({ method, body: JSON.stringify(body) });

/** `fetch` normalises the path and forbids `Host`; a hostile client does neither. */
const askRaw = (path: string, { method = 'GET', headers = {} } = {}) =>
  new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: inbox.port, path, method, headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
    });
    asked.on('error', reject).end();
  });

const paySlip = aCapturedMail({
  id: 'pay-slip',
  mailbox: 'payroll@contoso.example',
  acceptedAt: '2026-03-02T01:30:00.000Z',
  saveToSentItems: false,
  message: {
    subject: '薪資單',
    from: person('payslips@contoso.example', 'Pay "the" Roll'),
    toRecipients: [person('ming@contoso.example', '王小明'), person('mei@contoso.example')],
    bccRecipients: [person('archive@contoso.example')],
    replyTo: [person('hr@contoso.example')],
    body: { contentType: 'html', content: '<p>您好</p><img src="cid:logo@contoso">' },
    importance: 'high',
    isReadReceiptRequested: true,
    categories: ['payroll'],
    internetMessageHeaders: [
      { name: 'X-Run', value: '2026-02' },
      { name: 'X-Run', value: '7' },
    ],
    attachments: [
      attached('薪資單.pdf', aPdf(), { contentType: 'application/pdf' }),
      attached('logo.png', A_PNG, { contentType: 'image/png', isInline: true, contentId: 'logo@contoso' }),
      attached('evil.html', Buffer.from('<script>alert(1)</script>'), {
        contentType: 'text/html; charset=utf-8',
      }),
      attached('a"b\\c\r\nX: y.txt', Buffer.from('x'), { contentType: 'text/plain\r\nX-Injected: 1' }),
    ],
  },
});

describe("the API in Mailpit's shape", () => {
  test('lists messages newest first, fifty unless asked otherwise', async () => {
    for (let n = 1; n <= 60; n++) await store.capture(aCapturedMail({ id: `m${n}` }));
    const first = await askJson<List>('/api/v1/messages');
    expect(first).toMatchObject({ total: 60, unread: 60, count: 50, messages_count: 60, start: 0, tags: [] });
    expect(first.messages[0]).toEqual({
      ID: 'm60',
      MessageID: '',
      Read: false,
      From: { Name: '', Address: 'noreply@contoso.example' },
      To: [{ Name: 'Ada Byron', Address: 'ada@contoso.example' }],
      Cc: [],
      Bcc: [],
      ReplyTo: [],
      Subject: 'Hello',
      Created: '2026-03-02T01:30:00.000Z',
      Tags: [],
      Size: expect.any(Number),
      Attachments: 0,
      Snippet: 'Hello there.',
    });
    const last = await askJson<List>('/api/v1/messages?start=58&limit=10');
    expect(last).toMatchObject({ count: 2, start: 58 });
    expect(last.messages.map(({ ID }) => ID)).toEqual(['m2', 'm1']);
  });

  test('gives a message with its body, its attachments and its inline parts, and marks it read', async () => {
    await store.capture(paySlip);
    expect(await askJson('/api/v1/message/pay-slip')).toMatchObject({
      ID: 'pay-slip',
      From: { Name: 'Pay "the" Roll', Address: 'payslips@contoso.example' },
      Bcc: [{ Name: '', Address: 'archive@contoso.example' }],
      Subject: '薪資單',
      Date: '2026-03-02T01:30:00.000Z',
      Tags: ['payroll'],
      Text: '',
      HTML: '<p>您好</p><img src="cid:logo@contoso">',
      Attachments: [
        {
          PartID: '1',
          FileName: '薪資單.pdf',
          ContentType: 'application/pdf',
          ContentID: '',
          Size: aPdf().length,
        },
        { PartID: '3', ContentType: 'text/html' },
        { PartID: '4', ContentType: 'application/octet-stream' },
      ],
      Inline: [
        {
          PartID: '2',
          FileName: 'logo.png',
          ContentType: 'image/png',
          ContentID: 'logo@contoso',
          Size: A_PNG.length,
        },
      ],
    });
    expect(await askJson('/api/v1/messages')).toMatchObject({
      unread: 0,
      messages: [{ Read: true, Attachments: 3 }],
    });
  });

  test('takes "latest" for the newest message', async () => {
    await store.capture(aCapturedMail({ id: 'older' }));
    await store.capture(paySlip);
    expect(await askJson('/api/v1/message/latest')).toMatchObject({ ID: 'pay-slip' });
    expect((await ask('/api/v1/message/latest/part/1')).status).toBe(200);
  });

  test('gives the header fields that recipients see: those the Graph properties mean, and those the sender added', async () => {
    await store.capture(paySlip);
    expect(await askJson('/api/v1/message/pay-slip/headers')).toEqual({
      From: ['"Pay \\"the\\" Roll" <payslips@contoso.example>'],
      To: ['"王小明" <ming@contoso.example>, <mei@contoso.example>'],
      'Reply-To': ['<hr@contoso.example>'],
      Subject: ['薪資單'],
      Date: ['Mon, 02 Mar 2026 01:30:00 GMT'],
      Importance: ['high'],
      'Disposition-Notification-To': ['"Pay \\"the\\" Roll" <payslips@contoso.example>'],
      'X-Run': ['2026-02', '7'],
    });
  });

  test('gives List-Unsubscribe, which Exchange writes from a property, and no other property', async () => {
    await store.capture(
      aCapturedMail({
        id: 'list',
        message: {
          internetMessageHeaders: [{ name: 'x-run', value: '7' }],
          singleValueExtendedProperties: [
            { id: 'String 0x1044', value: '<https://contoso.example/join>' },
            { id: 'String 0x1045', value: '<https://contoso.example/leave>' },
          ],
        },
      }),
    );
    const headers = await askJson('/api/v1/message/list/headers');
    expect(headers).toMatchObject({
      'x-run': ['7'],
      'List-Unsubscribe': ['<https://contoso.example/leave>'],
    });
    expect(JSON.stringify(headers)).not.toContain('join');
    expect(await (await ask('/api/v1/message/list/raw')).text()).toMatch(
      /^List-Unsubscribe: <https:\/\/contoso\.example\/leave>\r$/m,
    );
  });

  test('gives the Graph request as it was sent', async () => {
    await store.capture(paySlip);
    expect(await askJson('/api/v1/message/pay-slip/graph')).toEqual({
      ...paySlip.request,
      via: 'json',
      mailbox: 'payroll@contoso.example',
      acceptedAt: paySlip.acceptedAt,
      graphRequestId: paySlip.graphRequestId,
    });
  });

  test('gives both bodies, the Message-ID, the size and the headers of an email that came as MIME', async () => {
    const mime = Buffer.from('Subject: Hello\r\nBcc: secret@contoso.example\r\n\r\nHello');
    await store.capture(
      aCapturedMail({
        id: 'mime',
        via: 'mime',
        mime: mime.toString('base64'),
        internetMessageId: '<4711@contoso.example>',
        text: 'The plain words.',
        headers: [
          { name: 'Received', value: 'from b' },
          { name: 'Subject', value: 'Hello' },
          { name: 'Received', value: 'from a' },
          { name: 'BCC', value: 'secret@contoso.example' },
        ],
        message: { body: { contentType: 'html', content: '<p>Words.</p>' } },
      }),
    );
    expect(await askJson('/api/v1/message/mime')).toMatchObject({
      MessageID: '4711@contoso.example',
      Text: 'The plain words.',
      HTML: '<p>Words.</p>',
      Size: mime.length,
    });
    expect(await askJson('/api/v1/message/mime/headers')).toEqual({
      Received: ['from b', 'from a'],
      Subject: ['Hello'],
    });
    expect(await askJson('/api/v1/message/mime/graph')).toMatchObject({
      via: 'mime',
      mime: mime.toString('base64'),
    });
    expect(await askJson('/api/v1/search?query=plain')).toMatchObject({ messages: [{ ID: 'mime' }] });
  });

  test('gives the bytes and the size of a large file, and not its place on this machine', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'inbox-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const contentFile = path.join(folder, 'bytes');
    await writeFile(contentFile, aPdf());
    const { contentBytes: _, ...file } = attached('large.pdf', Buffer.alloc(0));
    const attachments = [{ ...file, contentFile, size: aPdf().length }];
    const mime = Buffer.from('Subject: Hello\r\n\r\nHello').toString('base64');
    await store.capture(aCapturedMail({ id: 'large', via: 'draft', mime, message: { attachments } }));
    const part = await ask('/api/v1/message/large/part/1');
    expect(Buffer.from(await part.arrayBuffer())).toEqual(aPdf());
    expect(await askJson('/api/v1/message/large')).toMatchObject({
      Size: 'Subject: Hello\r\n\r\nHello'.length + aPdf().length,
      Attachments: [{ Size: aPdf().length }],
    });
    for (const about of ['', '/graph', '/headers', '/raw'])
      expect(await (await ask(`/api/v1/message/large${about}`)).text()).not.toContain(folder);
  });

  test('gives every email as its source, to read, and as a file named by its ID', async () => {
    await store.capture(paySlip);
    const source = await ask('/api/v1/message/latest/raw');
    expect(source.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(source.headers.get('content-disposition')).toBeNull();
    expect(source.headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    expect(await source.text()).toMatch(/^X-Run: 2026-02\r\n[\s\S]*^Subject: =\?UTF-8\?/m);
    const { headers } = await ask('/api/v1/message/pay-slip/raw?dl=1');
    expect(headers.get('content-disposition')).toBe('attachment; filename="pay-slip.eml"');
    expect((await ask('/api/v1/message/unknown/raw')).status).toBe(404);
  });

  test('searches, marks and deletes by search', async () => {
    await store.capture(paySlip);
    await store.capture(aCapturedMail({ id: 'hello' }));
    expect(await askJson('/api/v1/search?query=to:ming')).toMatchObject({
      total: 2,
      messages_count: 1,
      messages: [{ ID: 'pay-slip' }],
    });
    expect(
      await (await ask('/api/v1/messages', withBody('PUT', { Read: true, Search: 'to:ming' }))).text(),
    ).toBe('ok');
    expect(await askJson('/api/v1/info')).toMatchObject({ Messages: 2, Unread: 1, Tags: { payroll: 1 } });
    await ask('/api/v1/search?query=薪資單', { method: 'DELETE' });
    expect(await askJson('/api/v1/messages')).toMatchObject({ total: 1, messages: [{ ID: 'hello' }] });
  });

  test('deletes the messages named, and all when none is', async () => {
    for (const id of ['m1', 'm2', 'm3']) await store.capture(aCapturedMail({ id }));
    await ask('/api/v1/messages', withBody('DELETE', { IDs: ['m2', 'unknown'] }));
    expect(await askJson('/api/v1/messages')).toMatchObject({ total: 2 });
    expect(await (await ask('/api/v1/messages', { method: 'DELETE' })).text()).toBe('ok');
    expect(await askJson('/api/v1/messages')).toMatchObject({ total: 0, messages: [] });
  });

  test.each([
    ['an unknown message', 404, '/api/v1/message/unknown'],
    ['the latest of none', 404, '/api/v1/message/latest'],
    ['an unknown part', 404, '/api/v1/message/there/part/9'],
    ['a part that is no number', 404, '/api/v1/message/there/part/constructor'],
    ['a wrong start', 400, '/api/v1/messages?start=-1'],
    ['a wrong limit', 400, '/api/v1/messages?limit=many'],
    ['a search for nothing', 400, '/api/v1/search'],
    ['a wrong percent', 400, '/api/v1/message/%zz'],
    ['an unknown path', 404, '/api/v1/nothing'],
  ])('answers %s with %i and an error in JSON', async (_what, status, path) => {
    if (path.includes('there')) await store.capture(aCapturedMail({ id: 'there' }));
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({ Error: expect.stringMatching(/\w{3}/) });
  });

  test('says of a limit that is too large how large it can be, and takes that', async () => {
    const answer = await ask('/api/v1/messages?limit=99999999999');
    expect([answer.status, await answer.json()]).toEqual([
      400,
      { Error: '"limit": expected a whole number from 0 to 999999999, received "99999999999".' },
    ]);
    expect((await ask('/api/v1/messages?limit=999999999')).status).toBe(200);
  });

  test.each([
    ['a body that is not JSON', '{"IDs":'],
    ['a misspelt field', '{"ids":["m1"]}'],
    ['IDs that are not texts', '{"IDs":[7]}'],
    ['a body beyond 1 MiB', JSON.stringify({ IDs: ['x'.repeat(1024 * 1024)] })],
  ])('deletes nothing for %s', async (_what, body) => {
    await store.capture(aCapturedMail({ id: 'm1' }));
    const answer = await ask('/api/v1/messages', { method: 'DELETE', body });
    expect(answer.status).toBe(400);
    expect(store.list().total).toBe(1);
  });

  test('names the methods it has', async () => {
    const answer = await ask('/api/v1/messages', { method: 'POST' });
    expect([answer.status, await answer.json()]).toEqual([
      405,
      { Error: 'This path allows GET, PUT, DELETE, received POST.' },
    ]);
  });
});

describe('what belongs to an email', () => {
  type Context = {
    readonly via: string;
    readonly conversation: readonly { readonly ID: string }[];
    readonly inReplyTo?: unknown;
    readonly invitation?: unknown;
  };
  const contextOf = (id: string) => askJson<Context>(`/mail/${id}/context`);

  test('is nothing for an email on its own', async () => {
    await store.capture(aCapturedMail({ id: 'alone', internetMessageId: '<alone@x>' }));
    await store.capture(aCapturedMail({ id: 'other', internetMessageId: '<other@x>' }));
    expect(await contextOf('alone')).toEqual({ via: 'json', conversation: [] });
  });

  test('is its conversation in order, and the email it answers', async () => {
    await store.capture(aCapturedMail({ id: 'm1', internetMessageId: '<1@x>' }));
    await store.capture(aCapturedMail({ id: 'm2', internetMessageId: '<2@x>', inReplyTo: '<1@x>' }));
    await store.capture(
      aCapturedMail({ id: 'm3', inReplyTo: '<gone@x>', references: ['<1@x>', '<gone@x>'], via: 'draft' }),
    );
    for (const id of ['m1', 'm2', 'm3'])
      expect((await contextOf(id)).conversation.map(({ ID }) => ID)).toEqual(['m1', 'm2', 'm3']);
    expect((await contextOf('m1')).inReplyTo).toBeUndefined();
    expect((await contextOf('m2')).inReplyTo).toEqual({ MessageID: '1@x', ID: 'm1' });
    expect(await contextOf('m3')).toMatchObject({ via: 'draft', inReplyTo: { MessageID: 'gone@x' } });
    expect((await contextOf('m3')).inReplyTo).not.toHaveProperty('ID');
  });

  test('is its invitation', async () => {
    const calendar = { method: 'REQUEST', ics: anInvitation() };
    await store.capture(aCapturedMail({ id: 'meeting', calendar }));
    expect((await contextOf('meeting')).invitation).toMatchObject({
      method: 'REQUEST',
      event: { location: 'Room 4' },
    });
  });
});

describe('parts', () => {
  beforeEach(() => store.capture(paySlip));

  test('arrive byte for byte, under their own name', async () => {
    const answer = await ask('/api/v1/message/pay-slip/part/1');
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(aPdf());
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="___.pdf"; filename*=UTF-8''%E8%96%AA%E8%B3%87%E5%96%AE.pdf`,
    );
  });

  test.each(['1', '2', '3', '4'])(
    'are downloads that no browser opens or guesses at (part %s)',
    async (part) => {
      const { headers } = await ask(`/api/v1/message/pay-slip/part/${part}`);
      expect(headers.get('content-disposition')).toMatch(/^attachment;/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toBe("default-src 'none'; sandbox");
    },
  );

  test('cannot put anything of their own into the response headers', async () => {
    const { headers } = await ask('/api/v1/message/pay-slip/part/4');
    expect(headers.get('x-injected')).toBeNull();
    expect(headers.get('content-type')).toBe('application/octet-stream');
    expect(headers.get('content-disposition')).toBe(
      `attachment; filename="a_b_c__X: y.txt"; filename*=UTF-8''a%22b%5Cc%0D%0AX%3A%20y.txt`,
    );
  });
});

describe('the framed mail', () => {
  test('can run nothing, load nothing from elsewhere, and shows inline images from their parts', async () => {
    await store.capture(paySlip);
    const answer = await ask('/mail/pay-slip/html');
    const html = await answer.text();
    const part = `${inbox.url}/api/v1/message/pay-slip/part/`;
    expect(html).toContain(`<img src="${part}2">`);
    const policy = answer.headers.get('content-security-policy')?.split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`img-src ${part} data:`);
    expect(policy).toContain('sandbox allow-popups allow-popups-to-escape-sandbox');
  });

  test('lets images of other servers in when asked, and still nothing else', async () => {
    await store.capture(paySlip);
    const answer = await ask('/mail/pay-slip/html?remote-images=load');
    const policy = answer.headers.get('content-security-policy')?.split('; ');
    expect(policy?.find((rule) => rule.startsWith('img-src'))).toMatch(/data: https: http:$/);
    expect(policy?.filter((rule) => rule.includes('http')).length).toBe(1);
  });
});

describe('who is answered', () => {
  beforeEach(() => store.capture(aCapturedMail({ id: 'm1' })));

  test.each([
    'evil.example',
    'evil.example:8025',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    '[::2]:80',
  ])('a page that reached the inbox as %j (DNS rebinding) gets nothing', async (host) => {
    for (const path of ['/', '/api/v1/messages', '/events', '/first-mail']) {
      const { status, text } = await askRaw(path, { headers: { host } });
      expect(status).toBe(403);
      expect(text).not.toContain('m1');
    }
  });

  test.each(['localhost', 'localhost:8025', '127.0.0.1:9', '[::1]:8025'])(
    'the inbox is there under %s',
    async (host) => {
      expect((await askRaw('/api/v1/messages', { headers: { host } })).status).toBe(200);
    },
  );

  test.each(['http://evil.example', 'null', 'https://localhost', 'http://localhost:1'])(
    'a page from %s changes nothing',
    async (origin) => {
      for (const method of ['DELETE', 'PUT']) {
        const answer = await ask('/api/v1/messages', { method, headers: { origin } });
        expect(answer.status).toBe(403);
      }
      expect(store.list()).toMatchObject({ total: 1, unread: 1 });
    },
  );

  test('the own page may', async () => {
    const answer = await ask('/api/v1/messages', { method: 'DELETE', headers: { origin: inbox.url } });
    expect([answer.status, store.list().total]).toEqual([200, 0]);
  });

  test.each([
    '/../package.json',
    '/%2e%2e/%2e%2e/package.json',
    '/..%2f..%2fpackage.json',
    '/..\\..\\package.json',
    '/page-files.ts',
    '//evil.example/etc/passwd',
    '/api/v1/message/..%2f..%2f..%2fpackage',
    '/api/v1/message/m1%00/part/1',
    '/mail/..%2fm1/html',
  ])('no file outside the page is reached by %s', async (path) => {
    expect((await askRaw(path)).status).toBe(404);
  });

  test('the page itself may load only what the inbox serves, and may not be framed', async () => {
    const policy = (await ask('/')).headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
  });
});

test('a change is told to those who listen, and closing the inbox ends their streams', async () => {
  const stream = await ask('/events');
  const reader = (stream.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
  await store.capture(aCapturedMail({ id: 'm1' }));
  let told = '';
  while (!told.includes('data:')) told += (await reader.read()).value;
  expect(told).toContain('data: {"kind":"captured","ids":["m1"]}\n\n');
  await inbox.close();
  await expect(reader.read()).rejects.toThrow();
});

describe('behind a tunnel that was announced', () => {
  const TUNNEL = 'octocat-8025.app.github.dev';
  const asThroughTunnel = [
    ['which passes its name on', { host: TUNNEL }],
    ['which writes localhost into Host', { host: 'localhost:8025', 'x-forwarded-host': TUNNEL }],
  ] as const;

  beforeEach(async () => {
    await inbox.close();
    inbox = await startInbox({ store, port: 0, firstMail, forwardedAs: `https://${TUNNEL}` });
    await store.capture(paySlip);
  });

  test.each(asThroughTunnel)('%s, the page and the images of a mail are there', async (_, headers) => {
    expect((await askRaw('/', { headers })).status).toBe(200);
    const { text } = await askRaw('/mail/pay-slip/html', { headers });
    expect(text).toContain(`src="https://${TUNNEL}/api/v1/message/pay-slip/part/`);
  });

  test('another name is refused, and localhost is answered as ever', async () => {
    expect((await askRaw('/', { headers: { host: 'evil.example' } })).status).toBe(403);
    const { status, text } = await askRaw('/mail/pay-slip/html', {
      headers: { host: 'localhost:8025', 'x-forwarded-host': 'evil.example' },
    });
    expect(status).toBe(200);
    expect(text).toContain('src="http://localhost:8025/api/v1/message/pay-slip/part/');
  });
});

describe('with a name for containers', () => {
  beforeEach(async () => {
    await inbox.close();
    inbox = await startInbox({ store, port: 0, firstMail, hostNames: ['mailpit'] });
    await store.capture(aCapturedMail({ id: 'm1' }));
  });

  test.each(['mailpit', 'mailpit:8025', 'MailPit:8025', 'localhost:8025'])(
    'it is there under %s',
    async (host) => {
      expect((await askRaw('/api/v1/messages', { headers: { host } })).status).toBe(200);
    },
  );

  test.each(['mailpit.evil.example', 'notmailpit', 'mailpit@evil.example'])(
    'it is not there under %s, and says which names it has',
    async (host) => {
      const { status, text } = await askRaw('/api/v1/messages', { headers: { host } });
      expect(status).toBe(403);
      expect(text).toContain(`mailpit:${inbox.port}`);
    },
  );

  test('a page of this name changes something, and one of another does not', async () => {
    const changing = (origin: string) =>
      askRaw('/api/v1/messages', { method: 'DELETE', headers: { host: 'mailpit:8025', origin } });
    expect((await changing('http://evil.example')).status).toBe(403);
    expect(store.list().total).toBe(1);
    expect((await changing('http://mailpit:8025')).status).toBe(200);
  });
});
