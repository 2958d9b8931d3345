import { once } from 'node:events';
import { startHostProcess } from '../local/host-process.ts';
import type { BenchCloud, BenchStorage } from './cloud.ts';
import { type KeepAliveClient, openClient } from './keep-alive-client.ts';
import type { AskCopied, CopiedBytes } from './processes/count-copies.ts';
import type { AskUse, WorkerUse } from './processes/worker-use.ts';

const FUNCTION_KEY = 'bench-function-key';
const MASTER_KEY = 'bench-master-key';
const WORKER_USE = new URL('./processes/worker-use.ts', import.meta.url);

export const JSON_HEADERS = { 'content-type': 'application/json', 'x-functions-key': FUNCTION_KEY };
const ADMIN_HEADERS = { 'content-type': 'application/json', 'x-functions-key': MASTER_KEY };

export type BenchHost = {
  readonly url: string;
  readonly client: KeepAliveClient;
  readUse(options?: { readonly collect: boolean }): Promise<WorkerUse>;
  /** Bytes that the app has copied so far, where the process was started with count-copies. */
  readCopied(): Promise<number>;
  /** Starts a timer function now. */
  startTimer(name: string): Promise<void>;
  /** Lets what is in progress end. */
  close(): Promise<void>;
  /** Ends it whatever is in progress. */
  kill(): Promise<void>;
};

export type HostOptions = {
  readonly settings?: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
  /** Options of Node for the process of the host. */
  readonly nodeOptions?: readonly string[];
};

/** A function app in the functions host, in a process of its own whose use is known. */
export const startHost = async (
  appFolder: string,
  cloud: Pick<BenchCloud, 'environment'>,
  storage: Pick<BenchStorage, 'connectionString'>,
  { settings = {}, onLine = () => undefined, nodeOptions = [] }: HostOptions = {},
): Promise<BenchHost> => {
  const host = await startHostProcess({
    appFolder,
    port: 0,
    functionKey: FUNCTION_KEY,
    masterKey: MASTER_KEY,
    environment: {
      ...cloud.environment,
      AzureWebJobsStorage: storage.connectionString,
      NODE_OPTIONS: [`--import=${WORKER_USE}`, ...nodeOptions].join(' '),
      ...settings,
    },
    log: onLine,
  });
  const client = openClient(host.url);
  return {
    url: host.url,
    client,
    readUse: async ({ collect } = { collect: false }) => {
      const answered = once(host.process, 'message');
      host.process.send({ ask: 'use', collect } satisfies AskUse);
      return (await answered)[0] as WorkerUse;
    },
    readCopied: async () => {
      const answered = once(host.process, 'message');
      host.process.send({ ask: 'copied' } satisfies AskCopied);
      return ((await answered)[0] as CopiedBytes).copiedBytes;
    },
    startTimer: async (name) => {
      const { status } = await client.send('POST', `/admin/functions/${name}`, ADMIN_HEADERS, '{}');
      if (status !== 202)
        throw new Error(`The functions host returned ${status} instead of 202 for ${name}.`);
    },
    close: async () => {
      client.close();
      await host.stop();
    },
    kill: async () => {
      await host.kill();
      client.close();
    },
  };
};
