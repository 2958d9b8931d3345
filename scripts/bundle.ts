import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { build, type Metafile, type OutputFile, type Plugin, transform } from 'esbuild';
import { toNotices } from './third-party-notices.ts';

const ROOT = join(import.meta.dirname, '..');
const CHUNKS = 'chunks';
const DAY_MS = 86_400_000;
// Functions runs Node 22 or 24; the older of the two.
const TARGET = { platform: 'node', target: 'node22' } as const;
/**
 * Identifiers keep their names: shorter ones load no faster and make code and source maps together larger. Not keepNames: it
 * wraps every closure at every call, which made a parser nine times as slow.
 */
const MINIFIED = { minifySyntax: true, minifyWhitespace: true, legalComments: 'none' } as const;

/** The entry of the app. The source maps are read when a stack is, because to read them takes as long as to load the app. */
const ENTRY = "require('./readable-stacks.cjs').makeStacksReadable(__dirname);\nrequire('./app.cjs');\n";

/** The app carries what it has to know of the host.json that it runs with. */
const withHostJson = (path: string): Plugin => ({
  name: 'host.json',
  setup: ({ onResolve }) => onResolve({ filter: /\/host\.json$/ }, () => ({ path })),
});

/** Storage lists blobs as Arrow only if asked to, which the relay never does, and a tenth of the code would be for that. */
const withoutArrow: Plugin = {
  name: 'apache-arrow',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^apache-arrow$/ }, ({ path }) => ({ path, namespace: 'left-out' }));
    onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `export const tableFromIPC = () => {
        throw new Error('Expected blobs to be listed as XML: ${path} is not in the bundle (scripts/bundle.ts).');
      };`,
    }));
  },
};

/** zod can describe its schemas as JSON Schema. Only `npm run docs` asks it to, and a fifth of its code is for that. */
const withoutJsonSchemas: Plugin = {
  name: 'zod-json-schema',
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /\/(?:to-json-schema|json-schema-processors)\.js$/ }, ({ path, resolveDir }) =>
      /[\\/]zod[\\/]v4[\\/]/.test(resolveDir)
        ? { path: basename(path), namespace: 'no-json-schema', pluginData: join(resolveDir, path) }
        : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'no-json-schema' }, async ({ pluginData }) => {
      const exported = /^export (?:(?:const|function) (\w+)|\{ \w+ as (\w+) \})/gm;
      const names = [...(await readFile(pluginData, 'utf8')).matchAll(exported)].map(
        ([, name, alias]) => name ?? alias,
      );
      return {
        contents: `const leftOut = () => () => {
            throw new Error('Expected no schema to be described as JSON Schema: that is not in the bundle (scripts/bundle.ts).');
          };
          export { ${names.map((name) => `leftOut as ${name}`).join(', ')} };`,
      };
    });
  },
};

/** The files of the inbox page and of the operator page are texts of the bundle: no path of the app has to be known when it runs. */
const withPages: Plugin = {
  name: 'pages',
  setup: ({ onLoad }) =>
    onLoad({ filter: /[\\/](?:inbox|ops)[\\/]page-folder\.ts$/ }, async ({ path }) => {
      const folder = join(dirname(path), 'page');
      const files = await Promise.all(
        (await readdir(folder))
          .sort()
          .map(async (name) => [name, await readFile(join(folder, name), 'utf8')]),
      );
      return {
        contents: `const page = new Map(${JSON.stringify(files)});
          export const readPage = async (name) => Buffer.from(page.get(name));`,
      };
    }),
};

/**
 * Bundles the app for CommonJS; `folder` is where it goes, and the names of the files are given back. What is imported
 * dynamically, the adapters with their SDKs, comes into files of its own: Node parses all of a file that it loads.
 */
export const bundle = async (
  folder = join(ROOT, 'dist'),
  hostJson = join(ROOT, 'host.json'),
): Promise<readonly string[]> => {
  const dist = join(ROOT, 'dist');
  const { outputFiles, metafile } = await build({
    ...TARGET,
    ...MINIFIED,
    entryPoints: [join(ROOT, 'src/app.ts'), join(ROOT, 'src/readable-stacks.ts')],
    // Paths in the source maps are as from here, wherever the files go: they say nothing of the machine.
    outdir: dist,
    absWorkingDir: ROOT,
    write: false,
    bundle: true,
    format: 'esm',
    splitting: true,
    chunkNames: `${CHUNKS}/[name]-[hash]`,
    outExtension: { '.js': '.cjs' },
    // Given by the Functions worker at run time; there is no such package.
    external: ['@azure/functions-core'],
    // debug, of the Azure SDKs, uses it where it finds it: here, where it is a package of development only. node:tty has no `level`.
    alias: { 'supports-color': 'node:tty' },
    sourcemap: 'inline',
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
    plugins: [withHostJson(hostJson), withoutArrow, withoutJsonSchemas, withPages],
  });
  const files = new Map([
    ['main.cjs', ENTRY],
    ['THIRD-PARTY-NOTICES.txt', await toNotices(ROOT, sourcesOf(metafile))],
  ]);
  for (const file of outputFiles) {
    const name = relative(dist, file.path).replaceAll('\\', '/');
    const { code, map } = await toCommonJs(file);
    files.set(name, `${code}//# sourceMappingURL=${basename(name)}.map\n`).set(`${name}.map`, map);
  }
  for (const [name, text] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await removeOldChunks(join(folder, CHUNKS), new Set([...files.keys()].map((name) => basename(name))));
  return [...files.keys()].sort();
};

/** A relay that was started from an earlier build may load its chunks yet. Their names change with their content. */
const removeOldChunks = async (folder: string, current: ReadonlySet<string>): Promise<void> => {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!current.has(name) && Date.now() - (await changedAt(path)) > DAY_MS) await rm(path, { force: true });
  }
};

/** The files of which something is in the bundle. */
const sourcesOf = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([path, { bytesInOutput }]) => (bytesInOutput > 0 ? [path] : [])),
  );

/** esbuild splits ES modules only, and what the Functions worker gives can only be had by `require`. */
const toCommonJs = ({ text, path }: OutputFile) =>
  transform(text, {
    ...TARGET,
    ...MINIFIED,
    format: 'cjs',
    sourcefile: basename(path),
    sourcemap: 'external',
    sourcesContent: false,
    supported: { 'dynamic-import': false },
  });

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
  const made = [
    'host.json',
    'package.json',
    'package-lock.json',
    'docs/openapi.json',
    'scripts/bundle.ts',
    'scripts/third-party-notices.ts',
  ].map((name) => join(ROOT, name));
  const newest = Math.max(...(await Promise.all([...sources, ...made].map(changedAt))));
  const oldest = Math.min(
    ...(await Promise.all(['main.cjs', 'app.cjs'].map((name) => changedAt(join(ROOT, 'dist', name))))),
  );
  if (oldest <= newest) await bundle();
};
