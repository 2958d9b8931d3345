import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import type { InState, LedgerRow } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import type { MailboxMeter } from '../metrics/mailbox-use.ts';
import type { LedgerEntry, MayBegin } from '../ports.ts';
import type { BudgetKind, Claim, GoingMail } from '../sending/external-recipients.ts';
import { placeOfTime } from '../sending/mailbox-day.ts';
import { canBeStart, oddly } from '../sending/mailbox-lane.ts';
import type { Pace, Pacer, Precedence } from '../sending/pacing.ts';
import { decideOutcome, type SendOutcome } from '../sending/send-outcome.ts';
import type { DirectPlan, SendPlan } from '../sending/send-plan.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import { decidePause } from '../sending/wait.ts';
import type { AcceptableMail } from './accept-mail.ts';
import type { Granted, Reached } from './budget-purse.ts';
import type { Budgets } from './budgets.ts';
import type { AttemptResult, DraftNeeds, SendingEntry } from './draft-run.ts';
import { type GateNeeds, passGate } from './pass-gate.ts';
import { afterEarlierDraft, sendByDraft } from './send-by-draft.ts';
import { isStorageFailure } from './storage-failure.ts';
import { timedReport } from './timed-report.ts';

export type LaneNeeds = DraftNeeds &
  GateNeeds & {
    readonly pacer: Pacer;
    readonly budgets: Budgets;
    /** Remembers that Graph limits a mailbox. */
    readonly mailboxUse?: Pick<MailboxMeter, 'paused'>;
    readonly policy: Pick<SendPolicy, 'filesWithinMs' | 'verifyWindowMs' | 'sendingLimitMs'>;
  };

/** What came of the wish to send an email now. */
export type LaneResult =
  /** Its mailbox has no room: it waits for so long, and then says that it was told this time. */
  | {
      readonly kind: 'wait';
      readonly waitMs: number;
      readonly dueAt: Date;
      /** Of the start that is kept for it: it will not come. */
      readonly giveBack?: () => void;
    }
  /** No time could be given to it. */
  | { readonly kind: 'full'; readonly waitMs: number }
  /** The mailbox, or all of its tenant, have had their recipients of the day: it waits for so long. `at`: when there is room again. */
  | {
      readonly kind: 'day';
      readonly of: DayLimit;
      readonly at: Date;
      readonly waitMs: number;
      readonly dueAt: Date;
    }
  /** Another invocation changed the row before this one could claim it, or took it: nothing was sent here. */
  | AttemptResult;

/** Whose recipients of a day are used up. */
export type DayLimit = 'mailbox' | BudgetKind;

/** Why an email waits for the recipients of the day. */
export const DAY_CODES = {
  mailbox: 'MAILBOX_DAY_REACHED',
  tenant: 'EXTERNAL_RECIPIENTS_REACHED',
  onmicrosoft: 'ONMICROSOFT_RECIPIENTS_REACHED',
} as const;

/** The error for a caller whose email would have to wait for the recipients of the day. */
export const dayReached = ({ of, waitMs }: { readonly of: DayLimit; readonly waitMs: number }): AppError =>
  new AppError(DAY_CODES[of], { retryAfterSeconds: Math.ceil(waitMs / 1000) });

type Waiter = Pick<Envelope, 'mailId' | 'dueAt'> &
  Precedence & {
    readonly recipients: number;
    /** For the limits that mailboxes share. */
    readonly going?: GoingMail;
    /** It came from the queue, and goes back to it rather than keep the invocations of other mailboxes. */
    readonly givesWay?: boolean;
  };

/** How long an email waits, for which start, and what gives that back. */
export type Waiting = {
  readonly waitMs: number;
  readonly dueAt?: Date;
  readonly giveBack?: () => void;
};

/** An email as it waits for its lane. `waitsSince`: since when it could go. */
export const waiterOf = (envelope: Envelope, accepted: AcceptableMail, waitsSince: Date) => ({
  ...envelope,
  recipients: accepted.facts.recipients,
  priority: accepted.priority,
  waitsSince,
  going: accepted,
});

