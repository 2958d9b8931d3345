import type { Caller } from '../callers/caller.ts';
import {
  type Amount,
  covers,
  decideBlock,
  endOfDay,
  isSameLimits,
  isScarce,
  type Limits,
  leftOf,
  minus,
  NOTHING,
  needOf,
  nextFactor,
  plus,
  type Reached,
} from '../callers/quota.ts';
import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import type { UsageEntry, Usages } from '../ports.ts';
import type { LastBlock } from '../sending/block-factor.ts';
import { isStorageFailure } from './storage-failure.ts';

/** An email was counted towards the limit of its caller. */
export type Taken = {
  readonly kind: 'taken';
  /** For the row; undefined for a caller without limits. */
  readonly countedAt?: string;
  /** It was certainly not accepted. */
  readonly giveBack: () => void;
};

/** What one instance has of the limit of one caller on one day. Who asks or writes throws STORAGE_UNAVAILABLE. */
export type Purse = {
  readonly day: string;
  /** By the recipients of each; all of them or none. */
  readonly takeAll: (
    caller: Caller,
    recipients: readonly number[],
    now: Date,
  ) => Promise<readonly Taken[] | Reached>;
  readonly look: (caller: Caller, recipients: number, now: Date) => Promise<Reached | undefined>;
  readonly isNearLimit: (caller: Caller, recipients: number, now: Date, mails: number) => Promise<boolean>;
  readonly tellOnce: (now: Date, tell: () => Promise<void>) => Promise<boolean>;
  /** Nobody has taken anything of it for a while. */
  readonly isIdle: (now: Date) => boolean;
  readonly isHolding: () => boolean;
  /** Gives back what is not used. Never throws for storage. */
  readonly payBack: (now: Date) => Promise<void>;
};

/** What is known of the usage is believed for so long where the limit is reached: the others can have given something back. */
const FRESH_MS = 60_000;
/** Who has not sent for this long does not keep a block from other instances. */
const IDLE_MS = 10 * 60_000;
/** One of those that write at the same moment succeeds; losing more often than this is a fault. */
const MAX_RACES = 50;

const isNothing = (amount: Amount): boolean => covers(NOTHING, amount);

