import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MailpitClient } from 'mailpit-api';
import { afterAll, describe, expect, test } from 'vitest';
import { captureMail } from '../../src/lib/delivery/capture-mail.ts';
import { newMailId } from '../../src/lib/ledger/mail-id.ts';
import type { DirectPlan } from '../../src/lib/sending/send-plan.ts';
import { openLedgerTable } from '../../src/lib/storage/ledger-table.ts';
import { openMailBlobs } from '../../src/lib/storage/mail-blobs.ts';
import { aNewMail } from '../support/a-new-mail.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
afterAll(() => relay.close());

const connection = {
  kind: 'connection-string',
  connectionString: relay.cloud.azurite.connectionString,
} as const;
const TEXT = { contentType: 'text', content: '您好' };

/** As an instance keeps it whose settings say so. */
const capture = async (body = TEXT): Promise<string> => {
  const now = new Date();
  const facts = aNewMail(now, { mailId: newMailId(now), caller: 'payroll', tags: ['payroll'] });
  const plan: DirectPlan = {
    kind: 'json',
    contentType: 'application/json',
    mailbox: 'noreply@contoso.example',
    body: Buffer.from(JSON.stringify({ message: { subject: '薪資單', body } })),
    reason: 'It fits.',
    warnings: [],
  };
  await captureMail(
    {
      ...openMailBlobs(connection),
      ledger: openLedgerTable(connection),
      clock: { now: () => now, sleep: async () => undefined },
      log: () => undefined,
    },
    { plan, facts },
    { isInQueue: false },
  );
  return facts.mailId;
};

const ask = (path: string, key?: string, method = 'GET') =>
  fetch(`${relay.url()}/api/inbox${path}`, {
    method,
    headers: key === undefined ? {} : { 'x-functions-key': key },
  });

const mailpitWith = (key: string) =>
  new MailpitClient(`${relay.url()}/api/inbox`, { fetchOptions: { headers: { 'x-functions-key': key } } });

