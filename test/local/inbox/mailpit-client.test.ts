import { MailpitClient } from 'mailpit-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startInbox } from '../../../local/inbox/inbox-server.ts';
import { type MailStore, openMailStore } from '../../../local/inbox/mail-store.ts';
import type { LocalRelay } from '../../../local/inbox/relay-client.ts';
import type { Listening } from '../../../local/listening.ts';
import { NOT_OFFERED } from '../../../src/lib/inbox/not-offered.ts';
import { RELAY_ID_PROPERTY } from '../../../src/lib/sending/json-message.ts';
import { readDocument } from '../../support/documents.ts';
import { A_PNG, aCapturedMail, aPdf, attached, person } from './captured-mails.ts';
import { standInRelay } from './stand-in-relay.ts';

const firstMail = { endpoint: '', functionKey: '', curl: '' };
const RELAY_ID = '01a2055c-e268-762b-8556-1836e3fff5b7';

let store: MailStore;
let inbox: Listening;
let mailpit: MailpitClient;

const open = async (relay?: LocalRelay) => {
  inbox = await startInbox({ store, port: 0, firstMail, relay });
  mailpit = new MailpitClient(inbox.url);
};

beforeEach(async () => {
  store = await openMailStore();
  await open();
});
afterEach(() => inbox.close());

const paySlip = aCapturedMail({
  id: 'pay-slip',
  acceptedAt: '2026-03-02T01:30:00.000Z',
  tags: ['payroll', 'monthly'],
  text: 'Your pay slip.',
  message: {
    subject: 'Pay slip',
    toRecipients: [person('ada@contoso.example', 'Ada Byron')],
    body: { contentType: 'html', content: '<p>Your pay slip.</p><img src="cid:logo">' },
    singleValueExtendedProperties: [{ id: RELAY_ID_PROPERTY, value: RELAY_ID }],
    attachments: [
      attached('slip.pdf', aPdf(), { contentType: 'application/pdf' }),
      attached('logo.png', A_PNG, { contentType: 'image/png', isInline: true, contentId: 'logo' }),
    ],
  },
});

