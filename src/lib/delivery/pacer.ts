import { defined } from '../defined.ts';
import type { LaneEntry, Ports } from '../ports.ts';
import { BELIEVED_MS, isTooDense, isToTellOfCanceled } from '../sending/lane-renewal.ts';
import { LARGE_BYTES } from '../sending/mailbox-bytes.ts';
import { placeOfTime } from '../sending/mailbox-day.ts';
import {
  type Answer,
  askLane,
  canBeStart,
  evenly,
  GRACE_MS,
  hasStart,
  type LaneLimits,
  oddly,
  type Returned,
  SPARE_RECIPIENTS,
  startsWithin,
  type Want,
  WINDOW_MS,
} from '../sending/mailbox-lane.ts';
import { agedPriority, type Pace, type Pacer, type Passenger } from '../sending/pacing.ts';
import { makeStorageClock } from '../sending/storage-clock.ts';
import { isStorageFailure } from './storage-failure.ts';

export type PacerNeeds = Pick<Ports, 'mailboxLanes' | 'clock' | 'random' | 'log'>;

/**
 * An email is put back a little early, as Storage counts whole seconds, and waits for its start in its invocation: less where an instance
 * needs its invocations, of which it has 24, for others.
 */
const EARLY_MS = 1000;
const BUSY = 12;
/** The queue brings an email within this, where the instances keep up with it. */
const LATE_AFTER_MS = 10_000;
/** What waits longer goes back to the queue. */
const SOON_MS = 2000;
/** Graph asks for about a second when too many requests run at once, for longer when there were too many in a minute. */
const LONG_PAUSE_MS = 10_000;
/** A limit of requests at once that was cut grows back by one per this time. */
const REGROWTH_MS = 5 * 60_000;
/**
 * How many emails wait in their invocations for each request in progress. With four requests that is half of the 24
 * invocations that an instance runs for its queue (host.json): a burst for one mailbox leaves the others to the rest.
 */
const WAITING_PER_REQUEST = 2;
/** What was read of a lane is believed for so long, and not as long where Graph has limited the mailbox. */
const FRESH_MS = BELIEVED_MS;
const FRESH_IN_TROUBLE_MS = 15_000;
const TROUBLE_MS = 10 * 60_000;
/** Of those that write at the same moment one succeeds; losing more often than this is a fault. */
const MOST_RACES = 12;
const RACE_MS = 100;
/** Where several instances ask, what was read is out of date after about this time. */
const TRUE_FOR_MS = 50;
/** Where emails wait anyway, one request is for all that come in this time. */
const GATHER_MS = 100;
/** Without storage: one email in this time. Forty instances, which is the most by default, then stay within 30 a minute together. */
const ALONE_MS = 90_000;
const ASK_AGAIN_MS = 10_000;
const MOST_SPARE = 64;
/** So many requests tell how long they take. */
const MOST_CALLS = 32;
/** Those that nobody has needed for so long are given back, as soon as an email of the mailbox comes. */
const SPARE_MS = 3000;
/** A start that passed so long ago is no longer known to the lane. */
const FORGOTTEN_MS = WINDOW_MS;
/** Who has not sent for this long is forgotten. */
const IDLE_MS = 10 * 60_000;

type Asking = {
  readonly want: Want;
  readonly answer: (given: Given) => void;
  readonly fail: (fault: unknown) => void;
};
type Given = Answer | { readonly kind: 'alone' };

type Ended = NonNullable<Parameters<Pacer['leave']>[1]>;

type LostWrite = {
  /** By which the lane says that it was written. */
  readonly at: number | undefined;
  readonly told: Pick<OwnLane, 'returned' | 'released' | 'unasked' | 'recipients'>;
  readonly starts: readonly Returned[];
  readonly spare: readonly number[];
};

/** Their recipients are counted when they are used. */
const spareReturned = (spare: readonly number[]): readonly Returned[] =>
  spare.map((at) => ({ at, recipients: 0 }));

/** The starts and places that were given, and how many recipients were counted with each. */
const startsIn = (
  answers: readonly Answer[],
  wants: readonly Want[],
  spare: readonly number[],
): readonly Returned[] => [
  ...answers.flatMap((answer, index) => {
    const { recipients = 0 } = wants[index] ?? {};
    if (answer.kind === 'start') return [{ at: answer.at, recipients }];
    return answer.kind === 'day' && placeOfTime(answer.told) !== undefined
      ? [{ at: answer.told, recipients }]
      : [];
  }),
  ...spareReturned(spare),
];

