import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GraphMessage } from '../src/lib/inbox/captured-mail.ts';
import { readMail } from '../src/lib/mail/read-mail.ts';
import { eventually } from './host/relay-for-tests.ts';
import {
  CALLER_EXAMPLES,
  exampleOf,
  type PreparedExample,
  prepareExample,
  type Ran,
  run,
} from './support/caller-examples.ts';
import {
  type Answer,
  type Arrived,
  answer,
  bare,
  problem,
  reset,
  SCENARIOS,
  sent,
  startScenarios,
} from './support/caller-scenarios.ts';
import { cloudForTests, hostForTests, KEYS, makeAppFolder } from './support/cloud-for-tests.ts';
import { codeBlocksOf, ROOT, readDocument } from './support/documents.ts';
import { TOOLS_MS } from './support/patience.ts';
import { type Actions, runActions } from './support/workflow-actions.ts';

const cloud = await cloudForTests();
const host = await hostForTests(cloud, {
  appFolder: await makeAppFolder(cloud.folder),
  log: () => undefined,
});
const folder = mkdtempSync(join(tmpdir(), 'relay-callers-'));
// As after `npm install` of what the page for the queue asks for.
symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
afterAll(async () => {
  await host.stop();
  await cloud.close();
  rmSync(folder, { recursive: true, force: true });
});

const withFunctionKey = { url: host.url, key: KEYS.functionKey };

/** A caller with a key of the relay. */
const declareCaller = async (name: string) => {
  const response = await fetch(`${host.url}/api/callers`, {
    method: 'POST',
    headers: { 'x-functions-key': KEYS.masterKey, 'content-type': 'application/json' },
    body: JSON.stringify({ name, senders: ['noreply@contoso.example'] }),
  });
  const key = /gmr_[a-z0-9]+_[a-z0-9]+/.exec(await response.text())?.[0];
  if (key === undefined) throw new Error(`expected a key of ${name}, received status ${response.status}`);
  return { url: host.url, key };
};
const withRelayKey = await declareCaller('pages');

let sentSoFar = 0;
/** Follows a page, and gives what was printed once so many emails have arrived as it sends. */
const follow = async (page: string, count: number, ran: Promise<Ran>): Promise<string> => {
  const { status, output } = await ran;
  expect({ page, status, output }).toMatchObject({ status: 0 });
  expect(output).not.toMatch(/IDEMPOTENCY_KEY_REUSED|Idempotent-Replayed/i);
  sentSoFar += count;
  await eventually(() => expect(cloud.mails.list({}).total).toBe(sentSoFar));
  return stripVTControlCharacters(output);
};
const newestMail = async (): Promise<GraphMessage> => {
  const [newest] = cloud.mails.list({}).mails;
  const mail = await cloud.mails.find(newest?.summary.ID ?? '');
  if (mail === undefined) throw new Error('no email has arrived');
  return mail.request.body.message;
};

