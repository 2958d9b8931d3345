import http from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LOCAL_CALLER_ID } from '../../local/directory.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { getAppToken } from './app-token.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, newMarker, startRelay } from './relay-for-tests.ts';

const callersWithQueues = ['payroll', 'helpdesk'];
const relay = await startRelay({
  callersWithQueues,
  settings: { MAIL_CALLER_QUEUES: callersWithQueues.join(',') },
});
afterAll(() => relay.close());

const json = { 'content-type': 'application/json' };
const manage = (method: string, path: string, body?: unknown) =>
  relay.call(method, path, {
    key: KEYS.masterKey,
    headers: json,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

/** A request without a function key: by a key of the relay, or a token. */
const ask = (secret: string, method: string, path: string, mail?: object): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const body = mail === undefined ? undefined : JSON.stringify(mail);
    const sent = http.request(`${relay.url()}${path}`, {
      method,
      headers: { ...json, authorization: `Bearer ${secret}` },
    });
    sent.once('error', reject);
    sent.once('response', async (answer) => {
      resolve({ status: answer.statusCode ?? 0, body: JSON.parse(await text(answer)) });
    });
    sent.end(body);
  });

const getToken = () => getAppToken(relay.cloud);

/** Payroll proves who it is by a key and by a token; the help desk by a key. */
const secrets: Record<'payroll' | 'helpdesk' | 'token', string> = { payroll: '', helpdesk: '', token: '' };
const SENDERS = { payroll: 'lane0@contoso.example', helpdesk: 'lane1@contoso.example' } as const;

const makeKey = async (name: string): Promise<string> => {
  const { body } = await manage('POST', `/api/callers/${name}/keys`);
  return String((body as Readonly<Record<string, unknown>>).key);
};

beforeAll(async () => {
  for (const name of ['payroll', 'helpdesk'] as const) {
    const { status, body } = await manage('POST', '/api/callers', {
      name,
      senders: [SENDERS[name]],
      recipients: ['*@contoso.example'],
      ...(name === 'payroll' ? { apps: [LOCAL_CALLER_ID] } : {}),
    });
    expect(status).toBe(201);
    // One that proves who it is by tokens has no key until somebody makes it one.
    const { key } = body as Readonly<Record<string, unknown>>;
    secrets[name] = String(key ?? (await makeKey(name)));
  }
  secrets.token = await getToken();
});

const ways = ['payroll', 'token', 'helpdesk'] as const;
const callerOf = (way: (typeof ways)[number]) => (way === 'helpdesk' ? 'helpdesk' : 'payroll');
const otherOf = (way: (typeof ways)[number]) => (way === 'helpdesk' ? 'payroll' : 'helpdesk');
const HERE = 'chan@contoso.example';
/** An email to somebody in the same house, from nobody in particular. */
const mailTo = (marker: string, more: object = {}) => {
  const { from: _, ...mail } = canaryMail(marker, { to: HERE });
  return { ...mail, ...more };
};

