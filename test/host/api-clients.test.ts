import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { requestExamples } from '../../scripts/openapi/examples.ts';
import { expectDescribed } from '../support/api-schemas.ts';
import { endCompilers, run } from '../support/caller-examples.ts';
import { KEYS } from '../support/cloud-for-tests.ts';
import { codeBlocksOf, ROOT, readDocument } from '../support/documents.ts';
import { TOOLS_MS } from '../support/patience.ts';
import { newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay();
const folder = mkdtempSync(join(tmpdir(), 'relay-clients-'));
afterAll(async () => {
  await relay.close();
  await endCompilers(folder);
  rmSync(folder, { recursive: true, force: true });
}, TOOLS_MS);

type Options = { readonly body?: unknown; readonly headers?: Record<string, string>; readonly key?: string };

/** Makes a call, and expects its response to be as the document says. */
const call = async (
  method: string,
  path: string,
  { body, headers = {}, key = KEYS.masterKey }: Options = {},
) => {
  const isText = typeof body === 'string';
  const response = await fetch(`${relay.url()}${path}`, {
    method,
    headers: {
      ...(key === '' ? {} : { 'x-functions-key': key }),
      ...(body === undefined ? {} : { 'content-type': isText ? 'message/rfc822' : 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  const answer = {
    status: response.status,
    headers: response.headers,
    body: isJson ? JSON.parse(text) : text,
  };
  expectDescribed(method, path, answer);
  return answer;
};
const examplesOf = (name: keyof typeof requestExamples) =>
  Object.values(requestExamples[name] as Readonly<Record<string, { readonly value: unknown }>>).map(
    ({ value }) => value,
  );

const added = await call('POST', '/api/callers', {
  body: { name: 'generated', senders: ['noreply@contoso.example'] },
});
const relayKey = String(added.body.key);
const environment = { MAIL_RELAY_URL: relay.url(), MAIL_RELAY_KEY: relayKey };

describe('each example of a request gets a response that the document describes', () => {
  test.each([
    ['/api/mail', { 'x-functions-key': KEYS.functionKey }],
    ['/api/v1/mail', { 'x-api-key': relayKey }],
  ])('emails at %s', async (path, headers) => {
    const own = { headers, key: '' };
    for (const body of [...examplesOf('sendMail'), ...examplesOf('sendMailMime')]) {
      expect((await call('POST', `${path}?dryRun=true`, { ...own, body })).body.dryRun).toBe(true);
      const { status, body: sent } = await call('POST', path, { ...own, body });
      expect([status, sent.state]).toEqual([200, 'sent']);
      expect((await call('GET', `${path}/${sent.id}`, own)).body.state).toBe('sent');
    }
    for (const body of examplesOf('sendMailBatch'))
      expect((await call('POST', `${path}/batch`, { ...own, body })).status).toBe(200);
    const async = { ...own, headers: { ...headers, prefer: 'respond-async' } };
    const later = {
      to: 'chan@contoso.example',
      subject: 'Later',
      text: 'Later',
      sendAt: new Date(Date.now() + 3_600_000),
    };
    const { status, body: queued } = await call('POST', path, { ...async, body: later });
    expect([status, queued.state]).toEqual([202, 'queued']);
    expect((await call('DELETE', `${path}/${queued.id}`, own)).body.state).toBe('canceled');
    expect((await call('POST', path, { ...own, body: { to: 'chan' } })).status).toBe(400);
    expect((await call('GET', `${path}/${'0'.repeat(8)}-0000-4000-8000-000000000000`, own)).status).toBe(404);
  });

  test('for operators', async () => {
    const later = {
      to: 'chan@contoso.example',
      subject: 'Later',
      text: 'Later',
      sendAt: new Date(Date.now() + 3_600_000),
    };
    for (const body of examplesOf('closeMail')) {
      const { body: queued } = await call('POST', '/api/mail', { key: KEYS.functionKey, body: later });
      expect((await call('POST', `/api/mail/${queued.id}/close`, { body })).body.state).toBe('closed');
      expect((await call('POST', `/api/mail/${queued.id}/close`, { body })).status).toBe(409);
      expect((await call('GET', `/api/mail?id=${queued.id}`)).body.note).toBe(
        (body as { note: string }).note,
      );
      expect(
        (await call('POST', `/api/mail/${queued.id}/close`, { body: { note: 'x'.repeat(501) } })).status,
      ).toBe(400);
    }
    for (const body of examplesOf('searchMail'))
      expect((await call('POST', '/api/mail/search', { body })).status).toBe(200);
    expect((await call('GET', '/api/mail?state=sent&limit=2')).body.mails).toHaveLength(2);
    for (const body of examplesOf('testMail'))
      expect((await call('POST', '/api/mail/test', { body })).body.state).toBe('sent');
    for (const path of ['/api/doctor', '/api/health', '/api/health/details', '/api/metrics'])
      expect((await call('GET', path)).status).toBe(200);
  });

  test('for callers', async () => {
    for (const body of examplesOf('addCaller'))
      expect((await call('POST', '/api/callers', { body })).status).toBe(201);
    for (const body of examplesOf('changeCaller'))
      expect((await call('PATCH', '/api/callers/payroll', { body })).status).toBe(200);
    const { body: made } = await call('POST', '/api/callers/payroll/keys');
    expect((await call('POST', '/api/callers/payroll/keys')).status).toBe(409);
    expect((await call('DELETE', `/api/callers/payroll/keys/${made.id}`)).status).toBe(200);
    expect((await call('GET', '/api/callers/payroll')).body.name).toBe('payroll');
    expect((await call('GET', '/api/callers')).body.callers.length).toBeGreaterThan(2);
    expect((await call('GET', '/api/audit')).body.entries.length).toBeGreaterThan(3);
    expect((await call('DELETE', '/api/callers/payroll')).body.removed).toBe(true);
    expect((await call('GET', '/api/callers/payroll')).status).toBe(404);
    const own = await call('GET', '/api/v1/caller', { headers: { 'x-api-key': relayKey }, key: '' });
    expect(own.body.name).toBe('generated');
  });
});

test('the document and its page need no key, and are not sent again to who has them', async () => {
  for (const [path, type] of [
    ['/api/openapi.json', 'application/json'],
    ['/api/docs', 'text/html; charset=utf-8'],
  ] as const) {
    const first = await fetch(`${relay.url()}${path}`);
    expect([first.status, first.headers.get('content-type')]).toEqual([200, type]);
    expect(await first.text()).not.toContain(KEYS.masterKey);
    const again = await fetch(`${relay.url()}${path}`, {
      headers: { 'if-none-match': first.headers.get('etag') ?? '' },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);
  }
});

const SUBJECT = '薪資單 2026-11';
/** The program of the page, with a subject by which its email is found. */
const programOf = (language: string, marker: string): string => {
  const { text = '' } =
    codeBlocksOf(readDocument('docs/callers/generated-client.md')).find(
      (block) => block.language === language && block.text.includes('example: generated'),
    ) ?? {};
  expect(text).toContain(SUBJECT);
  return text.replace(SUBJECT, `${SUBJECT} ${marker}`);
};
const expectArrived = async (marker: string, output: string) => {
  await relay.arrives(marker);
  const id = /^sent: (\S+)$/im.exec(output)?.[1];
  expect(await relay.show(id ?? output)).toMatchObject({ body: { id, state: 'sent', caller: 'generated' } });
};

test('the client for TypeScript that the page makes compiles, and sends an email', {
  timeout: TOOLS_MS,
}, async () => {
  const marker = newMarker();
  const program = programOf('ts', marker);
  const home = join(folder, 'typescript');
  mkdirSync(home);
  symlinkSync(join(ROOT, 'node_modules'), join(home, 'node_modules'));
  // Before the generator is loaded: that takes so long that the connections of this process are closed meanwhile.
  const served = await (await fetch(`${relay.url()}/api/openapi.json`)).text();
  // The generator wants the compiler API of TypeScript 5.
  const hooks = registerHooks({
    resolve: (name, context, next) => next(name === 'typescript' ? 'typescript-5' : name, context),
  });
  const { default: openapiTS, astToString } = await import('openapi-typescript');
  hooks.deregister();
  writeFileSync(join(home, 'relay.d.ts'), astToString(await openapiTS(served)));
  writeFileSync(join(home, 'package.json'), '{"type":"module"}');
  writeFileSync(join(home, 'send.ts'), program);
  const options = [
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2024',
    '--types',
    'node',
    '--allowImportingTsExtensions',
  ];
  const tsc = (file: string) =>
    run([process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), ...options, file], {
      folder: home,
    });
  const compiled = await tsc('send.ts');
  expect(compiled, compiled.output).toMatchObject({ status: 0 });
  writeFileSync(join(home, 'wrong.ts'), program.replace('subject:', 'subjct:'));
  expect((await tsc('wrong.ts')).output).toContain('subjct');
  const sent = await run([process.execPath, 'send.ts'], { folder: home, environment });
  expect(sent, sent.output).toMatchObject({ status: 0 });
  await expectArrived(marker, sent.output);
});

const KIOTA = 'Microsoft.OpenApi.Kiota@1.38.0';
const hasDotnet =
  Number.parseInt(spawnSync('dotnet', ['--version'], { encoding: 'utf8' }).stdout ?? '0', 10) >= 10;

test.skipIf(!hasDotnet)(
  `the client for C# that the page makes compiles, and sends an email${hasDotnet ? '' : ' (skipped: .NET 10 is not installed)'}`,
  { timeout: TOOLS_MS },
  async ({ skip }) => {
    const marker = newMarker();
    const home = join(folder, 'csharp');
    mkdirSync(home);
    // The packages of this machine, so that what was downloaded once is not downloaded again.
    const dotnet = (...args: readonly string[]) =>
      run(['dotnet', ...args], {
        folder: home,
        environment: { ...environment, HOME: process.env.HOME ?? home, KIOTA_OFFLINE_ENABLED: 'true' },
      });
    writeFileSync(join(home, 'openapi.json'), await (await fetch(`${relay.url()}/api/openapi.json`)).text());
    const page = readDocument('docs/callers/generated-client.md').text;
    const command = /^kiota (generate[\s\S]*?)\n```/m.exec(page)?.[1]?.replaceAll('\\\n', ' ') ?? '';
    const args = command
      .split(/\s+/)
      .map((one) => one.replace('"$MAIL_RELAY_URL/api/openapi.json"', 'openapi.json').replaceAll("'", ''));
    const made = await dotnet('tool', 'exec', '--yes', KIOTA, '--', ...args, '--log-level', 'error');
    if (/NU1101|NU1301|could not be found|Unable to load the service index/i.test(made.output))
      skip(`${KIOTA} cannot be downloaded`);
    expect(made, made.output).toMatchObject({ status: 0 });
    writeFileSync(
      join(home, 'send.csproj'),
      `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework>
<Nullable>enable</Nullable><ImplicitUsings>enable</ImplicitUsings><NuGetAudit>false</NuGetAudit></PropertyGroup><ItemGroup>
<PackageReference Include="Microsoft.Kiota.Http.HttpClientLibrary" Version="2.1.6" />
<PackageReference Include="Microsoft.Kiota.Serialization.Json" Version="2.1.6" /></ItemGroup></Project>`,
    );
    writeFileSync(join(home, 'Program.cs'), programOf('csharp', marker));
    const sent = await dotnet('run');
    expect(sent, sent.output).toMatchObject({ status: 0 });
    await expectArrived(marker, sent.output);
  },
);
