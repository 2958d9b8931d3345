import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Webhook } from 'standardwebhooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MOST_ATTEMPTS } from '../src/lib/events/webhook-retry.ts';
import { bodyOf, headersOf, readSigningSecret } from '../src/lib/events/webhook-signature.ts';
import { EVENT_TYPES } from '../src/lib/ledger/relay-event.ts';
import { aCloudEvent, EARLIER_SIGNING_SECRET, SIGNING_SECRET } from './support/an-event.ts';
import { cloudEventFaults } from './support/cloud-events-schema.ts';
import { codeBlocksOf, firstCellsUnder, ROOT, readDocument } from './support/documents.ts';

const page = readDocument('docs/events.md');
const blocks = codeBlocksOf(page);
const codeIn = (language: string): string => {
  const [found, ...more] = blocks.filter((one) => one.language === language);
  if (found === undefined || more.length > 0) throw new Error(`expected one block in ${language}`);
  return found.text;
};

test('the page names every type of event, and no other', () => {
  expect(firstCellsUnder(page, 'Types').map((cell) => cell.replaceAll('`', ''))).toEqual(EVENT_TYPES);
});

test('its examples are valid CloudEvents, and one in the schema of Event Grid', () => {
  const examples = blocks.filter(({ language }) => language === 'json').map(({ text }) => JSON.parse(text));
  const [eventGrid, ...cloudEvents] = examples;
  expect(Object.keys(eventGrid)).toEqual(['id', 'eventType', 'subject', 'eventTime', 'dataVersion', 'data']);
  expect(cloudEvents).toHaveLength(3);
  for (const one of cloudEvents) {
    expect(cloudEventFaults(one)).toEqual([]);
    expect(EVENT_TYPES).toContain(one.type);
  }
});

test('its table of attempts has as many rows as the relay makes attempts', () => {
  const numbers = firstCellsUnder(page, 'When a receiver fails');
  expect(numbers).toEqual(Array.from({ length: MOST_ATTEMPTS }, (_, index) => String(index + 1)));
});

const body = bodyOf(aCloudEvent());
const headers = headersOf(
  { id: aCloudEvent().id, body },
  [SIGNING_SECRET, EARLIER_SIGNING_SECRET].map((one) => readSigningSecret(one) ?? Buffer.alloc(0)),
  new Date(),
);

describe('what the page shows to verify a signature', () => {
  test('in TypeScript is what the library does', () => {
    expect(codeIn('ts')).toContain('new Webhook(secret).verify(body, headers)');
    expect(new Webhook(SIGNING_SECRET).verify(body, { ...headers })).toEqual(aCloudEvent());
  });

  test.each([
    ['accepts the first secret', SIGNING_SECRET, body, ''],
    ['accepts the second secret', EARLIER_SIGNING_SECRET, body, ''],
    ['rejects another secret', `whsec_${Buffer.alloc(32, 1).toString('base64')}`, body, 'wrong signature'],
    ['rejects another body', SIGNING_SECRET, `${body} `, 'wrong signature'],
  ])('in Python %s', (_what, secret, given, fault) => {
    const call = `import sys\nevent = read_event(*json.load(sys.stdin), ${JSON.stringify(headers)})\nprint(event["type"])`;
    const script = codeIn('python').concat(
      '\n',
      call.replace('*json.load(sys.stdin)', 'SECRET, sys.stdin.buffer.read()'),
    );
    const { stdout, stderr } = spawnSync('python3', ['-c', `SECRET = ${JSON.stringify(secret)}\n${script}`], {
      input: given,
      encoding: 'utf8',
    });
    if (fault === '') expect(stdout.trim()).toBe(aCloudEvent().type);
    else expect(stderr).toContain(fault);
  });
});

test('the receiver of the examples prints what the relay signed, and rejects everything else', async () => {
  const receiver = spawn(process.execPath, [join(ROOT, 'docs/examples/receive-webhook.mjs'), '0'], {
    env: { ...process.env, WEBHOOK_SECRET: EARLIER_SIGNING_SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void receiver.kill());
  const lines = createInterface({ input: receiver.stdout })[Symbol.asyncIterator]();
  const url = String((await lines.next()).value).replace('Listening on ', '');
  const post = async (more: Record<string, string>, text = body) =>
    (await fetch(url, { method: 'POST', headers: { ...headers, ...more }, body: text })).status;
  expect(await post({}, `${body} `)).toBe(401);
  expect(await post({ 'webhook-timestamp': '1' })).toBe(401);
  expect(await post({ 'webhook-signature': 'v1,AAAA' })).toBe(401);
  expect(await post({})).toBe(204);
  expect((await lines.next()).value).toMatch(/^GraphMailRelay\.Mail\.Sent 01a2055c.*"caller":"payroll"/);
});