/** Whether the time that an email brings can be a start, or a place in the day, that its lane keeps for it. */
const isKeptFor = ({ dueAt }: Pick<Envelope, 'dueAt'>): boolean =>
  dueAt !== undefined && (canBeStart(dueAt.getTime()) || placeOfTime(dueAt.getTime()) !== undefined);

/** An email that is not to be sent any more leaves the start or the place that it brings, and its recipients of the day, to others. */
export const giveStartBack = (
  { pacer }: Pick<LaneNeeds, 'pacer'>,
  { dueAt }: Envelope,
  { facts: { sender, recipients } }: Pick<LedgerRow, 'facts'>,
): void => {
  if (dueAt === undefined || !isKeptFor({ dueAt }) || sender === '') return;
  pacer.giveBack({ mailbox: sender.toLowerCase(), at: dueAt, recipients });
};

/** The longest anything waits inside an invocation; longer waits belong to the queue. */
const PATIENCE_MS = 2000;
/** A sleep can end a little early; longer than this nothing waits for its start. */
const MOST_NAPS = 2;
const HOUR_MS = 3_600_000;
const URGENT_PART = 0.1;
const STORAGE_AWAY_MS = 5000;

/**
 * Sends an email within the limits of its mailbox: enters the lane, claims the row, attempts the email, and leaves the lane
 * however that ends. `claim` gives undefined when another invocation has the email.
 */
export const sendInLane = async (
  needs: LaneNeeds,
  plan: SendPlan,
  who: Waiter,
  claim: () => Promise<LedgerEntry<InState<'sending'>> | undefined>,
): Promise<LaneResult> => {
  const { pacer, budgets } = needs;
  const lane = laneOf(plan);
  const claims = who.going === undefined ? [] : budgets.claimsOf(who.going);
  // Without a start of its own, an email that has to wait for a budget takes none from others.
  const known = claims.length === 0 || isKeptFor(who) ? undefined : budgets.known(claims);
  if (known !== undefined) return untilDay(needs, known);
  const pace = await enterLane(needs, lane, plan, who);
  if (pace.kind !== 'go') return pace;
  let { start } = pace;
  const budget = await takeBudget(needs, claims);
  if (budget.kind !== 'granted') {
    pacer.giveBack(start);
    pacer.leave(start, { maySend: true });
    return budget.kind === 'reached' ? untilDay(needs, budget) : budget;
  }
  const passage = passGate(needs, plan.mailbox, who.givesWay ? 'queue' : 'caller');
  if (passage.kind === 'wait') {
    budget.giveBack();
    pacer.giveBack(start);
    pacer.leave(start);
    return { ...passage, dueAt: new Date(oddly(needs.clock.now().getTime() + passage.waitMs)) };
  }
  let outcome: SendOutcome | undefined;
  let isInside = true;
  let maySend = false;
  let isBeaten = false;
  try {
    const claimed = await claim();
    if (claimed === undefined) {
      isBeaten = true;
      // Or whoever repeats a request again and again would use up the minute of the mailbox, and send nothing. A start that the
      // email brought is used by whoever was first.
      if (start.at.getTime() !== who.dueAt?.getTime()) pacer.giveBack(start);
      return { kind: 'beaten' };
    }
    if (!pacer.isInTime(start)) {
      // Storage was slow. Now other emails may have the room that this one had.
      isInside = false;
      pacer.leave(start);
      const again = await enterLane(needs, lane, plan, { ...who, dueAt: start.at });
      const isMissed = again.kind === 'go' && !pacer.isInTime(again.start);
      if (isMissed) {
        // It was as slow once more.
        pacer.giveBack(again.start);
        pacer.leave(again.start, { maySend: true });
      }
      if (again.kind !== 'go' || isMissed) {
        if (again.kind === 'wait') again.giveBack?.();
        const waitMs = again.kind === 'go' ? PATIENCE_MS : again.waitMs;
        outcome = { kind: 'not-sent', code: 'START_MISSED', waitMs };
        return { kind: 'ended', ...claimed, outcome };
      }
      isInside = true;
      start = again.start;
    }
    maySend = true;
    const result = await attemptMail(needs, plan, claimed, who);
    maySend = result.kind === 'ended' && ['accepted', 'unknown'].includes(result.outcome.kind);
    if (result.kind === 'ended') {
      ({ outcome } = result);
      await closeIfThrottled(needs, lane, outcome);
    }
    return result;
  } finally {
    if (!maySend) budget.giveBack();
    passage.leave(outcome?.kind === 'not-sent' && outcome.code === 'START_MISSED' ? undefined : outcome);
    const tookMs = plan.kind === 'draft' ? undefined : outcome?.tookMs;
    if (isInside) pacer.leave(start, { maySend: maySend || isBeaten, ...defined({ tookMs }) });
  }
};

