import { type Budgets, makeBudgets } from '../../../src/lib/delivery/budgets.ts';
import type { DeliverMailNeeds } from '../../../src/lib/delivery/deliver-mail.ts';
import type { HoldPoisonNeeds } from '../../../src/lib/delivery/hold-poison-message.ts';
import type { Quotas } from '../../../src/lib/delivery/quotas.ts';
import type { SendMailAnswer, SendMailNeeds } from '../../../src/lib/delivery/send-mail.ts';
import type { SweepNeeds } from '../../../src/lib/delivery/sweep-run.ts';
import type { CancelNeeds } from '../../../src/lib/desk/cancel-mail.ts';
import { type CloseNeeds, closeMail } from '../../../src/lib/desk/close-mail.ts';
import type { ReplayNeeds } from '../../../src/lib/desk/replay-mail.ts';
import type { RescheduleNeeds } from '../../../src/lib/desk/reschedule-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { Pacer } from '../../../src/lib/sending/pacing.ts';
import { NO_SAFETY, type Safety } from '../../../src/lib/sending/safety.ts';
import type { PlanPolicy } from '../../../src/lib/sending/send-plan.ts';
import { external, UNCOUNTED_RECIPIENTS } from '../../support/a-budget.ts';
import { aCaller } from '../../support/a-caller.ts';
import type { FakeQueue, LeasedMessage } from '../../support/fake-queue.ts';
import type { Rules } from '../../support/last-release.ts';
import type { Asker } from '../../support/processes.ts';
import * as rulesOfNow from '../../support/rules-of-release.ts';
import { saveMap } from '../../support/save.ts';
import { settle } from '../../support/stepper.ts';
import type { SimulatedCloud } from './simulated-cloud.ts';

export type HttpRequest = {
  readonly input: unknown;
  /** Undefined for a caller who knows nothing of keys; then this is the id that its email gets. */
  readonly key: string | undefined;
  readonly newId?: string;
  readonly respondAsync: boolean;
};
export type HttpAnswer = SendMailAnswer | AppError | 'no answer';

/** The host ends an invocation after this, and its process with it; shorter than the limit of `sending`. */
const FUNCTION_TIMEOUT_MS = 300_000;
const SENDING_LIMIT_MS = 360_000;
/** As in host.json. */
const MAX_DEQUEUE_COUNT = 5;
const FAILED_HIDDEN_MS = 30_000;
const FOREVER_MS = 365 * 86_400_000;

const CAPTURE: Safety = { ...NO_SAFETY, capture: true };

type Needs = SendMailNeeds &
  DeliverMailNeeds &
  HoldPoisonNeeds &
  ReplayNeeds &
  CancelNeeds &
  CloseNeeds &
  RescheduleNeeds &
  SweepNeeds;

type Invocation = {
  readonly process: number;
  readonly startedAt: Date;
  readonly mailIds: ReadonlySet<string>;
  readonly onDeath: () => void;
};

export type RelayOptions = {
  readonly perMinute: number;
  readonly leaseMs: number;
  /** MAIL_DELIVERY of each process: they differ while a new value is rolled out. */
  readonly deliveries: readonly PlanPolicy['delivery'][];
  /** MAIL_CAPTURE of each process, where it is being switched. */
  readonly captures?: readonly boolean[];
  /** Whose queue it is, by which messages of applications come. */
  readonly queueOf?: string;
  /** A process is gone when its invocation has ended. */
  readonly isForgetful?: boolean;
  /** The mailbox is far from its limits: nobody asks its lane. */
  readonly isUnpaced?: boolean;
  /** How much the clock of each process is ahead. */
  readonly clocksMs?: readonly number[];
  /** By which rules a process runs that was started so many times before; those of now, unless it says otherwise. */
  readonly rulesOf?: (process: number, starts: number) => Rules;
};