/** Whether an email can use a start that was kept for the next one. */
const isSmall = ({ recipients, bytes }: Pick<Passenger, 'recipients' | 'bytes'>): boolean =>
  recipients <= SPARE_RECIPIENTS && bytes < LARGE_BYTES;

/** How many starts to keep for emails as those that ask: others could not use them. */
const spareFor = (wants: readonly Want[], held: number): number =>
  Math.max(
    0,
    Math.min(MOST_SPARE, 2 * wants.filter((want) => isSmall(want) && !want.hasWaited).length) - held,
  );

type OwnLane = {
  known: (LaneEntry & { readonly seenAt: number }) | undefined;
  /** Of requests in progress: their start, and when they began by the clock of storage. */
  inProgress: readonly { readonly at: number; readonly since: number }[];
  readonly waiters: (() => void)[];
  concurrent: { value: number; cutAt: number };
  asking: readonly Asking[];
  isAsking: boolean;
  /** There is something to tell although nobody asks. */
  isTelling: boolean;
  canceled: number;
  /** What the lane in storage is to be told. */
  returned: readonly (Returned & { readonly mailId?: string })[];
  /** Of `spare`, what is used or returned. */
  released: readonly number[];
  unasked: readonly number[];
  recipients: number;
  callsMs: readonly number[];
  pause: { readonly until: number; readonly isLong: boolean } | undefined;
  /** A write of which no answer came. */
  lost: LostWrite | undefined;
  /** Starts kept for the next emails, oldest first. */
  spare: readonly number[];
  hasBacklog: boolean;
  /** When an email last came that had no start. */
  newAt: number;
  /** Starts of the standing share, and what is left of it. */
  standing: readonly number[];
  share: { readonly until: number; readonly count: number; readonly left: number } | undefined;
  pausedUntil: number;
  troubledAt: number;
  aloneSince: number | undefined;
  usedAt: number;
};

/**
 * Keeps each mailbox within its limits, together with all other instances, by the lane of the mailbox in storage. One request serves all
 * emails that ask at the same time. An email that must wait takes its start with it on the queue, and then goes without a request.
 * Without a timer: what an instance holds when it ends, ends by itself.
 */
