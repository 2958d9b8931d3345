import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { createCoreApi, createRegistrations } from '../local/functions-host/core-api.ts';
import { readFunction } from '../local/functions-host/function-info.ts';
import { loadApp } from '../local/functions-host/load-app.ts';
import { makeAppFolder } from './support/cloud-for-tests.ts';

// Far from node_modules, so that what the bundle does not carry is not found.
const folder = await mkdtemp(join(tmpdir(), 'mail-relay-bundle-'));
const app = await makeAppFolder(folder);
afterAll(() => rm(folder, { recursive: true }));

test('the bundle, loaded by require without a single setting, registers exactly these functions', async () => {
  const registrations = createRegistrations();
  const said: string[] = [];
  const core = createCoreApi(registrations, (_level, _category, message) => said.push(message));
  const console = vi.spyOn(globalThis.console, 'error').mockImplementation(() => {});
  const { unload } = await loadApp(app, core, registrations);
  unload();
  expect(console.mock.calls).toEqual([]);
  for (const start of registrations.hooks.appStart) await start({});
  const told = console.mock.calls.map(([line]) => JSON.parse(line));
  console.mockRestore();

  const functions = [...registrations.functions.values()].map((one) => {
    const { name, trigger } = readFunction(one, false);
    return [name, trigger] as const;
  });
  const http = (method: string, route: string, authLevel: string) => ({
    type: 'http',
    methods: [method],
    route,
    authLevel,
  });
  const queue = (queueName: string) => ({ type: 'queue', queueName, connection: 'AzureWebJobsStorage' });
  const timer = (schedule: string) =>
    expect.objectContaining({ type: 'timer', schedule, runOnStartup: false });
  expect(Object.fromEntries(functions)).toEqual({
    sendMail: http('POST', 'mail', 'function'),
    mailStatus: http('GET', 'mail/{id}', 'function'),
    health: http('GET', 'health', 'anonymous'),
    listMail: http('GET', 'mail', 'admin'),
    replayMail: http('POST', 'mail/{id}/replay', 'admin'),
    closeMail: http('POST', 'mail/{id}/close', 'admin'),
    deliverMail: queue('mail'),
    holdMail: queue('mail-poison'),
    warnExpiringSecrets: timer('0 0 7 * * *'),
    sweepMail: timer('0 17 * * * *'),
  });
  expect(registrations.programmingModel?.name).toBe('@azure/functions');
  // Without it the host hands over bodies without Content-Length as empty.
  expect(said).toEqual(['HTTP streaming enabled.']);
  // What is missing is told at start, and keeps no function from being there.
  expect(told).toEqual([
    { event: 'SettingsInvalid', settings: expect.arrayContaining(['ENTRA_TENANT_ID', 'KEY_VAULT_URL']) },
  ]);
});

test('main of package.json is the entry of the bundle, which asks for source maps first', async () => {
  const { main } = JSON.parse(await readFile(join(app, 'package.json'), 'utf8'));
  const entry = await readFile(join(app, main), 'utf8');
  expect(entry.indexOf('setSourceMapsEnabled(true)')).toBeGreaterThanOrEqual(0);
  expect(entry.indexOf("require('./app.cjs')")).toBeGreaterThan(entry.indexOf('setSourceMapsEnabled'));
  expect(await readdir(join(app, 'dist'))).toEqual(['app.cjs', 'app.cjs.map', 'main.cjs']);
});

test('the bundle needs nothing but Node and what the Functions worker gives', async () => {
  const code = await readFile(join(app, 'dist', 'app.cjs'), 'utf8');
  const required = [...code.matchAll(/\brequire\("([^"]+)"\)/g)].map(([, name = '']) => name);
  const foreign = required.filter((name) => !builtinModules.includes(name.replace(/^node:/, '')));
  expect([...new Set(foreign)]).toEqual(['@azure/functions-core']);
});
