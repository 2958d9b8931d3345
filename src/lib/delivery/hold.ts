import { type AppError, reasonOf, reportOf, upstreamFacts } from '../errors.ts';
import { besideRow } from '../ledger/held-record.ts';
import {
  type Attempt,
  attemptsOf,
  type InState,
  type MailFacts,
  type OPEN_STATES,
  type WhyHeld,
} from '../ledger/ledger-row.ts';
import { holdNew, recordHeld } from '../ledger/transitions.ts';
import { keptProblems } from '../mail/kept-problems.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import { announce } from './announce.ts';

export type HoldNeeds = Pick<Ports, 'ledger' | 'records' | 'events' | 'clock' | 'log'>;

/** A row that has not ended. */
export type OpenRow = InState<(typeof OPEN_STATES)[number]>;

/** An email that is in the ledger, or what is known of one that is not. */
export type HoldSubject =
  | (LedgerEntry<OpenRow> & { readonly attempt?: Attempt })
  | { readonly facts: MailFacts };

/** Why it is held, and the email or message as it came; undefined where that is gone. */
export type HoldOrder = { readonly why: WhyHeld; readonly reason: AppError; readonly original: unknown };

/**
 * Holds an email: the record first, so that the ledger never names one that is not there; the ledger next; the
 * log line that alerts watch last. Undefined when somebody else wrote the row first: then the email is theirs, nothing
 * may be deleted of it, and the record is swept once the email has turned out well. Throws STORAGE_UNAVAILABLE.
 */
export const hold = async (
  needs: HoldNeeds,
  subject: HoldSubject,
  { why, reason: error, original }: HoldOrder,
): Promise<InState<'held'> | undefined> => {
  const now = needs.clock.now();
  const reason = reasonOf(error);
  const facts = 'row' in subject ? subject.row.facts : subject.facts;
  const { mailId, acceptedAt } = facts;
  const heldAt = now.toISOString();
  const record = await needs.records.store({
    mailId,
    heldAt,
    acceptedAt,
    facts,
    reason: reportOf(reason),
    original: besideRow(original, facts),
  });
  const kept =
    reason.problems === undefined ? reason : { ...reason, problems: keptProblems(reason.problems) };
  const holding = { why, reason: kept, record, hasContent: original !== undefined };
  const ended =
    'row' in subject
      ? recordHeld(subject.row, holding, now, subject.attempt)
      : holdNew(subject.facts, holding, now);
  const row = await announce(needs, ended);
  const written =
    'row' in subject ? await needs.ledger.replace(row, subject.etag) : await needs.ledger.create(row);
  if (written === undefined) {
    needs.log({ event: 'LedgerBehind', mailId, state: 'held' });
    return undefined;
  }
  const { code } = reason;
  const { caller } = row.facts;
  const attempts = attemptsOf(row);
  needs.log({ event: 'MailHeld', mailId, attempts, caller, record, code, ...upstreamFacts(reason) });
  return row;
};
