import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findBrowser, launchBrowser, NO_BROWSER } from '../support/browser.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { aHeldMail, aSentMail, aVerifiedMail } from './ops-scenes.ts';
import { type RelayForTests, startRelay } from './relay-for-tests.ts';

const LAPTOP: BrowserContextOptions = { viewport: { width: 1280, height: 900 }, locale: 'en-US' };
const PHONE: BrowserContextOptions = {
  viewport: { width: 360, height: 740 },
  isMobile: true,
  hasTouch: true,
  locale: 'zh-TW',
};
/** SCREENSHOTS=1 makes the pictures of the documentation again. */
const IMAGES =
  process.env.SCREENSHOTS === undefined ? undefined : join(import.meta.dirname, '../../docs/images');

const executable = findBrowser();
let relay: RelayForTests;
let browser: Browser | undefined;

beforeAll(async () => {
  relay = await startRelay({ settings: { MAIL_VERIFY_SECONDS: '4' }, sentItemsDelayMs: 500 });
  if (executable !== undefined) browser = await launchBrowser(executable);
});
afterAll(async () => {
  await browser?.close();
  await relay?.close();
});
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close();
});

const address = (path = ''): string => `${relay.url()}/api/ops${path}`;

/** Pages without JavaScript, as nothing of them needs it. */
const open = async (options: BrowserContextOptions = LAPTOP, path = ''): Promise<Page> => {
  if (browser === undefined) throw new Error(NO_BROWSER);
  const page = await (await browser.newContext({ javaScriptEnabled: false, ...options })).newPage();
  await page.goto(address(path));
  return page;
};

const signIn = async (page: Page, key: string = KEYS.masterKey): Promise<void> => {
  await page.locator('#name').fill('Grace Hopper');
  await page.locator('#key').fill(key);
  await page.locator('main button').click();
};

const signedIn = async (path = '', options: BrowserContextOptions = LAPTOP): Promise<Page> => {
  const page = await open(options, path);
  await signIn(page);
  return page;
};

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Lets axe look at the page that is open, in each colour scheme: what axe is does not change with it. */
const readyForAxe = async (page: Page): Promise<void> => {
  // By the debugger: the policy of the page allows no script, and none is needed but this one.
  await page.evaluate(await readFile(AXE, 'utf8'));
};
/** What axe finds on a page, and how many pixels the page is wider than its window. */
const faultsOf = async (page: Page) => {
  const { violations } = (await page.evaluate(
    'axe.run(document, { resultTypes: ["violations"] })',
  )) as AxeResults;
  return {
    violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    wider: Math.max(0, (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) as number),
  };
};

const picture = async (page: Page, name: string): Promise<void> => {
  if (IMAGES !== undefined) await page.screenshot({ path: join(IMAGES, name), fullPage: true });
};

