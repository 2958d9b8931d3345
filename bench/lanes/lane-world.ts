import { sendInLane } from '../../src/lib/delivery/in-lane.ts';
import { makePacer } from '../../src/lib/delivery/pacer.ts';
import { AppError } from '../../src/lib/errors.ts';
import type { Priority } from '../../src/lib/mail/priority.ts';
import type { LaneEntry, Ports } from '../../src/lib/ports.ts';
import { EMPTY_LANE, type LaneLimits, oddly } from '../../src/lib/sending/mailbox-lane.ts';
import type { SendReport } from '../../src/lib/sending/send-outcome.ts';
import { decideWait } from '../../src/lib/sending/wait.ts';
import { makeVirtualTime } from './virtual-time.ts';

/** How the world is; times in milliseconds. */
export type WorldOptions = {
  readonly instances: number;
  readonly seed: number;
  /** Each instance knows only itself, as before the lanes were shared: what sharing is compared with. */
  readonly isAlone?: boolean;
  /** How far the clock of each instance is from that of storage, at most. */
  readonly clockSkewMs?: number;
  /** A request to Graph takes between half of this and one and a half. */
  readonly graphMs?: number;
  /** Instead, so long for the first ones. */
  readonly hangsMs?: readonly number[];
  /** After so many requests Graph refuses some, each for so long, whatever was sent. */
  readonly refusals?: { readonly after: number; readonly times: number; readonly seconds: number };
  readonly limits?: Partial<LaneLimits>;
  /** How long a message stays hidden whose instance died. */
  readonly invisibleMs?: number;
  /** The lane in storage answers between these times. */
  readonly storageAwayAt?: { readonly from: number; readonly to: number };
};

export type WorldMail = {
  readonly number: number;
  readonly mailbox: string;
  readonly priority: Priority;
  readonly recipients: number;
  readonly bytes: number;
  readonly putAt: number;
  dueAt?: Date;
  attempts: number;
  sentAt?: number;
};

/** A request that reached Graph. */
export type Call = { readonly mailbox: string; readonly at: number; readonly status: number };

const START = Date.parse('2026-03-02T08:00:00Z');
const MINUTE_MS = 60_000;
/** As in host.json: 16, and 8 more when half of them are done. */
const AT_ONCE = 24;
const BATCH = 16;
/** The host asks an empty queue again after a tenth of a second, and later after up to a second (observed). */
const LONGEST_POLL_MS = 1000;
const STORAGE_MS = 8;
/** What an invocation does besides waiting, one after another on its instance. */
const WORK_MS = 6;

const makeRandom = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
};

type Instance = {
  readonly name: string;
  readonly skewMs: number;
  isAlive: boolean;
  inProgress: Set<WorldMail>;
  pollMs: number;
  freeAt: number;
  readonly pacer: ReturnType<typeof makePacer>;
  readonly clock: Ports['clock'];
};

/**
 * Instances of the relay around one queue, one ledger's storage and one Exchange, in moved time. The pacer, the lane and the way through
 * it are the real ones; the queue, storage and Exchange have their times and limits.
 */
