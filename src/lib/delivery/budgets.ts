import { type Claim, claimsOf, type GoingMail, type LimitsOf } from '../sending/external-recipients.ts';
import {
  type BudgetPurse,
  type Granted,
  makeBudgetPurse,
  type PurseNeeds,
  type Reached,
} from './budget-purse.ts';

/** The budgets of recipients that mailboxes share, as one instance keeps them. */
export type Budgets = {
  /** What an email needs of budgets, as it goes. */
  readonly claimsOf: (mail: GoingMail) => readonly Claim[];
  /** Counts its recipients, with a request only where the block of this instance is used up. Throws STORAGE_UNAVAILABLE. */
  readonly take: (claims: readonly Claim[]) => Promise<Granted | Reached>;
  /** The budget that is certainly used up for it still. Counts nothing and asks nobody. */
  readonly known: (claims: readonly Claim[]) => Reached | undefined;
};

/** Of each tenant, in this process and without a timer: what an instance holds when it ends is lost, and no limit is passed. */
export const makeBudgets = (needs: PurseNeeds, limitsOf: LimitsOf): Budgets => {
  const purses = new Map<string, BudgetPurse>();
  const purseOf = ({ tenant, kind }: Claim): BudgetPurse => {
    const key = `${tenant} ${kind}`;
    const purse = purses.get(key) ?? makeBudgetPurse(needs, tenant, kind);
    purses.set(key, purse);
    return purse;
  };
  return {
    claimsOf: (mail) => claimsOf(limitsOf, mail),
    take: async (claims) => {
      const taken: Granted[] = [];
      const giveBack = () => {
        for (const one of taken) one.giveBack();
      };
      try {
        for (const claim of claims) {
          const one = await purseOf(claim).take(claim);
          if (one.kind === 'granted') taken.push(one);
          else {
            giveBack();
            return one;
          }
        }
      } catch (error) {
        giveBack();
        throw error;
      }
      return { kind: 'granted', giveBack };
    },
    known: (claims) => claims.map((claim) => purseOf(claim).known(claim)).find((one) => one !== undefined),
  };
};
