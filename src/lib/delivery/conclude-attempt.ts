import { upstreamFacts } from '../errors.ts';
import { type Attempt, attemptsOf, type LedgerRow, triedSince } from '../ledger/ledger-row.ts';
import type { Mail } from '../mail/mail-schema.ts';
import type { Ports } from '../ports.ts';
import { decideNext } from '../sending/next-step.ts';
import type { SendOutcome } from '../sending/send-outcome.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import { type AfterAttempt, performAfterAttempt, type StepNeeds } from './perform-step.ts';

export type ConcludeNeeds = StepNeeds & Pick<Ports, 'random'> & { readonly policy: SendPolicy };

/** An attempt that has ended, and everything needed to go on from it. */
export type EndedAttempt = Omit<AfterAttempt, 'attempt'> & {
  readonly outcome: SendOutcome;
  readonly mail: Pick<Mail, 'onUnknown' | 'saveToSentItems'>;
  /** A caller waits for the answer and still has the email, so a refusal is told and not held. */
  readonly callerWaits: boolean;
};

/** Writes down how an attempt ended, and does what follows from it. Gives the row as it is then. */
export const concludeAttempt = async (needs: ConcludeNeeds, ended: EndedAttempt): Promise<LedgerRow> => {
  const { row, outcome, mail, callerWaits } = ended;
  const now = needs.clock.now();
  const attempts = attemptsOf(row) + 1;
  if (outcome.kind === 'unknown') {
    const { mailId } = row.facts;
    needs.log({ event: 'MailUnknown', mailId, attempts, code: outcome.code, ...upstreamFacts(outcome) });
  }
  const { resent, way } = row.progress;
  const facts = { outcome, attempts, triedSince: triedSince(row), resent, way, mail, callerWaits };
  const step = decideNext(facts, needs.policy, now, needs.random());
  return (await performAfterAttempt(needs, { ...ended, attempt: toAttempt(outcome, now) }, step, now)).row;
};

const toAttempt = (outcome: SendOutcome, now: Date): Attempt => {
  const { kind, detail: _of, ...facts } = { detail: undefined, ...outcome };
  return { at: now.toISOString(), outcome: kind, ...facts };
};