describe.concurrent('the inbox page in the functions host, from the bundle,', () => {
  test.each(['', '/'])(
    'is served without a key at /api/inbox%s, and may not be kept, framed or sniffed',
    async (path) => {
      const answer = await ask(path);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toContain('<base href="/api/inbox/">');
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringMatching(/script-src 'self';.*frame-ancestors 'none'/),
      });
    },
  );

  test.each([
    ['inbox.js', 'text/javascript; charset=utf-8'],
    ['key-entry.css', 'text/css; charset=utf-8'],
    ['icon.svg', 'image/svg+xml'],
  ])('has the file %s as it is in the source', async (name, type) => {
    const answer = await ask(`/${name}`);
    expect(answer.headers.get('content-type')).toBe(type);
    const source = join(import.meta.dirname, '../../src/lib/inbox/page', name);
    expect(await answer.text()).toBe(await readFile(source, 'utf8'));
  });

  test.each(['/page-files.ts', '/..%2f..%2fpackage.json', '/app.cjs', '/.env'])(
    'has no other file: %s',
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  test.each([
    ['no key', undefined],
    ['a function key', KEYS.functionKey],
    ['another key', 'wrong'],
  ])('gives nothing of an email for %s', async (_case, key) => {
    const id = await capture();
    const paths = ['', '/v1/info', '/v1/messages', `/v1/message/${id}`, `/mail/${id}/html`];
    const answers = await Promise.all(paths.map((path) => ask(`/api${path}`, key)));
    expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 401));
    expect((await ask('/api/v1/messages', key, 'DELETE')).status).toBe(401);
  });

  test('shows a captured email by the id that the relay returned, and forgets it when it is deleted', async () => {
    const id = await capture();
    const found = await ask(`/api/v1/message/${id}`, KEYS.masterKey);
    expect(found.headers.get('cache-control')).toBe('no-store');
    expect(await found.json()).toMatchObject({ ID: id, Subject: '薪資單', Text: '您好' });
    expect(await (await ask(`/api/v1/message/${id}/raw`, KEYS.masterKey)).text()).toContain(
      'MIME-Version: 1.0',
    );
    const info = await (await ask('/api/v1/info', KEYS.masterKey)).json();
    expect(info).toMatchObject({ Capturing: 'nothing' });

    const removal = { method: 'DELETE', body: JSON.stringify({ IDs: [id] }) };
    const headers = { 'x-functions-key': KEYS.masterKey, 'content-type': 'application/json' };
    await fetch(`${relay.url()}/api/inbox/api/v1/messages`, { ...removal, headers });
    const gone = await ask(`/api/v1/message/${id}`, KEYS.masterKey);
    expect([gone.status, await gone.json()]).toEqual([
      404,
      { Error: expect.stringContaining('no email with this ID') },
    ]);
    expect((await relay.show(id)).body.state).toBe('captured');
  });

  test('serves a client of Mailpit, which gives the key in a header', async () => {
    const id = await capture();
    const mailpit = mailpitWith(KEYS.masterKey);
    expect(await mailpit.getInfo()).toMatchObject({ Messages: expect.any(Number) });
    expect(await mailpit.getConfiguration()).toMatchObject({ ChaosEnabled: false });
    expect(await mailpit.getTags()).toEqual(['payroll']);
    expect(await mailpit.getMessageSummary(id)).toMatchObject({ ID: id, Tags: ['payroll'] });
    expect(await mailpit.getMessageHeaders(id)).toMatchObject({ Subject: ['薪資單'] });
    expect(await mailpit.getMessageSource(id)).toContain('MIME-Version: 1.0');
    expect(await mailpit.renderMessageText(id)).toBe('您好');
    const query = `id:${id} tag:payroll after:2026-01-01`;
    expect(await mailpit.searchMessages({ query, tz: 'Asia/Hong_Kong' })).toMatchObject({
      messages: [{ ID: id }],
    });
    expect(await mailpit.waitForMessage({ query })).toMatchObject({ Subject: '薪資單' });
    expect(await mailpit.deleteMessagesBySearch({ query })).toBe('ok');
    await expect(mailpit.getMessageSummary(id)).rejects.toThrow('404');
  });

  test('has the HTML of an email where Mailpit has it, in a document that can run nothing', async () => {
    const content = '<script>alert(1)</script><b>您好</b>';
    const id = await capture({ contentType: 'html', content });
    expect(await mailpitWith(KEYS.masterKey).renderMessageHTML(id)).toBe(content);
    const answer = await ask(`/view/${id}.html`, KEYS.masterKey);
    expect(answer.headers.get('content-security-policy')).toMatch(
      /default-src 'none'.*sandbox(?!.*allow-(?:scripts|same-origin|forms))/,
    );
    expect((await ask(`/view/${id}.html`)).status).toBe(401);
    expect((await ask(`/view/${id}.txt`, KEYS.functionKey)).status).toBe(401);
  });

  test.each(['livez', 'readyz'])('says at %s that the app is running, and nothing else', async (name) => {
    const answer = await ask(`/${name}`);
    expect([answer.status, await answer.text()]).toEqual([200, 'ok']);
  });

  test('says of the calls that it does not have what to use instead', async () => {
    const mailpit = mailpitWith(KEYS.masterKey);
    const mail = { From: { Email: 'a@contoso.example' }, To: [] };
    await expect(mailpit.sendMessage(mail)).rejects.toThrow(/501 .*POST \/api\/mail/s);
    await expect(mailpit.setReadStatus({ Read: true })).rejects.toThrow(/501 .*which emails were read/s);
    await expect(mailpit.setTags({ IDs: [], Tags: [] })).rejects.toThrow(/501 .*a part of Mailpit's API/s);
    await expect(mailpit.htmlCheck()).rejects.toThrow(/501 /);
    await expect(mailpitWith(KEYS.functionKey).sendMessage(mail)).rejects.toThrow('401');
  });

  test('says what is wrong with a call', async () => {
    const answers = await Promise.all(
      ['/v1/nothing', '/v1/messages?limit=many', '/v1/search', '/v1/message/%2e%2e%2fx'].map((path) =>
        ask(`/api${path}`, KEYS.masterKey),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([404, 400, 400, 404]);
    for (const answer of answers) expect(await answer.json()).toEqual({ Error: expect.any(String) });
  });
});
