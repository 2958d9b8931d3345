import type { Caller } from '../callers/caller.ts';
import { decideLimitWait, mostLimitWaitMs } from '../callers/limit-wait.ts';
import { limitReached, type Reached } from '../callers/quota.ts';
import type { AppError } from '../errors.ts';
import type { Arrival } from '../ledger/arrived-message.ts';
import { type InState, isIn, type MailFacts, waitsSince } from '../ledger/ledger-row.ts';
import { type Diverted, limit, queueNew } from '../ledger/transitions.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import { type HoldNeeds, hold } from './hold.ts';
import { deletePayload, queueMail } from './queue-mail.ts';
import type { TellOfLimitNeeds } from './tell-of-limit.ts';
import { tellOfLimit } from './tell-of-limit.ts';

export type WaitForLimitNeeds = TellOfLimitNeeds &
  HoldNeeds &
  Pick<Ports, 'callers' | 'random'> & {
    readonly policy: Pick<SendPolicy, 'ledgerDays' | 'giveUpAfterMs'>;
  };

/** An email from the queue that is over the limit of its caller. */
export type LimitedMail = {
  readonly arrival: Arrival;
  readonly caller: Caller;
  readonly facts: MailFacts;
  /** Undefined where the ledger does not have it yet. */
  readonly entry: LedgerEntry<InState<'queued' | 'deferred' | 'unknown'>> | undefined;
  /** What is said of it where the ledger does not have it yet. */
  readonly how?: Diverted;
  /** HTTP rejected it before: the row stays as it is, and only the message waits. */
  readonly isRejected?: boolean;
  readonly readOriginal: () => Promise<unknown>;
};

/** Whether an email waits for the limit of its caller and would wait on: to find that out its content need not be read. */
export const stillLimited = async (
  { callers, quotas, clock }: Pick<WaitForLimitNeeds, 'callers' | 'quotas' | 'clock'>,
  row: InState<'queued' | 'deferred'>,
): Promise<{ readonly caller: Caller; readonly reached: Reached } | undefined> => {
  if (!isIn(row, 'queued') || row.fate.limited?.reason.code !== 'CALLER_LIMIT_REACHED') return undefined;
  const caller = (await callers.known()).named(row.facts.caller);
  // What else is to be said of it is said where the whole email is judged.
  if (caller === undefined || caller.rules.isDisabled) return undefined;
  const reached = await quotas.look(caller, row.facts.recipients, clock.now());
  return reached === undefined ? undefined : { caller, reached };
};

/**
 * Lets an email wait on the queue, with the same turn, until the limit of its caller allows it; holds it after some days, so that a
 * person sees it. The row says so from the first time on and is written once a day; `beaten` when another invocation changed it.
 */
export const waitForLimit = async (
  needs: WaitForLimitNeeds,
  mail: LimitedMail,
  reached: Reached,
): Promise<'done' | 'beaten'> => {
  const { arrival, caller, facts, entry } = mail;
  const now = needs.clock.now();
  await tellOfLimit(needs, caller, reached);
  const since = waitsSince(entry?.row ?? queueNew(facts, now));
  const reason = limitReached(caller, facts.recipients, reached, now);
  if (
    reason.code === 'CALLER_LIMIT_TOO_LOW' ||
    now.getTime() - since.getTime() >= mostLimitWaitMs(needs.policy)
  ) {
    return holdLimited(needs, mail, reason);
  }
  const isWritten = await writeLimited(needs, mail, reached, now);
  if (isWritten === undefined) return 'beaten';
  const { dueAt: _, ...waiting } = arrival.envelope;
  const { mailId, contentHash, content } = waiting;
  if (content === 'stored') await needs.payloads.keep(mailId, contentHash);
  const waitMs = decideLimitWait({ now, resetsAt: reached.resetsAt, waitsSince: since }, needs.random());
  await queueMail(needs, waiting, waitMs);
  if (isWritten)
    needs.log({ event: 'MailLimited', mailId, caller: caller.name, until: reached.resetsAt.toISOString() });
  return 'done';
};

const holdLimited = async (
  needs: WaitForLimitNeeds,
  { arrival, facts, entry, isRejected = false, readOriginal }: LimitedMail,
  reason: AppError,
): Promise<'done' | 'beaten'> => {
  const { envelope, isBare, refusedId, strayId } = arrival;
  const subject = entry ?? { facts: { ...facts, mailId: isRejected ? strayId : refusedId } };
  const held = await hold(needs, subject, { why: 'refused', reason, original: await readOriginal() });
  // Where nothing but this message has the id, the row that is there is of this message, held before.
  if (held === undefined) return entry === undefined && (isBare || isRejected) ? 'done' : 'beaten';
  await deletePayload(needs, envelope);
  return 'done';
};

/** Whether it had to be written; undefined where another invocation was first. */
const writeLimited = async (
  { ledger }: Pick<Ports, 'ledger'>,
  { facts, entry, how, isRejected = false }: LimitedMail,
  { resetsAt }: Reached,
  now: Date,
): Promise<boolean | undefined> => {
  if (isRejected) return false;
  const reason = { code: 'CALLER_LIMIT_REACHED' } as const;
  if (entry === undefined)
    return (await ledger.create(limit(queueNew(facts, now, how), reason, resetsAt, now))) && true;
  const { row, etag } = entry;
  // Counted before its first attempt, it has had none.
  if (!isIn(row, 'queued')) throw new Error('an email that was tried is not counted again');
  if (row.fate.limited?.until === resetsAt.toISOString()) return false;
  return (await ledger.replace(limit(row, reason, resetsAt, now), etag)) && true;
};
