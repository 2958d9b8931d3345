import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import nodemailer, { type SendMailOptions } from 'nodemailer';
import { afterAll, describe, expect, test } from 'vitest';
import type { GraphMailRelayMail } from '../../clients/nodemailer/index.d.ts';
import { graphMailRelay } from '../../clients/nodemailer/src/index.ts';
import { makeTransport } from '../../clients/nodemailer/src/transport.ts';
import { makeNodemailerClient } from '../../scripts/nodemailer-client.ts';
import { withCrlf } from '../../src/lib/mail/line-breaks.ts';
import { expectNoCanary } from '../host/no-canary.ts';
import { newMarker, scopedByExchange, startRelay } from '../host/relay-for-tests.ts';
import { exampleOf, run } from '../support/caller-examples.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { ROOT } from '../support/documents.ts';

type Mail = SendMailOptions & GraphMailRelayMail;

const relay = await startRelay({
  settings: { MAIL_VERIFY_SECONDS: '4', GRAPH_TIMEOUT_SECONDS: '5', MAIL_LARGE_ATTACHMENTS: 'true' },
  directory: scopedByExchange({ roles: ['Mail.Send', 'Mail.ReadWrite'] }),
  sentItemsDelayMs: 500,
});
const folder = mkdtempSync(join(tmpdir(), 'relay-nodemailer-'));
const files = createServer((_request, response) => response.end('canary-from-url'));
await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
const fileUrl = `http://127.0.0.1:${(files.address() as AddressInfo).port}/canary-licence.txt`;
afterAll(async () => {
  await relay.close();
  files.closeAllConnections();
  await new Promise((resolve) => files.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const FROM = 'noreply@contoso.example';
const { body: added } = await relay.desk('/api/callers', { name: 'shop', senders: ['*@contoso.example'] });
const url = `${relay.url()}/api`;
const transporter = nodemailer.createTransport(graphMailRelay({ url, key: String(added.key) }));
const send = (mail: Mail) => transporter.sendMail(mail);

const path = join(folder, 'canary-file.txt');
writeFileSync(path, 'canary-from-file');
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const ICS = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'PRODID:-//contoso//EN',
  'METHOD:REQUEST',
  'BEGIN:VEVENT',
  'UID:1@contoso.example',
  'DTSTAMP:20261126T080000Z',
  'DTSTART:20261201T080000Z',
  'ORGANIZER:mailto:noreply@contoso.example',
  'SUMMARY:canary',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n');

/** What the documentation of nodemailer shows of each option of a message; made anew for each use, because streams are read once. */
const EXAMPLES: Readonly<Record<string, () => SendMailOptions>> = {
  'text and html': () => ({ text: 'Hello world?', html: '<b>Hello world?</b>' }),
  'attachments of every kind': () => ({
    text: 'canary',
    attachments: [
      { filename: 'text1.txt', content: 'hello world!' },
      { filename: 'text2.txt', content: Buffer.from('hello world!', 'utf-8') },
      { filename: 'text3.txt', path },
      { path },
      { filename: 'text4.txt', content: Readable.from(['hello ', 'world!']) },
      { filename: 'text.bin', content: 'hello world!', contentType: 'text/plain' },
      { filename: 'license.txt', path: fileUrl },
      { filename: 'text1.txt', content: 'aGVsbG8gd29ybGQh', encoding: 'base64' },
      { path: 'data:text/plain;base64,aGVsbG8gd29ybGQ=' },
      {
        raw: 'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="raw.txt"\r\n\r\nHello world!',
      },
      { filename: 'canary-薪資單 "1".pdf', content: '%PDF' },
      { filename: 'original.eml', contentType: 'message/rfc822', content: 'Subject: x\r\n\r\nx\r\n' },
    ],
  }),
  'an embedded image': () => ({
    html: 'Embedded image: <img src="cid:unique@nodemailer.com"/>',
    attachments: [{ filename: 'image.png', content: PNG, cid: 'unique@nodemailer.com' }],
  }),
  alternatives: () => ({
    html: '<b>Hello world!</b>',
    alternatives: [{ contentType: 'text/x-web-markdown', content: '**Hello world!**' }],
  }),
  'an event': () => ({
    text: 'Please see the attached appointment',
    icalEvent: { filename: 'invitation.ics', method: 'REQUEST', content: ICS },
  }),
  'AMP and a watch': () => ({
    text: 'x',
    html: '<p>x</p>',
    amp: '<!doctype html><html amp4email></html>',
    watchHtml: '<b>x</b>',
  }),
  'list headers': () => ({
    text: 'x',
    list: {
      help: 'admin@example.com?subject=help',
      unsubscribe: { url: 'http://example.com', comment: 'Comment' },
      subscribe: ['admin@example.com?subject=subscribe', { url: 'http://example.com', comment: 'Subscribe' }],
    },
  }),
  'custom headers': () => ({
    text: 'x',
    priority: 'high',
    xMailer: 'Shop 1.0',
    headers: {
      'x-my-key': 'header value',
      'x-another-key': ['another value 1', 'another value 2'],
      'x-processed': 'a really long header or value with non-ascii characters 👮',
      'x-unprocessed': { prepared: true, value: 'a really long header' },
    },
    inReplyTo: '<q@contoso.example>',
    references: ['<p@contoso.example>', '<q@contoso.example>'],
    replyTo: 'Grüße <canary-reply@contoso.example>',
  }),
  'addresses in other scripts': () => ({
    text: '薪資單',
    to: [
      '"陳大文" <canary-chan@münchen.example>',
      { name: 'Max, "Moritz"', address: 'canary-max@fabrikam.example' },
    ],
    cc: 'canary-cc@fabrikam.example',
    bcc: ['canary-bcc1@fabrikam.example', 'canary-bcc2@fabrikam.example'],
  }),
  'long lines, dots and line ends of Unix': () => ({
    text: `.\n..\n${'canary '.repeat(300)}\n-- \nx\n`,
    html: `<p>${'ä'.repeat(3000)}</p>\n.\n`,
    textEncoding: 'base64',
  }),
};

/** What nodemailer composes of a mail, by its own transport for that. */
const compose = async (mail: Mail): Promise<Buffer> => {
  const { message } = await nodemailer
    .createTransport({ streamTransport: true, buffer: true })
    .sendMail(mail);
  return withCrlf(message as Buffer);
};

/** What went to Graph as MIME. */
const arrivedMime = async (marker: string): Promise<Buffer> => {
  const [mail] = await relay.arrives(marker);
  return Buffer.from(mail?.mime ?? '', 'base64');
};

describe('what nodemailer composes', () => {
  test.each(Object.entries(EXAMPLES))('with %s arrives byte for byte', async (_case, example) => {
    const marker = newMarker();
    const mail = (): Mail => ({
      from: `Contoso <${FROM}>`,
      to: 'canary-to@fabrikam.example',
      subject: `canary ✔ ${marker}`,
      // What the key would otherwise decide.
      messageId: `<${marker}@contoso.example>`,
      date: new Date('2026-11-26T08:00:00Z'),
      baseBoundary: marker,
      ...example(),
    });
    const info = await send(mail());
    expect(info).toMatchObject({
      messageId: `<${marker}@contoso.example>`,
      relay: { state: 'sent', form: 'mime' },
    });
    const added = Buffer.from(`X-MailRelay-Id: ${info.relay.id}\r\n`);
    expect((await arrivedMime(marker)).toString('latin1')).toBe(
      Buffer.concat([added, await compose(mail())]).toString('latin1'),
    );
    expect(info.accepted).toEqual(info.envelope.to);
  });

  test('with nothing of that kind has the Message-ID of the answer, and the Date of the relay', async () => {
    const marker = newMarker();
    const info = await send({ from: FROM, to: 'canary-to@fabrikam.example', subject: marker, text: 'x' });
    const header = (await arrivedMime(marker)).toString().split('\r\n\r\n', 1)[0] ?? '';
    expect(header.match(/^Date: .+/gm)).toHaveLength(1);
    expect(header).toContain(`Message-ID: ${info.messageId}`);
  });

  test('as a raw message arrives byte for byte, with who is only in the envelope in Bcc', async () => {
    const marker = newMarker();
    const raw = `Date: Thu, 26 Nov 2026 08:00:00 +0000\r\nMessage-ID: <${marker}@x.example>\r\nMIME-Version: 1.0\r\nFrom: ${FROM}\r\nTo: canary-to@fabrikam.example\r\nSubject: ${marker}\r\n\r\ncanary\r\n`;
    const to = ['canary-to@fabrikam.example', 'canary-hidden@fabrikam.example'];
    const info = await send({ raw, envelope: { from: FROM, to } });
    expect((await arrivedMime(marker)).toString()).toBe(
      `X-MailRelay-Id: ${info.relay.id}\r\nBcc: canary-hidden@fabrikam.example\r\n${raw}`,
    );
    const [mail] = await relay.mailsAbout(marker);
    expect(mail?.request.body.message.bccRecipients).toEqual([
      { emailAddress: { address: 'canary-hidden@fabrikam.example' } },
    ]);
  });

  test('above 3,000,000 bytes arrives as fields that say the same', async () => {
    const marker = newMarker();
    const content = Buffer.alloc(3_500_000, 'canary-pdf ');
    const info = await send({
      from: FROM,
      to: '"Chan, Tai Man" <canary-to@fabrikam.example>',
      bcc: 'canary-bcc@fabrikam.example',
      subject: `薪資單 ${marker}`,
      text: 'canary',
      html: '<p>canary <img src="cid:logo"></p>',
      attachments: [
        { filename: '薪資單.pdf', content },
        { filename: 'logo.png', content: PNG, cid: 'logo' },
      ],
    });
    expect(info.relay).toMatchObject({ state: 'sent', form: 'json' });
    const [mail] = await relay.arrives(marker);
    const { message } = mail?.request.body ?? {};
    expect(mail).toMatchObject({ via: 'draft', text: expect.stringContaining('canary') });
    expect(message?.toRecipients).toEqual([
      { emailAddress: { name: 'Chan, Tai Man', address: 'canary-to@fabrikam.example' } },
    ]);
    expect(message?.bccRecipients).toEqual([{ emailAddress: { address: 'canary-bcc@fabrikam.example' } }]);
    expect(message?.body).toMatchObject({
      contentType: 'html',
      content: expect.stringContaining('cid:logo'),
    });
    expect(message?.attachments?.map(({ name, contentType }) => [name, contentType])).toEqual(
      expect.arrayContaining([
        ['薪資單.pdf', 'application/pdf'],
        ['logo.png', 'image/png'],
      ]),
    );
  });
});

test('the first example of the page runs as it is, with the package as it is installed', async () => {
  const marker = newMarker();
  await makeNodemailerClient(folder);
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(join(ROOT, 'node_modules/nodemailer'), join(modules, 'nodemailer'));
  symlinkSync(join(folder, 'nodemailer-client'), join(modules, 'graph-mail-relay-nodemailer'));
  const example = exampleOf('nodemailer.md', 'send');
  expect(example).toContain('Hello ✔');
  writeFileSync(join(folder, 'send.mjs'), example.replace('Hello ✔', `Hello ✔ ${marker}`));
  const environment = { MAIL_RELAY_URL: relay.url(), MAIL_RELAY_KEY: String(added.key) };
  const ran = await run([process.execPath, 'send.mjs'], { folder, environment });
  expect(ran).toEqual({
    status: 0,
    output: expect.stringMatching(/^Message sent: <[\da-f-]{36}@contoso\.example>, 250 sent [\da-f-]{36}\n$/),
  });
  const [mail] = await relay.arrives(marker);
  expect(mail?.request.body.message.toRecipients?.map(({ emailAddress }) => emailAddress.address)).toEqual([
    'chan@contoso.example',
    'wong@contoso.example',
  ]);
});

describe('the same email twice', () => {
  test('with one idempotencyKey is one email', async () => {
    const marker = newMarker();
    const mail = (): Mail => ({
      from: FROM,
      to: 'canary-to@fabrikam.example',
      subject: marker,
      ...EXAMPLES['an event']?.(),
      attachments: [{ filename: 'a.txt', content: Readable.from(['a']) }],
      idempotencyKey: `canary-${marker}`,
    });
    const first = await send(mail());
    const again = await send(mail());
    expect([first.relay.repeated, again.relay.repeated]).toEqual([false, true]);
    expect([again.relay.id, again.messageId]).toEqual([first.relay.id, first.messageId]);
    await expect(send({ ...mail(), text: 'other' })).rejects.toMatchObject({
      code: 'EALREADYACCEPTED',
      relay: { id: first.relay.id, state: 'sent' },
    });
    await relay.arrives(marker, 1);
  });

  test('without one is two emails', async () => {
    const marker = newMarker();
    const mail: Mail = { from: FROM, to: 'canary-to@fabrikam.example', subject: marker, text: 'x' };
    await Promise.all([send(mail), send(mail)]);
    await relay.arrives(marker, 2);
  });
});

describe('a response that is lost', () => {
  test.each([1, 3])('%s times is one email, and no error', async (losses) => {
    const marker = newMarker();
    let lost = 0;
    const transport = makeTransport(
      { url, key: String(added.key) },
      {
        fetch: async (address, init) => {
          const response = await fetch(address, init);
          if (lost === losses) return response;
          lost += 1;
          throw new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } });
        },
        wait: async () => undefined,
        now: () => new Date(),
        newKey: () => `canary-${marker}`,
      },
    );
    const info = await nodemailer
      .createTransport(transport)
      .sendMail({ from: FROM, to: 'canary-to@fabrikam.example', subject: marker, text: 'x' });
    expect(info.relay).toMatchObject({ state: 'sent', repeated: true });
    await relay.arrives(marker, 1);
  });
});

