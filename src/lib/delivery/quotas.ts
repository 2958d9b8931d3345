import type { Caller } from '../callers/caller.ts';
import { dayOf, isLimited, type Reached } from '../callers/quota.ts';
import type { Usages } from '../ports.ts';
import { makePurse, type Purse, type Taken } from './purse.ts';

/** The daily limits of callers, as one instance keeps them. */
export type Quotas = {
  /** Counts an email, with a request only where the block of this instance is used up. Throws STORAGE_UNAVAILABLE. */
  readonly take: (caller: Caller, recipients: number, now: Date) => Promise<Taken | Reached>;
  /** The same for several emails, by the recipients of each: all of them are counted, or none. */
  readonly takeAll: (
    caller: Caller,
    recipients: readonly number[],
    now: Date,
  ) => Promise<readonly Taken[] | Reached>;
  /** Whether an email that waits would be over the limit still; counts nothing. Throws STORAGE_UNAVAILABLE. */
  readonly look: (caller: Caller, recipients: number, now: Date) => Promise<Reached | undefined>;
  /**
   * Whether an email like this one can be counted, but few more of them: one that need not be counted then keeps others out for as
   * long as it takes. `recipients` are those of all `mails`. Counts nothing. Throws STORAGE_UNAVAILABLE.
   */
  readonly isNearLimit: (caller: Caller, recipients: number, now: Date, mails?: number) => Promise<boolean>;
  /**
   * Does what tells of a reached limit, unless some instance has done it today; true where this one was it. A process that ends in
   * between does it again. Throws STORAGE_UNAVAILABLE.
   */
  readonly tellOnce: (caller: Caller, now: Date, tell: () => Promise<void>) => Promise<boolean>;
  /**
   * Gives back the blocks of callers that have not sent for a while, until the time is over. Never throws for storage: what may have
   * been given back then is lost.
   */
  readonly giveBackIdle: (now: Date, isOver?: () => boolean) => Promise<void>;
};

/** Of an email that needs not be counted. */
export const UNCOUNTED: Taken = { kind: 'taken', giveBack: () => undefined };

/** The limits of all callers, each in a purse of its own, in this process and without a timer. */
export const makeQuotas = (usages: Pick<Usages, 'read' | 'write'>): Quotas => {
  const purses = new Map<string, Purse>();
  let isGivingBack = false;

  const purseOf = ({ name }: Caller, now: Date): Purse => {
    const day = dayOf(now);
    const kept = purses.get(name);
    // By clocks that differ, a day can begin twice; what is held of another day is of no use on this one.
    if (kept?.day === day) return kept;
    const purse = makePurse(usages, day, name);
    purses.set(name, purse);
    return purse;
  };

  /** Those of other days are forgotten on the way. */
  function* idlePurses(now: Date): Iterable<Purse> {
    for (const [name, purse] of purses) {
      if (!purse.isIdle(now)) continue;
      if (purse.day !== dayOf(now)) purses.delete(name);
      else if (purse.isHolding()) yield purse;
    }
  }

  /** Of one caller, while the email that begins it goes on: however many are idle, no email waits for them. */
  const giveBackOne = async (now: Date): Promise<void> => {
    const [purse] = isGivingBack ? [] : idlePurses(now);
    if (purse === undefined) return;
    isGivingBack = true;
    await purse.payBack(now).finally(() => {
      isGivingBack = false;
    });
  };

  const takeAll: Quotas['takeAll'] = async (caller, recipients, now) => {
    if (!isLimited(caller.rules)) return recipients.map(() => UNCOUNTED);
    const taken = purseOf(caller, now).takeAll(caller, recipients, now);
    // What fails here fails again for the sweep, which waits for it.
    giveBackOne(now).catch(() => undefined);
    return taken;
  };

  return {
    takeAll,
    take: async (caller, recipients, now) => {
      const taken = await takeAll(caller, [recipients], now);
      return 'kind' in taken ? taken : (taken[0] ?? UNCOUNTED);
    },
    look: async (caller, recipients, now) =>
      isLimited(caller.rules) ? purseOf(caller, now).look(caller, recipients, now) : undefined,
    isNearLimit: async (caller, recipients, now, mails = 1) =>
      isLimited(caller.rules) && purseOf(caller, now).isNearLimit(caller, recipients, now, mails),
    tellOnce: (caller, now, tell) => purseOf(caller, now).tellOnce(now, tell),
    giveBackIdle: async (now, isOver = () => false) => {
      for (const purse of idlePurses(now)) {
        if (isOver()) return;
        await purse.payBack(now);
      }
    },
  };
};