for (const example of CALLER_EXAMPLES) {
  const missing = example.present ? '' : ` (skipped: ${example.run[0]} is not installed)`;
  describe.skipIf(!example.present)(`the page ${example.page}${missing}`, { timeout: TOOLS_MS }, () => {
    let prepared: PreparedExample;
    const endings = new Map<string, { readonly ending: string; readonly said: string }>();
    let arrived: ReadonlyMap<string, readonly Arrived[]> = new Map();

    beforeAll(async () => {
      prepared = await prepareExample(example, folder);
      const relay = await startScenarios((key) => SCENARIOS[key]?.answers ?? []);
      // With a slash at its end, as people copy it.
      const address = { url: `${relay.url}/`, key: 'the key' };
      const { status, output } = await prepared.drive(address, Object.keys(SCENARIOS));
      await relay.close();
      expect(status, output).toBe(0);
      for (const line of stripVTControlCharacters(output).split(/\r?\n/)) {
        const [key = '', ending = '', said = ''] = line.split('\t');
        endings.set(key, { ending, said });
      }
      arrived = relay.arrived;
    }, TOOLS_MS);

    test.each(Object.entries(SCENARIOS).map(([key, scenario]) => [scenario.title, key, scenario] as const))(
      '%s',
      (_title, key, { answers, ending, says }) => {
        const seen = endings.get(key);
        expect(seen).toMatchObject({ ending });
        for (const part of says) expect(seen?.said).toContain(part);
        const requests = arrived.get(key) ?? [];
        expect(requests).toHaveLength(answers.length);
        expect(new Set(requests.map((request) => JSON.stringify(request))).size).toBe(1);
        const [first] = requests;
        expect(first).toMatchObject({
          call: 'POST /api/mail',
          functionKey: 'the key',
          contentType: expect.stringMatching(/^application\/json/),
          framing: example.framing,
        });
        expect(readMail(JSON.parse(first?.body ?? '')).subject, 'Chinese as it was written').toBe('報告');
      },
    );

    test('reads the status of an email by its id', () => {
      expect(arrived.get('status')).toEqual([
        expect.objectContaining({ call: 'GET /api/mail/the-id', functionKey: 'the key', body: '' }),
      ]);
      expect(endings.get('status')?.said).toMatch(/"state":\s*"sent"/);
    });

    test('sends html and a file with both kinds of keys, and creates no second email when it runs again', async () => {
      for (const [kind, relay] of Object.entries({ withFunctionKey, withRelayKey })) {
        expect(await follow(`${example.page} ${kind}`, 1, prepared.send(relay))).toMatch(
          /\bsent( then|\n)\s*sent\b/,
        );
        const { subject, body, attachments = [] } = await newestMail();
        expect(subject).toMatch(/\p{Script=Han}/u);
        expect(body?.contentType.toLowerCase()).toBe('html');
        expect(attachments).toHaveLength(1);
        expect(Buffer.from(attachments[0]?.contentBytes ?? '', 'base64').toString()).toMatch(
          /^(%PDF-1\.4 \.\.\.|All (12 volumes were saved|disks are well)\.\r?\n)$/,
        );
      }
      await follow(`${example.page}, again`, 0, prepared.send(withRelayKey));
    });

    if (example.page === 'curl.md')
      test('sends an email without a file, and one with a file that does not fit on a command line', async () => {
        const inPage = (command: string) =>
          run(['bash', '-c', command], {
            folder: prepared.folder,
            environment: { MAIL_RELAY_URL: host.url, MAIL_RELAY_KEY: KEYS.functionKey },
          });
        await follow('curl.md: without a file', 1, inPage(exampleOf('curl.md', 'text')));
        const large = exampleOf('curl.md', 'send')
          .replace(/^printf .*$/m, 'head -c 2500000 /dev/zero > report.txt')
          .replace('backup-report-', 'large-report-');
        await follow('curl.md: a large file', 1, inPage(large));
        expect((await newestMail()).attachments?.[0]?.contentBytes?.length).toBeGreaterThan(3_000_000);
      });
  });
}

const invalid = problem(422);
const queued: Answer = (response) =>
  response
    .writeHead(202, { 'content-type': 'application/json', location: '/api/v1/mail/the-id' })
    .end('{"id":"the-id","state":"queued","statusUrl":"/api/v1/mail/the-id"}');

type FlowScenario = {
  readonly answers: readonly Answer[];
  readonly requests: number;
  readonly error?: string;
};
const FLOW_SCENARIOS: Readonly<Record<string, FlowScenario>> = {
  'repeats after a broken connection, a 503 and a 500 with an empty body': {
    answers: [reset, problem(503), bare(500), sent],
    requests: 4,
  },
  'continues after a 202, without polling the status': { answers: [queued], requests: 1 },
  'ends a run as rejected after a 422, without repeating it': {
    answers: [invalid],
    requests: 1,
    error: 'MAIL_REJECTED',
  },
  'ends a run as rejected after a 401 with an empty body': {
    answers: [answer(401, undefined, '')],
    requests: 1,
    error: 'MAIL_REJECTED',
  },
  'ends a run as rejected after a 500 of the relay': {
    answers: Array.from({ length: 5 }, () => problem(500)),
    requests: 5,
    error: 'MAIL_REJECTED',
  },
  'ends a run as not known yet after a 409': {
    answers: [problem(409)],
    requests: 1,
    error: 'MAIL_NOT_KNOWN_YET',
  },
  'ends a run as not known yet if the relay stays busy': {
    answers: Array.from({ length: 5 }, () => problem(503)),
    requests: 5,
    error: 'MAIL_NOT_KNOWN_YET',
  },
  'ends a run as not known yet after error pages of a proxy': {
    answers: Array.from({ length: 5 }, () => answer(504, 'text/html', '<h1>Timeout</h1>')),
    requests: 5,
    error: 'MAIL_NOT_KNOWN_YET',
  },
  'ends a run as not known yet if no response arrives': {
    answers: Array.from({ length: 5 }, () => reset),
    requests: 5,
    error: 'MAIL_NOT_KNOWN_YET',
  },
};

