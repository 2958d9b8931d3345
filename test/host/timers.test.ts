import { randomUUID } from 'node:crypto';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { obtainCertificate } from '../../local/certificate.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, eventually, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({
  settings: {
    SECRET_WARNING_RECIPIENTS: 'canary-operations@contoso.example',
    SECRET_WARNING_DAYS: '30,7,1',
    MAIL_LEDGER_DAYS: '2',
  },
});
const posts: unknown[] = [];
const { tls } = await obtainCertificate(join(relay.cloud.folder, 'certificate'), new Date());
const webhook = https.createServer(tls, async (request, response) => {
  posts.push(await json(request));
  response.writeHead(202).end();
});
await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
const webhookUrl = `https://localhost:${(webhook.address() as AddressInfo).port}/canary-of-the-webhook`;
await relay.restart({ SECRET_WARNING_WEBHOOK: webhookUrl });
afterAll(async () => {
  webhook.closeAllConnections();
  webhook.close();
  await relay.close();
});

const DAY_MS = 86_400_000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);
const secret = (name: string, rest: { expiresOn?: Date; enabled?: boolean }) =>
  relay.cloud.secrets.set(name, { value: 'canary-of-a-secret', ...rest }, new Date());

test('warnExpiringSecrets: a log event for each warning, and one email and one post with all of them', async () => {
  await secret('soon', { expiresOn: inDays(6.5) });
  await secret('gone', { expiresOn: inDays(-2.5) });
  await secret('undated', {});
  await secret('later', { expiresOn: inDays(200) });
  await secret('disabled', { expiresOn: inDays(-9), enabled: false });
  expect((await relay.runNow('warnExpiringSecrets')).status).toBe(202);
  // The secret of the relay itself is good for a year, and Entra accepts it.
  expect(await relay.logged('SecretsChecked')).toMatchObject({
    secrets: 5,
    warnings: 3,
    told: 3,
    undelivered: 0,
    unproven: 0,
  });

  const warned = relay
    .events('SecretExpiring')
    .map(({ credential, state, daysLeft }) => [credential, state, daysLeft]);
  expect(warned).toEqual([
    ['gone', 'expired', -2],
    ['soon', 'expiring', 7],
    ['undated', 'no-expiry-date', undefined],
  ]);
  const [mail] = await relay.arrives('secret', 1);
  expect(mail?.request.body.message).toMatchObject({
    subject: expect.stringMatching(/^The secret gone has expired, and 2 more warnings /),
    toRecipients: [{ emailAddress: { address: 'canary-operations@contoso.example' } }],
    importance: 'high',
  });
  expect(posts).toMatchObject([{ type: 'message', warnings: [{ credential: 'gone' }, {}, {}] }]);
});

test('every warning is a line that alert rules see', () => {
  const lines = relay.lines.filter((line) => line.includes('"event":"SecretExpiring"'));
  expect(lines).toHaveLength(3);
  for (const line of lines) expect(line).toMatch(/^\S+ error Function\.warnExpiringSecrets\./);
});

test('checkSecrets: an event of the vault makes the relay look immediately, and tells nothing twice', async () => {
  await secret('sudden', { expiresOn: inDays(0.5) });
  const event = { eventType: 'Microsoft.KeyVault.SecretNearExpiry', data: { ObjectName: 'canary-name' } };
  const queue = relay.queueClient('vault-events');
  await queue.sendMessage('canary: not an event');
  await queue.sendMessage(Buffer.from(JSON.stringify(event)).toString('base64'));
  await relay.logged('VaultEventDropped', { reason: 'unreadable' });
  expect(await relay.logged('SecretsChecked', { warnings: 4 })).toMatchObject({ told: 1 });
  await eventually(() => expect(posts).toHaveLength(2));
  expect(posts[1]).toMatchObject({ warnings: [{ credential: 'sudden', daysLeft: 1 }] });
  await eventually(async () => expect(await relay.messagesOn('vault-events')).toBe(0));
});

test('a credential that Entra refuses is named with its reason', async () => {
  await relay.restart({ SECRET_WARNING_WEBHOOK: webhookUrl, ENTRA_CLIENT_ID: randomUUID() });
  expect((await relay.runNow('warnExpiringSecrets')).status).toBe(202);
  expect(await relay.logged('SecretExpiring', { state: 'refused' })).toMatchObject({
    credential: 'graph-client-secret',
    connection: 'main',
    inUse: true,
    code: 'APP_UNKNOWN',
  });
  await relay.restart();
});

test('sweepMail leaves alone what is young, and says what it did', async () => {
  const marker = newMarker();
  const { body } = await relay.send(canaryMail(marker));
  expect((await relay.runNow('sweepMail')).status).toBe(202);

  expect(await relay.logged('MailSwept')).toMatchObject({ lost: 0, overdue: 0, payloads: 0, expired: 0 });
  await eventually(async () => expect((await relay.statusOf(body.id)).body.state).toBe('sent'));
});

test('nothing of these mails, and no secret, stands in the log or in a problem answer', () =>
  expectNoCanary(relay));

test('sampleRelay and GET /api/metrics: what was counted and seen, for whoever has the master key', async () => {
  const marker = newMarker();
  await relay.send(canaryMail(marker));
  await relay.runNow('sampleRelay');
  const scrape = (key: string) =>
    fetch(`${relay.url()}/api/metrics`, { headers: { 'x-functions-key': key } });
  await eventually(async () => {
    const text = await (await scrape(KEYS.masterKey)).text();
    expect(text).toMatch(/^mailrelay_mail_accepted_total\{door="http"\} [1-9]/m);
    expect(text).toMatch(/^mailrelay_graph_requests_total\{answer="accepted",connection="main"\} [1-9]/m);
    expect(text).toMatch(/^mailrelay_queue_messages\{queue="mail"\} \d+$/m);
    expect(text).not.toMatch(/@|canary/);
  });
  expect((await scrape(KEYS.functionKey)).status).toBe(401);
  await eventually(() => expect(relay.lines.join('\n')).toContain('"event":"Metrics"'));
});