describe('a client of Mailpit', () => {
  beforeEach(async () => {
    await store.capture(aCapturedMail({ id: 'hello', acceptedAt: '2026-03-01T12:00:00.000Z' }));
    await store.capture(paySlip);
  });

  test('reads what the inbox is and has', async () => {
    expect(await mailpit.getInfo()).toMatchObject({
      Messages: 2,
      Unread: 2,
      Tags: { monthly: 1, payroll: 1 },
      Version: expect.any(String),
    });
    expect(await mailpit.getConfiguration()).toMatchObject({
      MessageRelay: { Enabled: false },
      SpamAssassin: false,
      ChaosEnabled: false,
    });
    expect(await mailpit.getTags()).toEqual(['monthly', 'payroll']);
    expect((await mailpit.listMessages(0, 1)).messages).toMatchObject([{ ID: 'pay-slip' }]);
  });

  test('reads an email in each of its forms', async () => {
    expect(await mailpit.getMessageSummary()).toMatchObject({ Subject: 'Pay slip', Text: 'Your pay slip.' });
    expect(await mailpit.getMessageHeaders('pay-slip')).toMatchObject({ Subject: ['Pay slip'] });
    expect(await mailpit.getMessageSource('pay-slip')).toMatch(/^Subject: Pay slip\r$/m);
    expect(await mailpit.renderMessageText()).toBe('Your pay slip.');
    const part = await mailpit.getMessageAttachment('pay-slip', '1');
    expect(Buffer.from(await part.arrayBuffer())).toEqual(aPdf());
    const image = `${inbox.url}/api/v1/message/pay-slip/part/2`;
    expect(await mailpit.renderMessageHTML()).toBe(`<p>Your pay slip.</p><img src="${image}">`);
    expect(await mailpit.renderMessageHTML('pay-slip', 1)).toMatch(
      /^<!doctype html>.*<base target="_blank">/s,
    );
  });

  test('finds an email by the id that the relay returned', async () => {
    expect(await mailpit.getMessageSummary(RELAY_ID)).toMatchObject({ ID: 'pay-slip', RelayID: RELAY_ID });
    for (const query of [RELAY_ID, `id:${RELAY_ID}`, 'id:pay-slip'])
      expect((await mailpit.searchMessages({ query })).messages).toMatchObject([{ ID: 'pay-slip' }]);
  });

  test('searches with a time zone, waits, marks and deletes', async () => {
    const search = { query: 'after:"2026-03-02 09:00" tag:payroll', tz: 'Asia/Hong_Kong' };
    expect(await mailpit.searchMessages(search)).toMatchObject({ messages_count: 1 });
    expect(await mailpit.waitForMessage({ query: 'subject:"pay slip"' })).toMatchObject({ ID: 'pay-slip' });
    expect(await mailpit.waitForMessages({ count: 2 })).toMatchObject({ total: 2 });
    expect(
      await mailpit.setReadStatus({ Read: true, Search: search.query }, { tz: 'America/New_York' }),
    ).toBe('ok');
    expect((await mailpit.listMessages()).unread).toBe(1);
    expect(await mailpit.deleteMessagesBySearch(search)).toBe('ok');
    expect((await mailpit.listMessages()).messages).toMatchObject([{ ID: 'hello' }]);
    expect(await mailpit.deleteMessages()).toBe('ok');
    expect((await mailpit.listMessages()).total).toBe(0);
  });

  test('deletes nothing by a search that cannot be read', async () => {
    await expect(mailpit.deleteMessagesBySearch({ query: 'before:tomorrow' })).rejects.toThrow(
      /400 .*expected a date such as/s,
    );
    expect(store.list().total).toBe(2);
  });

  const missing: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['a thumbnail', () => mailpit.getAttachmentThumbnail('pay-slip', '2')],
    ['a release', () => mailpit.releaseMessage('pay-slip', { To: ['ada@contoso.example'] })],
    ['an HTML check', () => mailpit.htmlCheck()],
    ['a link check', () => mailpit.linkCheck()],
    ['a spam check', () => mailpit.spamAssassinCheck()],
    ['setting tags', () => mailpit.setTags({ IDs: ['pay-slip'], Tags: ['x'] })],
    ['renaming a tag', () => mailpit.renameTag('payroll', 'x')],
    ['deleting a tag', () => mailpit.deleteTag('payroll')],
    ['chaos', () => mailpit.getChaosTriggers()],
    ['setting chaos', () => mailpit.setChaosTriggers()],
  ];
  test.each(missing)('is refused %s in words', async (_call, ask) => {
    await expect(ask()).rejects.toThrow(/501 .*a part of Mailpit's API/s);
  });
});

test('what is not offered is in the documentation, call by call', () => {
  const { text } = readDocument('docs/local.md');
  const named = NOT_OFFERED.map(([method, path]) => `\`${method} ${path.replace(/:(\w+)/g, '{$1}')}\``);
  expect(named.filter((call) => !text.includes(call))).toEqual([]);
});

test.each(['/livez', '/readyz'])('%s says that the inbox responds', async (path) => {
  const response = await fetch(inbox.url + path);
  expect([response.status, await response.text()]).toEqual([200, 'ok']);
});