/** Of an email that needs nothing of a budget. */
const NOTHING_TAKEN: Granted = { kind: 'granted', giveBack: () => undefined };

/** What is counted in storage cannot be counted while storage is away; without it, the row cannot be written either. */
const takeBudget = async (
  { budgets, clock, random }: LaneNeeds,
  claims: readonly Claim[],
): Promise<Granted | Reached | Extract<LaneResult, { kind: 'wait' }>> => {
  if (claims.length === 0) return NOTHING_TAKEN;
  try {
    return await budgets.take(claims);
  } catch (failure) {
    if (!isStorageFailure(failure)) throw failure;
    const waitMs = STORAGE_AWAY_MS * (1 + random());
    return { kind: 'wait', waitMs, dueAt: new Date(oddly(clock.now().getTime() + waitMs)) };
  }
};

/** Spread over the hour in which the room comes. */
const untilDay = (
  { clock, random }: LaneNeeds,
  { at, claim: { kind } }: Reached,
): Extract<LaneResult, { kind: 'day' }> => {
  const waitMs = Math.ceil(at.getTime() - clock.now().getTime() + HOUR_MS * random());
  return { kind: 'day', of: kind, at, waitMs, dueAt: new Date(oddly(at.getTime())) };
};

/** Spread over the hour in which the room comes, what is urgent first. */
const withinHour = (priority: Precedence['priority'], random: number): number =>
  HOUR_MS * random * (priority === 'high' ? URGENT_PART : 1);

type Entered = Extract<Pace, { kind: 'go' | 'full' }> | Extract<LaneResult, { kind: 'wait' | 'day' }>;

/** Asks to go, and waits a moment where the start is near, or only requests in progress are in front. */
const enterLane = async (
  { pacer, gate, clock, random }: LaneNeeds,
  lane: string,
  plan: SendPlan,
  { mailId, dueAt: told, recipients, givesWay = false, priority, waitsSince }: Waiter,
): Promise<Entered> => {
  let patience: Promise<'over'> | undefined;
  let naps = 0;
  let dueAt = told;
  for (;;) {
    const bytes = bytesOf(plan);
    const who = {
      ...{ mailId, priority, waitsSince, recipients, bytes, comesBack: givesWay },
      ...defined({ dueAt }),
    };
    const pace = await pacer.enter(lane, who);
    switch (pace.kind) {
      case 'go':
        return pace;
      case 'full':
        // So that those without a time do not come back together.
        return { ...pace, waitMs: Math.ceil(pace.waitMs * (0.5 + 0.5 * random())) };
      case 'day':
        return {
          kind: 'day',
          of: 'mailbox',
          at: pace.at,
          waitMs: Math.ceil(pace.waitMs + withinHour(priority, random())),
          dueAt: pace.told,
        };
      case 'wait': {
        if (!pace.isKept || pace.waitMs > PATIENCE_MS || naps === MOST_NAPS)
          return {
            kind: 'wait',
            waitMs: pace.waitMs,
            dueAt: pace.at,
            ...(pace.isKept && pace.at.getTime() !== told?.getTime()
              ? { giveBack: () => pacer.giveBack({ mailbox: lane, at: pace.at, recipients }) }
              : {}),
          };
        naps += 1;
        dueAt = pace.at;
        await clock.sleep(pace.waitMs);
        break;
      }
      case 'busy': {
        const giveUp = (): Entered => {
          pacer.giveBack(pace.start);
          const waitMs = PATIENCE_MS * (1 + random());
          return { kind: 'wait', waitMs, dueAt: new Date(oddly(clock.now().getTime() + waitMs)) };
        };
        // Where there are more connections, none keeps invocations only to wait in them.
        if (givesWay && (pace.isCrowded || gate !== undefined)) return giveUp();
        dueAt = pace.start.at;
        patience ??= clock.sleep(PATIENCE_MS).then(() => 'over');
        if ((await Promise.race([pacer.freed(lane), patience])) === 'over') return giveUp();
      }
    }
  }
};

