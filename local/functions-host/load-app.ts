import { globSync, readFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { messageOf } from '../message-of.ts';
import type { AppRegistrations } from './core-api.ts';

const CORE_MODULE = '@azure/functions-core';
const SILENT_IN_AZURE = 'Azure would start this app with 0 functions and no error.';

export class AppLoadError extends Error {
  override readonly name = 'AppLoadError';
}

export type LoadedApp = {
  /** Forgets the modules of the app, so that the next host in this process loads it afresh. */
  readonly unload: () => void;
};

const packageJson = z.looseObject({ main: z.string().min(1).optional(), type: z.string().optional() });

type ModuleInternals = { _load: (request: string, ...rest: unknown[]) => unknown };

let coreInUse: unknown;

/** Loads what `main` of package.json matches, as the Node worker does, and gives it the core API. */
export const loadApp = async (
  appFolder: string,
  core: unknown,
  registrations: AppRegistrations,
): Promise<LoadedApp> => {
  const { main, isEsm } = readPackage(appFolder);
  const matches = globSync(main, { cwd: appFolder }).sort();
  if (matches.length === 0)
    throw new AppLoadError(
      `"main": ${JSON.stringify(main)} of ${join(appFolder, 'package.json')} matches no file. ${SILENT_IN_AZURE} ` +
        'Build the app, or correct "main".',
    );

  const takeBack = provideCore(core);
  const require = createRequire(join(appFolder, 'package.json'));
  const before = new Set(Object.keys(require.cache));
  const unload = () => {
    for (const path of Object.keys(require.cache)) if (!before.has(path)) delete require.cache[path];
    takeBack();
  };
  // The library keeps the core it found first, so a copy loaded earlier would register with another host, or with none.
  for (const path of before) if (isFunctionsLibrary(path)) delete require.cache[path];

  try {
    for (const match of matches) await loadFile(appFolder, match, isEsm, require, registrations);
    if (registrations.functions.size === 0)
      throw new AppLoadError(
        `${quoteAll(matches)} was loaded but registered no function. ${SILENT_IN_AZURE} ` +
          'Call app.http, app.storageQueue or app.timer at the top level; an ESM bundle needs a real `require` for it.',
      );
    registrations.locked = true;
    return { unload };
  } catch (error) {
    unload();
    throw error;
  }
};

const readPackage = (appFolder: string): { readonly main: string; readonly isEsm: boolean } => {
  const path = join(appFolder, 'package.json');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new AppLoadError(`${path} cannot be read; the app folder must hold package.json and host.json.`, {
      cause: error,
    });
  }
  const { main, type } = packageJson.parse(JSON.parse(text));
  if (main === undefined)
    throw new AppLoadError(
      `${path} has no "main". ${SILENT_IN_AZURE} Set it to the file that registers the functions, for example "dist/main.cjs".`,
    );
  return { main, isEsm: type === 'module' };
};

const loadFile = async (
  appFolder: string,
  match: string,
  isEsm: boolean,
  require: NodeJS.Require,
  registrations: AppRegistrations,
): Promise<void> => {
  const path = join(appFolder, match);
  const extension = extname(path);
  try {
    if (extension === '.mjs' || (extension === '.js' && isEsm)) await import(pathToFileURL(path).href);
    else require(path);
  } catch (error) {
    const already = registrations.functions.size;
    throw new AppLoadError(
      `Loading ${quoteAll([match])} failed after ${already} registered functions: ${messageOf(error)}. ` +
        (already === 0
          ? `${SILENT_IN_AZURE} Register the functions first, check settings later.`
          : 'Azure would not start this app.'),
      { cause: error },
    );
  }
};

/** Like the worker: only CommonJS `require` finds the core, `import` does not. */
const provideCore = (core: unknown): (() => void) => {
  if (coreInUse !== undefined)
    throw new AppLoadError(
      'One process hosts one functions app at a time. Close the first host, or start the second in a child process.',
    );
  coreInUse = core;
  const internals = Module as unknown as ModuleInternals;
  const original = internals._load;
  internals._load = (request, ...rest) =>
    request === CORE_MODULE ? core : original.call(Module, request, ...rest);
  return () => {
    internals._load = original;
    coreInUse = undefined;
  };
};

const isFunctionsLibrary = (path: string) => /[\\/]@azure[\\/]functions[\\/]/.test(path);

const quoteAll = (matches: readonly string[]) => matches.map((match) => JSON.stringify(match)).join(', ');
