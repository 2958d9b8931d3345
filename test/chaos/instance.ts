import { setTimeout as wait } from 'node:timers/promises';
import { type HostControl, type HostRun, type HostRunOptions, startHostRun } from './host-run.ts';

export type Instance = HostControl & {
  readonly name: string;
  /** Where it answers at the moment; undefined while it is down. */
  readonly url: () => string | undefined;
  readonly setClock: (errorMs: number) => void;
  /** Starts another in its place, and then ends the old one in this way. */
  readonly replace: (how: 'drain' | 'SIGTERM') => void;
  readonly starts: () => number;
  readonly stop: () => Promise<void>;
};

export type InstanceOptions = Omit<HostRunOptions, 'clockErrorMs'> & { readonly name: string };

/** A host that could not start, as when storage failed at that moment, is tried again after this. */
const START_AGAIN_MS = 300;
/** More failures in a row than this are no trouble of the run. */
const MOST_FAILED_STARTS = 20;

/** A place for one functions host: one that ends is started again, until all is stopped. */
export const startInstance = (options: InstanceOptions): Instance => {
  const { name } = options;
  let clockErrorMs = 0;
  let current: HostRun | undefined;
  let hand: (() => void) | undefined;
  let retireAs: 'drain' | 'SIGTERM' = 'drain';
  let starts = 0;
  let failedStarts = 0;
  let lastFailure = '';
  let stopping = false;
  const retiring = new Set<Promise<unknown>>();

  const retire = (old: HostRun): void => {
    const over = (retireAs === 'drain' ? old.drain() : old.terminate())
      .then(() => old.ended)
      .finally(() => retiring.delete(over));
    retiring.add(over);
  };
  const run = async (): Promise<void> => {
    const before = current;
    const started = await startHostRun({ ...options, clockErrorMs });
    starts += 1;
    failedStarts = 0;
    current = started;
    if (before !== undefined) retire(before);
    if (stopping) await started.stop();
    const outcome = await Promise.race([
      started.ended.then(() => 'ended'),
      new Promise<'replaced'>((resolve) => {
        hand = () => resolve('replaced');
      }),
    ]);
    hand = undefined;
    // One that is to be replaced goes on until the other is there.
    if (outcome === 'ended' && current === started) current = undefined;
  };
  const keepRunning = async (): Promise<void> => {
    while (!stopping) {
      try {
        await run();
      } catch (error) {
        failedStarts += 1;
        lastFailure = (error as Error).message;
        await wait(START_AGAIN_MS);
      }
    }
  };
  const over = keepRunning();

  return {
    name,
    url: () => {
      if (failedStarts > MOST_FAILED_STARTS)
        throw new Error(`Instance ${name} does not start: ${lastFailure}`);
      return current?.url();
    },
    kill: (whom) => current?.kill(whom),
    stopFor: (ms) => current?.stopFor(ms),
    setClock: (errorMs) => {
      clockErrorMs = errorMs;
      current?.setClock(errorMs);
    },
    replace: (how) => {
      retireAs = how;
      hand?.();
    },
    starts: () => starts,
    stop: async () => {
      stopping = true;
      hand?.();
      await current?.stop();
      await over;
      await current?.stop();
      await Promise.all(retiring);
    },
  };
};
