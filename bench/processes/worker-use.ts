import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Preloaded into the functions host: says on request what the process has used so far. */
export type WorkerUse = {
  /** Of all threads, since the process started. */
  readonly cpuMs: number;
  /** Heap and external memory, of which Node counts ArrayBuffers as a part; after a collection, if one was asked for. */
  readonly heldBytes: number;
  /** Resident now. */
  readonly residentBytes: number;
  /** The most that was ever resident. */
  readonly peakBytes: number;
};
export type AskUse = { readonly ask: 'use'; readonly collect: boolean };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const isAsk = (message: unknown): message is AskUse => (message as { ask?: unknown } | null)?.ask === 'use';

process.on('message', async (message) => {
  if (!isAsk(message)) return;
  if (message.collect) {
    // What has a finalizer is freed by the second.
    collect();
    await turn();
    collect();
  }
  const { user, system } = process.cpuUsage();
  const { heapUsed, external, rss } = process.memoryUsage();
  const use: WorkerUse = {
    cpuMs: (user + system) / 1000,
    heldBytes: heapUsed + external,
    residentBytes: rss,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
  process.send?.(use);
});
