import type { Cloud } from '../../local/cloud.ts';
import type { HostProcess } from '../../local/host-process.ts';
import { hostForTests } from '../support/cloud-for-tests.ts';
import { startStorageProxy, type Watch } from './storage-proxy.ts';

export type Instance = {
  readonly name: string;
  /** Where it answers at the moment; undefined while it is down. */
  readonly url: () => string | undefined;
  /** Ends it as a power failure would; it is started again at once, as platforms do. */
  readonly kill: () => void;
  readonly starts: () => number;
  readonly stop: () => Promise<void>;
};

export type InstanceOptions = {
  readonly name: string;
  readonly cloud: Cloud;
  readonly appFolder: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly watch: Omit<Watch, 'kill' | 'decide'> & {
    readonly decide: (seen: Parameters<Watch['decide']>[0], kill: () => void) => ReturnType<Watch['decide']>;
  };
  readonly log: (line: string) => void;
};

/** A host that could not start, as when storage failed at that moment, is tried again after this. */
const START_AGAIN_MS = 300;
/** More failures in a row than this are no trouble of the run. */
const MOST_FAILED_STARTS = 20;

/** One functions host with doors of its own to storage, kept running until it is stopped. */
export const startInstance = async (options: InstanceOptions): Promise<Instance> => {
  const { name, cloud, appFolder, settings, watch, log } = options;
  let host: HostProcess | undefined;
  let starts = 0;
  let failedStarts = 0;
  let lastFailure = '';
  let stopping = false;

  const kill = (): void => {
    host?.process.kill('SIGKILL');
    host = undefined;
  };
  const proxies = await Promise.all(
    [cloud.azurite.blobUrl, cloud.azurite.queueUrl, cloud.azurite.tableUrl].map((url) =>
      startStorageProxy(url, { ...watch, decide: (seen) => watch.decide(seen, kill), kill }),
    ),
  );
  const [blob, queue, table] = proxies.map(({ url }) => url);
  const connection = cloud.azurite.connectionString.replace(
    /BlobEndpoint=.*/,
    `BlobEndpoint=${blob};QueueEndpoint=${queue};TableEndpoint=${table}`,
  );

  const run = async (): Promise<void> => {
    const started = await hostForTests(cloud, {
      appFolder,
      log,
      settings: { ...settings, AzureWebJobsStorage: connection },
    });
    starts += 1;
    failedStarts = 0;
    host = started;
    if (stopping) await started.stop();
    await started.ended;
    if (host === started) host = undefined;
  };
  const keepRunning = async (): Promise<void> => {
    while (!stopping) {
      try {
        await run();
      } catch (error) {
        failedStarts += 1;
        lastFailure = (error as Error).message;
        await new Promise((resolve) => setTimeout(resolve, START_AGAIN_MS));
      }
    }
  };
  const ended = keepRunning();

  return {
    name,
    url: () => {
      if (failedStarts > MOST_FAILED_STARTS)
        throw new Error(`Instance ${name} does not start: ${lastFailure}`);
      return host?.url;
    },
    kill,
    starts: () => starts,
    stop: async () => {
      stopping = true;
      await host?.stop();
      await ended;
      await Promise.all(proxies.map((proxy) => proxy.close()));
    },
  };
};
