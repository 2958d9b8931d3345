import type { Caller } from '../callers/caller.ts';
import {
  type Amount,
  covers,
  dayOf,
  decideBlock,
  endOfDay,
  isLimited,
  type LastBlock,
  leftOf,
  minus,
  NOTHING,
  nextFactor,
  plus,
  type Reached,
} from '../callers/quota.ts';
import { AppError } from '../errors.ts';
import type { UsageEntry, Usages } from '../ports.ts';
import { isStorageFailure } from './storage-failure.ts';

/** An email was counted towards the limit of its caller. */
export type Taken = {
  readonly kind: 'taken';
  /** For the row; undefined for a caller without limits. */
  readonly countedAt?: string;
  /** It was certainly not accepted. */
  readonly giveBack: () => void;
};

/** The daily limits of callers, as one instance keeps them. */
export type Quotas = {
  /** Counts an email, with a request only where the block of this instance is used up. Throws STORAGE_UNAVAILABLE. */
  readonly take: (caller: Caller, recipients: number, now: Date) => Promise<Taken | Reached>;
  /** Whether an email that waits would be over the limit still; counts nothing. Throws STORAGE_UNAVAILABLE. */
  readonly look: (caller: Caller, recipients: number, now: Date) => Promise<Reached | undefined>;
  /**
   * Does what tells of a reached limit, unless some instance has done it today; true where this one was it. A process that ends in
   * between does it again. Throws STORAGE_UNAVAILABLE.
   */
  readonly tellOnce: (caller: Caller, now: Date, tell: () => Promise<void>) => Promise<boolean>;
  /** Gives back the blocks of callers that have not sent for a while. Never throws for storage: then they are lost. */
  readonly giveBackIdle: (now: Date) => Promise<void>;
};

/** What one instance has of the limit of one caller on one day. */
type Purse = {
  readonly day: string;
  held: Amount;
  known: (UsageEntry & { readonly seenAt: number }) | undefined;
  last: LastBlock | undefined;
  usedAt: number;
  /** One request at a time; the others wait for what it brings. */
  filling: Promise<Reached | undefined> | undefined;
  isTelling: boolean;
};

/** That a limit is reached is believed for so long: the others can have given something back. */
const FRESH_MS = 60_000;
/** Who has not sent for this long does not keep a block from other instances. */
const IDLE_MS = 10 * 60_000;
/** One of those that write at the same moment succeeds; losing more often than this is a fault. */
const MAX_RACES = 50;

/** Of an email that needs not be counted. */
export const UNCOUNTED: Taken = { kind: 'taken', giveBack: () => undefined };

