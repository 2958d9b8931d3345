// Keeps the app of a release for the tests that run it beside the code of now:
//   node scripts/keep-release.ts TAG|COMMIT

import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';

/** In each of the files, so that a test sees whether they belong together. */
type Release = { readonly version: string; readonly commit: string; readonly committedOn: string };

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');
const KEPT = join(ROOT, 'test/fixtures/last-release');
const RULES = 'test/support/rules-of-release.ts';

/** They say where code is from, and a release runs without them. */
const isNeededToRun = (path: string): boolean =>
  !path.endsWith('.map') && !path.endsWith('THIRD-PARTY-NOTICES.txt');

const compress = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  const { BROTLI_PARAM_LGWIN, BROTLI_PARAM_SIZE_HINT, BROTLI_MAX_WINDOW_BITS } = constants;
  return brotliCompressSync(bytes, {
    params: { [BROTLI_PARAM_LGWIN]: BROTLI_MAX_WINDOW_BITS, [BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
};

/** The text of each file that is deployed, by its path. */
const readPackage = async (folder: string): Promise<Readonly<Record<string, string>>> => {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .filter(isNeededToRun)
    .sort();
  const files = await Promise.all(
    paths.map(async (path) => [path, await readFile(join(folder, path), 'utf8')]),
  );
  return Object.fromEntries(files);
};

/** Its rules as one CommonJS file; SDKs stay outside, as tests have them. */
const bundleRules = async (source: string, release: Release): Promise<string> => {
  await copyFile(join(ROOT, RULES), join(source, RULES));
  const { outputFiles } = await build({
    entryPoints: [join(source, RULES)],
    absWorkingDir: source,
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node22',
    format: 'cjs',
    external: ['@azure/*'],
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    footer: { js: `module.exports.release = ${JSON.stringify(release)};` },
    logLevel: 'warning',
  });
  return outputFiles[0]?.text ?? '';
};

const keepRelease = async (ref: string): Promise<void> => {
  const { stdout } = await run('git', ['log', '-1', '--format=%H %cs', `${ref}^{commit}`, '--'], {
    cwd: ROOT,
  });
  const [commit = '', committedOn = ''] = stdout.trim().split(' ');
  const folder = await mkdtemp(join(tmpdir(), 'release-'));
  try {
    const [archive, source] = [join(folder, 'source.tar'), join(folder, 'source')];
    await run('git', ['archive', '--format=tar', '--prefix=source/', '-o', archive, commit], { cwd: ROOT });
    await run('tar', ['-xf', archive, '-C', folder]);
    const shell = process.platform === 'win32';
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: source, shell });
    await run(process.execPath, ['scripts/package.ts'], { cwd: source });
    const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8'));
    const release = { version, commit, committedOn };
    const app = { release, files: await readPackage(join(source, 'dist/package')) };
    const files = {
      'app.json.br': compress(JSON.stringify(app)),
      'rules.cjs.br': compress(await bundleRules(source, release)),
      'release.json': `${JSON.stringify(release, null, 2)}\n`,
    };
    for (const [name, content] of Object.entries(files)) await writeFile(join(KEPT, name), content);
    const bytes = files['app.json.br'].length + files['rules.cjs.br'].length;
    console.log(
      `Kept ${version} (${commit.slice(0, 7)} of ${committedOn}) in ${relative(ROOT, KEPT)}, ${bytes} bytes.`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const [ref, ...more] = process.argv.slice(2);
if (ref === undefined || ref.startsWith('-') || more.length > 0) {
  console.error(
    `Usage: npm run keep:release -- TAG|COMMIT\nExpected the tag or commit of the last release, such as v0.1.0, received ${process.argv.slice(2).join(' ') || 'nothing'}.`,
  );
  process.exitCode = 2;
} else {
  await keepRelease(ref);
}
