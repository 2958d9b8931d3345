import type { KnownCallers } from '../callers/known-callers.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Callers } from '../ports.ts';

/** All callers as they were read, and the names of those that could not be. */
export type ReadCallers = { readonly known: KnownCallers; readonly unreadable: readonly string[] };

/** From then on they are read again while the old ones still serve, and from `STALE_MS` on nobody is served by them. */
const REFRESH_MS = 20_000;
const STALE_MS = 60_000;
/** Who asks for the newest is not answered by a read of each: keys that nobody knows cost a stranger nothing. */
const NEWEST_MS = 1000;
/** A read that takes longer than what was read may be old is a storage that does not work. */
const TRIES = 2;

export type CachedCallers = {
  /** The port; what cannot be read is told in this log, once by each instance. */
  readonly of: (log: Log) => Callers;
  /** Says that they were changed: what is read or being read counts no more. */
  readonly forget: () => void;
};

/**
 * Keeps the callers of one instance, so that no email costs a read. `known` is never older than a minute, counted from before its
 * read began: where storage fails longer, it throws what the read throws. There is one read at a time.
 */
export const makeCachedCallers = (read: () => Promise<ReadCallers>, now: () => Date): CachedCallers => {
  type Kept = { readonly value: ReadCallers; readonly since: number };
  let kept: Kept | undefined;
  let reading: Promise<Kept> | undefined;
  let failure: { readonly error: unknown; readonly at: number } | undefined;
  const told = new Set<string>();

  const time = (): number => now().getTime();
  /** A clock that was set back makes nothing young. */
  const isWithin = (since: number, ms: number): boolean => time() >= since && time() - since < ms;

  const readOnce = (): Promise<Kept> => {
    if (reading !== undefined) return reading;
    if (failure !== undefined && isWithin(failure.at, NEWEST_MS)) return Promise.reject(failure.error);
    const since = time();
    const mine = (async (): Promise<Kept> => ({ value: await read(), since }))()
      .then((result) => {
        if (reading === mine) [kept, failure] = [result, undefined];
        return result;
      })
      .catch((error: unknown) => {
        if (reading === mine) failure = { error, at: time() };
        throw error;
      })
      .finally(() => {
        if (reading === mine) reading = undefined;
      });
    reading = mine;
    return mine;
  };

  const known = async (): Promise<ReadCallers> => {
    if (kept !== undefined && isWithin(kept.since, STALE_MS)) {
      // What fails here fails again for the one who has to wait for it.
      if (!isWithin(kept.since, REFRESH_MS)) readOnce().catch(() => undefined);
      return kept.value;
    }
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const { value, since } = await readOnce();
      if (isWithin(since, STALE_MS)) return value;
    }
    throw new AppError('STORAGE_UNAVAILABLE');
  };

  const refreshed = async (): Promise<ReadCallers> => {
    if (kept !== undefined && isWithin(kept.since, NEWEST_MS)) return kept.value;
    const asked = time();
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      const { value, since } = await readOnce();
      // A read that had begun before can have missed what was written since.
      if (since > asked - NEWEST_MS && isWithin(since, STALE_MS)) return value;
    }
    throw new AppError('STORAGE_UNAVAILABLE');
  };

  const telling = (log: Log, { known: callers, unreadable }: ReadCallers): KnownCallers => {
    for (const name of told) if (!unreadable.includes(name)) told.delete(name);
    for (const caller of unreadable) {
      if (told.has(caller)) continue;
      told.add(caller);
      log({ event: 'CallerUnreadable', caller });
    }
    return callers;
  };

  return {
    of: (log) => ({
      known: async () => telling(log, await known()),
      refreshed: async () => telling(log, await refreshed()),
    }),
    forget: () => {
      kept = undefined;
      reading = undefined;
      failure = undefined;
    },
  };
};