describe('a fault of Graph', () => {
  test('a 504 after which nobody knows whether it was sent is no error, and the email is there once', async () => {
    const marker = newMarker();
    const from = 'lane0@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 504, accept: true },
    });
    const info = await send({ from, to: 'canary-to@fabrikam.example', subject: marker, text: 'x' });
    expect(info).toMatchObject({ response: `250 unknown ${info.relay.id}`, relay: { state: 'unknown' } });
    expect(info.relay.statusUrl).toBe(`${url}/v1/mail/${info.relay.id}`);
    await relay.reaches(info.relay.id, 'sent');
    await relay.arrives(marker, 1);
  });

  test('an email that Graph asks to wait is queued, and no error', async () => {
    const marker = newMarker();
    const from = 'lane1@contoso.example';
    relay.cloud.graph.faults.add({
      on: 'sendMail',
      mailbox: from,
      fault: { kind: 'answer', status: 429, retryAfter: '1' },
    });
    const info = await send({ from, to: 'canary-to@fabrikam.example', subject: marker, text: 'x' });
    expect(info.relay.state).toBe('queued');
    await relay.arrives(marker, 1);
  });
});

describe('what the relay does not accept', () => {
  test.each<[string, () => Promise<unknown>, Record<string, unknown>]>([
    [
      'a sender that the caller cannot use',
      () => send({ from: 'ceo@fabrikam.example', to: 'canary-to@fabrikam.example', subject: 'x', text: 'x' }),
      { code: 'EENVELOPE', responseCode: 550, problem: { code: 'SENDER_NOT_ALLOWED' } },
    ],
    ['no recipient', () => send({ from: FROM, subject: 'x', text: 'x' }), { code: 'EENVELOPE' }],
    [
      'an address that MIME cannot have',
      () => send({ from: FROM, to: 'canary-jürgen@fabrikam.example', subject: 'x', text: 'x' }),
      { code: 'EENVELOPE', message: expect.stringContaining('ASCII before the @') },
    ],
    [
      'a key that was revoked',
      () =>
        nodemailer
          .createTransport(graphMailRelay({ url, key: `${String(added.key).slice(0, -4)}AAAA` }))
          .sendMail({ from: FROM, to: 'canary-to@fabrikam.example', subject: 'x', text: 'x' }),
      { code: 'EAUTH', responseCode: 535 },
    ],
  ])('%s: the error says what to do, and shows no address', async (_case, sent, facts) => {
    const error = await sent().then(
      () => expect.unreachable(),
      (thrown) => thrown,
    );
    expect(error).toMatchObject(facts);
    expect(error.message).not.toMatch(/canary|contoso|fabrikam|gmr_/);
  });
});

