import { type SpawnSyncReturns, spawn } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const HERE = import.meta.dirname;
const INFRA = join(HERE, '../../../infra');

/** The functions that the pretend package has. */
const FUNCTIONS = ['deliverMail', 'health', 'holdMail', 'sendMail', 'warnExpiringSecrets'];
/** Registered in the subscription, as after years of use. */
const PROVIDERS = [
  'Microsoft.Insights',
  'Microsoft.KeyVault',
  'Microsoft.ManagedIdentity',
  'Microsoft.OperationalInsights',
  'Microsoft.Storage',
  // As Azure spells it at times.
  'microsoft.web',
];
/** Every secret of the stand-ins begins so; nothing else does. */
export const CANARY = 'cAnArY';

export type Run = Pick<SpawnSyncReturns<string>, 'status' | 'stdout' | 'stderr'> & {
  /** The calls of this run, each a tool and its arguments. */
  readonly calls: readonly (readonly string[])[];
};

/** Text in which the folder of a sandbox is ROOT, so that it holds for every sandbox. */
const ROOT = '<the folder of the sandbox>';

/** What a run was given and what it left. */
type Done = { readonly run: Run; readonly files: Files };
type Files = ReadonlyMap<string, string>;

/** Runs of this file of tests, by all that a script can see: its arguments, its environment, its input and every file. */
const done = new Map<string, Promise<Done>>();

/** The stand-ins themselves, and what they count, which no script reads. */
const NEVER_CHANGED = ['bin', 'state/calls', 'state/count'];

const translated = (run: Run, from: string, to: string): Run => ({
  status: run.status,
  stdout: run.stdout.replaceAll(from, to),
  stderr: run.stderr.replaceAll(from, to),
  calls: run.calls.map((call) => call.map((word) => word.replaceAll(from, to))),
});

/** A pretend cloud and a machine to deploy from, in a folder of its own. */
export const openSandbox = () => {
  const root = mkdtempSync(join(tmpdir(), 'relay-infra-'));
  const path = (...parts: string[]) => join(root, ...parts);
  const state = (name: string) => path('state', name);
  for (const folder of ['state', 'bin', 'home', 'tmp', 'node_modules']) mkdirSync(path(folder));
  for (const tool of ['az', 'curl', 'npm', 'node', 'begin.sh', 'records.cjs']) {
    cpSync(join(HERE, tool), path('bin', tool));
    chmodSync(path('bin', tool), 0o755);
  }
  symlinkSync(INFRA, path('infra'));
  symlinkSync(join(INFRA, '../scripts'), path('scripts'));
  writeFileSync(path('package.json'), '{\n  "name": "pretend",\n  "version": "1.2.3"\n}\n');
  const set = (name: string, text: string) => writeFileSync(state(name), text);
  set('count', '0');
  set('made', '0');
  set('lag', '0');
  set('zip-lag', '0');
  set('resources', '');
  set('settings', '');
  set('providers', `${PROVIDERS.join('\n')}\n`);
  set('functions', `${FUNCTIONS.join('\n')}\n`);

  const read = (name: string) => (existsSync(state(name)) ? readFileSync(state(name), 'utf8') : '');
  const lines = (name: string) => read(name).split('\n').filter(Boolean);

  const run = async (
    script: string,
    args: readonly string[],
    environment: Record<string, string> = {},
    input = '',
  ): Promise<Run> => {
    set('count', '0');
    const before = lines('calls').length;
    const child = spawn('bash', [join('infra', script), ...args], {
      cwd: root,
      env: {
        PATH: `${path('bin')}:/usr/bin:/bin`,
        HOME: path('home'),
        TMPDIR: path('tmp'),
        HISTFILE: path('home', '.bash_history'),
        STATE: path('state'),
        REAL_NODE: process.execPath,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
        RETRY_SECONDS: '0',
        RETRY_TIMES: '4',
        ...environment,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    // A script that stops before it reads closes its end first.
    child.stdin.on('error', () => undefined).end(input);
    const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
    const calls = lines('calls')
      .slice(before)
      .map((line) => line.split('\u001f'));
    return { status, stdout, stderr, calls };
  };

  /** Every file that a run can change, but for the calls, which no script reads. Links lead to the repository: they are not followed. */
  const filesNow = (folder = ''): Files =>
    new Map(
      readdirSync(path(folder), { withFileTypes: true })
        .sort((one, other) => (one.name < other.name ? -1 : 1))
        .flatMap((entry): [string, string][] => {
          const name = join(folder, entry.name);
          if (NEVER_CHANGED.includes(name)) return [];
          if (entry.isDirectory()) return [...filesNow(name)];
          return entry.isFile() ? [[name, readFileSync(path(name), 'utf8').replaceAll(root, ROOT)]] : [];
        }),
    );
  const becomeAs = (files: Files): void => {
    for (const name of filesNow().keys()) if (!files.has(name)) rmSync(path(name));
    for (const [name, text] of files) {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text.replaceAll(ROOT, root));
    }
  };
  /**
   * As `run`, for what a test begins with or repeats: where a run of this file of tests had the same arguments and began from the
   * same files, what it left is copied. A script sees nothing else, so it would do the same again.
   */
  const runOnce = async (
    script: string,
    args: readonly string[],
    environment: Record<string, string> = {},
    input = '',
  ): Promise<Run> => {
    const given = JSON.stringify([script, args, environment, input]).replaceAll(root, ROOT);
    const key = JSON.stringify([given, ...filesNow()]);
    const before = done.get(key);
    if (before === undefined) {
      const first = run(script, args, environment, input).then((ran) => ({ run: ran, files: filesNow() }));
      done.set(
        key,
        first.then(({ run: ran, files }) => ({ run: translated(ran, root, ROOT), files })),
      );
      return (await first).run;
    }
    const { run: ran, files } = await before;
    becomeAs(files);
    const copy = translated(ran, ROOT, root);
    const calls = copy.calls.map((call) => `${call.join('\u001f')}\n`).join('');
    writeFileSync(state('calls'), read('calls') + calls);
    return copy;
  };

  return {
    root,
    run,
    runOnce,
    set,
    read,
    lines,
    remove: (name: string) => rmSync(state(name), { force: true }),
    /** What the cloud holds, without what differs from run to run by its nature. */
    cloud: () => {
      const [, , keyId] = read('secret').trim().split('\t');
      return {
        group: read('group'),
        tags: lines('tags').sort(),
        deployments: Object.fromEntries(
          readdirSync(path('state'))
            .filter((name) => name.startsWith('deployment-'))
            .map((name) => [name, read(name)]),
        ),
        grants: read('grants'),
        settings: lines('settings').filter((line) => !line.startsWith('SECRET_WARNING_WEBHOOK')),
        resources: lines('resources').map((line) => line.split('\t').slice(0, 2).join(' ')),
        secretsAtEntra: lines('credentials').length,
        storedSecretIsOneOfThem: lines('credentials').some((line) => line.split('\t')[0] === keyId),
        borrowedRoles: read('roles'),
        code: read('code'),
        injectedSettings: read('injected'),
      };
    },
    /** Every file a run could have written, but for the pretend cloud itself. */
    filesLeft: () =>
      ['home', 'tmp', 'dist'].flatMap((folder) =>
        existsSync(path(folder))
          ? readdirSync(path(folder), { recursive: true, withFileTypes: true })
              .filter((entry) => entry.isFile())
              .map((entry) => join(entry.parentPath, entry.name))
          : [],
      ),
    close: () => rmSync(root, { recursive: true, force: true }),
  };
};

export type Sandbox = ReturnType<typeof openSandbox>;