/** The limits of all callers, each in a purse of its own, in this process and without a timer. */
export const makeQuotas = (usages: Pick<Usages, 'read' | 'write'>): Quotas => {
  const purses = new Map<string, Purse>();

  const purseOf = (name: string, now: Date): Purse => {
    const day = dayOf(now);
    const kept = purses.get(name);
    // By clocks that differ, a day can begin twice; what is held of another day is of no use on this one.
    if (kept?.day === day) return kept;
    const purse: Purse = {
      day,
      held: NOTHING,
      known: undefined,
      last: undefined,
      usedAt: now.getTime(),
      filling: undefined,
      isTelling: false,
    };
    purses.set(name, purse);
    return purse;
  };

  const read = async (purse: Purse, name: string, time: number) => {
    purse.known = { ...(await usages.read(purse.day, name)), seenAt: time };
    return purse.known;
  };

  /** Writes the next usage; false where another instance was first. Either way, what is there is known from then on. */
  const write = async (purse: Purse, name: string, next: UsageEntry, time: number): Promise<boolean> => {
    const { etag, ...usage } = next;
    // Should the answer be lost, nobody knows what is there.
    purse.known = undefined;
    const { isOwn, entry } = await usages.write(purse.day, name, usage, etag);
    purse.known = { ...entry, seenAt: time };
    return isOwn;
  };

  const reachedBy = ({ rules }: Caller, purse: Purse, taken: Amount, now: Date): Reached => ({
    kind: 'reached',
    left: plus(leftOf(rules, taken), purse.held),
    resetsAt: endOfDay(now),
  });

  const fill = async (
    purse: Purse,
    caller: Caller,
    need: Amount,
    now: Date,
  ): Promise<Reached | undefined> => {
    const time = now.getTime();
    const factor = nextFactor(purse.last, time);
    for (let race = 0; race < MAX_RACES; race += 1) {
      const known = purse.known ?? (await read(purse, caller.name, time));
      const block = decideBlock(caller.rules, { taken: known.taken, held: purse.held, need, factor });
      if (block === undefined) {
        if (time - known.seenAt < FRESH_MS) return reachedBy(caller, purse, known.taken, now);
        await read(purse, caller.name, time);
        continue;
      }
      const next = { ...known, taken: plus(known.taken, block) };
      if (!(await write(purse, caller.name, next, time))) continue;
      purse.held = plus(purse.held, block);
      purse.last = { factor, takenAt: time };
      return undefined;
    }
    throw new AppError('STORAGE_UNAVAILABLE');
  };

  /** Takes from what the purse holds, filled where that is not enough. */
  const draw = async (
    purse: Purse,
    caller: Caller,
    need: Amount,
    now: Date,
  ): Promise<Reached | undefined> => {
    // Looked at and taken without waiting in between: another email of this instance may be at it.
    while (!covers(purse.held, need)) {
      if (purse.filling !== undefined) {
        await purse.filling;
        continue;
      }
      purse.filling = fill(purse, caller, need, now).finally(() => {
        purse.filling = undefined;
      });
      const reached = await purse.filling;
      if (reached !== undefined) return reached;
    }
    purse.held = minus(purse.held, need);
    return undefined;
  };

  const giveBack = async (name: string, purse: Purse, now: Date): Promise<void> => {
    const unused = purse.held;
    // Before anything is written: what is given back must not be used as well.
    purse.held = NOTHING;
    try {
      for (let race = 0; race < MAX_RACES; race += 1) {
        const known = purse.known ?? (await read(purse, name, now.getTime()));
        const next = { ...known, taken: minus(known.taken, unused) };
        if (await write(purse, name, next, now.getTime())) return;
      }
    } catch (failure) {
      if (!isStorageFailure(failure)) throw failure;
    }
  };

  const giveBackIdle = async (now: Date): Promise<void> => {
    for (const [name, purse] of purses) {
      if (purse.filling !== undefined || now.getTime() - purse.usedAt < IDLE_MS) continue;
      if (purse.day !== dayOf(now)) purses.delete(name);
      else if (!covers(NOTHING, purse.held)) await giveBack(name, purse, now);
    }
  };

  return {
    take: async (caller, recipients, now) => {
      if (!isLimited(caller.rules)) return UNCOUNTED;
      const need = { mails: 1, recipients };
      const purse = purseOf(caller.name, now);
      purse.usedAt = now.getTime();
      await giveBackIdle(now);
      const reached = await draw(purse, caller, need, now);
      if (reached !== undefined) return reached;
      return {
        kind: 'taken',
        countedAt: now.toISOString(),
        giveBack: () => {
          purse.held = plus(purse.held, need);
        },
      };
    },
    look: async (caller, recipients, now) => {
      if (!isLimited(caller.rules)) return undefined;
      const purse = purseOf(caller.name, now);
      const need = { mails: 1, recipients };
      if (covers(purse.held, need)) return undefined;
      const time = now.getTime();
      const { known } = purse;
      const { taken } =
        known !== undefined && time - known.seenAt < FRESH_MS ? known : await read(purse, caller.name, time);
      const reached = reachedBy(caller, purse, taken, now);
      return covers(reached.left, need) ? undefined : reached;
    },
    tellOnce: async ({ name }, now, tell) => {
      const purse = purseOf(name, now);
      if (purse.isTelling || purse.known?.isTold) return false;
      purse.isTelling = true;
      try {
        if ((purse.known ?? (await read(purse, name, now.getTime()))).isTold) return false;
        await tell();
        for (let race = 0; race < MAX_RACES; race += 1) {
          const known = purse.known ?? (await read(purse, name, now.getTime()));
          if (known.isTold) return false;
          if (await write(purse, name, { ...known, isTold: true }, now.getTime())) return true;
        }
        throw new AppError('STORAGE_UNAVAILABLE');
      } finally {
        purse.isTelling = false;
      }
    },
    giveBackIdle,
  };
};