/** The real use cases in processes of a simulated host, which can be killed between any two steps. */
export const makeSimulatedRelay = (
  cloud: SimulatedCloud,
  {
    perMinute,
    leaseMs,
    deliveries,
    captures = [],
    queueOf = 'queue',
    isForgetful = false,
    isUnpaced = false,
    clocksMs = [],
    rulesOf = () => rulesOfNow,
  }: RelayOptions,
) => {
  const starts = new Map<number, number>();
  const rules = (process: number): Rules => rulesOf(process, starts.get(process) ?? 0);
  /** By process and number. */
  const running = new Map<string, Invocation>();

  /** The ports, by the clock of the process. */
  const portsOf = (asker: Asker, process: number, touch?: (mailId: string) => void) => {
    const ports = cloud.portsOf(asker, touch);
    const now = (): Date => new Date(asker.now().getTime() + (clocksMs[process] ?? 0));
    return { ...ports, clock: { ...ports.clock, now } };
  };

  const pacerOf = (asker: Asker, process: number, owner: string): Pacer => {
    const kept = asker.memory.get('pacer') as Pacer | undefined;
    const pacer =
      kept ??
      rules(process).makePacer(
        portsOf(asker, process),
        {
          concurrent: 4,
          perMinute,
          recipientsPerDay: 10_000,
          bookAheadMs: 12 * 3_600_000,
          agesAfterMs: 6 * 3_600_000,
        },
        owner,
      );
    asker.memory.set('pacer', pacer);
    return pacer;
  };

  const quotasOf = (asker: Asker, process: number): Quotas => {
    const kept = asker.memory.get('quotas') as Quotas | undefined;
    const quotas = kept ?? rules(process).makeQuotas(cloud.portsOf(asker).usages);
    asker.memory.set('quotas', quotas);
    return quotas;
  };

  const limitsOf = isUnpaced ? UNCOUNTED_RECIPIENTS : external(1000);
  const budgetsOf = (asker: Asker, process: number): Budgets => {
    const kept = asker.memory.get('budgets') as Budgets | undefined;
    const budgets = kept ?? makeBudgets(portsOf(asker, process), limitsOf);
    asker.memory.set('budgets', budgets);
    return budgets;
  };

  const needsOf = (
    asker: Asker,
    { process, owner, touch }: { process: number; owner: string; touch: (mailId: string) => void },
  ): Needs => {
    const ports = portsOf(asker, process, touch);
    const sending = {
      ...ports,
      pacer: isUnpaced ? anyTime(asker.now) : pacerOf(asker, process, owner),
      quotas: quotasOf(asker, process),
      budgets: budgetsOf(asker, process),
      admission: rules(process).makeAdmission(1_000_000_000),
      accept: {
        senderPolicy: { defaultSender: { address: 'noreply@contoso.example' }, allowedSenders: [] },
        ledgerRecipients: false,
        limitsOf,
        safety: captures[process] ? CAPTURE : NO_SAFETY,
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
    return { ...sending, sending, safety: sending.accept.safety };
  };

  /** Runs an invocation until it ends or its process dies; nothing of a dead process is heard again. */
  const invoke = async (
    { process, what }: { readonly process: number; readonly what: string },
    work: (needs: Needs, asker: Asker) => Promise<unknown>,
    onDeath: () => void = () => undefined,
  ): Promise<void> => {
    // Whatever else it is started with follows from what it is for and when.
    const startedAt = cloud.now();
    const owner = isForgetful ? `${what} ${startedAt.getTime()}` : `${process}.${starts.get(process) ?? 0}`;
    const name = `${what} ${owner} ${captures[process] ?? ''} ${deliveries[process] ?? ''} ${clocksMs[process] ?? ''}`;
    const idIn = (its: number): string => `${its} ${name} ${startedAt.getTime()}`;
    running.set(idIn(process), { process, startedAt, mailIds: new Set(), onDeath });
    await cloud.processes.start(process, name, async (asker) => {
      const touch = (mailId: string): void =>
        asker.effect((its) => {
          const known = running.get(idIn(its));
          if (known !== undefined)
            running.set(idIn(its), { ...known, mailIds: new Set([...known.mailIds, mailId]) });
        });
      try {
        await work(needsOf(asker, { process, owner, touch }), asker);
      } catch (error) {
        asker.effect(() => cloud.problems.push(`an invocation threw ${String((error as Error).stack)}`));
      }
      asker.effect((its) => {
        running.delete(idIn(its));
        if (isForgetful) cloud.processes.forget(its);
      });
    });
  };

  const kill = async (process: number, happens: (index: number) => boolean): Promise<void> => {
    cloud.history.push(`process ${process} killed`);
    cloud.processes.kill(process, happens);
    starts.set(process, (starts.get(process) ?? 0) + 1);
    for (const [id, invocation] of running) {
      if (invocation.process !== process) continue;
      running.delete(id);
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
    which?: string,
  ): Promise<boolean> => {
    const leased = from.receive(leaseMs, cloud.now(), which);
    if (leased === undefined) return false;
    const { receipt, text, dequeueCount } = leased;
    const moveToPoison = () => {
      if (from === cloud.queue) cloud.poison.put(text, 0, cloud.now());
      from.delete(receipt);
    };
    if (dequeueCount > MAX_DEQUEUE_COUNT && from === cloud.queue) {
      moveToPoison();
      return true;
    }
    // While its process lives the host renews the lease.
    from.hide(receipt, FOREVER_MS, cloud.now());
    const comeBack = (afterMs: number) => from.hide(receipt, afterMs, cloud.now());
    await invoke(
      { process, what: `deliver ${receipt} ${dequeueCount}` },
      async (needs, asker) => {
        try {
          await run(needs, leased);
        } catch (error) {
          if (!(error instanceof AppError && error.code === 'STORAGE_UNAVAILABLE')) throw error;
          const isLast = dequeueCount >= MAX_DEQUEUE_COUNT && from === cloud.queue;
          asker.effect(() => (isLast ? moveToPoison() : comeBack(FAILED_HIDDEN_MS)));
          return;
        }
        await cloud.ask(
          asker,
          'host.deleteMessage',
          () => from.delete(receipt),
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
    caller: queueOf,
    redelivered: dequeueCount > 1,
  });

  return {
    kill,
    deliver: (process: number, which?: string) =>
      deliver(
        process,
        cloud.queue,
        (needs, leased) => rules(process).deliverMail(needs, factsOf(leased)),
        which,
      ),
    hold: (process: number, which?: string) =>
      deliver(
        process,
        cloud.poison,
        (needs, leased) => rules(process).holdPoisonMessage(needs, factsOf(leased)),
        which,
      ),
    post: (process: number, request: HttpRequest, answer: (received: HttpAnswer) => void) =>
      invoke(
        { process, what: `post ${request.key ?? request.newId}` },
        async (ports, asker) => {
          const { newId, input, key, respondAsync } = request;
          const needs = newId === undefined ? ports : { ...ports, newMailId: () => newId };
          const caller = (await cloud.callers.known()).withFunctionKey('key:test');
          const received = await rules(process)
            .sendMail(needs, {
              ...{ input, caller, respondAsync },
              ...(key === undefined ? {} : { idempotencyKey: key }),
            })
            .catch((error: unknown) => {
              if (!(error instanceof AppError)) throw error;
              return error;
            });
          asker.effect(() => answer(received));
        },
        () => answer('no answer'),
      ),
    sweep: (process: number) =>
      invoke({ process, what: 'sweep' }, (needs) => unlessRefused(rules(process).sweepMail(needs))),
    cancel: (process: number, mailId: string, caller: string, onCanceled: () => void) =>
      invoke({ process, what: `cancel ${mailId}` }, (needs, asker) =>
        unlessRefused(
          rules(process)
            .cancelMail(needs, mailId, aCaller(caller))
            .then(() => asker.effect(onCanceled)),
        ),
      ),
    reschedule: (process: number, mailId: string, caller: string, sendAt: string, onMoved: () => void) =>
      invoke({ process, what: `reschedule ${mailId} ${sendAt}` }, (needs, asker) =>
        unlessRefused(
          rules(process)
            .rescheduleMail(needs, mailId, aCaller(caller), sendAt)
            .then(() => asker.effect(onMoved)),
        ),
      ),
    close: (process: number, mailId: string) =>
      invoke({ process, what: `close ${mailId}` }, (needs) =>
        unlessRefused(closeMail(needs, mailId, 'no longer needed')),
      ),
    replay: (process: number, mailId: string) =>
      invoke({ process, what: `replay ${mailId}` }, (needs) =>
        unlessRefused(rules(process).replayMail(needs, mailId)),
      ),
    /** Lets time pass; a process whose invocation takes too long does not live to the end of it. */
    wait: async (ms: number, happens: (index: number) => boolean): Promise<void> => {
      const until = new Date(cloud.now().getTime() + ms);
      const oldest = [...running.values()].toSorted((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
      for (const { startedAt, process } of oldest) {
        const endsAt = new Date(startedAt.getTime() + FUNCTION_TIMEOUT_MS);
        if (endsAt > until) break;
        cloud.advanceTo(endsAt);
        if (
          [...running.values()].some(
            (invocation) => invocation.process === process && invocation.startedAt <= startedAt,
          )
        )
          await kill(process, happens);
      }
      cloud.advanceTo(until);
    },
    /** Those of a process that run, or all. */
    running: (process?: number) =>
      [...running.values()].filter((invocation) => process === undefined || invocation.process === process),
    /** When the host ends the oldest invocation, and its process with it. */
    endsAt: (): Date | undefined => {
      const times = [...running.values()].map(({ startedAt }) => startedAt.getTime());
      return times.length === 0 ? undefined : new Date(Math.min(...times) + FUNCTION_TIMEOUT_MS);
    },
    save: (): (() => void) => {
      const back = [saveMap(running), saveMap(starts)];
      return () => {
        for (const restore of back) restore();
      };
    },
  };
};

/** A pacer that lets everybody go. */
const anyTime = (now: () => Date): Pacer => ({
  enter: async (mailbox, { recipients }) => ({ kind: 'go', start: { mailbox, at: now(), recipients } }),
  leave: () => undefined,
  giveBack: () => undefined,
  canceled: () => undefined,
  isInTime: () => true,
  freed: () => new Promise(() => undefined),
  pause: async () => undefined,
  size: 0,
});

/** Storage may fail a person or a timer too; both try again later. */
const unlessRefused = async (work: Promise<unknown>): Promise<void> => {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
};