export const makePacer = (
  { mailboxLanes, clock, random, log }: PacerNeeds,
  limits: LaneLimits,
  owner: string,
): Pacer => {
  const lanes = new Map<string, OwnLane>();
  const storageClock = makeStorageClock();
  let droppedAt = 0;
  let inside = 0;
  const earlyMs = (): number => (inside > BUSY ? 0 : EARLY_MS);
  // In whole milliseconds, as a start travels in a `Date`.
  const timeNow = (): number => Math.floor(storageClock.now(clock.now()));

  const laneOf = (mailbox: string): OwnLane => {
    const lane = lanes.get(mailbox) ?? {
      known: undefined,
      inProgress: [],
      waiters: [],
      concurrent: { value: limits.concurrent, cutAt: 0 },
      asking: [],
      isAsking: false,
      isTelling: false,
      canceled: 0,
      returned: [],
      released: [],
      unasked: [],
      recipients: 0,
      callsMs: [],
      pause: undefined,
      lost: undefined,
      spare: [],
      hasBacklog: false,
      newAt: 0,
      standing: [],
      share: undefined,
      pausedUntil: 0,
      troubledAt: Number.NEGATIVE_INFINITY,
      aloneSince: undefined,
      usedAt: 0,
    };
    lanes.set(mailbox, lane);
    return lane;
  };

  const dropIdle = (time: number): void => {
    if (time - droppedAt < WINDOW_MS) return;
    droppedAt = time;
    for (const [mailbox, lane] of lanes)
      if (
        lane.inProgress.length + lane.waiters.length + lane.asking.length === 0 &&
        !lane.isAsking &&
        lane.pausedUntil <= time &&
        time - lane.usedAt > IDLE_MS
      ) {
        if (lane.recipients === 0 && lane.unasked.length + lane.returned.length + lane.released.length === 0)
          lanes.delete(mailbox);
        else {
          lane.isTelling = true;
          void serve(mailbox, lane);
        }
      }
  };

  /** A write whose answer was lost happened after all: it told what it had to, and nobody got its starts. */
  const settleLost = (lane: OwnLane, { lane: found }: LaneEntry): void => {
    const { lost } = lane;
    lane.lost = undefined;
    if (lost === undefined || lost.at === undefined || found.users[owner] !== lost.at) return;
    lane.returned = [...lane.returned.slice(lost.told.returned.length), ...lost.starts];
    lane.released = [...lane.released.slice(lost.told.released.length), ...lost.spare];
    lane.unasked = lane.unasked.filter((at) => !lost.told.unasked.includes(at));
    lane.recipients -= lost.told.recipients;
  };

  /** What is kept for the next emails is theirs as long as the lane says so. */
  const know = (lane: OwnLane, entry: LaneEntry) => {
    const known = { ...entry, seenAt: timeNow() };
    lane.known = known;
    const isTheirs = (at: number) => hasStart(known.lane, at);
    lane.released = [...lane.released, ...lane.spare.filter((at) => !isTheirs(at))];
    lane.spare = lane.spare.filter(isTheirs);
    return known;
  };

  const read = async (mailbox: string, lane: OwnLane) => {
    const before = clock.now();
    const { server, ...entry } = await mailboxLanes.read(mailbox);
    if (server !== undefined) storageClock.learn(before, server, clock.now());
    settleLost(lane, entry);
    return know(lane, entry);
  };

  /** Where others ask too, what was read a while ago has changed since, and a write would be in vain. */
  const isToTry = (known: OwnLane['known']): known is NonNullable<OwnLane['known']> =>
    known !== undefined &&
    (timeNow() - known.seenAt < TRUE_FOR_MS || Object.keys(known.lane.users).every((user) => user === owner));

  /** Asks for all that wait, in one write; again where another instance was first. */
  const askStorage = async (
    mailbox: string,
    lane: OwnLane,
    wants: readonly Want[],
  ): Promise<readonly Answer[]> => {
    for (let race = 0; race < MOST_RACES; race += 1) {
      // What a lost race shows is new enough for another one at once.
      if (race > 1) await clock.sleep(RACE_MS * race * random());
      const known = isToTry(lane.known) ? lane.known : await read(mailbox, lane);
      const { returned, released, unasked, recipients } = lane;
      const told = { returned, released, unasked, recipients };
      const { pause, callsMs, canceled } = lane;
      const { answers, spare, isHeard, ...decided } = askLane(known.lane, limits, {
        ...told,
        owner,
        now: timeNow(),
        wants,
        spare: lane.hasBacklog ? spareFor(wants, lane.spare.length) : 0,
        callsMs,
        canceled,
        ...(pause === undefined ? {} : { pause }),
      });
      // Should the answer be lost, nobody knows what is there.
      lane.known = undefined;
      const before = clock.now();
      const written = mailboxLanes.write(mailbox, decided.lane, known.etag);
      const { isOwn, entry, server } = await written.catch((failure: unknown) => {
        lane.lost = { at: decided.lane.users[owner], told, starts: startsIn(answers, wants, spare), spare };
        throw failure;
      });
      if (server !== undefined) storageClock.learn(before, server, clock.now());
      know(lane, entry);
      if (!isOwn) continue;
      lane.returned = lane.returned.slice(told.returned.length);
      lane.released = lane.released.slice(told.released.length);
      lane.unasked = lane.unasked.filter((at) => !told.unasked.includes(at));
      lane.recipients -= told.recipients;
      lane.callsMs = lane.callsMs.slice(callsMs.length);
      if (lane.pause === pause) lane.pause = undefined;
      if (isHeard) lane.canceled -= canceled;
      lane.spare = [...lane.spare, ...spare].toSorted((one, other) => one - other);
      const time = timeNow();
      if (wants.length > 0)
        lane.hasBacklog = answers.some((answer) => 'at' in answer && answer.at > time + SOON_MS);
      lane.aloneSince = undefined;
      return answers;
    }
    return wants.map(() => ({ kind: 'ask', at: oddly(timeNow() + ASK_AGAIN_MS * random()) }));
  };

  const isToGather = ({ hasBacklog, asking, pause }: OwnLane): boolean =>
    hasBacklog &&
    pause === undefined &&
    asking.length > 0 &&
    asking.every(({ want }) => want.priority !== 'high');

  /** One request at a time for each mailbox: those that come meanwhile share the next one. */
  const serve = async (mailbox: string, lane: OwnLane): Promise<void> => {
    if (lane.isAsking) return;
    lane.isAsking = true;
    let isTold = true;
    while (lane.asking.length > 0 || ((lane.isTelling || lane.pause !== undefined) && isTold)) {
      lane.isTelling = false;
      if (isToGather(lane)) await clock.sleep(GATHER_MS * (0.5 + random()));
      const { asking, pause } = lane;
      lane.asking = [];
      try {
        const answers = await askStorage(
          mailbox,
          lane,
          asking.map(({ want }) => want),
        );
        asking.forEach(({ answer }, index) => {
          answer(answers[index] ?? { kind: 'alone' });
        });
        // Others were always first: it is told with what is asked next.
        if (pause !== undefined && lane.pause === pause) isTold = false;
      } catch (failure) {
        isTold = false;
        for (const { answer, fail } of asking)
          if (isStorageFailure(failure)) answer({ kind: 'alone' });
          else fail(failure);
      }
    }
    lane.isAsking = false;
  };

  const ask = (mailbox: string, lane: OwnLane, want: Want): Promise<Given> =>
    new Promise((resolve, reject) => {
      lane.asking = [...lane.asking, { want, answer: resolve, fail: reject }];
      void serve(mailbox, lane);
    });

  /** Without storage, each instance takes a share that is safe whatever the others do, and says so. */
  const alone = (lane: OwnLane, time: number, recipients: number): Answer => {
    if (lane.aloneSince === undefined) {
      lane.aloneSince = time;
      log({ event: 'PacingAlone' });
    }
    if (time - lane.aloneSince < ALONE_MS || time < lane.pausedUntil)
      return { kind: 'ask', at: oddly(time + ASK_AGAIN_MS * (1 + random())) };
    lane.aloneSince = time;
    const at = evenly(time);
    lane.unasked = [...lane.unasked, at];
    lane.recipients += recipients;
    return { kind: 'start', at };
  };

  const pausedUntil = ({ pausedUntil: own, known }: OwnLane): number =>
    Math.max(own, known?.lane.pausedUntil ?? 0);

  /**
   * Of the requests at once, what the others leave by the starts that the lane kept for them. A request that takes longer than usual says
   * that these tell too little: then each instance has its part.
   */
  const ownShare = ({ known, inProgress }: OwnLane, start: number, time: number): number => {
    if (known === undefined) return limits.concurrent;
    const users = Object.keys(known.lane.users).length;
    const part = Math.floor(limits.concurrent / Math.max(1, users));
    const { callMs } = known.lane;
    if (inProgress.some(({ since }) => time - since > callMs)) return part;
    const own = [...inProgress, { at: start }].filter(({ at }) => at > time - callMs).length;
    const others = startsWithin(known.lane, time - callMs, time) - own;
    return Math.max(part, limits.concurrent - Math.max(0, others));
  };

  const mostAtOnce = (lane: OwnLane, start: number, time: number): number => {
    const grown = Math.floor((time - lane.concurrent.cutAt) / REGROWTH_MS);
    if (lane.concurrent.value < limits.concurrent && grown > 0)
      lane.concurrent = { value: Math.min(limits.concurrent, lane.concurrent.value + grown), cutAt: time };
    return Math.max(1, Math.min(lane.concurrent.value, ownShare(lane, start, time)));
  };

  /** Whether the lane in storage still has the start that an email brings. Unknown where nobody can say. */
  const isKept = async (mailbox: string, lane: OwnLane, at: number): Promise<boolean | undefined> => {
    const time = timeNow();
    const freshMs = time - lane.troubledAt < TROUBLE_MS ? FRESH_IN_TROUBLE_MS : FRESH_MS;
    const { known } = lane;
    if (known !== undefined && time - known.seenAt < freshMs) {
      if (hasStart(known.lane, at)) return true;
      // Another instance may have kept it since.
      if (known.seenAt >= time) return false;
    }
    try {
      const { lane: found } = await read(mailbox, lane);
      if (isTooDense(found, limits.perMinute, timeNow())) {
        // Whoever has a start asks for none, so that nobody else would see it.
        lane.isTelling = true;
        await serve(mailbox, lane);
      }
      return hasStart(found, at);
    } catch (failure) {
      if (!isStorageFailure(failure)) throw failure;
      return known !== undefined && hasStart(known.lane, at) ? true : undefined;
    }
  };

  /** What this instance may still use of its standing share. */
  const shareOf = (lane: OwnLane, time: number): OwnLane['share'] => {
    // While a write is under way nothing is known, and what was used of the share must not be forgotten.
    if (lane.known === undefined) return undefined;
    const known = lane.known.lane.standing.find((one) => one.owner === owner && one.until > time);
    if (lane.share?.until !== known?.until) lane.share = undefined;
    if (known !== undefined)
      lane.share ??= { until: known.until, count: known.count, left: known.recipients };
    return lane.share;
  };

  /** A start that this instance has already: of its standing share, or kept for the next email. */
  const ownStart = (lane: OwnLane, who: Passenger, time: number): number | undefined => {
    const passed = lane.spare.filter((at) => at + GRACE_MS < time);
    if (passed.length > 0) {
      lane.spare = lane.spare.filter((at) => at + GRACE_MS >= time);
      lane.returned = [...lane.returned, ...spareReturned(passed)];
      lane.released = [...lane.released, ...passed];
    }
    if (
      who.priority === 'bulk' ||
      // Its place is to be free for others.
      (who.dueAt !== undefined && placeOfTime(who.dueAt.getTime()) !== undefined) ||
      !isSmall(who) ||
      time < pausedUntil(lane)
    )
      return undefined;
    lane.standing = lane.standing.filter((at) => at + WINDOW_MS > time);
    const share = shareOf(lane, time);
    if (share !== undefined && share.left > 0 && lane.standing.length < share.count) {
      lane.standing = [...lane.standing, time];
      lane.share = { ...share, left: share.left - who.recipients };
      lane.recipients += who.recipients;
      return time;
    }
    const [first, ...others] = lane.spare;
    const isForThis = who.dueAt === undefined ? who.priority === 'normal' : (first ?? 0) - time < SOON_MS;
    if (first === undefined || !isForThis) return undefined;
    lane.spare = others;
    lane.released = [...lane.released, first];
    lane.recipients += who.recipients;
    return first;
  };

  const giveSpareBack = (mailbox: string, lane: OwnLane): Promise<void> => {
    lane.returned = [...lane.returned, ...spareReturned(lane.spare)];
    lane.released = [...lane.released, ...lane.spare];
    lane.spare = [];
    lane.hasBacklog = false;
    lane.isTelling = true;
    return serve(mailbox, lane);
  };

  const go = (mailbox: string, lane: OwnLane, who: Passenger, at: number): Pace => {
    const time = timeNow();
    const start = { mailbox, at: new Date(at), recipients: who.recipients };
    if (at > time) {
      const isSoon = at - time <= SOON_MS;
      return {
        kind: 'wait',
        at: start.at,
        isKept: true,
        waitMs: Math.ceil(isSoon ? at - time : at - time - earlyMs()),
      };
    }
    const most = mostAtOnce(lane, at, time);
    if (lane.inProgress.length >= most)
      return { kind: 'busy', start, isCrowded: lane.waiters.length >= WAITING_PER_REQUEST * most };
    lane.inProgress = [...lane.inProgress, { at, since: time }];
    inside += 1;
    return { kind: 'go', start };
  };

  /**
   * The email that brings a start asks for another. Whether the lane still has the first one or not, its recipients are counted there. Told
   * once, however often its message comes before that.
   */
  const notUsed = (lane: OwnLane, at: number, { mailId, recipients }: Passenger): void => {
    const isOwn = lane.standing.includes(at) || lane.unasked.includes(at);
    const isKnown = lane.returned.some((one) => one.at === at && one.mailId === mailId);
    if (!isOwn && !isKnown) lane.returned = [...lane.returned, { at, recipients, mailId }];
  };

  const enter = async (mailbox: string, who: Passenger): Promise<Pace> => {
    const lane = laneOf(mailbox);
    const time = timeNow();
    lane.usedAt = time;
    dropIdle(time);
    const dueAt = who.dueAt?.getTime();
    if (dueAt === undefined) lane.newAt = time;
    else if (lane.spare.length > 0 && time - lane.newAt > SPARE_MS) await giveSpareBack(mailbox, lane);
    if (dueAt !== undefined && canBeStart(dueAt)) {
      // Of its own share, it waits for a request in progress.
      if (lane.standing.includes(dueAt) && dueAt + GRACE_MS >= time) return go(mailbox, lane, who, dueAt);
      const kept = dueAt + FORGOTTEN_MS > time ? await isKept(mailbox, lane, dueAt) : false;
      const isProbe = dueAt === lane.known?.lane.probe && dueAt >= lane.pausedUntil;
      const isOpen = isProbe || Math.max(dueAt, timeNow()) >= pausedUntil(lane);
      if (kept && dueAt + GRACE_MS >= timeNow() && isOpen) return go(mailbox, lane, who, dueAt);
      if (kept !== undefined) notUsed(lane, dueAt, who);
    }
    const own = ownStart(lane, who, timeNow());
    if (own !== undefined) return go(mailbox, lane, who, own);
    const { recipients, bytes, comesBack = false } = who;
    const priority = agedPriority(who, time, limits.agesAfterMs);
    const hasWaited = dueAt !== undefined;
    const place = hasWaited ? placeOfTime(dueAt) : undefined;
    const isLate = comesBack && time - (dueAt ?? who.waitsSince.getTime()) > LATE_AFTER_MS;
    const want = { priority, recipients, bytes, hasWaited, isLate, comesBack, ...defined({ place }) };
    const given = await ask(mailbox, lane, want);
    const answer = given.kind === 'alone' ? alone(lane, timeNow(), recipients) : given;
    const waitMs = 'at' in answer ? Math.max(0, Math.ceil(answer.at - timeNow())) : 0;
    switch (answer.kind) {
      case 'start':
        return go(mailbox, lane, who, answer.at);
      case 'ask':
        return { kind: 'wait', at: new Date(answer.at), isKept: false, waitMs };
      case 'day':
        return { kind: 'day', at: new Date(answer.at), told: new Date(answer.told), waitMs };
      case 'full':
        return { kind: 'full', waitMs: Math.ceil(limits.bookAheadMs / 2) };
    }
  };

  return {
    get size() {
      return lanes.size;
    },
    enter,
    leave: ({ mailbox, at, recipients }, { maySend, tookMs }: Ended = { maySend: true }) => {
      const lane = laneOf(mailbox);
      // Counted when it got its start; its next attempt counts again.
      if (!maySend) lane.recipients -= recipients;
      const place = lane.inProgress.findIndex((one) => one.at === at.getTime());
      if (place !== -1) lane.inProgress = lane.inProgress.toSpliced(place, 1);
      inside = Math.max(0, inside - 1);
      if (tookMs !== undefined && lane.callsMs.length < MOST_CALLS) lane.callsMs = [...lane.callsMs, tookMs];
      // All of them: who has lost patience since must not take the turn of another.
      for (const wake of lane.waiters.splice(0)) wake();
    },
    giveBack: ({ mailbox, at, recipients }) => {
      const lane = laneOf(mailbox);
      const time = at.getTime();
      const [isStanding, isUnasked] = [lane.standing.includes(time), lane.unasked.includes(time)];
      if (!isStanding && !isUnasked) lane.returned = [...lane.returned, { at: time, recipients }];
      else {
        if (isStanding) lane.standing = lane.standing.toSpliced(lane.standing.indexOf(time), 1);
        else lane.unasked = lane.unasked.toSpliced(lane.unasked.indexOf(time), 1);
        lane.recipients -= recipients;
      }
      // Who asks any instance meanwhile would be told to wait for days.
      if (placeOfTime(time) === undefined) return;
      lane.isTelling = true;
      void serve(mailbox, lane);
    },
    canceled: (mailbox) => {
      const lane = laneOf(mailbox);
      lane.usedAt = timeNow();
      lane.canceled += 1;
      if (!isToTellOfCanceled(lane.canceled)) return;
      lane.isTelling = true;
      void serve(mailbox, lane);
    },
    isInTime: ({ at }) => timeNow() <= at.getTime() + GRACE_MS,
    freed: (mailbox) => new Promise((resolve) => laneOf(mailbox).waiters.push(resolve)),
    pause: async (mailbox, forMs) => {
      const lane = laneOf(mailbox);
      const time = timeNow();
      const isLong = forMs >= LONG_PAUSE_MS;
      const until = Math.max(time + forMs, lane.pause?.until ?? 0);
      lane.pausedUntil = Math.max(lane.pausedUntil, until);
      lane.troubledAt = time;
      if (!isLong)
        // The refused one is counted among those in progress.
        lane.concurrent = {
          value: Math.max(1, Math.min(lane.concurrent.value, lane.inProgress.length - 1)),
          cutAt: time,
        };
      lane.pause = { until, isLong: isLong || lane.pause?.isLong === true };
      await serve(mailbox, lane);
    },
  };
};
