import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { eventually } from './host/relay-for-tests.ts';
import {
  CALLER_EXAMPLES,
  endCompilers,
  exampleOf,
  type Ran,
  run,
  runExample,
} from './support/caller-examples.ts';
import { cloudForTests, hostForTests, KEYS, makeAppFolder } from './support/cloud-for-tests.ts';
import { codeBlocksOf, ROOT, readDocument } from './support/documents.ts';
import { TOOLS_MS } from './support/patience.ts';

const cloud = await cloudForTests();
const host = await hostForTests(cloud, {
  appFolder: await makeAppFolder(cloud.folder),
  log: () => undefined,
});
const folder = mkdtempSync(join(tmpdir(), 'relay-pages-'));
// As after `npm install` of what the page for the queue asks for.
symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
afterAll(async () => {
  await host.stop();
  await cloud.close();
  await endCompilers(folder);
  rmSync(folder, { recursive: true, force: true });
});

const address = { url: host.url, key: KEYS.functionKey };
const queueAccount = { AzureWebJobsStorage: cloud.azurite.connectionString };

const local = readDocument('docs/local.md');
const tour = local.text.split(/^## /m).find((section) => section.startsWith('The tour\n')) ?? '';

/** The commands of the README and the tour that talk to the relay of `npm start`, for the relay of this test. */
const commands = [readDocument('README.md'), { ...local, text: tour }]
  .flatMap(codeBlocksOf)
  .filter(({ language, text }) => language === 'sh' && /^(curl|node) /.test(text))
  .map(({ text }) =>
    text
      .replaceAll('http://localhost:7071', address.url)
      .replaceAll('local-function-key', address.key)
      .replaceAll(/^node /gm, `${process.execPath} `),
  );

/** The function of the curl page without its call, and the recipe that sends a file with it. */
const fileRecipe = (): string => {
  const [sendMail = ''] = exampleOf('curl.md', 'send').split(/^send_mail '/m);
  // More than fits on a command line.
  writeFileSync(join(folder, 'report.pdf'), Buffer.alloc(2_500_000, '%PDF-1.7\n'));
  writeFileSync(join(folder, 'report.txt'), 'All is well.\n');
  return sendMail + exampleOf('curl.md', 'file');
};

/** The queue page in Node, with the storage of this machine in place of an account in Azure. */
const queueExample = (): string =>
  exampleOf('queue.md', 'queue', 2).replace(
    /new QueueClient\([\s\S]*?\n\);/,
    `new QueueClient(process.env.AzureWebJobsStorage, 'mail');`,
  );

test('the README, the tour and every page for callers can be followed in order, against one relay', {
  timeout: TOOLS_MS,
}, async () => {
  let sent = 0;
  const follow = async (page: string, mails: number, ran: Promise<Ran>) => {
    const { status, output } = await ran;
    expect({ page, status, output }).toMatchObject({ status: 0 });
    expect(output).not.toMatch(/IDEMPOTENCY_KEY_REUSED|Idempotent-Replayed/i);
    sent += mails;
    await eventually(() => expect(cloud.mails.list({}).total).toBe(sent));
    return output;
  };
  const inFolder = { folder, environment: queueAccount };
  const inRepository = { folder: ROOT, environment: queueAccount };

  const [first, paySlip, queued, batch, later, mistake, ...more] = commands;
  expect(more).toEqual([]);
  expect(await follow('README.md: the first mail', 1, run(['bash', '-c', first!], inRepository))).toContain(
    'sent',
  );
  expect(await follow('local.md: the pay slip', 1, run(['bash', '-c', paySlip!], inRepository))).toContain(
    'sent',
  );
  const again = await run(['bash', '-c', paySlip!], inRepository);
  expect(again.output).toMatch(/^Idempotent-Replayed: true/im);
  await follow('local.md: the queue', 2, run(['bash', '-c', queued!], inRepository));
  const several = await follow('local.md: a batch', 3, run(['bash', '-c', batch!], inRepository));
  expect(several).toMatch(/"results":[\s\S]*"dryRun":true/);
  const [waiting = '', cancelling = ''] = later!.split(/^(?=curl -X DELETE)/m);
  const scheduled = await follow('local.md: later', 0, run(['bash', '-c', waiting], inRepository));
  const id = /"id":"([^"]+)"/.exec(scheduled)?.[1] ?? 'no id in the response';
  const canceled = run(['bash', '-c', cancelling.replace('<id>', id)], inRepository);
  expect(await follow('local.md: canceled', 0, canceled)).toContain('"state":"canceled"');
  expect(await follow('local.md: a mistake', 0, run(['bash', '-c', mistake!], inRepository))).toContain(
    'FIELD_UNKNOWN',
  );

  for (const example of CALLER_EXAMPLES.filter(({ present }) => present)) {
    expect(await follow(example.page, 1, runExample(example, address, inFolder))).toContain('sent');
    // A later run that repeats itself is given the same answer: it has to make the same mail again.
    expect(await follow(`${example.page}, again`, 0, runExample(example, address, inFolder))).toContain(
      'sent',
    );
  }
  const curl = CALLER_EXAMPLES.find(({ page }) => page === 'curl.md');
  if (curl?.present) {
    const environment = { MAIL_RELAY_URL: address.url, MAIL_RELAY_KEY: address.key };
    const output = await follow(
      'curl.md: a file',
      1,
      run(['bash', '-c', fileRecipe()], { folder, environment }),
    );
    expect(output).toContain('sent');
  }
  writeFileSync(join(folder, 'queue.mjs'), queueExample());
  await follow('queue.md', 1, run([process.execPath, 'queue.mjs'], inFolder));
});

test('no two examples have the same idempotency key', () => {
  const pages = [
    'docs/local.md',
    ...CALLER_EXAMPLES.map(({ page }) => `docs/callers/${page}`),
    'docs/callers/queue.md',
  ];
  const keys = pages.flatMap((page) =>
    codeBlocksOf(readDocument(page)).flatMap(({ text }) =>
      [...text.matchAll(/["' ]((?:[a-z]+-)+(?:\d{2}|\$\()[^'"]*)["']/g)].map(([, key = '']) => key),
    ),
  );
  expect(keys.length).toBeGreaterThanOrEqual(pages.length + 3);
  expect(new Set(keys).size, keys.join(', ')).toBe(keys.length);
});

test('the queue page puts the same fields on the queue in each language', () => {
  const { text } = readDocument('docs/callers/queue.md');
  for (const field of ['to', 'subject', 'text', 'idempotencyKey'])
    expect(text.match(new RegExp(`\\b${field}\\b['"\\]]*\\s*[:=]`, 'g')), field).toHaveLength(3);
});