/** What Graph counts of an email towards the bytes of a mailbox. */
const bytesOf = (plan: SendPlan): number =>
  plan.kind === 'draft'
    ? plan.message.body.length + plan.files.reduce((sum, { bytes }) => sum + bytes, 0)
    : plan.body.length;

const attemptMail = async (
  needs: LaneNeeds,
  plan: SendPlan,
  claimed: LedgerEntry<InState<'sending'>>,
  { givesWay = false }: Waiter,
): Promise<AttemptResult> => {
  if (plan.kind !== 'draft')
    return claimed.row.progress.draft === undefined
      ? { kind: 'ended', ...claimed, outcome: await attemptDirectly(needs, plan, claimed) }
      : afterEarlierDraft(needs, claimed, () => attemptDirectly(needs, plan, claimed));
  const withinMs = needs.policy.filesWithinMs[givesWay ? 'queue' : 'caller'];
  return sendByDraft(needs, plan, claimed, new Date(needs.clock.now().getTime() + withinMs));
};

/** Tries an email once; once more only where Graph refused the token, for which the adapter has made a new one. */
const attemptDirectly = async (
  needs: LaneNeeds,
  plan: DirectPlan,
  claimed: SendingEntry,
): Promise<SendOutcome> => {
  const mayBegin = whileClaimed(needs, claimed);
  const attempt = async () => {
    const report = await timedReport(needs, () => needs.mailboxes.send(plan, mayBegin));
    return decideOutcome(report, needs.clock.now());
  };
  const outcome = await attempt();
  return outcome.kind === 'not-sent' && outcome.code === 'GRAPH_TOKEN_NOT_ACCEPTED' ? attempt() : outcome;
};

/**
 * For as long as no other instance counts this attempt as lost. Clocks differ: those who count it as lost look for the email for much longer
 * before they send it.
 */
const whileClaimed =
  ({ clock, policy }: LaneNeeds, { row }: SendingEntry): MayBegin =>
  () =>
    clock.now().getTime() < Date.parse(row.progress.updatedAt) + policy.sendingLimitMs;

const closeIfThrottled = async (
  { pacer, mailboxUse, clock, random }: LaneNeeds,
  lane: string,
  outcome: SendOutcome,
): Promise<void> => {
  const isThrottled = outcome.kind === 'not-sent' && outcome.code === 'GRAPH_THROTTLED';
  if (!isThrottled && !(outcome.kind === 'unknown' && outcome.waitMs !== undefined)) return;
  const now = clock.now();
  const forMs = decidePause(outcome.waitMs, random());
  mailboxUse?.paused(lane, new Date(now.getTime() + forMs), now);
  await pacer.pause(lane, forMs);
};

/** Limits hold for a mailbox, however its address is written. */
const laneOf = ({ mailbox }: SendPlan): string => mailbox.toLowerCase();
