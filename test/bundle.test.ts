import fs from 'node:fs';
import { access, mkdtemp, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { builtinModules, createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { createCoreApi, createRegistrations } from '../local/functions-host/core-api.ts';
import { readFunction } from '../local/functions-host/function-info.ts';
import { loadApp } from '../local/functions-host/load-app.ts';
import { makeAppFolder } from './support/cloud-for-tests.ts';

// Far from node_modules, so that what the bundle does not carry is not found.
const folder = await realpath(await mkdtemp(join(tmpdir(), 'mail-relay-bundle-')));
const app = await makeAppFolder(folder);
const dist = join(app, 'dist');
afterAll(() => rm(folder, { recursive: true }));

const require = createRequire(import.meta.url);

/** The queues that functions of the bundle read, by their names, with this setting. */
const queuesWith = async (callerQueues: string): Promise<Readonly<Record<string, string>>> => {
  vi.stubEnv('MAIL_CALLER_QUEUES', callerQueues);
  const { registrations, unload } = await loadSilently();
  unload();
  vi.unstubAllEnvs();
  return Object.fromEntries(
    [...registrations.functions.values()].flatMap((one) => {
      const { name, trigger } = readFunction(one, false);
      return trigger.type === 'queue' ? [[name, trigger.queueName]] : [];
    }),
  );
};

const loadSilently = async () => {
  const registrations = createRegistrations();
  const { unload } = await loadApp(
    app,
    createCoreApi(registrations, () => {}),
    registrations,
  );
  return { registrations, unload };
};

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
    route: `api/${route}`,
    authLevel,
  });
  const queue = (queueName: string) => ({ type: 'queue', queueName, connection: 'AzureWebJobsStorage' });
  const timer = (schedule: string) =>
    expect.objectContaining({ type: 'timer', schedule, runOnStartup: false });
  expect(Object.fromEntries(functions)).toEqual({
    sendMail: http('POST', 'mail', 'function'),
    sendMailBatch: http('POST', 'mail/batch', 'function'),
    mailStatus: http('GET', 'mail/{id}', 'function'),
    cancelMail: http('DELETE', 'mail/{id}', 'function'),
    sendMailV1: http('POST', 'v1/mail', 'anonymous'),
    sendMailBatchV1: http('POST', 'v1/mail/batch', 'anonymous'),
    mailStatusV1: http('GET', 'v1/mail/{id}', 'anonymous'),
    cancelMailV1: http('DELETE', 'v1/mail/{id}', 'anonymous'),
    ownCallerV1: http('GET', 'v1/caller', 'anonymous'),
    health: http('GET', 'health', 'anonymous'),
    openApi: http('GET', 'openapi.json', 'anonymous'),
    apiDocs: http('GET', 'docs', 'anonymous'),
    listMail: http('GET', 'mail', 'admin'),
    searchMail: http('POST', 'mail/search', 'admin'),
    replayMail: http('POST', 'mail/{id}/replay', 'admin'),
    doctor: http('GET', 'doctor', 'admin'),
    metrics: http('GET', 'metrics', 'admin'),
    testMail: http('POST', 'mail/test', 'admin'),
    healthDetails: http('GET', 'health/details', 'admin'),
    closeMail: http('POST', 'mail/{id}/close', 'admin'),
    forgetMail: http('POST', 'mail/{id}/forget', 'admin'),
    listCallers: http('GET', 'callers', 'admin'),
    addCaller: http('POST', 'callers', 'admin'),
    showCaller: http('GET', 'callers/{name}', 'admin'),
    changeCaller: http('PATCH', 'callers/{name}', 'admin'),
    removeCaller: http('DELETE', 'callers/{name}', 'admin'),
    makeCallerKey: http('POST', 'callers/{name}/keys', 'admin'),
    revokeCallerKey: http('DELETE', 'callers/{name}/keys/{id}', 'admin'),
    listAudit: http('GET', 'audit', 'admin'),
    inboxApi: {
      ...http('GET', 'inbox/api/{*path}', 'admin'),
      methods: ['GET', 'DELETE', 'POST', 'PUT'],
    },
    inboxView: http('GET', 'inbox/view/{name}', 'admin'),
    inboxPage: http('GET', 'inbox/{file?}', 'anonymous'),
    operatorPage: { ...http('GET', 'ops/{*path}', 'anonymous'), methods: ['GET', 'POST'] },
    deliverMail: queue('mail'),
    holdMail: queue('mail-poison'),
    warnExpiringSecrets: timer('0 0 7 * * *'),
    deliverWebhook: queue('webhook-events'),
    checkSecrets: queue('vault-events'),
    rotateSecrets: timer('0 0 8 * * *'),
    sweepMail: timer('0 17 * * * *'),
    sampleRelay: timer('40 */5 * * * *'),
  });
  expect(registrations.programmingModel?.name).toBe('@azure/functions');
  // Without it the host hands over bodies without Content-Length as empty.
  expect(said).toEqual(['HTTP streaming enabled.']);
  // What is missing is told at start, and keeps no function from being there.
  expect(told).toEqual([
    { event: 'SettingsInvalid', settings: expect.arrayContaining(['ENTRA_TENANT_ID', 'KEY_VAULT_URL']) },
  ]);
});

