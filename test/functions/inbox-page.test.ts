import { readFile } from 'node:fs/promises';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sendMail } from '../../src/lib/delivery/send-mail.ts';
import type { Capturing } from '../../src/lib/desk/answer-inbox.ts';
import { aCaller } from '../support/a-caller.ts';
import { aMail } from '../support/a-mail.ts';
import { anInvitation } from '../support/an-invitation.ts';
import { findBarriers } from '../support/axe.ts';
import { NO_BROWSER } from '../support/browser.ts';
import { inMemoryPorts, type World } from '../support/in-memory-ports.ts';
import { keptPages, LAPTOP, PHONE } from '../support/kept-pages.ts';
import { MASTER_KEY, serveRelayInbox } from '../support/relay-inbox.ts';

const A_PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

const pages = keptPages();
let world: World;
let inbox: Awaited<ReturnType<typeof serveRelayInbox>>;
let capturing: Capturing;

beforeEach(async ({ skip }) => {
  skip(!pages.isThere, NO_BROWSER);
  world = inMemoryPorts();
  capturing = 'everything';
  inbox = await serveRelayInbox(() => ({ ...world.needs, capturing, version: '1.2.3' }));
});
afterEach(async () => {
  await pages.leave();
  await inbox?.close();
});

const capture = async (mail: Record<string, unknown> = {}, plan: object = {}): Promise<string> => {
  const { accept } = world.needs;
  const safety = { capture: true, otherRecipients: 'refuse' } as const;
  world.pass(1000);
  const needs = { ...world.needs, accept: { ...accept, safety, plan: { ...accept.plan, ...plan } } };
  const request = { input: aMail(mail), caller: aCaller('payroll'), respondAsync: false };
  return (await sendMail(needs, request)).row.facts.mailId;
};

const openPage = (device: BrowserContextOptions = LAPTOP, path = '/api/inbox'): Promise<Page> =>
  pages.open(inbox.url + path, device);
const unlock = async (page: Page, key = MASTER_KEY): Promise<void> => {
  await page.getByLabel('Master key').fill(key);
  await page.getByRole('button', { name: 'Show the emails' }).click();
};
const openInbox = async (device: BrowserContextOptions = LAPTOP): Promise<Page> => {
  const page = await openPage(device);
  await unlock(page);
  await page.locator('#capturing').waitFor();
  return page;
};
const openMail = (page: Page, subject: string) => page.locator('#list').getByText(subject).click();

describe('the key', () => {
  test('is asked for before anything of an email is', async () => {
    await capture({ subject: 'secret subject' });
    const page = await openPage();
    await page.getByLabel('Master key').waitFor();
    expect(await page.content()).not.toContain('secret subject');
    expect(inbox.urls.filter((url) => url.includes('/inbox/api'))).toEqual([]);
  });

  test('is asked for without saying what this relay does, which only its holder learns', async () => {
    capturing = 'nothing';
    const page = await openPage();
    await page.getByLabel('Master key').waitFor();
    const text = (await page.locator('form.key-entry').textContent()) ?? '';
    expect(text).toContain('emails that a test environment captured');
    expect(text).not.toMatch(/this relay|kept|keeps/i);
    await unlock(page);
    await page.getByText('Nothing is captured here').waitFor();
  });

  test.each([
    ['another key', 'a-function-key', 'Use the master key (_master)'],
    ['no key a header could carry', '鑰匙', 'expected letters, digits and signs'],
  ])('that is wrong (%s) is refused in words, and can be corrected', async (_case, key, words) => {
    await capture({ subject: 'hello' });
    const page = await openPage();
    await unlock(page, key);
    await page.getByRole('alert').getByText(words).waitFor();
    await unlock(page);
    await page.locator('#list').getByText('hello').waitFor();
  });

  test('is in no address and no place that outlives the tab, and survives a reload', async () => {
    await capture({ subject: 'hello' });
    const page = await openInbox();
    await openMail(page, 'hello');
    await page.locator('#mail h2').getByText('hello').waitFor();
    await page.reload();
    await page.locator('#mail h2').getByText('hello').waitFor();
    expect(inbox.urls.filter((url) => url.includes(MASTER_KEY))).toEqual([]);
    expect(page.url()).not.toContain(MASTER_KEY);
    expect(await page.evaluate('JSON.stringify([localStorage, document.cookie])')).toBe('[{},""]');
  });

  test('is forgotten when the page is locked', async () => {
    await capture({ subject: 'hello' });
    const page = await openInbox();
    await openMail(page, 'hello');
    await page.getByRole('button', { name: 'Lock' }).click();
    await page.getByLabel('Master key').waitFor();
    expect(await page.evaluate('sessionStorage.length')).toBe(0);
    expect(await page.locator('body').textContent()).not.toContain('hello');
  });
});

