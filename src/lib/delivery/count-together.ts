import type { Caller } from '../callers/caller.ts';
import { limitReached } from '../callers/quota.ts';
import type { Ports } from '../ports.ts';
import { notStored } from './attempt-for-caller.ts';
import type { Taken } from './purse.ts';
import type { Quotas } from './quotas.ts';
import { type QuotaNeeds, type TellOfLimitNeeds, tellOfLimit } from './tell-of-limit.ts';

/** What several emails of one request take of the limit of their caller. */
export type Shares = {
  /** The limits, for the email with this index: it is counted already. */
  readonly quotasOf: (index: number) => Quotas;
  /** The email was canceled before it was sent. */
  readonly free: (index: number) => void;
  /** Gives back what no email of the request has. */
  readonly settle: () => void;
};

/** One email of a request: undefined where it needs not be counted. */
export type Countable =
  | { readonly recipients: number; readonly isKnown?: () => Promise<boolean> }
  | undefined;

/**
 * Counts several emails that are accepted together, before the first is accepted: all of them, or none. Near the limit and over it, those
 * that were accepted before under their key are found out, and are not counted. Throws as `countForCaller` does.
 */
export const countTogether = async (
  needs: TellOfLimitNeeds,
  caller: Caller,
  emails: readonly Countable[],
): Promise<Shares> => {
  const { quotas, clock } = needs;
  const all = emails.flatMap((one, index) => (one === undefined ? [] : [{ ...one, index }]));
  const isNear = () => quotas.isNearLimit(caller, sumOf(all), clock.now(), all.length);
  const hasKeys = all.some(({ isKnown }) => isKnown !== undefined);
  const first = hasKeys && (await isNear().catch(notStored)) ? await unknownOf(all) : all;
  let counted = first;
  let taken = await takeAll(needs, caller, counted);
  if ('kind' in taken && hasKeys && first === all) {
    counted = await unknownOf(all);
    if (counted.length < all.length) taken = await takeAll(needs, caller, counted);
  }
  if (!('kind' in taken)) return sharesOf(quotas, taken, counted);
  await tellOfLimit(needs, caller, taken);
  throw limitReached(caller, sumOf(counted), taken, clock.now(), counted.length);
};

type Counted = NonNullable<Countable> & { readonly index: number };

const sumOf = (emails: readonly Counted[]): number =>
  emails.reduce((sum, { recipients }) => sum + recipients, 0);

const takeAll = (
  { quotas, clock }: QuotaNeeds & Pick<Ports, 'clock'>,
  caller: Caller,
  emails: readonly Counted[],
): ReturnType<Quotas['takeAll']> =>
  quotas
    .takeAll(
      caller,
      emails.map(({ recipients }) => recipients),
      clock.now(),
    )
    .catch(notStored);

const unknownOf = async (emails: readonly Counted[]): Promise<readonly Counted[]> => {
  const unknown: Counted[] = [];
  for (const email of emails) if (!(await email.isKnown?.().catch(notStored))) unknown.push(email);
  return unknown;
};

/** A share is used once its email takes it, and free again where the email gives it back. */
const sharesOf = (quotas: Quotas, taken: readonly Taken[], emails: readonly Counted[]): Shares => {
  const shares = new Map<number, { readonly share: Taken; isUsed: boolean }>(
    taken.flatMap((share, at) => {
      const email = emails[at];
      return email === undefined ? [] : [[email.index, { share, isUsed: false }] as const];
    }),
  );
  const mark = (index: number, isUsed: boolean): void => {
    const own = shares.get(index);
    if (own !== undefined) own.isUsed = isUsed;
  };
  return {
    quotasOf: (index) => {
      const own = shares.get(index);
      if (own === undefined) return quotas;
      return {
        ...quotas,
        take: async () => {
          mark(index, true);
          return { ...own.share, giveBack: () => mark(index, false) };
        },
        isNearLimit: async () => false,
      };
    },
    free: (index) => mark(index, false),
    settle: () => {
      for (const { share, isUsed } of shares.values()) if (!isUsed) share.giveBack();
      shares.clear();
    },
  };
};