describe.runIf(executable !== undefined)('the operator page in a browser without JavaScript', () => {
  test('shows nothing before someone has signed in, and allows no script, frame or foreign form', async () => {
    const answer = await fetch(address('/held'));
    expect(answer.status).toBe(401);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'content-security-policy':
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    });
    expect(await answer.text()).not.toContain('<script');
  });

  test('refuses what is not the master key, and keeps the name that was written', async () => {
    const page = await open();
    await signIn(page, KEYS.functionKey);
    expect(await page.getByRole('alert').textContent()).toContain('not the master key');
    expect(await page.locator('#name').inputValue()).toBe('Grace Hopper');
    expect(await page.context().cookies()).toEqual([]);
  });

  test('keeps the session in a cookie that scripts cannot read and other sites cannot use, and goes on where one wanted to go', async () => {
    const page = await signedIn('/held');
    expect(page.url()).toBe(address('/held'));
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ name: 'relay-ops', httpOnly: true, sameSite: 'Strict', path: '/api/ops' });
    expect(cookie?.value).not.toContain(KEYS.masterKey);
    await page.locator('header button').click();
    expect(await page.getByRole('alert').textContent()).toContain('signed out');
    expect(await page.context().cookies()).toEqual([]);
  });

  test('an email that Graph did not confirm has its story in sentences', async () => {
    const id = await aVerifiedMail(relay, 'lane2@contoso.example');
    const page = await signedIn(`/mail/${id}`);
    const story = await page.locator('.timeline li > span:first-of-type').allTextContents();
    expect(story).toEqual([
      'The relay accepted the email.',
      expect.stringMatching(
        /^Graph returned 504 after .+\. It is unknown whether this attempt sent the email/,
      ),
      'The relay looked in the mailbox of the sender once and found the email.',
      'The relay found the email in the mailbox of the sender: it is sent.',
    ]);
    await picture(page, 'operator-email.png');
  });

  test('finds emails by what is known of them, and leads from an id to its email', async () => {
    const key = 'order-4711';
    const id = await aSentMail(relay, 'lane3@contoso.example', key);
    const page = await signedIn('/mail');
    for (const [field, value] of [
      ['sender', 'lane3@contoso.example'],
      ['tag', 'receipts'],
      ['recipient', 'ADA@fabrikam.example'],
    ]) {
      // The form has what was searched for before.
      for (const before of ['sender', 'tag', 'recipient']) await page.locator(`#${before}`).fill('');
      await page.locator(`#${field}`).fill(value ?? '');
      await page.locator('.search button').click();
      expect(await page.locator('tbody a').allTextContents(), field).toContain(id);
      expect(page.url().includes('?'), field).toBe(field !== 'recipient');
    }
    await page.locator('#recipient').fill('');
    await page.locator('#sender').fill('nobody@contoso.example');
    await page.locator('.search button').click();
    expect(await page.getByRole('status').textContent()).toBe('No email matches.');
    await page.locator('#id').fill(id);
    await page.locator('.search button').click();
    expect(page.url()).toBe(address(`/mail/${id}`));
  });

  test('shows subject and recipients of a held email only when asked, as text, and writes down who asked', async () => {
    const id = await aHeldMail(relay, 'lane0@contoso.example');
    const page = await signedIn(`/mail/${id}`);
    expect(await page.content()).not.toContain('fabrikam');
    await page.getByRole('button', { name: 'Show subject and recipients' }).click();
    const content = page.getByRole('region', { name: 'Subject and recipients' });
    expect(await content.textContent()).toContain('<script>alert(1)</script>');
    expect(await content.locator('[dir=auto]').count()).toBe(1);
    expect(await content.locator('bdi').allTextContents()).toEqual([
      'Ada Lovelace',
      'ada@fabrikam.example',
      'grace@fabrikam.example',
    ]);
    await page.goto(address('/trail'));
    expect(await page.locator('tbody tr').first().textContent()).toContain('Opened subject and recipients');
    expect(relay.lines.join('\n')).not.toContain('fabrikam');
  });

  test('closes several held emails at the same time, each with an outcome of its own, and says so when one was decided in another tab', async () => {
    const [one, other] = [
      await aHeldMail(relay, 'lane4@contoso.example'),
      await aHeldMail(relay, 'lane5@contoso.example'),
    ];
    const page = await signedIn('/held');
    const second = await page.context().newPage();
    await second.goto(address(`/mail/${one}`));
    for (const id of [one, other]) await page.locator(`input[name=id][value="${id}"]`).check();

    await second.locator('#note').fill('Found in Sent Items');
    await second.getByRole('button', { name: 'Close' }).click();
    expect(await second.getByRole('status').textContent()).toBe('Done for 1 of 1 email.');

    await page.locator('#note').fill('Found in Sent Items');
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.getByRole('status').textContent()).toBe('Done for 1 of 2 emails.');
    expect(await page.locator('tbody tr').filter({ hasText: one }).textContent()).toContain('MAIL_NOT_HELD');
    expect((await relay.show(other)).body).toMatchObject({ state: 'closed', note: 'Found in Sent Items' });
    // To load the result again does nothing again.
    await page.reload();
    expect(await page.getByRole('status').textContent()).toBe('Done for 1 of 2 emails.');
  });

  test('replays a held email, and a form that is sent twice sends it once', async () => {
    const id = await aHeldMail(relay, 'lane6@contoso.example', 'replayed-once');
    const page = await signedIn(`/mail/${id}`);
    const token = await page.locator('section input[name=token]').first().inputValue();
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const send = () =>
      fetch(address('/decide'), {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams({ token, id, action: 'replay' }),
      });
    const answers = await Promise.all([send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([303, 303]);
    await relay.reaches(id, 'sent');
    // It was accepted once before it was held.
    expect(await relay.mailsAbout('replayed-once')).toHaveLength(2);
  });

  test('does nothing for a form without the token of its session', async () => {
    const page = await signedIn();
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ');
    const answer = await fetch(address('/decide'), {
      method: 'POST',
      headers: { cookie, 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ token: 'x', id: 'x', action: 'replay' }),
    });
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('FORM_EXPIRED');
  });

  test('says what is missing when a close has no note, and when nothing was selected', async () => {
    await aHeldMail(relay, 'lane7@contoso.example');
    const page = await signedIn('/held');
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('NOTE_MISSING');
    await page.goto(address('/held'));
    await page.getByRole('button', { name: 'Replay' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('FORM_INVALID');
  });

  test('closes all held emails of the page with one box, whose buttons are in sight without scrolling', async () => {
    const id = await aHeldMail(relay, 'lane9@contoso.example');
    const page = await signedIn('/held');
    await page.getByRole('checkbox', { name: 'of this page' }).check();
    await page.locator('#note').fill('Found in Sent Items');
    const box = await page.getByRole('button', { name: 'Close' }).boundingBox();
    expect(box?.y).toBeLessThan(740);
    await page.getByRole('button', { name: 'Close' }).click();
    expect((await relay.show(id)).body).toMatchObject({ state: 'closed' });
  });

  test('shows the whole of a result on a phone, where a table would hide all but its first column', async () => {
    await aSentMail(relay, 'lane3@contoso.example');
    const page = await signedIn('/mail?sender=lane3%40contoso.example', PHONE);
    const hidden = await page.evaluate(
      '[...document.querySelectorAll("tbody :is(td, th)")].filter((cell) => cell.getBoundingClientRect().right > innerWidth).length',
    );
    expect([hidden, await page.locator('tbody .badge').first().isVisible()]).toEqual([0, true]);
  });

  test('sends a test email and shows its story', async () => {
    const page = await signedIn('/test');
    await page.locator('#to').fill('ada@fabrikam.example');
    await page.getByRole('button', { name: 'Send a test email' }).click();
    expect(await page.locator('.id .badge').textContent()).toBe('sent');
    expect(await page.locator('.timeline').textContent()).toMatch(
      /Graph accepted the email after [^.]+ \(status 202\)\./,
    );
  });

  test('speaks Chinese to a browser that prefers it, and remembers a choice', async () => {
    const page = await open({ ...LAPTOP, locale: 'zh-TW' });
    expect(await page.locator('html').getAttribute('lang')).toBe('zh-Hant');
    await page.getByRole('link', { name: 'English' }).click();
    await page.goto(address());
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
  });

  test.each([
    ['on a laptop', LAPTOP, ['light', 'dark']],
    ['on a phone, in Chinese', PHONE, ['light']],
  ] as const)('is clean for axe and fits the screen on every page, %s', async (_case, options, schemes) => {
    const held = await aHeldMail(relay, 'lane8@contoso.example');
    const page = await signedIn('', { ...options, javaScriptEnabled: true, bypassCSP: true });
    if (options === LAPTOP) await picture(page, 'operator-overview.png');
    const expectClean = async (path: string) => {
      await page.goto(address(path));
      await readyForAxe(page);
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme });
        expect(await faultsOf(page), `${path} ${colorScheme}`).toEqual({ violations: [], wider: 0 });
      }
    };
    const paths = [
      '',
      '/mail',
      '/mail?state=held',
      '/mail?sender=x&from=y',
      `/mail/${held}`,
      '/held',
      '/callers',
      '/mailboxes',
      '/trail',
      '/test',
      '/x',
    ];
    for (const path of paths) {
      await expectClean(path);
      if (path !== '/mail?state=held') continue;
      const badge = await page.locator('tbody .badge').first().boundingBox();
      // On one line, and in sight without scrolling the table.
      expect(badge?.height).toBeLessThan(30);
      expect((badge?.x ?? 0) + (badge?.width ?? 0)).toBeLessThan(options.viewport?.width ?? 0);
    }
    await page.context().clearCookies();
    await expectClean('');
  });

  test('can be used with the keyboard alone', async () => {
    const page = await signedIn();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toBe('Skip to the content');
  });
});
