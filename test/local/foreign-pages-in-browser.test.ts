import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueueClient } from '@azure/storage-queue';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { HostProcess } from '../../local/host-process.ts';
import { startInbox } from '../../local/inbox/inbox-server.ts';
import type { Listening } from '../../local/listening.ts';
import { findBrowser, launchBrowser, NO_BROWSER } from '../support/browser.ts';
import {
  type CloudForTests,
  cloudForTests,
  hostForTests,
  KEYS,
  makeAppFolder,
} from '../support/cloud-for-tests.ts';
import { sendRaw } from './functions-host/send-raw.ts';

const executable = findBrowser();
const lines: string[] = [];
let browser: Browser | undefined;
let cloud: CloudForTests;
let host: HostProcess;
let inbox: Listening;
let evil: string;
const elsewhere = createServer((_request, response) => {
  response.setHeader('Content-Type', 'text/html').end('<title>evil</title>');
});

beforeAll(async () => {
  cloud = await cloudForTests();
  host = await hostForTests(cloud, {
    appFolder: await makeAppFolder(cloud.folder),
    log: (line) => lines.push(line),
  });
  inbox = await startInbox({
    store: cloud.mails,
    port: 0,
    firstMail: { endpoint: '', functionKey: '', curl: '' },
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
  evil = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
  if (executable !== undefined) browser = await launchBrowser(executable);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  elsewhere.close();
  await inbox?.close();
  await host?.stop();
  await cloud?.close();
});

const A_MAIL = '{"to":"a@contoso.example","subject":"s","text":"t"}';
const ADMIN_CALL = JSON.stringify({ input: A_MAIL });
const queueUrl = () => `${cloud.azurite.queueUrl}/mail/messages`;

/** Every server, with a request that changes something there. */
const doors = (): readonly { readonly url: string; readonly method: string; readonly body: string }[] => [
  { url: `${host.url}/admin/functions/deliverMail?code=${KEYS.masterKey}`, method: 'POST', body: ADMIN_CALL },
  { url: `${host.url}/api/mail?code=${KEYS.functionKey}`, method: 'POST', body: A_MAIL },
  { url: `${cloud.graph.url}/_control/faults`, method: 'POST', body: '{}' },
  { url: `${cloud.entra.url}/_control/faults`, method: 'POST', body: '{"status":500}' },
  { url: `${cloud.keyVault.url}/_control/faults`, method: 'POST', body: '{"status":500}' },
  {
    url: cloud.environment.IDENTITY_ENDPOINT?.replace('/msi/token', '/_control/faults') ?? '',
    method: 'POST',
    body: '{"status":500}',
  },
  { url: `${inbox.url}/api/v1/messages`, method: 'DELETE', body: '' },
  {
    url: queueUrl(),
    method: 'POST',
    body: `<QueueMessage><MessageText>${A_MAIL}</MessageText></QueueMessage>`,
  },
  { url: `${cloud.azurite.blobUrl}/mail-payloads`, method: 'GET', body: '' },
  { url: `${cloud.azurite.tableUrl}/Tables`, method: 'GET', body: '' },
];

const expectNothingHappened = async () => {
  expect(lines.filter((line) => line.includes('Executing'))).toEqual([]);
  expect(cloud.mails.list({ limit: 10 }).total).toBe(0);
  expect(cloud.graph.requests.list()).toEqual([]);
  expect(cloud.graph.faults.list()).toEqual([]);
  for (const { faults } of [cloud.entra, cloud.keyVault]) expect(faults.waiting()).toEqual([]);
  const queue = new QueueClient(cloud.azurite.connectionString, 'mail');
  expect((await queue.getProperties()).approximateMessagesCount).toBe(0);
};

/** The certificate was made for this run; who is answered is not a matter of it. */
const certified = { rejectUnauthorized: false };

test.each<[string, Record<string, string>]>([
  ['under a name that was made to point here', { host: 'evil.example' }],
  ['of another origin', { origin: 'https://evil.example' }],
  ['of another port of this machine', { origin: 'http://localhost:3000', 'sec-fetch-site': 'same-site' }],
])('no server answers a page %s', async (_, headers) => {
  for (const { url, method, body } of doors()) {
    const { status, text } = await sendRaw(url, { method, headers, ...certified }, body === '' ? [] : [body]);
    expect([url, status]).toEqual([url, 403]);
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'FOREIGN_PAGE' } });
  }
  await expectNothingHappened();
});

test('programs are answered by every one of them', async () => {
  const answers = await Promise.all(doors().map(({ url }) => sendRaw(url, { method: 'GET', ...certified })));
  expect(answers.filter(({ text }) => text.includes('FOREIGN_PAGE'))).toEqual([]);
});

beforeEach(({ skip, task }) => {
  skip(task.name.includes('in Chromium') && executable === undefined, NO_BROWSER);
});

const openEvil = async (): Promise<Page> => {
  const page = await (await browser!.newContext({ ignoreHTTPSErrors: true })).newPage();
  await page.goto(evil);
  return page;
};

test('in Chromium a script of another origin changes nothing, whatever it sends', async () => {
  const page = await openEvil();
  for (const { url, method, body } of doors()) {
    for (const target of [url, url.replace('127.0.0.1', 'localhost')]) {
      await page.evaluate(
        async ([to, how, what]) => {
          const init = { method: how, ...(how === 'POST' && { body: what }) } as RequestInit;
          for (const mode of ['no-cors', 'cors'] as const)
            await fetch(to!, { ...init, mode }).catch(() => {});
        },
        [target, method, body] as const,
      );
    }
  }
  await expectNothingHappened();
}, 60_000);

test('in Chromium a form of another origin sends nothing, and its reader is told where to send from', async () => {
  const page = await openEvil();
  await page.setContent(
    `<form method="post" enctype="text/plain" action="${host.url}/api/mail?code=${KEYS.functionKey}">
       <input name='{"to":"a@contoso.example","subject":"s","text":"' value='"}'><button>Win</button></form>`,
  );
  await Promise.all([page.waitForNavigation(), page.click('button')]);
  expect(await page.textContent('body')).toContain('Send it from the server side of your application');
  await expectNothingHappened();
});

test('in Chromium the address typed by hand, and a link to the inbox, still work', async () => {
  const page = await openEvil();
  await page.goto(`${host.url}/api/health`);
  expect(await page.textContent('body')).toContain('"version"');
  await page.goto(evil);
  await page.setContent(`<a href="${inbox.url}/">inbox</a>`);
  await Promise.all([page.waitForNavigation(), page.click('a')]);
  expect(await page.title()).toContain('Inbox');
});
