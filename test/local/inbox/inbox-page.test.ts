import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listen } from '../../../local/http.ts';
import { startInbox } from '../../../local/inbox/inbox-server.ts';
import { type MailStore, openMailStore } from '../../../local/inbox/mail-store.ts';
import type { Listening } from '../../../local/listening.ts';
import { findBrowser, launchBrowser, NO_BROWSER } from '../../support/browser.ts';
import { A_PNG, aCapturedMail, aPdf, attached, person } from './captured-mails.ts';

const LAPTOP = { viewport: { width: 1366, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

const firstMail = {
  endpoint: 'http://localhost:7071/api/mail',
  functionKey: 'local-key',
  curl: "curl http://localhost:7071/api/mail -d '{}'",
};

const executable = findBrowser();
let browser: Browser;
let store: MailStore;
let inbox: Listening;

beforeAll(async () => {
  if (executable !== undefined) browser = await launchBrowser(executable);
});
afterAll(() => browser?.close());

beforeEach(async ({ skip }) => {
  skip(executable === undefined, NO_BROWSER);
  store = await openMailStore();
  inbox = await startInbox({ store, port: 0, firstMail });
});
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close();
  await inbox?.close();
});

async function openInbox(device: BrowserContextOptions = LAPTOP, path = '/'): Promise<Page> {
  const page = await (await browser.newContext(device)).newPage();
  await page.goto(inbox.url + path);
  return page;
}

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
