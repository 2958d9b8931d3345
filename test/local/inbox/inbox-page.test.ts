import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listen } from '../../../local/http.ts';
import { startInbox } from '../../../local/inbox/inbox-server.ts';
import { type MailStore, openMailStore } from '../../../local/inbox/mail-store.ts';
import type { Listening } from '../../../local/listening.ts';
import { findBarriers } from '../../support/axe.ts';
import { NO_BROWSER } from '../../support/browser.ts';
import { keptPages, LAPTOP, PHONE } from '../../support/kept-pages.ts';
import { A_PNG, aCapturedMail, anInvitation, aPdf, attached, person } from './captured-mails.ts';
import { standInRelay } from './stand-in-relay.ts';

const firstMail = {
  endpoint: 'http://localhost:7071/api/mail',
  functionKey: 'local-key',
  curl: "curl http://localhost:7071/api/mail -d '{}'",
};

const pages = keptPages();
let store: MailStore;
let inbox: Listening;

beforeEach(async ({ skip }) => {
  skip(!pages.isThere, NO_BROWSER);
  store = await openMailStore();
  inbox = await startInbox({ store, port: 0, firstMail });
});
afterEach(async () => {
  await pages.leave();
  await inbox?.close();
});

const openInbox = (device: BrowserContextOptions = LAPTOP, path = '/'): Promise<Page> =>
  pages.open(inbox.url + path, device);

const subjects = (page: Page) => page.locator('#list .subject');
const openMail = (page: Page, subject: string) => page.locator('#list').getByText(subject).click();

describe('the list', () => {
  test('shows the newest mail first, and a new one at once', async () => {
    await store.capture(aCapturedMail({ message: { subject: 'older' } }));
    await store.capture(aCapturedMail({ message: { subject: 'newer' } }));
    const page = await openInbox();
    await subjects(page).nth(1).waitFor();
    expect(await subjects(page).allTextContents()).toEqual(['newer', 'older']);
    await store.capture(aCapturedMail({ message: { subject: 'just now' } }));
    await page.locator('#list').getByText('just now').waitFor();
    expect(await subjects(page).allTextContents()).toEqual(['just now', 'newer', 'older']);
    expect(await page.locator('#announcer').textContent()).toBe('New email: just now');
  });

  test('marks what nobody has opened, and counts it in the title', async () => {
    await store.capture(aCapturedMail({ message: { subject: 'one' } }));
    await store.capture(aCapturedMail({ message: { subject: 'two' } }));
    const page = await openInbox();
    await expect.poll(() => page.title()).toMatch(/^\(2\) /);
    await openMail(page, 'one');
    await expect.poll(() => page.title()).toMatch(/^\(1\) /);
    expect(await page.locator('#list li.unread .subject').allTextContents()).toEqual(['two']);
  });

  test('is narrowed by the search, and says how much it leaves out', async () => {
    for (const subject of ['pay slip', 'alert', 'leave'])
      await store.capture(aCapturedMail({ message: { subject } }));
    const page = await openInbox();
    await page.keyboard.press('/');
    await page.keyboard.type('subject:alert');
    await page.getByText('1 of 3 emails match').waitFor();
    expect(await subjects(page).allTextContents()).toEqual(['alert']);
    await page.keyboard.press('Escape');
    await subjects(page).nth(2).waitFor();
  });

  test('is walked with j and k, opened with Enter, left with Escape', async () => {
    for (const subject of ['c', 'b', 'a']) {
      await store.capture(aCapturedMail({ message: { subject: `mail ${subject}` } }));
    }
    const page = await openInbox();
    await subjects(page).nth(2).waitFor();
    const title = page.locator('#mail h2');
    for (const key of ['j', 'j', 'Enter']) await page.keyboard.press(key);
    await title.getByText('mail b').waitFor();
    await page.keyboard.press('j');
    await title.getByText('mail c').waitFor();
    await page.keyboard.press('k');
    await title.getByText('mail b').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Choose an email').waitFor();
  });
});

