import { afterAll, expect, test } from 'vitest';
import { callerOfKey } from '../../src/lib/ledger/identity.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
afterAll(() => relay.close());

const SENDER = 'lane0@contoso.example';
const OWNER = 'canary-owner@contoso.example';

const manage = (method: string, path: string, body?: unknown) =>
  relay.call(method, path, {
    key: KEYS.masterKey,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const stateOf = (caller: string, disabled: boolean) =>
  manage('PATCH', `/api/callers/${caller}`, { disabled });
const sendFrom = (from: string) => relay.send(canaryMail(newMarker(), { from }));

test('an operator declares, limits, disables and removes a caller, and its emails follow', async () => {
  const before = await sendFrom('lane1@contoso.example');
  expect(before.status).toBe(200);

  const added = await manage('POST', '/api/callers', {
    name: 'payroll',
    senders: [SENDER],
    functionKey: KEYS.functionKey,
    owner: OWNER,
  });
  expect([added.status, added.headers.get('cache-control')]).toEqual([201, 'no-store']);
  expect((await sendFrom('lane1@contoso.example')).body.code).toBe('SENDER_NOT_ALLOWED');
  const sent = await sendFrom(SENDER);
  expect(sent.status).toBe(200);
  // The emails that it sent before it had a name are still its own.
  for (const { body } of [before, sent]) expect((await relay.statusOf(body.id)).status).toBe(200);

  const waiting = await relay.send(
    canaryMail(newMarker(), { from: SENDER, sendAt: new Date(Date.now() + 3_600_000).toISOString() }),
  );
  expect(waiting.body.state).toBe('queued');
  await stateOf('payroll', true);
  expect((await sendFrom(SENDER)).body.code).toBe('CALLER_DISABLED');
  await stateOf('payroll', false);
  expect((await sendFrom(SENDER)).status).toBe(200);

  expect((await manage('DELETE', '/api/callers/payroll')).status).toBe(200);
  expect((await sendFrom('lane1@contoso.example')).status).toBe(200);
  expect((await manage('GET', '/api/callers/payroll')).status).toBe(404);
  const { body } = await manage('GET', '/api/audit?caller=payroll');
  const actions = (body.entries as readonly { readonly action: string }[]).map(({ action }) => action);
  expect(actions).toEqual(['removed', 'enabled', 'disabled', 'added']);
  expect(relay.events('CallerChanged').map(({ action }) => action)).toEqual(actions.toReversed());
});

test('the queue and undeclared function keys are closed by a change of their rules', async () => {
  await stateOf('queue', true);
  const marker = newMarker();
  await relay.enqueue(JSON.stringify(canaryMail(marker, { from: 'lane2@contoso.example' })));
  const { mailId = '' } = (await relay.logged('MailHeld', { code: 'CALLER_DISABLED' })) as {
    mailId?: string;
  };
  await stateOf('queue', false);
  await relay.desk(`/api/mail/${mailId}/replay`, {});
  await relay.arrives(marker);

  await stateOf('function-keys', true);
  const refused = await sendFrom('lane3@contoso.example');
  expect([refused.status, refused.body.code]).toEqual([403, 'CALLER_DISABLED']);
  await stateOf('function-keys', false);
  expect((await sendFrom('lane3@contoso.example')).status).toBe(200);
});

test.each([
  ['GET', '/api/callers'],
  ['POST', '/api/callers'],
  ['GET', '/api/callers/queue'],
  ['PATCH', '/api/callers/queue'],
  ['DELETE', '/api/callers/queue'],
  ['POST', '/api/callers/queue/keys'],
  ['DELETE', '/api/callers/queue/keys/x'],
  ['GET', '/api/audit'],
])('%s %s needs the master key', async (method, path) => {
  expect((await fetch(`${relay.url()}${path}`, { method })).status).toBe(401);
  const withFunctionKey = { 'x-functions-key': KEYS.functionKey };
  expect((await fetch(`${relay.url()}${path}`, { method, headers: withFunctionKey })).status).toBe(401);
});

test('neither a key nor an address of a caller is in the log or in a refusal', async () => {
  const added = await manage('POST', '/api/callers', { name: 'erp', owner: OWNER });
  const wrong = await manage('PATCH', '/api/callers/erp', { owner: `${OWNER} canary`, senders: [OWNER, 7] });
  expect([added.status, wrong.status]).toEqual([201, 400]);
  expectNoCanary(relay);
  const log = relay.lines.join('\n');
  expect(log).not.toContain(String(added.body.key));
  expect(log).not.toContain(callerOfKey(KEYS.functionKey));
});