test('each caller with a queue has a pair of functions for it', async () => {
  expect(await queuesWith('payroll, erp-test')).toEqual({
    deliverWebhook: 'webhook-events',
    checkSecrets: 'vault-events',
    deliverMail: 'mail',
    holdMail: 'mail-poison',
    deliverMail_payroll: 'mail-payroll',
    holdMail_payroll: 'mail-payroll-poison',
    deliverMail_erp_test: 'mail-erp-test',
    holdMail_erp_test: 'mail-erp-test-poison',
  });
});

test('a caller that can have no queue keeps no function from being there', async () => {
  const usual = {
    deliverWebhook: 'webhook-events',
    checkSecrets: 'vault-events',
    deliverMail: 'mail',
    holdMail: 'mail-poison',
  };
  expect(await queuesWith('Pay roll!, events, poison, ,,')).toEqual(usual);
  expect(await queuesWith('poison, payroll, payroll')).toEqual({
    ...usual,
    deliverMail_payroll: 'mail-payroll',
    holdMail_payroll: 'mail-payroll-poison',
  });
});

test('each provider in MAIL_FACADES has its functions, and no other has one', async () => {
  const routesWith = async (facades: string) => {
    vi.stubEnv('MAIL_FACADES', facades);
    const { registrations, unload } = await loadSilently();
    unload();
    vi.unstubAllEnvs();
    return [...registrations.functions.values()].flatMap((one) => {
      const { name, trigger } = readFunction(one, false);
      return trigger.type === 'http' && trigger.route.endsWith('{*path}') && !/inbox|ops/.test(trigger.route)
        ? [`${name} ${trigger.route} ${trigger.authLevel}`]
        : [];
    });
  };
  expect(await routesWith('')).toEqual([]);
  expect(await routesWith('SendGrid, mailgun, resend')).toEqual([
    'sendgrid api/sendgrid/{*path} anonymous',
    'sendgridAtRoot v3/{*path} anonymous',
    'resend api/resend/{*path} anonymous',
    'resendAtRoot emails/{*path} anonymous',
  ]);
  expect(await routesWith('postmark')).toEqual([
    'postmark api/postmark/{*path} anonymous',
    'postmarkAtRoot email/{*path} anonymous',
  ]);
});

/** The files that the bundle has code of, by the file of the bundle, as its source maps list them. */
const sources = new Map(
  await Promise.all(
    (await readdir(dist, { recursive: true }))
      .filter((name) => name.endsWith('.cjs.map'))
      .map(async (name) => {
        const { sources } = JSON.parse(await readFile(join(dist, name), 'utf8'));
        return [name.slice(0, -'.map'.length), sources as readonly string[]] as const;
      }),
  ),
);

/** Some packages were bundled themselves before they were published. */
const PACKAGE = /(?:^webpack:\/\/|.*node_modules\/)((?:@[^/]+\/)?[^/]+)/;
const packagesOf = (files: Iterable<string>): readonly string[] =>
  [...new Set([...files].flatMap((file) => sources.get(file) ?? []).map((path) => PACKAGE.exec(path)?.[1]))]
    .filter((name) => name !== undefined)
    .sort();

test('to register, the app loads no SDK, and a third of its code at most', async () => {
  const before = new Set(Object.keys(require.cache));
  const { unload } = await loadSilently();
  const loaded = Object.keys(require.cache)
    .filter((path) => !before.has(path) && path.startsWith(dist))
    .map((path) => relative(dist, path));
  unload();

  expect(loaded).toContain('app.cjs');
  expect(packagesOf(loaded)).toContain('zod');
  expect(
    packagesOf(loaded).filter((name) => /^@azure\/(?!functions)|^@microsoft\/|msal|^jose$/.test(name)),
  ).toEqual([]);
  expect(packagesOf(sources.keys())).toEqual(
    expect.arrayContaining(['@azure/data-tables', '@azure/identity', '@azure/storage-blob', 'jose']),
  );
  const bytes = async (files: Iterable<string>) =>
    (await Promise.all([...files].map((file) => stat(join(dist, file))))).reduce(
      (sum, { size }) => sum + size,
      0,
    );
  expect((await bytes(loaded)) / (await bytes(sources.keys()))).toBeLessThan(1 / 3);
});