describe('a mail', () => {
  test('shows its HTML in a frame where no script runs and no form is sent', async () => {
    const hostile = `<p id="p">Hello</p><script>document.getElementById('p').textContent = 'script ran'</script>
      <img src="x" onerror="document.getElementById('p').textContent = 'handler ran'">
      <meta http-equiv="refresh" content="0;url=/first-mail">
      <form action="/form-target"><button>Send</button></form>`;
    await store.capture(
      aCapturedMail({ message: { subject: 'hostile', body: { contentType: 'html', content: hostile } } }),
    );
    const page = await openInbox();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await openMail(page, 'hostile');
    const frame = page.frameLocator('#mail iframe');
    await frame.getByText('Hello').waitFor();
    await frame.getByRole('button').click();
    await page.getByRole('tab', { name: 'Headers' }).click();
    await page.getByRole('tab', { name: 'HTML', exact: true }).click();
    expect(await frame.locator('#p').textContent()).toBe('Hello');
    expect(await page.locator('#mail iframe').getAttribute('sandbox')).not.toMatch(
      /allow-(scripts|same-origin|forms|top)/,
    );
    expect(asked).not.toContain('/first-mail');
    expect(asked).not.toContain('/form-target');
    expect(page.url()).toContain('#/mail/');
  });

  test('shows images it brought along, and those of other servers only when asked to', async () => {
    const asked: string[] = [];
    const other = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.setHeader('Content-Type', 'image/png').end(A_PNG);
    });
    const elsewhere = await listen(other, {
      name: 'Elsewhere',
      port: 0,
      portSetting: '-',
      mayBeLookedAt: true,
    });
    const content = `<img id="own" src="cid:logo"><img id="remote" src="${elsewhere.url}/open.png">`;
    await store.capture(
      aCapturedMail({
        message: {
          subject: 'images',
          body: { contentType: 'html', content },
          attachments: [
            attached('logo.png', A_PNG, { contentType: 'image/png', isInline: true, contentId: 'logo' }),
          ],
        },
      }),
    );
    try {
      const page = await openInbox();
      await openMail(page, 'images');
      const widthOf = (id: string) =>
        page
          .frameLocator('#mail iframe')
          .locator(id)
          .evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
      await expect.poll(() => widthOf('#own')).toBe(1);
      expect([await widthOf('#remote'), asked]).toEqual([0, []]);
      await page.getByRole('switch', { name: 'Load remote images' }).check();
      await expect.poll(() => widthOf('#remote')).toBe(1);
      expect(asked).toEqual(['/open.png']);
    } finally {
      await elsewhere.close();
    }
  });

  test('shows text as text', async () => {
    const content = 'first line\n<b>not bold</b>';
    await store.capture(
      aCapturedMail({ message: { subject: 'plain', body: { contentType: 'text', content } } }),
    );
    const page = await openInbox();
    await openMail(page, 'plain');
    expect(await page.getByRole('tabpanel').textContent()).toBe(content);
  });

  test('says from which mailbox it went, to whom, and what was asked for', async () => {
    const mail = aCapturedMail({
      mailbox: 'payroll@contoso.example',
      saveToSentItems: false,
      message: {
        subject: '薪資單',
        from: person('payslips@contoso.example', '薪資組'),
        ccRecipients: [person('cc@contoso.example')],
        bccRecipients: [person('bcc@contoso.example')],
        replyTo: [person('hr@contoso.example')],
        importance: 'high',
        isReadReceiptRequested: true,
      },
    });
    await store.capture(mail);
    const page = await openInbox(LAPTOP, `/#/mail/${mail.id}`);
    await page.locator('.envelope').waitFor();
    const rows = await page.locator('.envelope > div').allInnerTexts();
    expect(rows.map((row) => row.replace(/\s+/g, ' ')).filter((row) => !row.startsWith('Accepted'))).toEqual([
      'From 薪資組 payslips@contoso.example',
      'To Ada Byron ada@contoso.example',
      'Cc cc@contoso.example',
      'Bcc bcc@contoso.example',
      'Reply-To hr@contoso.example',
      'Mailbox payroll@contoso.example',
    ]);
    expect(await page.locator('.badges li').allTextContents()).toEqual([
      'High importance',
      'Read receipt requested',
      'Not kept in Sent Items',
    ]);
  });

  test('with 500 recipients shows three, and the others when asked to', async () => {
    const toRecipients = Array.from({ length: 500 }, (_, n) => person(`p${n}@contoso.example`));
    await store.capture(aCapturedMail({ message: { subject: 'to all '.repeat(60), toRecipients } }));
    const page = await openInbox();
    await openMail(page, 'to all');
    await page.getByRole('button', { name: 'and 497 more' }).click();
    expect(await page.locator('.people .address').count()).toBe(500);
    await page.getByRole('button', { name: 'Show fewer' }).click();
    expect(await page.locator('.people .address').count()).toBe(3);
    const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
  });

  test('gives its attachments byte for byte', async () => {
    const pdf = attached('薪資單 2026-02.pdf', aPdf(), { contentType: 'application/pdf' });
    await store.capture(aCapturedMail({ message: { subject: 'with pdf', attachments: [pdf] } }));
    const page = await openInbox();
    await openMail(page, 'with pdf');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: '薪資單 2026-02.pdf' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('薪資單 2026-02.pdf');
    expect(await readFile(await download.path())).toEqual(aPdf());
  });

  test('shows the Graph request, with attachments cut to their size', async () => {
    const mail = aCapturedMail({
      message: { subject: 'request', attachments: [attached('big.bin', Buffer.alloc(48_000, 1))] },
    });
    await store.capture(mail);
    const page = await openInbox();
    await openMail(page, 'request');
    await page.getByRole('tab', { name: 'Graph request' }).click();
    const panel = page.getByRole('tabpanel');
    await panel.getByText('/v1.0/users/noreply%40contoso.example/sendMail').waitFor();
    await panel.getByText('48 kB in base64').waitFor();
    expect((await panel.textContent())?.length).toBeLessThan(2000);
  });

  test('that is deleted elsewhere closes', async () => {
    const mail = aCapturedMail({ message: { subject: 'soon gone' } });
    await store.capture(aCapturedMail({ message: { subject: 'stays' } }));
    await store.capture(mail);
    const page = await openInbox(LAPTOP, `/#/mail/${mail.id}`);
    await page.locator('#mail h2').waitFor();
    await store.remove([mail.id]);
    await page.getByText('Choose an email').waitFor();
  });
});