export const makePurse = (usages: Pick<Usages, 'read' | 'write'>, day: string, name: string): Purse => {
  let known: (UsageEntry & { readonly seenAt: number }) | undefined;
  /** What was taken under `terms` and is not used. Under other limits, nothing may be used of it. */
  let held = NOTHING;
  let terms: Limits = {};
  /** What must not be used any more; it is given back with the next write. */
  let owed = NOTHING;
  let last: LastBlock | undefined;
  let usedAt = 0;
  /** One request at a time; the others wait for what it brings. */
  let busy: Promise<unknown> | undefined;
  let isTelling = false;

  const alone = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const working = work().finally(() => {
      busy = undefined;
    });
    busy = working;
    return working;
  };

  const read = async (time: number) => {
    known = { ...(await usages.read(day, name)), seenAt: time };
    return known;
  };

  /** Writes the next usage; false where another instance was first. Either way, what is there is known from then on. */
  const write = async ({ etag, ...usage }: UsageEntry, time: number): Promise<boolean> => {
    // Should the answer be lost, nobody knows what is there.
    known = undefined;
    const { isOwn, entry } = await usages.write(day, name, usage, etag);
    known = { ...entry, seenAt: time };
    return isOwn;
  };

  /** Takes a block and gives back what is owed, in one write. */
  const settle = async (from: UsageEntry, block: Amount, time: number): Promise<boolean> => {
    const paid = owed;
    // Before it is written: what may have been given back is never given back again.
    owed = NOTHING;
    const isOwn = await write({ ...from, taken: plus(minus(from.taken, paid), block) }, time);
    if (!isOwn) owed = plus(owed, paid);
    return isOwn;
  };

  /** From now on, what is held is of these limits. Each change has terms of its own, also back to what was before. */
  const adopt = ({ mailsPerDay, recipientsPerDay }: Limits): Limits => {
    const limits = defined({ mailsPerDay, recipientsPerDay });
    if (isSameLimits(terms, limits)) return terms;
    owed = plus(owed, held);
    held = NOTHING;
    terms = limits;
    return terms;
  };

  /** What this instance can take under these limits, given what all have taken. */
  const leftUnder = (limits: Limits, taken: Amount): Amount => {
    const mine = isSameLimits(terms, limits) ? held : NOTHING;
    const unusable = minus(plus(held, owed), mine);
    return plus(leftOf(limits, minus(taken, unusable)), mine);
  };

  const reachedBy = (limits: Limits, taken: Amount, now: Date): Reached => ({
    kind: 'reached',
    left: leftUnder(limits, taken),
    resetsAt: endOfDay(now),
  });

  /** Takes a block, and from it what is needed. */
  const fill = async (
    limits: Limits,
    need: Amount,
    now: Date,
    isOfSeveral: boolean,
  ): Promise<Reached | undefined> => {
    const time = now.getTime();
    // Several emails of one request are a burst that is over: nothing beyond them.
    const factor = isOfSeveral ? 0 : nextFactor(last, time);
    for (let race = 0; race < MAX_RACES; race += 1) {
      const seen = known ?? (await read(time));
      const block = decideBlock(limits, { taken: minus(seen.taken, owed), held, need, factor });
      if (block === undefined) {
        if (!isNothing(owed)) await settle(seen, NOTHING, time);
        else if (time - seen.seenAt < FRESH_MS) return reachedBy(limits, seen.taken, now);
        else await read(time);
        continue;
      }
      if (!(await settle(seen, block, time))) continue;
      held = minus(plus(held, block), need);
      if (!isOfSeveral) last = { factor, takenAt: time };
      return undefined;
    }
    throw new AppError('STORAGE_UNAVAILABLE');
  };

  return {
    day,
    takeAll: async ({ rules }, recipients, now) => {
      usedAt = now.getTime();
      while (busy !== undefined) await busy;
      // From here to the next request nothing is waited for: no other email of this instance is at it.
      const taken = adopt(rules);
      const needs = recipients.map((one) => needOf(taken, one));
      const need = needs.reduce(plus, NOTHING);
      if (covers(held, need)) held = minus(held, need);
      else {
        const reached = await alone(() => fill(taken, need, now, needs.length > 1));
        if (reached !== undefined) return reached;
      }
      return needs.map((one) => ({
        kind: 'taken',
        countedAt: now.toISOString(),
        giveBack: () => {
          if (terms === taken) held = plus(held, one);
          else owed = plus(owed, one);
        },
      }));
    },
    look: async ({ rules }, recipients, now) => {
      const need = needOf(rules, recipients);
      if (isSameLimits(terms, rules) && covers(held, need)) return undefined;
      const time = now.getTime();
      const { taken } = known !== undefined && time - known.seenAt < FRESH_MS ? known : await read(time);
      const reached = reachedBy(rules, taken, now);
      return covers(reached.left, need) ? undefined : reached;
    },
    isNearLimit: async ({ rules }, recipients, now, mails) => {
      while (busy !== undefined) await busy;
      const { taken } = known ?? (await alone(() => read(now.getTime())));
      const need = needOf(rules, recipients, mails);
      const left = leftUnder(rules, taken);
      return covers(left, need) && isScarce(left, need);
    },
    tellOnce: async (now, tell) => {
      if (isTelling || known?.isTold) return false;
      isTelling = true;
      try {
        if ((known ?? (await read(now.getTime()))).isTold) return false;
        await tell();
        for (let race = 0; race < MAX_RACES; race += 1) {
          const seen = known ?? (await read(now.getTime()));
          if (seen.isTold) return false;
          if (await write({ ...seen, isTold: true }, now.getTime())) return true;
        }
        throw new AppError('STORAGE_UNAVAILABLE');
      } finally {
        isTelling = false;
      }
    },
    isIdle: (now) => busy === undefined && now.getTime() - usedAt >= IDLE_MS,
    isHolding: () => !isNothing(plus(held, owed)),
    payBack: async (now) => {
      if (busy !== undefined) return;
      // Before anything is written: what is given back must not be used as well.
      owed = plus(owed, held);
      held = NOTHING;
      await alone(async () => {
        const time = now.getTime();
        for (let race = 0; race < MAX_RACES && !isNothing(owed); race += 1)
          await settle(known ?? (await read(time)), NOTHING, time);
      }).catch((failure: unknown) => {
        if (!isStorageFailure(failure)) throw failure;
      });
    },
  };
};
