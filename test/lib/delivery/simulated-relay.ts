import { type Budgets, makeBudgets } from '../../../src/lib/delivery/budgets.ts';
import type { DeliverMailNeeds } from '../../../src/lib/delivery/deliver-mail.ts';
import type { HoldPoisonNeeds } from '../../../src/lib/delivery/hold-poison-message.ts';
import type { Quotas } from '../../../src/lib/delivery/quotas.ts';
import type { SendMailAnswer, SendMailNeeds } from '../../../src/lib/delivery/send-mail.ts';
import type { SweepNeeds } from '../../../src/lib/delivery/sweep-run.ts';
import type { CancelNeeds } from '../../../src/lib/desk/cancel-mail.ts';
import type { ReplayNeeds } from '../../../src/lib/desk/replay-mail.ts';
import type { RescheduleNeeds } from '../../../src/lib/desk/reschedule-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { Pacer } from '../../../src/lib/sending/pacing.ts';
import { NO_SAFETY } from '../../../src/lib/sending/safety.ts';
import type { PlanPolicy } from '../../../src/lib/sending/send-plan.ts';
import { external } from '../../support/a-budget.ts';
import { aCaller } from '../../support/a-caller.ts';
import type { FakeQueue, LeasedMessage } from '../../support/fake-queue.ts';
import type { Rules } from '../../support/last-release.ts';
import * as rulesOfNow from '../../support/rules-of-release.ts';
import { settle } from '../../support/stepper.ts';
import type { SimulatedCloud } from './simulated-cloud.ts';

export type HttpRequest = { readonly input: unknown; readonly key: string; readonly respondAsync: boolean };
export type HttpAnswer = SendMailAnswer | AppError | 'no answer';

/** The host ends an invocation after this, and its process with it; shorter than the limit of `sending`. */
const FUNCTION_TIMEOUT_MS = 300_000;
const SENDING_LIMIT_MS = 360_000;
/** As in host.json. */
const MAX_DEQUEUE_COUNT = 5;
const FAILED_HIDDEN_MS = 30_000;
const FOREVER_MS = 365 * 86_400_000;

type Needs = SendMailNeeds &
  DeliverMailNeeds &
  HoldPoisonNeeds &
  ReplayNeeds &
  CancelNeeds &
  RescheduleNeeds &
  SweepNeeds;

type Invocation = {
  readonly process: number;
  readonly startedAt: Date;
  readonly mailIds: Set<string>;
  readonly onDeath: () => void;
};

export type RelayOptions = {
  readonly perMinute: number;
  readonly leaseMs: number;
  /** MAIL_DELIVERY of each process: they differ while a new value is rolled out. */
  readonly deliveries: readonly PlanPolicy['delivery'][];
  /** By which rules a process runs that was started so many times before; those of now, unless it says otherwise. */
  readonly rulesOf?: (process: number, starts: number) => Rules;
};