export const makeLaneWorld = (options: WorldOptions) => {
  const { instances: count, clockSkewMs = 0, graphMs = 400, hangsMs = [], invisibleMs = 600_000 } = options;
  const random = makeRandom(options.seed);
  const time = makeVirtualTime(START);
  const sharedLanes = new Map<string, LaneEntry>();
  let visible: WorldMail[] = [];
  const mails: WorldMail[] = [];
  const calls: Call[] = [];
  const requests = { read: 0, written: 0, conflicts: 0, queue: 0 };
  const accepted = new Map<string, number[]>();
  const inside = new Map<string, number>();
  let version = 0;
  let made = 0;
  let alone = 0;

  const storageTakes = () => time.sleep(STORAGE_MS * (0.5 + random()));
  const isAway = () => {
    const { storageAwayAt: away } = options;
    return away !== undefined && time.now() >= START + away.from && time.now() < START + away.to;
  };
  const server = () => ({ at: new Date(time.now()), precisionMs: 1 });
  const lanesIn = (lanes: Map<string, LaneEntry>): Ports['mailboxLanes'] => ({
    read: async (mailbox) => {
      requests.read += 1;
      await storageTakes();
      if (isAway()) throw new AppError('STORAGE_UNAVAILABLE');
      return { ...(lanes.get(mailbox) ?? { lane: EMPTY_LANE }), server: server() };
    },
    write: async (mailbox, lane, etag) => {
      requests.written += 1;
      await storageTakes();
      if (isAway()) throw new AppError('STORAGE_UNAVAILABLE');
      const there = lanes.get(mailbox);
      if (there?.etag !== etag) {
        requests.conflicts += 1;
        // Refused, and read again.
        requests.read += 1;
        await storageTakes();
        return { isOwn: false, entry: lanes.get(mailbox) ?? { lane: EMPTY_LANE }, server: server() };
      }
      version += 1;
      const entry = { lane, etag: `"${version}"` };
      lanes.set(mailbox, entry);
      const at = server();
      await storageTakes();
      return { isOwn: true, entry, server: at };
    },
    expire: async () => undefined,
  });

  /** Exchange: thirty in any minute and four at once, for each mailbox. */
  const callGraph = async (mailbox: string): Promise<SendReport> => {
    await time.sleep(20 + 60 * random());
    const now = time.now();
    const recent = (accepted.get(mailbox) ?? []).filter((at) => now - at < MINUTE_MS);
    const atOnce = (inside.get(mailbox) ?? 0) + 1;
    const answer = (status: number, retryAfter?: number): SendReport => {
      calls.push({ mailbox, at: now, status });
      return {
        kind: 'answered',
        status,
        ...(retryAfter === undefined ? {} : { retryAfter: String(retryAfter) }),
      };
    };
    const { after = 0, times = 0, seconds = 0 } = options.refusals ?? {};
    if (calls.length >= after && calls.length < after + times) return answer(429, seconds);
    if (atOnce > 4) return answer(429, 1);
    if (recent.length >= 30) {
      const first = recent.at(-30) ?? now;
      return answer(429, Math.ceil((first + MINUTE_MS - now) / 1000));
    }
    accepted.set(mailbox, [...recent, now]);
    inside.set(mailbox, atOnce);
    const report = answer(202);
    await time.sleep(hangsMs[calls.length - 1] ?? graphMs * (0.5 + random()));
    inside.set(mailbox, (inside.get(mailbox) ?? 1) - 1);
    return report;
  };

  const put = (mail: WorldMail, waitMs: number): void => {
    requests.queue += 1;
    const hiddenMs = Math.ceil(Math.max(0, waitMs) / 1000) * 1000;
    if (hiddenMs === 0) visible.push(mail);
    else time.at(time.now() + hiddenMs, () => visible.push(mail));
  };

  const newInstance = (): Instance => {
    made += 1;
    const skewMs = clockSkewMs * (2 * random() - 1);
    const clock = { now: () => new Date(time.now() + skewMs), sleep: time.sleep };
    return {
      name: `instance-${made}`,
      skewMs,
      isAlive: true,
      inProgress: new Set(),
      pollMs: 100,
      freeAt: 0,
      clock,
      pacer: makePacer(
        {
          mailboxLanes: lanesIn(options.isAlone ? new Map() : sharedLanes),
          clock,
          random,
          log: ({ event }) => {
            if (event === 'PacingAlone') alone += 1;
          },
        },
        {
          concurrent: 4,
          perMinute: 30,
          recipientsPerDay: 10_000,
          bookAheadMs: 43_200_000,
          agesAfterMs: 21_600_000,
          ...options.limits,
        },
        `instance-${made}`,
      ),
    };
  };
  const instances = Array.from({ length: count }, newInstance);

  const deliver = async (instance: Instance, mail: WorldMail): Promise<void> => {
    // One after another on its processor, then a look into the ledger.
    instance.freeAt = Math.max(instance.freeAt, time.now()) + WORK_MS;
    await time.sleep(instance.freeAt - time.now());
    await storageTakes();
    const needs = {
      pacer: instance.pacer,
      clock: instance.clock,
      random,
      log: () => undefined,
      policy: { verifyWindowMs: 900_000, filesWithinMs: { caller: 60_000, queue: 60_000 } },
      mailboxes: {
        send: () => callGraph(mail.mailbox),
        routeOf: () => ({ connection: 'main' }),
      },
    } as unknown as Parameters<typeof sendInLane>[0];
    const plan = {
      kind: 'json',
      mailbox: mail.mailbox,
      body: { length: mail.bytes },
    } as unknown as Parameters<typeof sendInLane>[1];
    const { dueAt, priority, recipients } = mail;
    const who = {
      mailId: String(mail.number),
      priority,
      recipients,
      waitsSince: new Date(mail.putAt),
      givesWay: true,
      ...(dueAt === undefined ? {} : { dueAt }),
    };
    const result = await sendInLane(needs, plan, who, async () => {
      await storageTakes();
      return { row: { progress: {} }, etag: '' } as unknown as Awaited<
        ReturnType<Parameters<typeof sendInLane>[3]>
      >;
    });
    if (!instance.isAlive) return;
    instance.inProgress.delete(mail);
    if (result.kind === 'beaten') return;
    if (result.kind === 'ended') {
      if (result.outcome.kind === 'accepted') {
        mail.sentAt = time.now();
        return;
      }
      mail.attempts += 1;
      // Its start is used; it has waited all the same.
      if (mail.dueAt !== undefined) mail.dueAt = new Date(oddly(mail.dueAt.getTime()));
      const waitMs = 'waitMs' in result.outcome ? result.outcome.waitMs : undefined;
      put(mail, decideWait(mail.attempts, waitMs, random()));
      return;
    }
    delete mail.dueAt;
    if (result.kind !== 'full') mail.dueAt = result.dueAt;
    put(mail, result.waitMs);
  };

  const poll = (instance: Instance): void => {
    if (!instance.isAlive) return;
    const room = Math.min(BATCH, AT_ONCE - instance.inProgress.size);
    const taken = visible.slice(0, room);
    visible = visible.length > 5000 ? visible.slice(taken.length) : visible.toSpliced(0, taken.length);
    requests.queue += 1;
    for (const mail of taken) {
      instance.inProgress.add(mail);
      void deliver(instance, mail);
    }
    instance.pollMs = taken.length > 0 ? 100 : Math.min(LONGEST_POLL_MS, instance.pollMs * 1.5);
    const isFull = instance.inProgress.size >= AT_ONCE;
    time.at(
      time.now() + (taken.length > 0 && !isFull ? STORAGE_MS : instance.pollMs * (0.8 + 0.4 * random())),
      () => poll(instance),
    );
  };
  for (const instance of instances) time.at(START + 1000 * random(), () => poll(instance));

  return {
    startedAt: START,
    now: time.now,
    runUntil: (afterMs: number) => time.runUntil(START + afterMs),
    /** Applications put emails on the queue. */
    offer: (
      number: number,
      mailboxes: readonly string[],
      {
        priority = 'normal',
        recipients = 1,
        bytes = 1000,
      }: { readonly priority?: Priority; readonly recipients?: number; readonly bytes?: number } = {},
    ): readonly WorldMail[] =>
      Array.from({ length: number }).flatMap(() =>
        mailboxes.map((mailbox) => {
          const mail: WorldMail = {
            number: mails.length,
            mailbox,
            priority,
            recipients,
            bytes,
            putAt: time.now(),
            attempts: 0,
          };
          mails.push(mail);
          put(mail, 0);
          return mail;
        }),
      ),
    /** An instance dies with all it holds, and another takes its place. */
    kill: (index: number): void => {
      const instance = instances[index];
      if (instance === undefined) return;
      instance.isAlive = false;
      for (const mail of instance.inProgress) put(mail, invisibleMs);
      const next = newInstance();
      instances[index] = next;
      time.at(time.now() + 5000, () => poll(next));
    },
    calls,
    mails,
    requests,
    aloneCount: () => alone,
    laneOf: (mailbox: string): LaneEntry | undefined => sharedLanes.get(mailbox),
  };
};

/** The most requests in any minute, those refused too. */
export const mostInAnyMinute = (calls: readonly Call[]): number => {
  const times = calls.map(({ at }) => at).toSorted((one, other) => one - other);
  let most = 0;
  let first = 0;
  times.forEach((at, index) => {
    while (at - (times[first] ?? at) >= MINUTE_MS) first += 1;
    most = Math.max(most, index - first + 1);
  });
  return most;
};
