import type { InState } from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import type { MailboxMeter } from '../metrics/mailbox-use.ts';
import type { LedgerEntry, MayBegin } from '../ports.ts';
import type { Pace, Pacer } from '../sending/pacing.ts';
import { decideOutcome, type SendOutcome } from '../sending/send-outcome.ts';
import type { DirectPlan, SendPlan } from '../sending/send-plan.ts';
import type { SendPolicy } from '../sending/send-policy.ts';
import { decidePause } from '../sending/wait.ts';
import type { AttemptResult, DraftNeeds, SendingEntry } from './draft-run.ts';
import { type GateNeeds, passGate } from './pass-gate.ts';
import { afterEarlierDraft, sendByDraft } from './send-by-draft.ts';
import { timedReport } from './timed-report.ts';

export type LaneNeeds = DraftNeeds &
  GateNeeds & {
    readonly pacer: Pacer;
    /** Remembers that Graph limits a mailbox. */
    readonly mailboxUse?: Pick<MailboxMeter, 'paused'>;
    readonly policy: Pick<SendPolicy, 'filesWithinMs' | 'verifyWindowMs' | 'sendingLimitMs'>;
  };

/** What came of the wish to send an email now. */
export type LaneResult =
  /** Its mailbox has no room: it waits for so long, with a time that is kept for it (`wait`) or without one (`full`). */
  | { readonly kind: 'wait' | 'full'; readonly waitMs: number }
  /** Another invocation changed the row before this one could claim it, or took it: nothing was sent here. */
  | AttemptResult;

type Waiter = Pick<Envelope, 'mailId' | 'dueAt'> & {
  /** It came from the queue, and goes back to it rather than keep the invocations of other mailboxes. */
  readonly givesWay?: boolean;
};

/** The longest anything waits inside an invocation; longer waits belong to the queue. */
const PATIENCE_MS = 2000;

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
  const lane = laneOf(plan);
  const pace = await enterLane(needs, lane, who);
  if (pace.kind !== 'go') return pace;
  const passage = passGate(needs, plan.mailbox, who.givesWay ? 'queue' : 'caller');
  if (passage.kind === 'wait') {
    needs.pacer.giveBack(lane, needs.clock.now());
    needs.pacer.leave(lane);
    return passage;
  }
  let outcome: SendOutcome | undefined;
  try {
    const claimed = await claim();
    if (claimed === undefined) {
      // Or whoever repeats a request again and again would use up the minute of the mailbox, and send nothing.
      needs.pacer.giveBack(lane, needs.clock.now());
      return { kind: 'beaten' };
    }
    const result = await attemptMail(needs, plan, claimed, who);
    if (result.kind === 'ended') {
      ({ outcome } = result);
      closeIfThrottled(needs, lane, outcome);
    }
    return result;
  } finally {
    passage.leave(outcome);
    needs.pacer.leave(lane);
  }
};

/** Asks to go, and waits a moment where only requests under way are in front. */
const enterLane = async (
  { pacer, gate, clock, random }: LaneNeeds,
  lane: string,
  { mailId, dueAt, givesWay = false }: Waiter,
): Promise<Exclude<Pace, { kind: 'busy' }>> => {
  let patience: Promise<'over'> | undefined;
  for (;;) {
    const pace = pacer.enter(lane, mailId, clock.now(), dueAt);
    // So that those without a time do not come back together.
    if (pace.kind === 'full') return { ...pace, waitMs: Math.ceil(pace.waitMs * (0.5 + 0.5 * random())) };
    if (pace.kind !== 'busy') return pace;
    // Where there are more connections, none keeps invocations only to wait in them.
    if (givesWay && (pace.isCrowded || gate !== undefined))
      return { kind: 'wait', waitMs: PATIENCE_MS * (1 + random()) };
    patience ??= clock.sleep(PATIENCE_MS).then(() => 'over');
    if ((await Promise.race([pacer.freed(lane), patience])) === 'over')
      return { kind: 'wait', waitMs: PATIENCE_MS * (1 + random()) };
  }
};

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

const closeIfThrottled = (
  { pacer, mailboxUse, clock, random }: LaneNeeds,
  lane: string,
  outcome: SendOutcome,
): void => {
  const isThrottled = outcome.kind === 'not-sent' && outcome.code === 'GRAPH_THROTTLED';
  if (!isThrottled && !(outcome.kind === 'unknown' && outcome.waitMs !== undefined)) return;
  const now = clock.now();
  const until = new Date(now.getTime() + decidePause(outcome.waitMs, random()));
  pacer.pause(lane, until, now);
  mailboxUse?.paused(lane, until, now);
};

/** Limits hold for a mailbox, however its address is written. */
const laneOf = ({ mailbox }: SendPlan): string => mailbox.toLowerCase();