describe('an email of any kind', () => {
  const tabs = (page: Page) => page.getByRole('tab').allTextContents();

  test('has a tab for each body it has', async () => {
    const html = { contentType: 'html', content: '<p>formatted</p>' } as const;
    const both = aCapturedMail({ text: 'plain words', message: { body: html } });
    const alone = aCapturedMail({ message: { body: html } });
    await store.capture(both);
    await store.capture(alone);
    const page = await openInbox(LAPTOP, `/#/mail/${both.id}`);
    await page.frameLocator('#mail iframe').getByText('formatted').waitFor();
    await page.getByRole('tab', { name: 'Text' }).click();
    expect(await page.getByRole('tabpanel').textContent()).toBe('plain words');
    await page.goto(`${inbox.url}/#/mail/${alone.id}`);
    await page.frameLocator('#mail iframe').getByText('formatted').waitFor();
    expect(await tabs(page)).toEqual(['HTML', 'HTML source', 'Headers', 'Graph request']);
  });

  test('is downloaded as a file for mail clients', async () => {
    const mail = aCapturedMail({ message: { subject: '../../etc/passwd' } });
    await store.capture(mail);
    const page = await openInbox(LAPTOP, `/#/mail/${mail.id}`);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.locator('#mail header').getByRole('link', { name: 'Download' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${mail.id}.eml`);
    expect(await readFile(await download.path(), 'utf8')).toContain('\r\n\r\nHello there.');
  });

  test('shows the size and the type of each file, and images as pictures', async () => {
    const png = { contentType: 'image/png' };
    await store.capture(
      aCapturedMail({
        message: {
          subject: 'files',
          attachments: [
            attached('pay slip.pdf', aPdf(), { contentType: 'application/pdf' }),
            attached('<b>photo</b>.png', A_PNG, png),
            attached('fake.png', Buffer.from('<script>'), png),
            attached('drawing.svg', Buffer.from('<svg/>'), { contentType: 'image/svg+xml' }),
            attached('logo.png', A_PNG, { ...png, isInline: true, contentId: 'logo' }),
          ],
        },
      }),
    );
    const page = await openInbox();
    await openMail(page, 'files');
    const facts = page.locator('.attachments .file-facts');
    await facts.nth(4).waitFor();
    expect(await facts.allTextContents()).toEqual([
      '591 B · application/pdf',
      '70 B · image/png',
      '8 B · image/png',
      '6 B · image/svg+xml',
      '70 B · image/png · in the HTML',
    ]);
    await expect.poll(() => page.locator('.thumbnail').count()).toBe(2);
    await page.getByRole('button', { name: 'Show <b>photo</b>.png' }).click();
    const picture = page.getByRole('dialog').getByRole('img', { name: '<b>photo</b>.png' });
    const width = () =>
      picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth);
    await expect.poll(width).toBe(1);
    await page.keyboard.press('Escape');
    await picture.waitFor({ state: 'hidden' });
    expect(page.url()).toContain('#/mail/');
  });

  test('that answers another is shown with its conversation', async () => {
    const first = aCapturedMail({ internetMessageId: '<1@x>', message: { subject: 'A question' } });
    const second = aCapturedMail({
      internetMessageId: '<2@x>',
      inReplyTo: '<1@x>',
      message: { subject: 'Re: A question' },
    });
    const third = aCapturedMail({
      inReplyTo: '<gone@x>',
      references: ['<1@x>'],
      message: { subject: 'Another answer' },
    });
    for (const mail of [first, second, third]) await store.capture(mail);
    const page = await openInbox(LAPTOP, `/#/mail/${second.id}`);
    const conversation = page.getByRole('navigation', { name: 'Conversation' });
    await conversation.waitFor();
    expect(await conversation.locator('.title').allTextContents()).toEqual([
      'A question',
      'Re: A question',
      'Another answer',
    ]);
    expect(await conversation.locator('[aria-current]').textContent()).toContain('Re: A question');
    await page.locator('.envelope').getByRole('link', { name: 'A question' }).click();
    await page.locator('#mail h2').getByText('A question', { exact: true }).waitFor();
    await conversation.getByRole('link', { name: 'Another answer' }).click();
    await page.locator('.envelope').getByText('gone@x (not in this inbox)').waitFor();
  });

  test('with an invitation shows what, when on the clocks of the event and of the reader, where and who', async () => {
    const mail = aCapturedMail({ calendar: { method: 'REQUEST', ics: anInvitation() } });
    await store.capture(mail);
    const page = await openInbox({ ...LAPTOP, timezoneId: 'Asia/Hong_Kong' }, `/#/mail/${mail.id}`);
    const card = page.getByRole('region', { name: 'Invitation' });
    await card.getByRole('heading', { name: 'Quarterly review, 薪資' }).waitFor();
    const rows = await card.locator('dl > div').allInnerTexts();
    expect(rows.map((row) => row.replace(/\s+/g, ' '))).toEqual([
      'When Thursday, 2 July 2026, 10:00–11:30 W. Europe Standard Time Thursday, 2 July 2026, 16:00–17:30 Asia/Hong_Kong (your time)',
      'Where Room 4',
      'Organizer Byron, Ada ada@contoso.example',
      'Attendees Ming ming@contoso.example · no reply yet mei@contoso.example · optional · accepted',
    ]);
    await page.getByRole('tab', { name: 'Calendar' }).click();
    await page.getByRole('tabpanel').getByText('BEGIN:VEVENT').waitFor();
  });

  test('with a hostile invitation shows its words as words, and what cannot be read as a note', async () => {
    const evil = '<img src=x onerror="document.title=1">';
    const lines = [
      `SUMMARY:${evil}`,
      `LOCATION:${evil}`,
      `STATUS:${evil}`,
      'DTSTART;TZID=<b>nowhere</b>:99999999T999999',
      `ATTENDEE;CN='${evil.replaceAll('"', '')}';PARTSTAT=__proto__;ROLE=constructor:javascript:alert(1)`,
    ];
    const mail = aCapturedMail({ calendar: { method: `X${evil}`, ics: anInvitation(lines) } });
    const broken = aCapturedMail({ calendar: { method: 'REQUEST', ics: 'no calendar' } });
    await store.capture(mail);
    await store.capture(broken);
    const page = await openInbox(LAPTOP, `/#/mail/${mail.id}`);
    await page.locator('.invitation h3').getByText(evil).waitFor();
    expect(await page.locator('.invitation :is(img, b b, a)').count()).toBe(0);
    await page.goto(`${inbox.url}/#/mail/${broken.id}`);
    await page.locator('.warning').getByText('cannot be read as iCalendar').waitFor();
  });

  test('sent as MIME shows that MIME and the headers that recipients see', async () => {
    const mime = Buffer.from('Subject: 薪\r\nBcc: archive@contoso.example\r\n\r\nMIME body');
    const mail = aCapturedMail({
      via: 'mime',
      mime: mime.toString('base64'),
      headers: [{ name: 'X-Ticket', value: '4711' }],
    });
    await store.capture(mail);
    const page = await openInbox(LAPTOP, `/#/mail/${mail.id}`);
    await page.getByRole('tab', { name: 'Graph request' }).click();
    await page.getByText('Sent as MIME').waitFor();
    expect(await page.locator('pre[aria-label="MIME message"]').textContent()).toBe(mime.toString());
    await page.getByRole('tab', { name: 'Headers' }).click();
    expect(await page.locator('.headers tbody tr').allInnerTexts()).toEqual([
      expect.stringMatching(/^X-Ticket\s+4711$/),
    ]);
  });

  test('sent as a draft says so', async () => {
    const mail = aCapturedMail({ via: 'draft' });
    await store.capture(mail);
    const page = await openInbox(LAPTOP, `/#/mail/${mail.id}`);
    await page.getByRole('tab', { name: 'Graph request' }).click();
    await page.getByText('Sent as a draft').waitFor();
  });

  test('is shown whole on a phone', async () => {
    const name = 'a very long name without a space '.replaceAll(' ', '_').repeat(6);
    const mail = aCapturedMail({
      internetMessageId: `<${name}@x>`,
      inReplyTo: `<${name}.0@x>`,
      calendar: { method: 'REQUEST', ics: anInvitation([`SUMMARY:${name}`, `LOCATION:${name}`]) },
      message: { subject: name, attachments: [attached(`${name}.png`, A_PNG, { contentType: 'image/png' })] },
    });
    await store.capture(mail);
    await store.capture(aCapturedMail({ inReplyTo: `<${name}@x>`, message: { subject: name } }));
    const page = await openInbox(PHONE, `/#/mail/${mail.id}`);
    await page.locator('.invitation').waitFor();
    expect(
      await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
    ).toBeLessThanOrEqual(0);
    expect(
      await page.evaluate<number>(
        "(pane => pane.scrollWidth - pane.clientWidth)(document.getElementById('mail'))",
      ),
    ).toBeLessThanOrEqual(0);
  });
});

describe('emails that wait or are held', () => {
  const HELD = '01a2055c-e268-762b-8556-1836e3fff5b7';
  const LATER = '01a2055c-ffff-762b-8556-1836e3fff5b7';
  const mailOf = (id: string, state: string, more = {}) => ({
    id,
    state,
    sender: 'payroll@contoso.example',
    recipients: 2,
    tags: ['payroll'],
    caller: 'payroll',
    acceptedAt: '2026-03-02T01:30:00.000Z',
    updatedAt: '2026-03-02T01:30:31.000Z',
    timeline: [
      { at: '2026-03-02T01:30:00.000Z', event: 'accepted' },
      { at: '2026-03-02T01:30:31.000Z', event: 'attempt unknown', code: 'OUTCOME_UNKNOWN' },
    ],
    ...more,
  });
  const reason = {
    code: 'OUTCOME_UNKNOWN',
    title: 'It is not known whether the email was sent',
    remedy: 'Look in Sent Items of the sender.',
  };
  let mails: Map<string, ReturnType<typeof mailOf>>;
  let asked: Awaited<ReturnType<typeof standInRelay>>['asked'];

  beforeEach(async () => {
    mails = new Map([
      [HELD, mailOf(HELD, 'held', { reason })],
      [LATER, mailOf(LATER, 'queued', { sendAt: '2099-03-02T09:00:00.000Z' })],
    ]);
    const standIn = await standInRelay(({ method, url }) => {
      const { pathname, searchParams } = new URL(url, 'http://relay');
      const id = searchParams.get('id') ?? pathname.split('/')[3] ?? '';
      const to = { POST: pathname.endsWith('/close') ? 'closed' : 'queued', DELETE: 'canceled' }[method];
      if (to !== undefined) mails.set(id, mailOf(id, to));
      const content = { subject: 'تقرير الرواتب', to: ['Ada <ada@contoso.example>'], cc: [], bcc: [] };
      const found = mails.get(id);
      if (found !== undefined)
        return { status: 200, body: searchParams.has('content') ? { ...found, content } : found };
      const all = [...mails.values()].filter(({ state }) => state === searchParams.get('state'));
      return { status: 200, body: { mails: all } };
    });
    asked = standIn.asked;
    await inbox.close();
    inbox = await startInbox({ store, port: 0, firstMail, relay: standIn.relay });
  });

  test('are listed with why they wait; a held one is read and replayed with the keyboard alone', async () => {
    const page = await openInbox();
    const waiting = page.getByRole('region', { name: 'Emails that wait or are held' });
    await waiting.getByText('Waiting or held: 2 emails').waitFor();
    expect(await waiting.locator('.subject').allTextContents()).toEqual([
      expect.stringMatching(/^Waits until 2 Mar 2099/),
      reason.title,
    ]);
    await page.locator('#search').focus();
    const focused = () => page.evaluate<string>('document.activeElement.textContent');
    for (let steps = 0; steps < 9 && !(await focused()).includes(reason.title); steps += 1)
      await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: `Held: ${reason.title}` }).waitFor();
    await page.locator('#mail').getByText(reason.remedy).waitFor();
    expect(await page.locator('.timeline b').allTextContents()).toEqual([
      'Accepted by the relay',
      'Attempt: outcome unknown',
    ]);
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Show subject and recipients' }).click();
    await page.locator('#mail').getByText('تقرير الرواتب').waitFor();
    await page.getByRole('button', { name: 'Replay' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('may have been sent already').waitFor();
    expect(asked.filter(({ method }) => method === 'POST')).toEqual([]);
    await page.getByRole('button', { name: 'Replay, may send twice' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Waits on the queue' }).waitFor();
    expect(asked.filter(({ method }) => method === 'POST')).toMatchObject([
      { url: `/api/mail/${HELD}/replay`, key: 'master-key' },
    ]);
  });

  test('are closed with a note, or canceled, and leave the list, on a phone too', async () => {
    const page = await openInbox(PHONE);
    await page.locator('#waiting').getByText(reason.title).click();
    await page.getByRole('button', { name: 'Close without sending' }).click();
    await page.getByRole('alert').getByText('write a note that says why').waitFor();
    await page.getByLabel('Note').fill('   ');
    await page.getByRole('button', { name: 'Close without sending' }).click();
    expect(asked.filter(({ method }) => method === 'POST')).toEqual([]);
    await page.getByLabel('Note').fill('found in Sent Items');
    await page.getByRole('button', { name: 'Close without sending' }).click();
    await page.getByRole('heading', { name: 'Closed' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('link', { name: 'All emails' }).click();
    await page.getByText('Waiting or held: 1 email').waitFor();
    await page.locator('#waiting a').click();
    await page.getByRole('button', { name: 'Cancel this email' }).click();
    await page.getByRole('heading', { name: 'Canceled' }).waitFor();
    expect(await page.locator('#waiting').isVisible()).toBe(false);
    expect(asked.filter(({ method }) => method !== 'GET')).toMatchObject([
      { method: 'POST', url: `/api/mail/${HELD}/close`, body: { note: 'found in Sent Items' } },
      { method: 'DELETE', url: `/api/mail/${LATER}` },
    ]);
    expect(
      await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth'),
    ).toBeLessThanOrEqual(0);
  });
});

describe('the page for everyone', () => {
  const ARABIC = 'تقرير شهر مارس — Q1 (مسودة)';
  const styleOf = (page: Page, selector: string, name: string) =>
    page.evaluate<string>(`getComputedStyle(document.querySelector('${selector}')).${name}`);

  test('has no barrier that axe knows, in the light and in the dark, and reads from the right what is written so', async () => {
    const mail = aCapturedMail({
      tags: ['payroll'],
      message: { subject: ARABIC, attachments: [attached('a.pdf', aPdf())], importance: 'high' },
    });
    await store.capture(mail);
    const page = await openInbox(LAPTOP, `/#/mail/${mail.id}`);
    await page.locator('#mail h2').getByText(ARABIC).waitFor();
    expect(await styleOf(page, '#list .subject', 'direction')).toBe('rtl');
    expect(await styleOf(page, '#mail h2', 'direction')).toBe('rtl');
    expect(await styleOf(page, '#list .about', 'direction')).toBe('ltr');
    expect(await findBarriers(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await findBarriers(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: null });
  });

  test('shows an email that is opened by its link below the day, which hides what is under it', async () => {
    for (let n = 0; n < 20; n += 1) await store.capture(aCapturedMail({ id: `m${n}` }));
    const page = await openInbox(LAPTOP, '/#/mail/m0');
    await page.locator('#mail h2').waitFor();
    await page.locator('#list a[aria-current]').waitFor();
    // From below, the next place to scroll to is the top of the pane, where the day is.
    for (let n = 1; n < 20; n += 1) await page.keyboard.press('k');
    await page.goto(`${inbox.url}/#/mail/m12`);
    const isCovered = () =>
      page.evaluate<boolean>(`(() => {
        const { top, left } = document.querySelector('#list a[aria-current]').getBoundingClientRect();
        return document.elementFromPoint(left + 60, top + 3)?.closest('.day') !== null;
      })()`);
    await expect.poll(() => page.locator('#list li[data-id="m12"] a[aria-current]').count()).toBe(1);
    expect(await isCovered()).toBe(false);
    expect(await styleOf(page, '.day', 'backgroundColor')).toMatch(/^rgb\(/);
  });
});

describe('an empty inbox', () => {
  test('teaches the first mail, and the same help stays at hand afterwards', async () => {
    const page = await openInbox();
    await page.getByRole('heading', { name: 'Nothing has been sent yet' }).waitFor();
    for (const words of Object.values(firstMail))
      await page.locator('#nothing-yet').getByText(words, { exact: true }).waitFor();
    await store.capture(aCapturedMail({ message: { subject: 'the first' } }));
    await page.locator('#list').getByText('the first').waitFor();
    await page.getByRole('button', { name: 'How to send' }).click();
    await page.getByRole('dialog').getByText(firstMail.curl).waitFor();
  });

  test('says what is on, as it may stay empty', async () => {
    await inbox.close();
    const on = ['MAIL_CAPTURE is on. No email is sent.'];
    inbox = await startInbox({ store, port: 0, firstMail: { ...firstMail, on } });
    const page = await openInbox();
    await page.getByText('MAIL_CAPTURE is on. No email is sent.').waitFor();
    expect(await findBarriers(page)).toEqual([]);
  });

  test('is what "Delete all" leaves, after a question', async () => {
    await store.capture(aCapturedMail({ message: { subject: 'the only one' } }));
    const page = await openInbox();
    await subjects(page).waitFor();
    await page.getByRole('button', { name: 'Delete all' }).click();
    await page.getByRole('button', { name: 'Keep them' }).click();
    expect(store.list().total).toBe(1);
    await page.getByRole('button', { name: 'Delete all' }).click();
    await page.getByRole('alertdialog').getByRole('button', { name: 'Delete all' }).click();
    await page.getByRole('heading', { name: 'Nothing has been sent yet' }).waitFor();
    expect(store.list().total).toBe(0);
  });
});

test('on a phone there is the list, then the mail, and a way back', async () => {
  await store.capture(aCapturedMail({ message: { subject: 'small screen' } }));
  const page = await openInbox(PHONE);
  await subjects(page).waitFor();
  expect(await page.locator('#mail').isVisible()).toBe(false);
  await openMail(page, 'small screen');
  await page.locator('#mail h2').waitFor();
  expect(await page.locator('#list').isVisible()).toBe(false);
  await page.getByRole('link', { name: 'All emails' }).click();
  await page.locator('#list').waitFor();
  await page.goBack();
  await page.locator('#mail h2').waitFor();
});

test('the page finds its inbox again after a restart', async () => {
  const page = await openInbox();
  await page.getByRole('heading', { name: 'Nothing has been sent yet' }).waitFor();
  const { port } = inbox;
  await inbox.close();
  await page.getByText('The inbox does not respond').waitFor();
  inbox = await startInbox({ store, port, firstMail });
  await store.capture(aCapturedMail({ message: { subject: 'after the restart' } }));
  await page.locator('#list').getByText('after the restart').waitFor();
  await page.getByText('The inbox does not respond').waitFor({ state: 'hidden' });
});
