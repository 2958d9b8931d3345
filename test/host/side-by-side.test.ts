import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { FaultRuleInput } from '../../local/graph/fault-rules.ts';
import { POISON_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { EARLIER_SIGNING_SECRET } from '../support/an-event.ts';
import { MAILS_WITH } from '../support/every-field.ts';
import { loadLastRules } from '../support/last-release.ts';
import { canaryMail, eventually, newMarker } from './relay-for-tests.ts';
import { startCloudForTwo, type Version } from './two-versions.ts';

/** Long enough to begin everything, and to end the version that did. */
const LATER_MS = 20_000;

/** Takes events only while it is told to. */
const receiver = { isUp: false, took: [] as string[] };
const server = http.createServer(async (request, response) => {
  const body = await text(request);
  if (receiver.isUp) receiver.took.push(body);
  response.writeHead(receiver.isUp ? 204 : 503).end();
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

const two = await startCloudForTwo({
  functionTimeout: '00:00:17',
  sentItemsDelayMs: 2500,
  settings: {
    GRAPH_TIMEOUT_SECONDS: '2',
    MAIL_SENDING_LIMIT_SECONDS: '18',
    MAIL_VERIFY_SECONDS: '6',
    MAIL_LARGE_ATTACHMENTS: 'true',
    FUNCTIONS_QUEUE_LEASE_SECONDS: '3',
    MAIL_WEBHOOKS: JSON.stringify([
      { name: 'crm', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` },
    ]),
  },
});
await two.cloud.secrets.set('webhook-secret-crm', { value: EARLIER_SIGNING_SECRET }, new Date());
afterEach(() => Promise.all([two.last.stop(), two.now.stop()]));
afterAll(async () => {
  server.close();
  await two.cloud.close();
});

const ahead = (ms: number): string => new Date(Date.now() + ms).toISOString();
const lane = (number: number): string => `lane${number}@contoso.example`;
const fault = (on: Exclude<FaultRuleInput, { on: 'connect' }>['on'], mailbox: string, what: object): void => {
  two.cloud.graph.faults.add({ on, mailbox, ...what } as FaultRuleInput);
};
const BUSY = { fault: { kind: 'answer', status: 429, retryAfter: '20' } };
const IN_DOUBT = { fault: { kind: 'answer', status: 504, accept: true } };
const NOT_SENT = { fault: { kind: 'answer', status: 504 } };
const SILENT = (whenClientLeaves: 'accept' | 'forget') => ({
  fault: { kind: 'delay', ms: 60_000, whenClientLeaves },
});

type Begun = { readonly what: string; readonly marker: string; readonly id: string; readonly state: unknown };
type Headers = Readonly<Record<string, string>>;

/** Gives an email to a version by HTTP, which accepts it. */
const post = async (
  version: Version,
  what: string,
  more: Record<string, unknown>,
  headers: Headers = {},
  marker = newMarker(),
): Promise<Begun> => {
  const mail = 'mime' in more ? more : canaryMail(marker, more);
  const { status, body } = await version.send(mail, headers);
  expect(status, `${what}: ${JSON.stringify(body)}`).toBe(body.state === 'sent' ? 200 : 202);
  return { what, marker, id: body.id, state: body.state };
};

const put = async (what: string, more: Record<string, unknown>): Promise<Begun> => {
  const marker = newMarker();
  return { what, marker, id: await two.enqueue(canaryMail(marker, more)), state: 'queued' };
};

/** An email with one of these is held if its outcome is unknown, which can happen on a busy machine. */
const HELD_IN_DOUBT = ['onUnknown', 'saveToSentItems'];

const { readMail } = loadLastRules();

/** The last release rejects a field that is new. */
const isKnownTo = (version: Version, mail: object): boolean => {
  if (version === two.now) return true;
  try {
    return readMail(mail) !== undefined;
  } catch {
    return false;
  }
};

/** With each field that an email can have and the version knows: all of them wait for their time. */
const postEveryField = (version: Version, from: string): Promise<readonly Begun[]> =>
  Promise.all(
    Object.entries(MAILS_WITH)
      .filter(([field, given]) => !HELD_IN_DOUBT.includes(field) && isKnownTo(version, given))
      .map(([field, given]) => {
        const marker = newMarker();
        const { idempotencyKey, ...mail } = given as Record<string, unknown>;
        const headers = idempotencyKey === undefined ? {} : { 'idempotency-key': marker };
        const written =
          typeof mail.mime === 'string'
            ? { mime: rewritten(mail.mime, marker) }
            : { from, ...mail, subject: marker };
        return post(version, `with ${field}`, { ...written, sendAt: ahead(LATER_MS) }, headers, marker);
      }),
  );

/** A whole message with another subject. */
const rewritten = (mime: string, subject: string): string =>
  Buffer.from(Buffer.from(mime, 'base64').toString().replace('Pay slip', subject)).toString('base64');

const WAYS: readonly (readonly [string, Version, Version])[] = [
  ['the version of now ends what the last release has begun, which was killed', two.last, two.now],
  ['the last release ends what the version of now has begun, which was killed', two.now, two.last],
];

test.each(WAYS)('%s', async (_title, before, after) => {
  receiver.isUp = false;
  two.cloud.graph.faults.clear();
  await before.start();
  for (const box of [0, 1]) fault('sendMail', lane(box), BUSY);
  fault('sendMail', lane(2), IN_DOUBT);
  fault('sendMail', lane(5), NOT_SENT);
  fault('createUploadSession', lane(9), BUSY);
  const large = { filename: 'large.bin', content: Buffer.alloc(3_300_000, 7).toString('base64') };
  const key = { 'idempotency-key': newMarker() };
  const ended = await post(before, 'answered', { from: lane(6) }, key);
  const held = await post(before, 'held', { from: lane(5), onUnknown: 'hold' });
  const canceled = await post(before, 'canceled', { from: lane(4), sendAt: ahead(86_400_000) });
  const doubted = await post(before, 'in doubt', { from: lane(2) });
  await before.reaches(held.id, 'held');
  const waiting = [
    await post(before, 'busy', { from: lane(0) }),
    await post(before, 'busy, and too large for a message', { from: lane(1), text: 'x'.repeat(100_000) }),
    await post(before, 'a draft with half of its file', { from: lane(9), attachments: [large] }),
    await post(before, 'for later, by HTTP', { from: lane(3), sendAt: ahead(LATER_MS) }),
    await put('for later, by queue', { from: lane(3), sendAt: ahead(LATER_MS) }),
    ...(await postEveryField(before, lane(10))),
  ];
  // Two are killed while Graph has their request.
  fault('sendMail', lane(7), SILENT('accept'));
  fault('sendMail', lane(8), SILENT('forget'));
  const cut = [
    await put('killed, and accepted', { from: lane(7) }),
    await put('killed, and not accepted', { from: lane(8) }),
  ];
  for (const { id } of cut) await before.reaches(id, 'sending', 'unknown');
  expect(ended.state).toBe('sent');
  const states = await Promise.all(waiting.map(({ id }) => before.statusOf(id)));
  expect(states.filter(({ state }) => state !== 'deferred' && state !== 'queued')).toEqual([]);
  await before.kill();

  const unread = await put('not read by the version that was killed', { from: lane(11) });
  receiver.isUp = true;
  await after.start();
  const repeated = await post(after, 'answered', { from: lane(6) }, key, ended.marker);
  expect(repeated).toEqual(ended);
  const other = await after.send(canaryMail(newMarker(), { from: lane(6) }), key);
  expect(other.body.code).toBe('IDEMPOTENCY_KEY_REUSED');
  expect((await after.call('DELETE', `/api/mail/${canceled.id}`)).body.state).toBe('canceled');
  expect((await after.desk('POST', `/api/mail/${held.id}/replay`, {})).status).toBeLessThan(300);
  const toBeSent = [...waiting, ...cut, doubted, held, ended, unread];
  await Promise.all(toBeSent.map(({ id }) => after.reaches(id, 'sent')));
  expect(
    toBeSent.map(({ what, marker }) => `${what}: ${two.copiesOf(marker)}`),
    two.linesAbout(toBeSent.map(({ id }) => id)),
  ).toEqual(toBeSent.map(({ what }) => `${what}: 1`));
  expect(two.copiesOf(canceled.marker)).toBe(0);
  // What was told while the receiver was away is told by the other version.
  await eventually(() => expect(receiver.took.join()).toContain(`${ended.id}/0/sent`));
  expect(await two.messagesOn(POISON_QUEUE)).toBe(0);
});

test('while both run, and either is killed, each email is sent once, whichever version it is given to and asked of', async () => {
  two.cloud.graph.faults.clear();
  receiver.isUp = true;
  await Promise.all([two.last.start(), two.now.start()]);
  const versions = [two.last, two.now] as const;
  const [first, second] = versions;
  const given: Begun[] = [];
  const keys = new Map<string, { readonly marker: string; readonly more: Record<string, unknown> }>();
  for (let number = 0; number < 24; number += 1) {
    const more = { from: lane(number % 12), text: number % 5 === 0 ? 'x'.repeat(70_000) : 'short' };
    if (number % 3 === 0) {
      given.push(await put(`${number} by queue`, { from: more.from }));
      continue;
    }
    const version = versions[number % 2]!;
    const [key, marker] = [newMarker(), newMarker()];
    keys.set(key, { marker, more });
    const how = { 'idempotency-key': key, ...(number % 4 === 0 ? { prefer: 'respond-async' } : {}) };
    given.push(await post(version, `${number} by HTTP`, more, how, marker));
    if (number === 8) {
      await first.kill();
      await first.start();
    }
    if (number === 16) {
      await second.kill();
      await second.start();
    }
  }
  // Each request once more, at both versions; while one is under way that a killed instance had, it is told to wait.
  for (const [key, { marker, more }] of keys)
    for (const version of versions) {
      const again = await eventually(() => post(version, key, more, { 'idempotency-key': key }, marker));
      expect(given.map(({ id }) => id)).toContain(again.id);
    }
  for (const version of versions) await Promise.all(given.map(({ id }) => version.reaches(id, 'sent')));
  expect(
    given.map(({ what, marker }) => `${what}: ${two.copiesOf(marker)}`),
    two.linesAbout(given.map(({ id }) => id)),
  ).toEqual(given.map(({ what }) => `${what}: 1`));
  expect(await two.messagesOn(POISON_QUEUE)).toBe(0);
});
