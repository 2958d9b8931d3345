import type { MailState } from '../ledger/ledger-row.ts';
import type { Ledger, Ports, ToldWarning } from '../ports.ts';

type SettleNeeds = Pick<Ports, 'clock'> & { readonly ledger: Pick<Ledger, 'find'> };

/** An email that the ledger does not know after this time is gone (a queue message lives for seven days). */
const LOST_MS = 7 * 86_400_000;

const ARRIVED: readonly MailState[] = ['sent', 'captured', 'closed'];
const LOST: readonly MailState[] = ['held', 'rejected', 'canceled'];

type Outcome = 'arrived' | 'waits' | 'lost';

/**
 * Asks the ledger how the emails of earlier warnings ended. A warning whose every email was held or lost has not reached anyone by
 * email. What an operator closed has been seen by one.
 */
export const settleWarnings = async (
  { ledger, clock }: SettleNeeds,
  warnings: readonly ToldWarning[],
): Promise<readonly ToldWarning[]> => {
  const asked = new Map<string, Promise<MailState | undefined>>();
  const stateOf = (mailId: string): Promise<MailState | undefined> => {
    const known = asked.get(mailId) ?? ledger.find(mailId).then((entry) => entry?.row.fate.state);
    asked.set(mailId, known);
    return known;
  };
  const outcomeOf = async (mailId: string, toldOn: Date): Promise<Outcome> => {
    const state = await stateOf(mailId);
    if (state === undefined) return clock.now().getTime() - toldOn.getTime() > LOST_MS ? 'lost' : 'waits';
    if (ARRIVED.includes(state)) return 'arrived';
    return LOST.includes(state) ? 'lost' : 'waits';
  };
  return Promise.all(
    warnings.map(async (told) => {
      if (told.mailIds.length === 0) return told;
      const outcomes = await Promise.all(told.mailIds.map((mailId) => outcomeOf(mailId, told.toldOn)));
      if (outcomes.includes('arrived')) return { ...told, mailIds: [] };
      if (outcomes.includes('waits')) return told;
      return { ...told, mailIds: [], reached: told.reached.filter((channel) => channel !== 'mail') };
    }),
  );
};