describe('emails that wait or are held', () => {
  const ID = '01a2055c-e268-762b-8556-1836e3fff5b7';
  const aHeldMail = (state = 'held') => ({
    id: ID,
    state,
    sender: 'payroll@contoso.example',
    recipients: 1,
    tags: [],
    caller: 'payroll',
    acceptedAt: '2026-03-02T01:30:00.000Z',
    updatedAt: '2026-03-02T01:30:00.000Z',
    timeline: [{ at: '2026-03-02T01:30:00.000Z', event: 'accepted' }],
    reason: { code: 'OUTCOME_UNKNOWN', title: 'The outcome is unknown', remedy: 'Look in Sent Items.' },
  });

  test('are on the page of a relay too: an operator closes one with a note, with the key that was entered', async () => {
    await inbox.close();
    let state = 'held';
    const changes: unknown[] = [];
    inbox = await serveRelayInbox(
      () => ({ ...world.needs, capturing, version: '1.2.3' }),
      ({ method, url, body }) => {
        if (method !== 'GET') {
          changes.push([method, url.pathname, body]);
          state = 'closed';
        }
        const isOne = url.searchParams.has('id') || method !== 'GET';
        const isListed = url.searchParams.get('state') === state;
        return {
          status: 200,
          body: isOne ? aHeldMail(state) : { mails: isListed ? [aHeldMail(state)] : [] },
        };
      },
    );
    const page = await openInbox();
    await page.locator('#waiting').getByText('The outcome is unknown').click();
    await page.locator('#mail').getByText('Look in Sent Items.').waitFor();
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(0);
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel('Note').fill('not needed');
    await page.getByRole('button', { name: 'Close without sending' }).click();
    await page.getByRole('heading', { name: 'Closed' }).waitFor();
    expect(changes).toEqual([['POST', `/api/mail/${ID}/close`, { note: 'not needed' }]]);
    expect(await page.locator('#waiting').isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Lock' }).click();
    expect(await page.locator('body').textContent()).not.toContain('payroll@contoso.example');
  });
});

describe('the page', () => {
  test('says in its list whom an email was for, and who of them was in Bcc', async () => {
    await capture({ subject: 'hello', to: 'Chan <chan@contoso.example>', bcc: 'Lee <lee@contoso.example>' });
    const page = await openInbox();
    await page.locator('#list').getByText('To Chan; Bcc Lee').waitFor();
  });

  test.each(['/api/inbox', '/api/inbox/', '/api/inbox/index.html'])('works at %s', async (path) => {
    const page = await openPage(LAPTOP, path);
    await unlock(page);
    await page.getByText('Nothing was captured yet').waitFor();
    expect(new URL(page.url()).pathname).toBe('/api/inbox/');
  });

  test.each<[Capturing, string]>([
    ['everything', 'The relay sends nothing.'],
    ['other-recipients', 'All others are sent.'],
    ['nothing', 'The relay sends the emails that it receives.'],
    ['unknown', 'The settings of the relay are not valid'],
  ])('says what the settings mean: %s', async (what, words) => {
    capturing = what;
    const page = await openInbox();
    await page.locator('#nothing-yet').getByText(words).waitFor();
    const title = await page.locator('#nothing-yet h2').textContent();
    expect(title).toBe(what === 'nothing' ? 'Nothing is captured here' : 'Nothing was captured yet');
  });

  test('lists what was captured, the newest first, searches it, and deletes it after a question', async () => {
    for (const subject of ['pay slip', '薪資單']) await capture({ subject });
    const page = await openInbox();
    await page.locator('#list .subject').nth(1).waitFor();
    expect(await page.locator('#list .subject').allTextContents()).toEqual(['薪資單', 'pay slip']);
    await page.keyboard.press('/');
    await page.keyboard.type('subject:pay');
    await page.getByText('1 of 2 emails match').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Delete all' }).click();
    await page.locator('#clear').getByRole('button', { name: 'Delete all' }).click();
    await page.getByText('Nothing was captured yet').waitFor();
    expect(world.captured()).toEqual([]);
    // What became of the emails stays known.
    expect(world.rows()).toMatchObject([{ state: 'captured' }, { state: 'captured' }]);
  });

  test('finds an email that is captured while it is open', async () => {
    const page = await openInbox();
    await page.getByText('Nothing was captured yet').waitFor();
    await capture({ subject: 'just now' });
    // What a tab does that is shown again.
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await page.locator('#list').getByText('just now').waitFor();
  });

  test('has the list, then the email, and a way back on a phone, and nothing wider than it', async () => {
    await capture({ subject: '薪資單 – 二月', text: '您好' });
    const page = await openInbox(PHONE);
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/api/v1/message/**', async (route) => {
      await asked;
      await route.continue();
    });
    await openMail(page, '薪資單');
    await page.locator('#mail').getByText('Loading').waitFor();
    await page.getByRole('link', { name: 'All emails' }).waitFor();
    answer();
    await page.locator('#mail h2').getByText('薪資單 – 二月').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.getByRole('link', { name: 'All emails' }).click();
    await page.locator('#list').getByText('薪資單').waitFor();
  });
});

/** As a browser has it; the types here are those of Node. */
type Styled = { readonly computedStyleMap: () => ReadonlyMap<string, unknown> };

describe('an email', () => {
  test('says that it was captured and whose it is, and shows the request that was not made', async () => {
    await capture({ subject: 'hello', tags: ['pay'] });
    const page = await openInbox();
    await openMail(page, 'hello');
    const envelope = page.locator('.envelope');
    await envelope.getByText('not sent').waitFor();
    expect(await envelope.textContent()).toMatch(/Caller\s*payroll/);
    await page.getByRole('tab', { name: 'Graph request' }).click();
    await page.getByText('The relay did not make this request').waitFor();
  });

  test('shows its HTML where no script runs, nothing is fetched from elsewhere, and its own images are seen', async () => {
    const html = `<style>p { color: rgb(1, 2, 3) }</style><p id="p">Hello</p>
      <script>document.getElementById('p').textContent = 'script ran'</script>
      <img id="own" src="cid:logo"><img id="away" src="${inbox.url}/away.png" onerror="parent.document.title = 'ran'">
      <form action="${inbox.url}/form-target"><button>Send</button></form>`;
    const attachments = [{ filename: 'logo.png', content: A_PNG, contentType: 'image/png', cid: 'logo' }];
    await capture({ subject: 'hostile', text: undefined, html, attachments });
    const page = await openInbox();
    await openMail(page, 'hostile');
    const frame = page.frameLocator('#mail iframe');
    await frame.getByText('Hello').waitFor();
    const color = await frame
      .locator('#p')
      .evaluate((p) => String((p as unknown as Styled).computedStyleMap().get('color')));
    expect(color).toBe('rgb(1, 2, 3)');
    await expect
      .poll(() =>
        frame.locator('#own').evaluate((image) => (image as { naturalWidth?: number }).naturalWidth),
      )
      .toBe(1);
    await frame.getByRole('button').click();
    expect(await page.title()).not.toBe('ran');
    const elsewhere = () =>
      inbox.urls.map((url) => new URL(url).pathname).filter((path) => !path.startsWith('/api/'));
    expect(elsewhere()).toEqual([]);
    await page.getByLabel('Load remote images').check();
    await expect.poll(elsewhere).toEqual(['/away.png']);
  });

  test('gives its files and itself as downloads, with the names that they have', async () => {
    const attachments = [{ filename: '報告.pdf', content: 'JVBERi0x', contentType: 'application/pdf' }];
    await capture({ subject: 'files', attachments });
    const page = await openInbox();
    await openMail(page, 'files');
    const downloaded = async (name: string) => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name }).click(),
      ]);
      return [download.suggestedFilename(), await readFile(await download.path(), 'utf8')];
    };
    expect(await downloaded('報告.pdf')).toEqual(['報告.pdf', '%PDF-1']);
    const [eml, text] = await downloaded('Download');
    expect([/^[\w-]{36}\.eml$/.test(eml ?? ''), text?.includes('Subject: files')]).toEqual([true, true]);
  });

  test('shows a picture, and says which file was too large to be kept or is gone', async () => {
    world.blobs.set('in/a.bin', { content: Buffer.alloc(5_000_000), etag: '1' });
    const attachments = [
      { filename: 'dot.png', content: A_PNG, contentType: 'image/png' },
      { filename: 'huge.bin', content: Buffer.alloc(11_000_000).toString('base64') },
      { filename: 'gone.bin', blob: 'in/a.bin' },
    ];
    await capture({ subject: 'files', attachments }, { largeAttachments: true });
    world.blobs.clear();
    const page = await openInbox();
    await openMail(page, 'files');
    await page.getByRole('button', { name: 'Show dot.png' }).click();
    await page.locator('#picture-content img').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'huge.bin' }).click();
    await page.getByText('This file was too large to be kept').first().waitFor();
    await page.getByRole('link', { name: 'gone.bin' }).click();
    await page.getByText('The application has deleted the blob').first().waitFor();
  });

  test('that invites shows what, when and who', async () => {
    const calendar = { method: 'REQUEST', ics: anInvitation({ SUMMARY: '季度會議' }) };
    await capture({ subject: 'invitation', calendar });
    const page = await openInbox();
    await openMail(page, 'invitation');
    await page.locator('#mail').getByText('季度會議').first().waitFor();
  });
});
