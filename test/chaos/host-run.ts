import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import type { Cloud } from '../../local/cloud.ts';
import type { HostProcess } from '../../local/host-process.ts';
import { hostForTests, KEYS } from '../support/cloud-for-tests.ts';
import { makeHeldMessages } from './held-messages.ts';
import { TIMES } from './scaled-times.ts';
import type { ClockMessage } from './shifted-clock.ts';
import { type Killed, type Passage, startStorageProxy, type Watch } from './storage-proxy.ts';

/** What a door can do to the process behind it. */
export type HostControl = {
  readonly kill: (whom: Killed) => void;
  /** SIGSTOP, and SIGCONT after this time. */
  readonly stopFor: (ms: number) => void;
};

export type HostRun = HostControl & {
  /** Where it answers; undefined while it is not ready, or stopped. */
  readonly url: () => string | undefined;
  readonly setClock: (errorMs: number) => void;
  /** Takes no more messages, ends what runs, and then ends. */
  readonly drain: () => Promise<void>;
  /** As the host of Microsoft was seen to end while HTTP calls are open: it goes on taking messages for a time, and is then cut off. */
  readonly terminate: () => Promise<void>;
  readonly stop: () => Promise<void>;
  /** It has ended, and nothing that it asked storage is on its way. */
  readonly ended: Promise<unknown>;
};

export type HostRunOptions = {
  readonly cloud: Cloud;
  readonly appFolder: string;
  readonly settings: Readonly<Record<string, string>>;
  /** How wrong its clock is at first. */
  readonly clockErrorMs: number;
  readonly functionTimeoutMs: number;
  readonly decide: (seen: Parameters<Watch['decide']>[0], control: HostControl) => Passage;
  readonly carriedOut: Watch['carriedOut'];
  readonly log: (line: string) => void;
  /** A function ran into functionTimeout. */
  readonly timedOut: () => void;
};

const CLOCK_PRELOAD = pathToFileURL(join(import.meta.dirname, 'shifted-clock.ts')).href;
const TIMED_OUT = /Timeout value of \S+ exceeded by function/;
const LOOK_AGAIN_MS = 100;

/** Starts one functions host with doors of its own to storage. Rejects where it does not start. */
export const startHostRun = async (options: HostRunOptions): Promise<HostRun> => {
  const { cloud, appFolder, settings, decide, carriedOut } = options;
  const { azurite } = cloud;
  const held = makeHeldMessages(azurite.connectionString);
  let host: HostProcess | undefined;
  let isOver = false;
  let isStopped = false;
  let isTimedOut = false;

  const release = (afterMs: number) => wait(afterMs).then(held.release);
  let releasing: Promise<void> = Promise.resolve();
  /** A worker of which the host knows only by the timeouts of its invocations releases nothing before. */
  const kill = (whom: Killed, releaseAfterMs = 0): void => {
    if (isOver || host === undefined) return;
    isOver = true;
    host.process.kill('SIGKILL');
    if (whom === 'worker') releasing = release(releaseAfterMs);
  };
  const stopFor = (ms: number): void => {
    if (isOver || isStopped || host === undefined) return;
    isStopped = true;
    const stopped = host;
    stopped.process.kill('SIGSTOP');
    void wait(ms).then(() => {
      isStopped = false;
      stopped.process.kill('SIGCONT');
    });
  };
  const control: HostControl = { kill, stopFor };

  const doors = await Promise.all(
    [azurite.blobUrl, azurite.queueUrl, azurite.tableUrl].map((url) =>
      startStorageProxy(url, {
        decide: (seen) => decide(seen, control),
        carriedOut: (seen, status, exchange) => {
          held.see(exchange);
          carriedOut(seen, status, exchange);
        },
        kill,
        stop: stopFor,
      }),
    ),
  );
  const closeDoors = () => Promise.all(doors.map((door) => door.close()));
  const [blob, queue, table] = doors.map(({ url }) => url);

  const hear = (line: string): void => {
    options.log(line);
    if (isTimedOut || !TIMED_OUT.test(line)) return;
    isTimedOut = true;
    options.timedOut();
    // Other invocations in flight are not failed by it: they hang until their own timeout, and then their messages come back.
    void wait(TIMES.restarted.run * 1000).then(() => kill('worker', options.functionTimeoutMs));
  };
  try {
    host = await hostForTests(cloud, {
      appFolder,
      log: hear,
      settings: {
        ...settings,
        NODE_OPTIONS: `--import=${CLOCK_PRELOAD}`,
        CHAOS_CLOCK_ERROR_MS: String(options.clockErrorMs),
        AzureWebJobsStorage: azurite.connectionString.replace(
          /BlobEndpoint=.*/,
          `BlobEndpoint=${blob};QueueEndpoint=${queue};TableEndpoint=${table}`,
        ),
      },
    });
  } catch (error) {
    await closeDoors();
    throw error;
  }
  const running = host;
  const ended = running.ended.then(async () => {
    isOver = true;
    await closeDoors();
    await releasing;
  });

  return {
    ...control,
    url: () => (isOver || isStopped ? undefined : running.url),
    setClock: (clockErrorMs) => {
      if (!isOver && running.process.connected)
        running.process.send({ clockErrorMs } satisfies ClockMessage, () => undefined);
    },
    drain: async () => {
      await drainHost(running.url, options.functionTimeoutMs);
      await running.stop();
    },
    terminate: async () => {
      await wait(TIMES.terminated.run * 1000);
      kill('host');
      await running.ended;
    },
    stop: async () => {
      running.process.kill('SIGCONT');
      await running.stop();
      await ended;
    },
    ended,
  };
};

/** Until nothing runs any more, or a function can no longer run. A host that is killed meanwhile has nothing to drain. */
const drainHost = async (url: string, mostMs: number): Promise<void> => {
  const ask = async (method: 'GET' | 'POST', path: string): Promise<{ readonly state?: string }> => {
    const answer = await fetch(`${url}/admin/host/drain${path}`, {
      method,
      headers: { 'x-functions-key': KEYS.masterKey },
      signal: AbortSignal.timeout(mostMs),
    });
    return method === 'GET' ? ((await answer.json()) as { readonly state?: string }) : {};
  };
  try {
    await ask('POST', '');
    for (const until = Date.now() + mostMs; Date.now() < until; await wait(LOOK_AGAIN_MS))
      if ((await ask('GET', '/status')).state === 'Completed') return;
  } catch {
    // It does not answer: the signal that follows ends it all the same.
  }
};