describe('the page power-automate.md', () => {
  const [definition = ''] = codeBlocksOf(readDocument('docs/callers/power-automate.md')).map(
    ({ text }) => text,
  );
  const actions = JSON.parse(definition) as Actions;
  /** As the page says for a function key. */
  const forFunctionKey = JSON.parse(
    definition.replace('/api/v1/mail', '/api/mail').replace('x-api-key', 'x-functions-key'),
  ) as Actions;
  const runFlow = (
    flow: Actions,
    { url, key }: { readonly url: string; readonly key: string },
    number: string,
  ) =>
    runActions(flow, {
      parameters: { MAIL_RELAY_URL: url, MAIL_RELAY_KEY: key },
      triggerBody: { email: 'chan@contoso.example', number },
      outputs: {
        Get_file_properties: { 'body/{FilenameWithExtension}': '申請.pdf' },
        Get_file_content: { body: '%PDF-1.4 ...' },
      },
    });

  test('its actions send html and a file with both kinds of keys, and no second email when the run is resubmitted', async () => {
    for (const [flow, relay] of [
      [actions, withRelayKey],
      [forFunctionKey, withFunctionKey],
    ] as const) {
      const flowed = await runFlow(flow, relay, '4711');
      expect(flowed).toEqual({ statuses: { Send_email: 'Succeeded', Was_it_rejected: 'Skipped' } });
      sentSoFar += 1;
      await eventually(() => expect(cloud.mails.list({}).total).toBe(sentSoFar));
      const { attachments = [], body } = await newestMail();
      expect(body?.content).toContain('<p>Your request was approved.</p>');
      expect(attachments).toEqual([expect.objectContaining({ name: '申請.pdf' })]);
      expect(Buffer.from(attachments[0]?.contentBytes ?? '', 'base64').toString()).toBe('%PDF-1.4 ...');
      expect((await runFlow(flow, relay, '4711')).statuses.Send_email).toBe('Succeeded');
    }
    expect(cloud.mails.list({}).total).toBe(sentSoFar);
  });

  test('its actions keep the key and the email out of the run history, and wait longer than the relay for Graph', () => {
    expect(actions.Send_email).toMatchObject({
      runtimeConfiguration: { secureData: { properties: ['inputs'] } },
      limit: { timeout: expect.stringMatching(/^PT[2-9]M$/) },
      inputs: { retryPolicy: { type: 'exponential', interval: expect.stringMatching(/^PT\d+S$/) } },
    });
  });

  test.each(Object.entries(FLOW_SCENARIOS))('%s', async (_title, { answers, requests, error }) => {
    const relay = await startScenarios(() => answers);
    const flowed = await runFlow(actions, { url: relay.url, key: 'gmr_key' }, '7');
    await relay.close();
    expect(flowed.error?.code).toBe(error);
    if (error === 'MAIL_REJECTED' && answers.some((one) => one === invalid))
      expect(flowed.error?.message).toMatch(/^422 .*CODE_422.*what to do/);
    const arrived = [...relay.arrived];
    expect(arrived.map(([key]) => key)).toEqual(['request-7-approved']);
    expect(arrived[0]?.[1]).toHaveLength(requests);
  });
});

test('the README, the tour and the queue page can be followed in order', { timeout: TOOLS_MS }, async () => {
  const environment = { AzureWebJobsStorage: cloud.azurite.connectionString };
  const bash = (command = 'exit 1') => run(['bash', '-c', command], { folder: ROOT, environment });
  const local = readDocument('docs/local.md');
  const tour = local.text.split(/^## /m).find((section) => section.startsWith('The tour\n')) ?? '';
  /** The commands that talk to the relay of `npm start`, for the relay of this test. */
  const commands = [readDocument('README.md'), { ...local, text: tour }]
    .flatMap(codeBlocksOf)
    .filter(({ language, text }) => language === 'sh' && /^(curl|node) /.test(text))
    .map(({ text }) =>
      text
        .replaceAll('http://localhost:7071', host.url)
        .replaceAll('local-function-key', KEYS.functionKey)
        .replaceAll(/^node /gm, `${process.execPath} `),
    );
  const [first, paySlip, queued, batch, later = '', mistake, ...more] = commands;
  expect(more).toEqual([]);
  expect(await follow('README.md: the first mail', 1, bash(first))).toContain('sent');
  expect(await follow('local.md: the pay slip', 1, bash(paySlip))).toContain('sent');
  expect((await bash(paySlip)).output).toMatch(/^Idempotent-Replayed: true/im);
  await follow('local.md: the queue', 2, bash(queued));
  expect(await follow('local.md: a batch', 3, bash(batch))).toMatch(/"results":[\s\S]*"dryRun":true/);
  const [waiting = '', cancelling = ''] = later.split(/^(?=curl -X DELETE)/m);
  const scheduled = await follow('local.md: later', 0, bash(waiting));
  const id = /"id":"([^"]+)"/.exec(scheduled)?.[1] ?? 'no id in the response';
  expect(await follow('local.md: canceled', 0, bash(cancelling.replace('<id>', id)))).toContain(
    '"state":"canceled"',
  );
  expect(await follow('local.md: a mistake', 0, bash(mistake))).toContain('FIELD_UNKNOWN');

  // With the storage of this machine in place of an account in Azure.
  const queue = exampleOf('queue.md', 'queue', 2).replace(
    /new QueueClient\([\s\S]*?\n\);/,
    `new QueueClient(process.env.AzureWebJobsStorage, 'mail');`,
  );
  writeFileSync(join(folder, 'queue.mjs'), queue);
  await follow('queue.md', 1, run([process.execPath, 'queue.mjs'], { folder, environment }));
});
