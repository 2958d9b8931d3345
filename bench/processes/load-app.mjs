/**
 * Loads one app as the Node worker does and says how many functions it registered, and the CPU spent since the start of
 * the process. JavaScript, so that a built app is not charged for the loading of TypeScript.
 */
import { createRequire, registerHooks } from 'node:module';

const CORE = '@azure/functions-core';
const CORE_URL = 'bench:functions-core';
const CORE_NAMES = [
  'version',
  'hostVersion',
  'Disposable',
  'log',
  'setProgrammingModel',
  'getProgrammingModel',
  'registerFunction',
  'registerHook',
];

class Disposable {
  dispose() {}
}

let functions = 0;
let model;
globalThis.benchFunctionsCore = {
  version: '3.13.0',
  hostVersion: '4.1037.0',
  Disposable,
  log: () => {},
  setProgrammingModel: (given) => {
    model = given;
  },
  getProgrammingModel: () => model,
  registerFunction: () => {
    functions += 1;
    return new Disposable();
  },
  registerHook: () => new Disposable(),
};

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === CORE ? { url: CORE_URL, format: 'module', shortCircuit: true } : next(specifier, context),
  load: (url, context, next) =>
    url === CORE_URL
      ? {
          format: 'module',
          shortCircuit: true,
          source: `export const { ${CORE_NAMES.join(', ')} } = globalThis.benchFunctionsCore;`,
        }
      : next(url, context),
});

const [path] = process.argv.slice(2);
if (path !== undefined) createRequire(path)(path);

const { user, system } = process.cpuUsage();
process.send({ functions, cpuMs: (user + system) / 1000 });
