import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { HostProcessMessage } from './functions-host/main.ts';

export type HostProcessOptions = {
  readonly appFolder: string;
  readonly port: number;
  readonly functionKey: string;
  readonly masterKey: string;
  /** The app's environment: settings and where its cloud is. */
  readonly environment: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
};

export type HostProcess = {
  readonly url: string;
  readonly functions: readonly string[];
  readonly process: ChildProcess;
  /** Resolves with the exit code when the process ends, whoever ended it. */
  readonly ended: Promise<number | null>;
  /** Lets running invocations end, then stops. */
  readonly stop: () => Promise<void>;
  /** Ends it as a power failure would. */
  readonly kill: () => Promise<void>;
};

const PROXY = ['HTTPS_PROXY', 'ALL_PROXY', 'HTTP_PROXY', 'NO_PROXY'];
/** What of our own environment a child needs to run at all; the rest would leak into the app's settings. */
const INHERITED = [
  ...['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'LANG'],
  // Where Node keeps what it has compiled: a host that is started again and again starts in half the time.
  'NODE_COMPILE_CACHE',
  ...PROXY.flatMap((name) => [name, name.toLowerCase()]),
];

/** Starts the functions host as a process of its own. Rejects with what the host says when it cannot start. */
export const startHostProcess = async (options: HostProcessOptions): Promise<HostProcess> => {
  const inherited = Object.fromEntries(
    INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  const child = fork(join(import.meta.dirname, 'functions-host', 'main.ts'), {
    env: {
      ...inherited,
      ...options.environment,
      APP_FOLDER: options.appFolder,
      FUNCTIONS_PORT: String(options.port),
      FUNCTIONS_KEY: options.functionKey,
      FUNCTIONS_MASTER_KEY: options.masterKey,
    },
    // The parent decides what a Ctrl-C means; ours must not stop the host before it has drained.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', options.log);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));

  const ready = await new Promise<Extract<HostProcessMessage, { type: 'ready' }>>((resolve, reject) => {
    child.once('message', (message: HostProcessMessage) =>
      message.type === 'ready' ? resolve(message) : reject(new Error(message.message)),
    );
    child.once('error', reject);
    void ended.then((code) =>
      reject(new Error(`The functions host ended with exit code ${code} before it was ready.`)),
    );
  });

  const end = (signal: NodeJS.Signals) => async () => {
    child.kill(signal);
    await ended;
  };
  return {
    url: ready.url,
    functions: ready.functions,
    process: child,
    ended,
    stop: end('SIGTERM'),
    kill: end('SIGKILL'),
  };
};
