import { messageOf } from '../message-of.ts';
import { AppLoadError } from './load-app.ts';
import { startFunctionsHost } from './start-functions-host.ts';

/**
 * The functions host as a process of its own, so that process.env is the app's environment and the app can be killed alone.
 * Ready: one line on stdout and, where there is an IPC channel, a message. Ends with the channel, on SIGTERM and on SIGINT.
 */
export type HostProcessMessage =
  | {
      readonly type: 'ready';
      readonly url: string;
      readonly port: number;
      readonly functions: readonly string[];
    }
  | { readonly type: 'failed'; readonly message: string };

const USED = ['APP_FOLDER', 'FUNCTIONS_PORT', 'FUNCTIONS_KEY', 'FUNCTIONS_MASTER_KEY'] as const;
/** Of this host alone, which has no identity, where the app reaches storage with one. */
const HOST_STORAGE = 'FUNCTIONS_STORAGE';
const STORAGE = 'AzureWebJobsStorage';

type HostEnvironment = Record<(typeof USED)[number] | 'storage', string>;

const readEnvironment = (env: NodeJS.ProcessEnv): HostEnvironment => {
  const storage = env[HOST_STORAGE] || env[STORAGE] || '';
  const missing = [...USED.filter((name) => !env[name]), ...(storage === '' ? [STORAGE] : [])];
  if (missing.length > 0)
    throw new Error(`The functions host needs these environment variables: ${missing.join(', ')}.`);
  return { ...(env as HostEnvironment), storage };
};

const LEASE_SETTING = 'FUNCTIONS_QUEUE_LEASE_SECONDS';

const readLease = (text: string | undefined): { queueLeaseSeconds?: number } => {
  if (!text) return {};
  const queueLeaseSeconds = Number(text);
  if (Number.isInteger(queueLeaseSeconds) && queueLeaseSeconds >= 1) return { queueLeaseSeconds };
  throw new Error(`${LEASE_SETTING} must be a whole number of seconds from 1, got "${text}".`);
};

const tellParent = (message: HostProcessMessage) => process.send?.(message);

const INTERRUPTED = 130;

const main = async (): Promise<void> => {
  const env = readEnvironment(process.env);
  const host = await startFunctionsHost({
    appFolder: env.APP_FOLDER,
    storageConnectionString: env.storage,
    port: Number(env.FUNCTIONS_PORT),
    functionKey: env.FUNCTIONS_KEY,
    masterKey: env.FUNCTIONS_MASTER_KEY,
    log: (line) => console.log(line),
    ...readLease(process.env[LEASE_SETTING]),
  });

  // As in Azure and in Core Tools: where the app reaches itself. The port can be known only now.
  process.env.WEBSITE_HOSTNAME = new URL(host.url).host;

  const stop = () => {
    host.close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on('SIGTERM', stop);
  process.on('disconnect', stop);
  // Ctrl-C reaches parent and child alike, and the parent may send SIGTERM too: only a second Ctrl-C means hurry.
  process.once('SIGINT', () => {
    stop();
    process.once('SIGINT', () => process.exit(INTERRUPTED));
  });

  console.log(`Functions host ready at ${host.url}`);
  tellParent({
    type: 'ready',
    url: host.url,
    port: host.port,
    functions: host.functions.map(({ name }) => name),
  });
};

const fail = (error: unknown): void => {
  const message = messageOf(error);
  const cause = error instanceof AppLoadError && error.cause instanceof Error ? `\n${error.cause.stack}` : '';
  console.error(`The functions host did not start: ${message}${cause}`);
  tellParent({ type: 'failed', message });
  process.exitCode = 1;
  process.disconnect?.();
  // What the app opened before it failed must not keep a host alive that serves nothing.
  setTimeout(() => process.exit(1), 1_000).unref();
};

main().catch(fail);
