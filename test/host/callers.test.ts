import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { callerOfKey } from '../../src/lib/ledger/identity.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { ROOT } from '../support/documents.ts';
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

/** What `npm run callers` prints for this relay, with this on its standard input. */
const command = async (args: readonly string[], input = ''): Promise<string> => {
  const run = promisify(execFile)(process.execPath, ['scripts/callers.ts', ...args, '--url', relay.url()], {
    cwd: ROOT,
    env: { ...process.env, MAIL_RELAY_MASTER_KEY: KEYS.masterKey },
  });
  run.child.stdin?.end(input);
  return (await run).stdout;
};

test('the same as commands: a key is printed once, what is added to a list stands beside the rest, and the trail says who', async () => {
  const added = await command(['add', 'helpdesk', '--sender', SENDER, '--recipient', '*@fabrikam.example']);
  const [key = ''] = /gmr_\w+/.exec(added) ?? [];
  expect(added).toContain(`curl ${relay.url()}/api/v1/mail`);
  expect(added).toContain('"to":"someone@fabrikam.example"');
  const limited = await command([
    'limit',
    'helpdesk',
    '--add-recipient',
    'x@tailspin.example',
    '--by',
    '陳大文',
  ]);
  expect(limited).toContain('*@fabrikam.example, x@tailspin.example');
  await expect(command(['limit', 'helpdesk', '--add-sender', OWNER])).resolves.toContain(OWNER);
  await expect(command(['limit', 'queue', '--add-sender', SENDER])).rejects.toMatchObject({ code: 2 });
  const rotated = await command(['rotate-key', 'helpdesk']);
  const id = key.split('_')[1];
  expect(rotated).toContain(`npm run callers -- revoke-key helpdesk ${id}`);
  expect(await command(['revoke-key', 'helpdesk', String(id)])).toContain(`The key ${id} is revoked.`);
  await command(['limit', 'helpdesk', '--function-key'], 'a-function-key\n');
  expect(await command(['show', 'helpdesk'])).toContain(callerOfKey('a-function-key'));
  const audit = await command(['audit', 'helpdesk']);
  expect(audit).toContain('changed  by 陳大文 (master key)');
  expect(await command(['list'])).toMatch(/^queue +OPEN/m);
  const shown = [await command(['show', 'helpdesk']), audit, await command(['list', '--json'])].join();
  for (const secret of [key, 'a-function-key']) expect(shown).not.toContain(secret);
  await expect(command(['remove', 'helpdesk'])).rejects.toMatchObject({ code: 2 });
  expect(await command(['remove', 'helpdesk', '--yes'])).toBe('helpdesk is removed.\n');
});

test('neither a key nor an address of a caller is in the log or in a refusal', async () => {
  const added = await manage('POST', '/api/callers', { name: 'erp', owner: OWNER });
  const wrong = await manage('PATCH', '/api/callers/erp', { owner: `${OWNER} canary`, senders: [OWNER, 7] });
  expect([added.status, wrong.status]).toEqual([201, 400]);
  expectNoCanary(relay);
  const log = relay.lines.join('\n');
  expect(log).not.toContain(String(added.body.key));
  expect(log).not.toContain(KEYS.functionKey);
});