describe('/view', () => {
  test('has the HTML of a hostile email as it is, in a document that can run nothing', async () => {
    const content = '<script>fetch("/api/v1/messages", { method: "DELETE" })</script><b>Hello</b>';
    await store.capture(aCapturedMail({ message: { body: { contentType: 'html', content } } }));
    const response = await fetch(`${inbox.url}/view/latest.html`);
    expect(await response.text()).toBe(content);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/; sandbox(?!.*allow-(?:scripts|same-origin|forms))/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('has no HTML of an email in plain text, and says where its text is', async () => {
    await store.capture(aCapturedMail());
    await expect(mailpit.renderMessageHTML()).rejects.toThrow('This email has no HTML');
    expect(await mailpit.renderMessageText()).toBe('Hello there.');
  });

  test.each(['/view/unknown.html', '/view/unknown.txt', '/view/latest.pdf', '/view/..%2f.html'])(
    'has nothing at %s',
    async (path) => {
      expect((await fetch(inbox.url + path)).status).toBe(404);
    },
  );
});

const startRelay = async (status: number, body: unknown) => {
  const { relay, asked } = await standInRelay(() => ({ status, body }));
  await inbox.close();
  await open(relay);
  return asked;
};

const toSend = {
  From: { Email: 'noreply@contoso.example', Name: 'No Reply' },
  To: [{ Email: 'ada@contoso.example' }],
};

describe('what a client of Mailpit sends', () => {
  test('goes through the relay, with the function key, field by field', async () => {
    const asked = await startRelay(202, { id: RELAY_ID, state: 'sent' });
    const sent = await mailpit.sendMessage({
      ...toSend,
      Cc: [{ Email: 'mei@contoso.example', Name: 'Mei' }],
      Bcc: ['archive@contoso.example'],
      ReplyTo: [{ Email: 'hr@contoso.example' }],
      Subject: '薪資單',
      Text: 'Hello',
      HTML: '<p>Hello</p>',
      Headers: { 'X-Run': '7' },
      Tags: ['payroll'],
      Attachments: [
        { Filename: 'a.txt', Content: 'YQ==', ContentType: 'text/plain' },
        { Filename: 'b.png', Content: 'data:image/png;base64,Yg==', ContentID: 'b' },
      ],
    });
    expect(sent).toEqual({ ID: RELAY_ID });
    expect(asked).toEqual([
      {
        method: 'POST',
        url: '/api/mail',
        key: 'function-key',
        body: {
          from: { name: 'No Reply', address: 'noreply@contoso.example' },
          to: [{ address: 'ada@contoso.example' }],
          cc: [{ name: 'Mei', address: 'mei@contoso.example' }],
          bcc: [{ address: 'archive@contoso.example' }],
          replyTo: [{ address: 'hr@contoso.example' }],
          subject: '薪資單',
          text: 'Hello',
          html: '<p>Hello</p>',
          headers: { 'X-Run': '7' },
          tags: ['payroll'],
          attachments: [
            { filename: 'a.txt', content: 'YQ==', contentType: 'text/plain' },
            { filename: 'b.png', content: 'Yg==', cid: 'b' },
          ],
        },
      },
    ]);
  });

  test('that the relay rejects is rejected with everything that the relay says', async () => {
    await startRelay(400, {
      title: 'The email is not valid.',
      problems: [{ pointer: '/to', expected: 'a recipient', received: 'none' }],
      remedy: 'Correct the email.',
    });
    await expect(mailpit.sendMessage({ ...toSend, To: [] })).rejects.toThrow(
      /400 .*The email is not valid\..*\/to: expected a recipient, received none\..*Correct the email\./s,
    );
  });

  test.each([
    ['a misspelled field', { ...toSend, Sbject: 'x' }, /400 .*Sbject/s],
    ['no sender', { To: [] }, /400 .*From/s],
  ])('is not sent with %s', async (_case, mail, words) => {
    const asked = await startRelay(202, { id: RELAY_ID });
    await expect(mailpit.sendMessage(mail as unknown as typeof toSend)).rejects.toThrow(words);
    expect(asked).toEqual([]);
  });

  test('cannot be sent by another page', async () => {
    const asked = await startRelay(202, { id: RELAY_ID });
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
      const body = JSON.stringify(toSend);
      expect((await fetch(`${inbox.url}/api/v1/send`, { method: 'POST', headers, body })).status).toBe(403);
    }
    expect(asked).toEqual([]);
  });

  test('is not sent where emails are real, as the inbox asks for no key', async () => {
    await expect(mailpit.sendMessage(toSend)).rejects.toThrow(/501 .*its emails are real/s);
  });
});
