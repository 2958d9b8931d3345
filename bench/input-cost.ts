import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { startAzurite } from '../local/azurite.ts';
import { layOutStorage } from '../local/storage-layout.ts';

/** One body, given so many times one after the other. */
export type InputToRead = { readonly bytes: Uint8Array; readonly times: number };

/** What it took the thread to refuse an input. */
export type InputCost = { readonly cpuMs: number; readonly status: number; readonly code: string };

/** What the thread is given. */
export type InputReaderData = { readonly appFolder: string; readonly connectionString: string };

export type InputReader = {
  /** The least of some runs: what else the machine does only ever adds. */
  cost(text: string | Uint8Array, times?: number): Promise<InputCost>;
  close(): Promise<void>;
};

const RUNS = 2;

/**
 * The built app in a thread of its own, whose processor time is measured apart, and which ends with an error
 * where an input takes more memory than it has.
 */
export const openInputReader = async (appFolder: string, maxHeapMb: number): Promise<InputReader> => {
  const storage = await startAzurite({ blobPort: 0, queuePort: 0, tablePort: 0 });
  const { connectionString } = storage;
  await layOutStorage(connectionString);
  const worker = new Worker(new URL('./processes/read-inputs.ts', import.meta.url), {
    workerData: { appFolder, connectionString } satisfies InputReaderData,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    execArgv: [],
  });
  const read = async (input: InputToRead): Promise<InputCost> => {
    worker.postMessage(input);
    const [answer] = await once(worker, 'message');
    if ('error' in answer) throw new Error(answer.error);
    return answer;
  };
  return {
    cost: async (text, times = 1) => {
      const bytes = typeof text === 'string' ? Buffer.from(text) : text;
      const runs: InputCost[] = [];
      for (let run = 0; run < RUNS; run += 1) runs.push(await read({ bytes, times }));
      return runs.reduce((least, one) => (one.cpuMs < least.cpuMs ? one : least));
    },
    close: async () => {
      await worker.terminate();
      await storage.close();
    },
  };
};