describe('tags and a time', () => {
  test('are known to the relay, and the email waits', async () => {
    const sendAt = new Date(Date.now() + 3_600_000);
    const marker = newMarker();
    const info = await send({
      from: FROM,
      to: 'canary-to@fabrikam.example',
      subject: marker,
      text: 'x',
      relay: { tags: ['shop'], sendAt },
    });
    expect(info.relay.state).toBe('queued');
    expect((await relay.show(info.relay.id)).body).toMatchObject({
      tags: ['shop'],
      sendAt: sendAt.toISOString(),
    });
  });
});

describe('verify', () => {
  test.each<[string, string, string | undefined]>([
    ['a key of the relay', String(added.key), undefined],
    ['a function key', KEYS.functionKey, undefined],
    ['a wrong key of the relay', `${String(added.key).slice(0, -4)}AAAA`, 'EAUTH'],
    ['a wrong function key', 'wrong', 'EAUTH'],
  ])('knows %s', async (_case, key, code) => {
    const verified = nodemailer.createTransport(graphMailRelay({ url, key })).verify();
    if (code === undefined) expect(await verified).toBe(true);
    else await expect(verified).rejects.toMatchObject({ code });
  });

  test('a function key sends', async () => {
    const marker = newMarker();
    const sent = await nodemailer
      .createTransport(graphMailRelay({ url: `${url}/`, key: KEYS.functionKey }))
      .sendMail({ from: FROM, to: 'canary-to@fabrikam.example', subject: marker, text: 'x' });
    expect(sent.relay.state).toBe('sent');
    await relay.arrives(marker);
  });
});

test('nothing of all that is in the log or in a problem of the relay', () => expectNoCanary(relay));
