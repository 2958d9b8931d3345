import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/**
 * The entry of the app. Source maps must be on before the bundle is compiled, so a file of its own asks for
 * them: inside the bundle the call would come too late for the bundle itself.
 */
const ENTRY = "process.setSourceMapsEnabled(true);\nrequire('./app.cjs');\n";

/**
 * Bundles the app into one CommonJS file beside its entry; `folder` is where both go. The app carries what it has to know
 * of the host.json that it runs with.
 */
export const bundle = async (
  folder = join(ROOT, 'dist'),
  hostJson = join(ROOT, 'host.json'),
): Promise<void> => {
  await mkdir(folder, { recursive: true });
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'src/app.ts')],
    // Paths in the source map are as from here, wherever the files go: they say nothing of the machine.
    outfile: join(ROOT, 'dist', 'app.cjs'),
    write: false,
    bundle: true,
    platform: 'node',
    // Functions runs Node 22 or 24; the older of the two.
    target: 'node22',
    format: 'cjs',
    // Given by the Functions worker at run time; there is no such package.
    external: ['@azure/functions-core'],
    // debug, of the Azure SDKs, uses it where it finds it: here, where it is a package of development only. node:tty has no `level`.
    alias: { 'supports-color': 'node:tty' },
    minifySyntax: true,
    minifyWhitespace: true,
    // Not keepNames: it wraps every closure at every call, which made a parser nine times as slow. No name of a class or
    // function is relied upon: errors set their own, and the SDKs compare names only for policies of older versions.
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    plugins: [
      {
        name: 'host.json',
        setup: ({ onResolve }) => onResolve({ filter: /\/host\.json$/ }, () => ({ path: hostJson })),
      },
    ],
  });
  for (const { path, contents } of outputFiles) await writeFile(join(folder, basename(path)), contents);
  await writeFile(join(folder, 'main.cjs'), ENTRY);
};

const changedAt = (file: string): Promise<number> =>
  stat(file).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );

/** Bundles into `dist` unless what is there is newer than everything it is made of. */
export const bundleIfStale = async (): Promise<void> => {
  const sources = (await readdir(join(ROOT, 'src'), { recursive: true, withFileTypes: true })).map((entry) =>
    join(entry.parentPath, entry.name),
  );
  const made = ['host.json', 'package.json', 'package-lock.json', 'scripts/bundle.ts'].map((name) =>
    join(ROOT, name),
  );
  const newest = Math.max(...(await Promise.all([...sources, ...made].map(changedAt))));
  const oldest = Math.min(
    ...(await Promise.all(['main.cjs', 'app.cjs'].map((name) => changedAt(join(ROOT, 'dist', name))))),
  );
  if (oldest <= newest) await bundle();
};
