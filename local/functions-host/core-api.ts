import type {
  FunctionCallback,
  FunctionMetadata,
  LogCategory,
  LogLevel,
  ProgrammingModel,
} from './core-types.ts';

export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log';
export type HookCallback = (context: object) => unknown;

export type RegisteredFunction = { readonly metadata: FunctionMetadata; readonly callback: FunctionCallback };

/** What an app told the core while it was loaded. */
export type AppRegistrations = {
  readonly functions: Map<string, RegisteredFunction>;
  readonly hooks: Record<HookName, HookCallback[]>;
  programmingModel: ProgrammingModel | undefined;
  /** Set once loading has ended; the worker refuses functions after that. */
  locked: boolean;
};

const HOOK_NAMES: readonly HookName[] = [
  'appStart',
  'appTerminate',
  'preInvocation',
  'postInvocation',
  'log',
];
// Told to the app, which may print them; of the generation whose behaviour this host follows.
const WORKER_VERSION = '3.13.0';
const HOST_VERSION = '4.1037.0';

class Disposable {
  static from(...disposables: readonly { dispose(): unknown }[]): Disposable {
    return new Disposable(() => {
      for (const one of disposables) one.dispose();
    });
  }

  #callOnDispose: (() => unknown) | undefined;

  constructor(callOnDispose: () => unknown) {
    this.#callOnDispose = callOnDispose;
  }

  dispose(): unknown {
    const call = this.#callOnDispose;
    this.#callOnDispose = undefined;
    return call?.();
  }
}

/** Of an app that is not loaded yet. */
export const createRegistrations = (): AppRegistrations => ({
  functions: new Map(),
  hooks: { appStart: [], appTerminate: [], preInvocation: [], postInvocation: [], log: [] },
  programmingModel: undefined,
  locked: false,
});

/** The object an app gets for `require('@azure/functions-core')`. */
export const createCoreApi = (
  registrations: AppRegistrations,
  log: (level: LogLevel, category: LogCategory, message: string) => void,
) => {
  const { functions, hooks } = registrations;
  return {
    version: WORKER_VERSION,
    hostVersion: HOST_VERSION,
    Disposable,
    log,
    setProgrammingModel: (model: ProgrammingModel): void => {
      registrations.programmingModel = model;
    },
    getProgrammingModel: () => registrations.programmingModel,
    registerFunction: (metadata: FunctionMetadata, callback: FunctionCallback): Disposable => {
      const { name } = metadata;
      if (registrations.locked) throw new Error('A function can only be registered during app startup.');
      if (typeof callback !== 'function')
        throw new Error(`The function "${name}" was registered without a handler.`);
      // Names are compared without case by the host, which builds routes and settings from them.
      const key = name.toLowerCase();
      if (functions.has(key)) throw new Error(`A function with the name "${name}" is already registered.`);
      // Bindings travel to the host as JSON in Azure, so what JSON drops is dropped here too.
      functions.set(key, {
        metadata: { name, bindings: JSON.parse(JSON.stringify(metadata.bindings)) },
        callback,
      });
      return new Disposable(() => {
        if (registrations.locked) throw new Error('A function can only be disposed during app startup.');
        functions.delete(key);
      });
    },
    registerHook: (name: string, callback: HookCallback): Disposable => {
      const known = HOOK_NAMES.find((hookName) => hookName === name);
      if (!known) throw new RangeError(`Unrecognized hook "${name}". Known hooks: ${HOOK_NAMES.join(', ')}.`);
      hooks[known].push(callback);
      return new Disposable(() => {
        hooks[known] = hooks[known].filter((other) => other !== callback);
      });
    },
  };
};