describe('two callers of one relay, by key, by token and by a queue of their own', () => {
  test.each(ways)('%s sends as itself by HTTP, and sees its emails', async (way) => {
    const marker = newMarker();
    const sent = await ask(secrets[way], 'POST', '/api/v1/mail', mailTo(marker));
    expect(sent).toMatchObject({ status: 200, body: { state: 'sent', sender: SENDERS[callerOf(way)] } });
    expect(await relay.arrives(marker)).toHaveLength(1);
    const seen = await ask(secrets[way], 'GET', `/api/v1/mail/${sent.body.id}`);
    expect(seen).toMatchObject({ status: 200, body: { id: sent.body.id, state: 'sent' } });
  });

  test.each(ways)("%s is refused the other's sender, recipients and emails by HTTP", async (way) => {
    const from = SENDERS[otherOf(way)];
    const asOther = mailTo(newMarker(), { from });
    expect(await ask(secrets[way], 'POST', '/api/v1/mail', asOther)).toMatchObject({
      status: 403,
      body: { code: 'SENDER_NOT_ALLOWED' },
    });
    const away = mailTo(newMarker(), { to: 'x@elsewhere.example' });
    expect(await ask(secrets[way], 'POST', '/api/v1/mail', away)).toMatchObject({
      status: 403,
      body: { code: 'RECIPIENT_NOT_ALLOWED' },
    });
    const later = mailTo(newMarker(), {
      sendAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const { body } = await ask(secrets[otherOf(way)], 'POST', '/api/v1/mail', later);
    for (const method of ['GET', 'DELETE'])
      expect(await ask(secrets[way], method, `/api/v1/mail/${body.id}`)).toMatchObject({
        status: 404,
        body: { code: 'MAIL_NOT_FOUND' },
      });
    expect((await ask(secrets[otherOf(way)], 'DELETE', `/api/v1/mail/${body.id}`)).body.state).toBe(
      'canceled',
    );
  });

  test.each(['payroll', 'helpdesk'] as const)('%s is held to the same by its queue', async (name) => {
    const put = async (more: object) => {
      const mail = mailTo(newMarker(), more);
      const { messageId } = await relay.queueClient(`mail-${name}`).sendMessage(JSON.stringify(mail));
      return (await relay.identity()).mailIdOfMessage(messageId);
    };
    const own = await put({});
    const asOther = await put({ from: SENDERS[otherOf(name)] });
    const away = await put({ to: 'x@elsewhere.example' });
    expect(await relay.reaches(own, 'sent')).toMatchObject({ sender: SENDERS[name] });
    expect(await relay.reaches(asOther, 'held')).toMatchObject({ reason: { code: 'SENDER_NOT_ALLOWED' } });
    expect(await relay.reaches(away, 'held')).toMatchObject({ reason: { code: 'RECIPIENT_NOT_ALLOWED' } });
    expect((await ask(secrets[name], 'GET', `/api/v1/mail/${own}`)).status).toBe(200);
    expect((await ask(secrets[otherOf(name)], 'GET', `/api/v1/mail/${own}`)).status).toBe(404);
  });

  test('the same idempotency key is one email for one caller, by HTTP and by queue, and two for two', async () => {
    const idempotencyKey = newMarker();
    const mail = mailTo(newMarker(), { idempotencyKey });
    const [mine, theirs] = [
      await ask(secrets.payroll, 'POST', '/api/v1/mail', mail),
      await ask(secrets.helpdesk, 'POST', '/api/v1/mail', mail),
    ];
    expect(theirs.body.id).not.toBe(mine.body.id);
    expect((await ask(secrets.token, 'POST', '/api/v1/mail', mail)).body.id).toBe(mine.body.id);
    await relay.queueClient('mail-payroll').sendMessage(JSON.stringify(mail));
    await relay.logged('MailRepeated', { mailId: mine.body.id });
  });

  test('a key is rotated while emails go out, and none of them is refused', async () => {
    let isRotated = false;
    let current = secrets.payroll;
    const statuses: number[] = [];
    const sending = async () => {
      while (!isRotated || statuses.length < 40) {
        const mail = mailTo(newMarker());
        statuses.push((await ask(current, 'POST', '/api/v1/mail?dryRun=true', mail)).status);
      }
    };
    const senders = [sending(), sending()];
    const old = current;
    const newer = await makeKey('payroll');
    current = newer;
    // Requests with the old key are still under way.
    while (statuses.length < 20) await new Promise((resolve) => setImmediate(resolve));
    const revoked = await manage('DELETE', `/api/callers/payroll/keys/${old.split('_')[1]}`);
    isRotated = true;
    await Promise.all(senders);
    expect(revoked.status).toBe(200);
    expect(new Set(statuses)).toEqual(new Set([200]));
    secrets.payroll = newer;
  });
});

test('no key or token stands in the log or in a problem answer', () => {
  expectNoCanary(relay);
  const shown = [...relay.lines, ...relay.problems].join('\n');
  for (const secret of Object.values(secrets)) expect(shown).not.toContain(secret.slice(-30));
});
