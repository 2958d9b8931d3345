import { makeKnownCallers } from '../../src/lib/callers/known-callers.ts';
import { admissibleBytes, makeAdmission } from '../../src/lib/delivery/admission.ts';
import { makeBudgets } from '../../src/lib/delivery/budgets.ts';
import { type DeliverMailNeeds, deliverMail } from '../../src/lib/delivery/deliver-mail.ts';
import { type HoldPoisonNeeds, holdPoisonMessage } from '../../src/lib/delivery/hold-poison-message.ts';
import { makePacer } from '../../src/lib/delivery/pacer.ts';
import { makeQuotas } from '../../src/lib/delivery/quotas.ts';
import { type SendMailNeeds, sendMail } from '../../src/lib/delivery/send-mail.ts';
import { sweepMail } from '../../src/lib/delivery/sweep-mail.ts';
import type { SweepNeeds } from '../../src/lib/delivery/sweep-run.ts';
import type { Log } from '../../src/lib/log.ts';
import type { Ports } from '../../src/lib/ports.ts';
import type { LimitsOf } from '../../src/lib/sending/external-recipients.ts';
import { agesAfter, bookAheadFor } from '../../src/lib/sending/pacing.ts';
import { NO_SAFETY } from '../../src/lib/sending/safety.ts';
import type { VirtualTime } from '../lanes/virtual-time.ts';
import { addressOf, type Exchange } from './exchange.ts';
import { IDENTITY } from './identity.ts';
import type { Message, Queue } from './queue.ts';
import type { Random } from './random.ts';
import type { Process, Storage } from './storage.ts';

export type World = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly storage: Storage;
  readonly exchange: Exchange;
  readonly queue: Queue;
  readonly poison: Queue;
  readonly log: Log;
};

/** The settings of the day are the defaults. */
const GIVE_UP_MS = 24 * 3_600_000;
const LIMITS = {
  concurrent: 4,
  perMinute: 30,
  recipientsPerDay: 10_000,
  bookAheadMs: bookAheadFor(GIVE_UP_MS),
  agesAfterMs: agesAfter(GIVE_UP_MS),
} as const;
export const MEMORY_GB = 2;
const MEMORY_BYTES = MEMORY_GB * 1_024_000_000;

export const HTTP_CALLER = 'key:applications';
const CALLERS = makeKnownCallers([]);

/** By default external recipients are not counted. */
const limitsOf: LimitsOf = () => ({ tenant: 'contoso.example', domains: [], onmicrosoft: 100 });

type Needs = SendMailNeeds & DeliverMailNeeds & HoldPoisonNeeds & SweepNeeds;

const noDraft = (): never => {
  throw new Error('no email of this day goes as a draft');
};

/** The real use cases as one process of the relay runs them, with all that it keeps in memory. */
export const makeUseCases = (world: World, process: Process, owner: string) => {
  const { time, random, storage, exchange, log } = world;
  const clock: Ports['clock'] = {
    now: () => new Date(time.now() + process.skewMs),
    sleep: async (ms) => {
      await time.sleep(ms);
      if (!process.isAlive) await new Promise<never>(() => undefined);
    },
  };
  const queueOf = (queue: Queue): Ports['mailQueue'] => ({
    put: (text, delayMs) => {
      storage.requests.queuePuts += 1;
      return storage.ask(process, 'queue', 0, () => queue.put(text, delayMs, queue.newId()));
    },
    count: () => {
      storage.requests.queueOthers += 1;
      return storage.ask(process, 'queue', 0, queue.size);
    },
  });
  const ports = storage.portsOf(process);
  const mailQueue = queueOf(world.queue);
  const poisonQueue = queueOf(world.poison);
  const sending = {
    ...ports,
    clock,
    random,
    log,
    readIdentity: async () => IDENTITY,
    callers: { known: async () => CALLERS, refreshed: async () => CALLERS },
    mailQueue,
    arrivalQueue: mailQueue,
    poisonQueue,
    poisonQueues: { 'mail-poison': { ...poisonQueue, peek: async () => undefined } },
    mailboxes: exchange.portOf(process),
    drafts: {
      create: noDraft,
      mark: noDraft,
      attach: noDraft,
      openUpload: noDraft,
      send: noDraft,
      look: noDraft,
      remove: noDraft,
      listOf: noDraft,
      listBefore: noDraft,
    },
    pacer: makePacer({ ...ports, clock, random, log }, LIMITS, owner),
    budgets: makeBudgets({ ...ports, clock, log }, limitsOf),
    quotas: makeQuotas(ports.usages),
    admission: makeAdmission(admissibleBytes(MEMORY_BYTES)),
    accept: {
      senderPolicy: { defaultSender: { address: addressOf(0) }, allowedSenders: ['*@contoso.example'] },
      ledgerRecipients: false,
      limitsOf,
      safety: NO_SAFETY,
      plan: { largeAttachments: false, delivery: 'standard' },
    },
    policy: {
      onUnknown: 'verify',
      verifyWindowMs: 900_000,
      sendingLimitMs: 360_000,
      giveUpAfterMs: GIVE_UP_MS,
      ledgerDays: 90,
      filesWithinMs: { caller: 80_000, queue: 150_000 },
    },
    language: 'en',
    draftMailboxes: [],
    newMailId: (): never => {
      throw new Error('every email by HTTP has a key');
    },
  } as const;
  // Without `events`, as where nobody wants to hear of them.
  const needs: Needs = { ...sending, sending };
  const factsOf = ({ id, text, insertedAt, dequeueCount }: Message) => ({
    text,
    messageId: id,
    insertedAt: new Date(insertedAt),
    caller: 'queue',
    redelivered: dequeueCount > 1,
  });
  return {
    send: (input: object, idempotencyKey: string, respondAsync: boolean) =>
      sendMail(needs, {
        input,
        caller: CALLERS.withFunctionKey(HTTP_CALLER),
        idempotencyKey,
        respondAsync,
      }),
    deliver: (message: Message) => deliverMail(needs, factsOf(message)),
    hold: (message: Message) => holdPoisonMessage(needs, factsOf(message)),
    sweep: () => sweepMail(needs),
  };
};

export type UseCases = ReturnType<typeof makeUseCases>;
