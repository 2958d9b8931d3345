import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import Module from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { AppError } from '../../src/lib/errors.ts';
import release from '../fixtures/last-release/release.json' with { type: 'json' };

const KEPT = join(import.meta.dirname, '../fixtures/last-release');

/** Which release is kept, and from which commit it was built. */
export const lastRelease = release;

const unpack = (name: string): string => brotliDecompressSync(readFileSync(join(KEPT, name))).toString();

/** What the release deploys: the text of each file by its path, and of which release it is. */
export const readLastRelease = (): {
  readonly release: unknown;
  readonly files: Readonly<Record<string, string>>;
} => JSON.parse(unpack('app.json.br'));

/** Its rules, with the types of now: what does not fit fails when a test calls it. */
export type Rules = typeof import('./rules-of-release.ts');

export const loadLastRules = (): Rules & { readonly release?: unknown } => {
  const path = join(KEPT, 'rules.cjs');
  const loaded = new Module(path) as Module & { _compile: (code: string, path: string) => void };
  loaded.filename = path;
  loaded.paths = (Module as unknown as { _nodeModulePaths: (from: string) => string[] })._nodeModulePaths(
    KEPT,
  );
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
  const files = new Map(Object.entries(readLastRelease().files));
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

type Call = (...given: readonly unknown[]) => unknown;
type Translate = (failure: unknown) => unknown;

/** The same call, whose failures are of another class; also those of what it gives later. */
const failingAs =
  (call: Call, translate: Translate): Call =>
  (...given) => {
    try {
      const gives = call(...given);
      if (gives instanceof Promise)
        return gives.catch((failure: unknown) => {
          throw translate(failure);
        });
      return isIterable(gives) ? iterateAs(gives, translate) : gives;
    } catch (failure) {
      throw translate(failure);
    }
  };

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

async function* iterateAs(values: AsyncIterable<unknown>, translate: Translate): AsyncIterable<unknown> {
  try {
    yield* values;
  } catch (failure) {
    throw translate(failure);
  }
}

/** Ports within ports, all of whose failures are of another class. */
const portsFailingAs = (value: unknown, translate: Translate): unknown => {
  if (typeof value === 'function') return failingAs(value as Call, translate);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, portsFailingAs(one, translate)]),
  );
};

/** 0.1.0 paces each instance by itself, without ports. */
type LonelyPacer = (limits: unknown) => ReturnType<Rules['makePacer']>;

/** A release's rules for the ports and tests of now: it knows failures by a class of its own. */
export const asRulesOfNow = (rules: Rules): Rules => {
  const toTheirs: Translate = (failure) =>
    failure instanceof AppError ? new rules.AppError(failure.code, failure.facts) : failure;
  const toOurs: Translate = (failure) =>
    failure instanceof rules.AppError ? new AppError(failure.code, failure.facts) : failure;
  const adapted = Object.entries(rules).map(([name, rule]) => [
    name,
    name === 'AppError'
      ? rule
      : (needs: unknown, ...more: readonly unknown[]) =>
          failingAs(rule as Call, toOurs)(portsFailingAs(needs, toTheirs), ...more),
  ]);
  const makePacer: Rules['makePacer'] = (_ports, limits) =>
    (rules.makePacer as unknown as LonelyPacer)(limits);
  return { ...(Object.fromEntries(adapted) as Rules), makePacer };
};
