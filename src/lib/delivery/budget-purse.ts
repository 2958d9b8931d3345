import { AppError } from '../errors.ts';
import type { BudgetEntry, Ports } from '../ports.ts';
import type { LastBlock } from '../sending/block-factor.ts';
import type { Claim } from '../sending/external-recipients.ts';
import { countingHour, nextFactor, takeBlock } from '../sending/recipient-budget.ts';
import type { Hours } from '../sending/rolling-day.ts';

export type PurseNeeds = Pick<Ports, 'recipientBudgets' | 'clock' | 'log'>;

/** Recipients were counted for an email. */
export type Granted = {
  readonly kind: 'granted';
  /** It was certainly not sent. */
  readonly giveBack: () => void;
};

/** A budget is used up until then. */
export type Reached = { readonly kind: 'reached'; readonly at: Date; readonly claim: Claim };

/** What one instance has of one budget. Who asks throws STORAGE_UNAVAILABLE. */
export type BudgetPurse = {
  readonly take: (claim: Claim) => Promise<Granted | Reached>;
  /** Whether the budget was used up when it was last looked at, which is not long ago. Asks nobody. */
  readonly known: (claim: Claim) => Reached | undefined;
};

/** What is known of a budget is believed for so long where it is used up: the others can have given something back. */
const FRESH_MS = 60_000;
/** One of those that write at the same moment succeeds; losing more often than this is a fault. */
const MOST_RACES = 50;

export const makeBudgetPurse = (
  { recipientBudgets, clock, log }: PurseNeeds,
  tenant: string,
  kind: Claim['kind'],
): BudgetPurse => {
  let known: (BudgetEntry & { readonly seenAt: number }) | undefined;
  /** Taken for this hour, and not used. */
  let held = { hour: 0, amount: 0 };
  /** What is given back with the next write, by hours. */
  let owed: Hours = {};
  let last: LastBlock | undefined;
  /** Until then the budget is used up for whatever is not smaller. */
  let reached: { readonly at: number; readonly recipients: number; readonly seenAt: number } | undefined;
  /** One request at a time; the others wait for what it brings. */
  let busy: Promise<unknown> | undefined;

  const timeNow = (): number => clock.now().getTime();

  const owe = (hour: number, amount: number): void => {
    if (amount > 0) owed = { ...owed, [hour]: (owed[hour] ?? 0) + amount };
  };

  /** What was taken for an hour that is over goes back. */
  const turnHour = (): number => {
    const hour = countingHour(timeNow());
    if (held.hour !== hour) {
      owe(held.hour, held.amount);
      held = { hour, amount: 0 };
    }
    return hour;
  };

  const granted = (hour: number, amount: number): Granted => ({
    kind: 'granted',
    giveBack: () => {
      if (held.hour === hour) held = { hour, amount: held.amount + amount };
      else owe(hour, amount);
    },
  });

  const read = async () => {
    known = { ...(await recipientBudgets.read(tenant, kind)), seenAt: timeNow() };
    return known;
  };

  const fill = async (claim: Claim, need: number): Promise<Granted | Reached> => {
    for (let race = 0; race < MOST_RACES; race += 1) {
      const seen = known ?? (await read());
      const hour = turnHour();
      const now = timeNow();
      const factor = nextFactor(last, now);
      const asked = { limit: claim.limit, now, recipients: need, held: held.amount, factor, owed };
      const { budget, answer } = takeBlock(seen.budget, asked);
      const paid = owed;
      if (answer.kind === 'reached' && Object.keys(paid).length === 0) {
        if (now - seen.seenAt >= FRESH_MS) {
          known = undefined;
          continue;
        }
        reached = { at: answer.at, recipients: need, seenAt: now };
        return { kind: 'reached', at: new Date(answer.at), claim };
      }
      // Should the answer be lost, nobody knows what is there; and what may have been given back is never given back again.
      known = undefined;
      owed = {};
      const { isOwn, entry } = await recipientBudgets.write(tenant, kind, budget, seen.etag);
      known = { ...entry, seenAt: timeNow() };
      if (!isOwn) {
        for (const [hourOwed, amount] of Object.entries(paid)) owe(Number(hourOwed), amount);
        continue;
      }
      if (answer.kind === 'reached') continue;
      if (answer.warns) log({ event: 'ExternalRecipientsNear', budget: kind, tenant, limit: claim.limit });
      last = { factor, takenAt: now };
      reached = undefined;
      held = { hour, amount: held.hour === hour ? held.amount + answer.amount : answer.amount };
      held = { hour, amount: held.amount - need };
      return granted(hour, need);
    }
    throw new AppError('STORAGE_UNAVAILABLE');
  };

  return {
    take: async (claim) => {
      while (busy !== undefined) await busy.catch(() => undefined);
      // From here to the next request nothing is waited for: no other email of this instance is at it.
      const hour = turnHour();
      const need = Math.min(claim.recipients, claim.limit);
      if (held.amount >= need) {
        held = { hour, amount: held.amount - need };
        return granted(hour, need);
      }
      const working = fill(claim, need).finally(() => {
        busy = undefined;
      });
      busy = working;
      return working;
    },
    known: (claim) => {
      const now = timeNow();
      const isKnown =
        reached !== undefined &&
        now < reached.at &&
        now - reached.seenAt < FRESH_MS &&
        Math.min(claim.recipients, claim.limit) >= reached.recipients;
      return isKnown && reached !== undefined
        ? { kind: 'reached', at: new Date(reached.at), claim }
        : undefined;
    },
  };
};
