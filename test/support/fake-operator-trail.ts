import type { OperatorAct } from '../../src/lib/ledger/operator-act.ts';
import type { OperatorTrail } from '../../src/lib/ports.ts';

/** The trail of operators in memory. */
export const makeFakeOperatorTrail = (): OperatorTrail => {
  const acts = new Map<string, OperatorAct>();
  const sorted = (): readonly OperatorAct[] =>
    [...acts.values()].toSorted((one, other) => (one.id < other.id ? -1 : 1));
  const keep = async (act: OperatorAct) => void acts.set(act.id, act);
  return {
    begin: keep,
    finish: keep,
    find: async (id) => acts.get(id),
    list: async (after = '') => ({ acts: sorted().filter(({ id }) => id > after) }),
    ofMail: async (mailId) => sorted().filter(({ mails }) => mails.some((one) => one.mailId === mailId)),
  };
};
