import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import Module from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import release from '../fixtures/last-release/release.json' with { type: 'json' };

const KEPT = join(import.meta.dirname, '../fixtures/last-release');

/** Which release is kept, and from which commit it was built. */
export const lastRelease: { readonly version: string; readonly commit: string } = release;

const unpack = (name: string): string => brotliDecompressSync(readFileSync(join(KEPT, name))).toString();

/** What the release deploys: the text of each file by its path. */
export const readLastRelease = (): Readonly<Record<string, string>> => JSON.parse(unpack('app.json.br'));

/** Its rules, with the types of now: what does not fit fails when a test calls it. */
export type Rules = typeof import('./rules-of-release.ts');

export const loadLastRules = (): Rules => {
  const path = join(KEPT, 'rules.cjs');
  const loaded = new Module(path) as Module & { _compile: (code: string, path: string) => void };
  loaded.filename = path;
  loaded.paths = (Module as unknown as { _nodeModulePaths: (from: string) => string[] })._nodeModulePaths(KEPT);
  loaded._compile(unpack('rules.cjs.br'), path);
  return loaded.exports as Rules;
};

/**
 * Puts the app of the last release into a folder. As in `makeAppFolder`, the queue is looked at more often, and functions can end sooner:
 * the app has that in its own copy of host.json too.
 */
export const makeLastReleaseFolder = async (
  app: string,
  { functionTimeout }: { readonly functionTimeout?: string } = {},
): Promise<string> => {
  const files = new Map(Object.entries(readLastRelease()));
  const hostJson = JSON.parse(files.get('host.json') ?? '');
  const inApp = JSON.stringify(hostJson.functionTimeout);
  Object.assign(hostJson.extensions.queues, {
    maxPollingInterval: '00:00:00.2',
    visibilityTimeout: '00:00:00',
  });
  if (functionTimeout !== undefined) {
    hostJson.functionTimeout = functionTimeout;
    const [before, ...after] = (files.get('dist/app.cjs') ?? '').split(`functionTimeout:${inApp}`);
    if (after.length !== 1) throw new Error('Expected one functionTimeout in the app of the last release.');
    files.set('dist/app.cjs', [before, ...after].join(`functionTimeout:${JSON.stringify(functionTimeout)}`));
  }
  files.set('host.json', JSON.stringify(hostJson));
  for (const [path, text] of files) {
    await mkdir(dirname(join(app, path)), { recursive: true });
    await writeFile(join(app, path), text);
  }
  return app;
};