test('once it has registered, the app loads what the first email needs, and neither queues nor blobs nor what composes MIME', async () => {
  const { registrations, unload } = await loadSilently();
  const console = vi.spyOn(globalThis.console, 'error').mockImplementation(() => {});
  for (const start of registrations.hooks.appStart) await start({});
  console.mockRestore();
  const loaded = () =>
    packagesOf(
      Object.keys(require.cache)
        .filter((path) => path.startsWith(dist))
        .map((path) => relative(dist, path)),
    );
  await expect
    .poll(loaded)
    .toEqual(
      expect.arrayContaining([
        '@azure/data-tables',
        '@azure/identity',
        '@azure/keyvault-secrets',
        '@microsoft/microsoft-graph-client',
      ]),
    );
  expect(loaded().filter((name) => name.startsWith('@azure/storage-') || name === 'nodemailer')).toEqual([]);
  expect(packagesOf(sources.keys())).toContain('nodemailer');
  unload();
});

test('the bundle has the document of the API in a file of its own, and nothing that makes schemas of JSON', () => {
  const all = [...sources.entries()];
  expect(
    all
      .flatMap(([, paths]) => paths)
      .filter((path) => /[\\/](?:openapi[\\/]|zod[\\/].*json-schema)/.test(path)),
  ).toEqual([]);
  const withDocument = all.filter(([, paths]) => paths.some((path) => path.endsWith('docs/openapi.json')));
  expect(withDocument).toHaveLength(1);
  expect(withDocument[0]?.[0]).toMatch(/^chunks[\\/]/);
});

test('of the languages of zod the bundle has English, and nothing of apache-arrow', () => {
  const all = [...sources.values()].flat();
  expect(all.filter((path) => path.includes('/zod/v4/locales/')).map((path) => basename(path))).toEqual([
    'en.js',
  ]);
  expect(packagesOf(sources.keys())).not.toContain('apache-arrow');
});

test('a stack shows the source, and no source map is read before there is a stack', async () => {
  const read = vi.spyOn(fs, 'readFileSync');
  const mapsRead = () =>
    read.mock.calls.map(([path]) => String(path)).filter((path) => path.endsWith('.map'));
  const { registrations, unload } = await loadSilently();
  expect(mapsRead()).toEqual([]);
  const deliverMail = [...registrations.functions.values()].find(
    ({ metadata }) => metadata.name === 'deliverMail',
  );
  const failed = await Promise.resolve()
    .then(() => deliverMail?.callback({}, {}))
    .catch((error: unknown) => error);
  expect((failed as Error).stack).toMatch(/src[\\/]lib[\\/]settings[\\/]settings\.ts:\d+:\d+\)?\n/);
  expect(mapsRead()).toEqual([join(dist, 'app.cjs.map')]);
  read.mockRestore();
  unload();
});

test('main of package.json is the entry of the bundle, which makes stacks readable first', async () => {
  const { main } = JSON.parse(await readFile(join(app, 'package.json'), 'utf8'));
  const entry = await readFile(join(app, main), 'utf8');
  expect(entry.indexOf('makeStacksReadable(__dirname)')).toBeGreaterThanOrEqual(0);
  expect(entry.indexOf("require('./app.cjs')")).toBeGreaterThan(entry.indexOf('makeStacksReadable'));
  expect(await readdir(dist)).toEqual([
    'THIRD-PARTY-NOTICES.txt',
    'app.cjs',
    'app.cjs.map',
    'chunks',
    'main.cjs',
    'readable-stacks.cjs',
    'readable-stacks.cjs.map',
  ]);
});

test('the bundle needs nothing but Node, itself and what the Functions worker gives', async () => {
  const foreign = new Set<string>();
  for (const file of ['main.cjs', ...sources.keys()]) {
    const code = await readFile(join(dist, file), 'utf8');
    for (const [, name = ''] of code.matchAll(/\b(?:require|import)\(["']([^"']+)["']\)/g)) {
      if (name.startsWith('.')) await access(join(dist, dirname(file), name));
      else if (!builtinModules.includes(name.replace(/^node:/, ''))) foreign.add(name);
    }
  }
  // kerberos is asked for by a proxy that negotiates, and is optional there.
  expect([...foreign].sort()).toEqual(['@azure/functions-core', 'kerberos']);
});

test('the licence of every package in the bundle is part of it', async () => {
  const notices = (await readFile(join(dist, 'THIRD-PARTY-NOTICES.txt'), 'utf8')).split(/^-{80}\n/m).slice(1);
  const names = notices.map(
    (notice) =>
      /^(\S+) \d+\.\d+\.\d+\S* \((MIT|MIT-0|MPL-2\.0|ISC|0BSD|BSD-\d-Clause|Apache-2\.0)\)\n/.exec(
        notice,
      )?.[1],
  );
  expect(names.length).toBeGreaterThan(40);
  expect(names).toEqual(expect.arrayContaining([...packagesOf(sources.keys())]));
  for (const notice of notices)
    expect(notice).toMatch(
      /Permission (is hereby granted|to use)|Redistribution and use|Apache License|Mozilla Public License/,
    );
});