/** The real use cases in processes of a simulated host, which can be killed between any two steps. */
export const makeSimulatedRelay = (
  cloud: SimulatedCloud,
  { perMinute, leaseMs, deliveries, rulesOf = () => rulesOfNow }: RelayOptions,
) => {
  const starts = new Map<number, number>();
  const rules = (process: number): Rules => rulesOf(process, starts.get(process) ?? 0);
  const running = new Set<Invocation>();
  const pacers = new Map<number, Pacer>();
  const quotas = new Map<number, Quotas>();
  const budgets = new Map<number, Budgets>();
  const limitsOf = external(1000);

  const pacerOf = (process: number): Pacer => {
    const pacer =
      pacers.get(process) ??
      rules(process).makePacer(
        cloud.portsOf(process, () => undefined),
        {
          concurrent: 4,
          perMinute,
          recipientsPerDay: 10_000,
          bookAheadMs: 12 * 3_600_000,
          agesAfterMs: 6 * 3_600_000,
        },
        cloud.newId(),
      );
    pacers.set(process, pacer);
    return pacer;
  };

  const quotasOf = (process: number): Quotas => {
    const kept =
      quotas.get(process) ?? rules(process).makeQuotas(cloud.portsOf(process, () => undefined).usages);
    quotas.set(process, kept);
    return kept;
  };

  const budgetsOf = (process: number): Budgets => {
    const kept =
      budgets.get(process) ??
      makeBudgets(
        cloud.portsOf(process, () => undefined),
        limitsOf,
      );
    budgets.set(process, kept);
    return kept;
  };

  const needsOf = (process: number, touch: (mailId: string) => void): Needs => {
    const sending = {
      ...cloud.portsOf(process, touch),
      pacer: pacerOf(process),
      quotas: quotasOf(process),
      budgets: budgetsOf(process),
      admission: rules(process).makeAdmission(1_000_000_000),
      accept: {
        senderPolicy: { defaultSender: { address: 'noreply@contoso.example' }, allowedSenders: [] },
        ledgerRecipients: false,
        safety: NO_SAFETY,
        limitsOf,
        plan: { largeAttachments: false, delivery: deliveries[process] ?? 'standard' },
      },
      policy: {
        onUnknown: 'verify',
        verifyWindowMs: 900_000,
        sendingLimitMs: SENDING_LIMIT_MS,
        giveUpAfterMs: 86_400_000,
        ledgerDays: 90,
        filesWithinMs: { caller: 120_000, queue: 180_000 },
      },
      language: 'en',
      draftMailboxes: ['noreply@contoso.example'],
      newMailId: cloud.newId,
    } as const;
    return { ...sending, sending };
  };

  /** Runs an invocation until it ends or its process dies; nothing of a dead process is heard again. */
  const invoke = async (
    process: number,
    work: (needs: Needs) => Promise<unknown>,
    onDeath: () => void = () => undefined,
  ): Promise<void> => {
    const mailIds = new Set<string>();
    const invocation = { process, startedAt: cloud.now(), mailIds, onDeath };
    running.add(invocation);
    void work(needsOf(process, (mailId) => mailIds.add(mailId))).then(
      () => running.delete(invocation),
      (error: unknown) => {
        running.delete(invocation);
        cloud.problems.push(`an invocation threw ${String((error as Error).stack)}`);
      },
    );
    await settle();
  };

  const kill = async (process: number, happens: (index: number) => boolean): Promise<void> => {
    cloud.history.push(`process ${process} killed`);
    cloud.stepper.kill(process, happens);
    pacers.delete(process);
    quotas.delete(process);
    budgets.delete(process);
    starts.set(process, (starts.get(process) ?? 0) + 1);
    for (const invocation of running) {
      if (invocation.process !== process) continue;
      running.delete(invocation);
      for (const mailId of invocation.mailIds) cloud.doubted.add(mailId);
      invocation.onDeath();
    }
    await settle();
  };

  /** Ends one message as the host does: deleted, hidden for a while, or moved to the poison queue. */
  const deliver = async (
    process: number,
    from: FakeQueue,
    run: (needs: Needs, leased: LeasedMessage) => Promise<void>,
  ): Promise<boolean> => {
    const leased = from.receive(leaseMs, cloud.now());
    if (leased === undefined) return false;
    const { id, text, dequeueCount } = leased;
    const moveToPoison = () => {
      if (from === cloud.queue) cloud.poison.put(text, 0, cloud.now());
      from.delete(id);
    };
    if (dequeueCount > MAX_DEQUEUE_COUNT && from === cloud.queue) {
      moveToPoison();
      return true;
    }
    // While its process lives the host renews the lease.
    from.hide(id, FOREVER_MS, cloud.now());
    const comeBack = (afterMs: number) => from.hide(id, afterMs, cloud.now());
    await invoke(
      process,
      async (needs) => {
        try {
          await run(needs, leased);
        } catch (error) {
          if (!(error instanceof AppError && error.code === 'STORAGE_UNAVAILABLE')) throw error;
          if (dequeueCount >= MAX_DEQUEUE_COUNT && from === cloud.queue) moveToPoison();
          else comeBack(FAILED_HIDDEN_MS);
          return;
        }
        await cloud.stepper.ask(
          process,
          'delete message',
          () => from.delete(id),
          () => comeBack(leaseMs),
        );
      },
      () => comeBack(leaseMs),
    );
    return true;
  };

  const factsOf = ({ id, text, insertedAt, dequeueCount }: LeasedMessage) => ({
    text,
    messageId: id,
    insertedAt,
    caller: 'queue',
    redelivered: dequeueCount > 1,
  });

  return {
    kill,
    deliver: (process: number) =>
      deliver(process, cloud.queue, (needs, leased) => rules(process).deliverMail(needs, factsOf(leased))),
    hold: (process: number) =>
      deliver(process, cloud.poison, (needs, leased) =>
        rules(process).holdPoisonMessage(needs, factsOf(leased)),
      ),
    post: (process: number, request: HttpRequest, answer: (received: HttpAnswer) => void) =>
      invoke(
        process,
        async (needs) => {
          try {
            answer(
              await rules(process).sendMail(needs, {
                input: request.input,
                caller: (await cloud.callers.known()).withFunctionKey('key:test'),
                idempotencyKey: request.key,
                respondAsync: request.respondAsync,
              }),
            );
          } catch (error) {
            if (!(error instanceof AppError)) throw error;
            answer(error);
          }
        },
        () => answer('no answer'),
      ),
    sweep: (process: number) => invoke(process, (needs) => unlessRefused(rules(process).sweepMail(needs))),
    cancel: (process: number, mailId: string, caller: string, onCanceled: () => void) =>
      invoke(process, (needs) =>
        unlessRefused(rules(process).cancelMail(needs, mailId, aCaller(caller)).then(onCanceled)),
      ),
    reschedule: (process: number, mailId: string, caller: string, sendAt: string, onMoved: () => void) =>
      invoke(process, (needs) =>
        unlessRefused(rules(process).rescheduleMail(needs, mailId, aCaller(caller), sendAt).then(onMoved)),
      ),
    replay: (process: number, mailId: string) =>
      invoke(process, (needs) => unlessRefused(rules(process).replayMail(needs, mailId))),
    /** Lets time pass; a process whose invocation takes too long does not live to the end of it. */
    wait: async (ms: number, happens: (index: number) => boolean): Promise<void> => {
      const until = new Date(cloud.now().getTime() + ms);
      const oldest = [...running].toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
      for (const { startedAt, process } of oldest) {
        const endsAt = new Date(startedAt.getTime() + FUNCTION_TIMEOUT_MS);
        if (endsAt > until) break;
        cloud.advanceTo(endsAt);
        if (
          [...running].some(
            (invocation) => invocation.process === process && invocation.startedAt <= startedAt,
          )
        )
          await kill(process, happens);
      }
      cloud.advanceTo(until);
    },
    running: () => running.size,
  };
};

/** Storage may fail a person or a timer too; both try again later. */
const unlessRefused = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
};
