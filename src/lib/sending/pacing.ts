import type { Priority } from '../mail/priority.ts';

export type PaceLimits = {
  /** Limits of Exchange Online for one mailbox, as settings. */
  readonly concurrent: number;
  readonly perMinute: number;
  /** How far ahead times are kept for mails. */
  readonly bookAheadMs: number;
};

const DAY_MS = 86_400_000;

/**
 * Half the time a mail has: what is booked last still has the other half for refusals. Never more than a day, far
 * below the seven that Storage can hide a message.
 */
export const bookAheadFor = (giveUpAfterMs: number): number => Math.min(giveUpAfterMs / 2, DAY_MS);

export type Pace =
  | { readonly kind: 'go' }
  /** All requests allowed at once are under way; `freed` tells when one has ended. Crowded: enough others wait for that. */
  | { readonly kind: 'busy'; readonly isCrowded: boolean }
  /** Come back then; the time is kept for this mail. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  /** Every time there is to give is given to others. Ask again within this. */
  | { readonly kind: 'full'; readonly waitMs: number };

/** What decides who goes first where a mailbox has no room for all. */
export type Standing = {
  readonly priority: Priority;
  /** Since when it could go: it was received, its `sendAt` has come, and the limit of its caller allows it. */
  readonly waitsSince: Date;
};

export type Pacer = {
  /**
   * May this mail go now? If so, call `leave` when its request has ended. `dueAt` is the time it was told before,
   * perhaps by another instance; it counts like one that was kept here.
   */
  enter(mailbox: string, mailId: string, now: Date, dueAt?: Date, standing?: Standing): Pace;
  leave(mailbox: string): void;
  /** One that might go did not, as another invocation has it: before it leaves, its place in the minute is given back. */
  giveBack(mailbox: string, now: Date): void;
  /** Resolves when a request of this mailbox has ended. */
  freed(mailbox: string): Promise<void>;
  /** A mail that waits for its time will not go after all: the time is free for others. */
  forget(mailbox: string, mailId: string): void;
  /**
   * Graph limits this mailbox until then: nobody goes, and afterwards this instance takes a smaller share. After a
   * long pause one mail goes alone and finds out; the others go when it has ended without another.
   */
  pause(mailbox: string, until: Date, now: Date): void;
  /** How many mailboxes are remembered. */
  readonly size: number;
};

/** A little more than Exchange's minute, as its clock is not ours. */
const WINDOW_MS = 61_000;
/** A share that was cut grows back by one per this time: the other instances may have gone. */
const REGROWTH_MS = 5 * 60_000;
/** Graph asks for about a second when too many requests run at once, for longer when there were too many in a minute. */
const LONG_PAUSE_MS = 10_000;

/**
 * How many emails wait in their invocations for each request under way. With four requests that is half of the 24
 * invocations that an instance runs for its queue (host.json): a burst for one mailbox leaves the others to the rest.
 */
const WAITING_PER_REQUEST = 2;

type Share = { value: number; readonly most: number; cutAt: number };

type Lane = {
  inFlight: number;
  readonly waiters: (() => void)[];
  /** When the mails of the last minute really went, oldest first. */
  readonly starts: number[];
  /** When mails went or are to go, oldest first. */
  readonly slots: number[];
  /** Which mail was told to come back when, oldest first. */
  readonly booked: Map<string, number>;
  pausedUntil: number;
  /** After a long pause one mail goes alone. */
  probe: 'none' | 'due' | 'under way';
  /** The last time given to a mail that found the lane closed when it came back. */
  rebookedUpTo: number;
  /** What of the limits this instance takes: all, until Graph says that others take some. */
  readonly perMinute: Share;
  readonly concurrent: Share;
};

const cut = (share: Share, to: number, time: number): void => {
  share.value = Math.max(1, Math.min(share.value, to));
  share.cutAt = time;
};

const regrow = (share: Share, time: number): void => {
  const grown = Math.floor((time - share.cutAt) / REGROWTH_MS);
  if (share.value === share.most || grown < 1) return;
  share.value = Math.min(share.most, share.value + grown);
  share.cutAt = time;
};

const dropUpTo = (times: number[], end: number): void => {
  let count = 0;
  while (count < times.length && (times[count] ?? 0) <= end) count += 1;
  times.splice(0, count);
};

/**
 * Keeps each mailbox within its limits, in this process and without a timer: a mail that may not go is told when to
 * come back, and that time is kept for it. So ten thousand mails of one mailbox are each looked at twice, not once
 * a minute, and those of other mailboxes pass them. Other instances are seen only through Graph's 429s.
 */
export const makePacer = (limits: PaceLimits): Pacer => {
  const lanes = new Map<string, Lane>();
  let droppedAt = 0;

  const laneOf = (mailbox: string): Lane => {
    const lane = lanes.get(mailbox) ?? {
      inFlight: 0,
      waiters: [],
      starts: [],
      slots: [],
      booked: new Map(),
      pausedUntil: 0,
      probe: 'none',
      rebookedUpTo: 0,
      perMinute: { value: limits.perMinute, most: limits.perMinute, cutAt: 0 },
      concurrent: { value: limits.concurrent, most: limits.concurrent, cutAt: 0 },
    };
    lanes.set(mailbox, lane);
    return lane;
  };

  const tidy = (lane: Lane, time: number): void => {
    dropUpTo(lane.starts, time - WINDOW_MS);
    dropUpTo(lane.slots, time - WINDOW_MS);
    for (const [mailId, due] of lane.booked) {
      if (due > time - WINDOW_MS) break;
      // It went to another instance, or is gone.
      lane.booked.delete(mailId);
    }
    regrow(lane.perMinute, time);
    regrow(lane.concurrent, time);
  };

  /** A lane that would be made again just as it is. */
  const isUnused = (lane: Lane, time: number): boolean =>
    lane.inFlight + lane.waiters.length + lane.starts.length + lane.slots.length + lane.booked.size === 0 &&
    lane.pausedUntil <= time &&
    lane.perMinute.value === limits.perMinute &&
    lane.concurrent.value === limits.concurrent;

  /** Once a minute, so that a mailbox that was seen once is not remembered for ever. */
  const dropUnused = (time: number): void => {
    if (time - droppedAt < WINDOW_MS) return;
    droppedAt = time;
    for (const [mailbox, lane] of lanes) {
      tidy(lane, time);
      if (isUnused(lane, time)) lanes.delete(mailbox);
    }
  };

  /** When the minute has room again, as it stands. */
  const roomAt = (times: readonly number[], lane: Lane): number =>
    (times.at(-lane.perMinute.value) ?? Number.NEGATIVE_INFINITY) + WINDOW_MS;

  /**
   * Keeps the first free time for this mail: now, perhaps. Later ones are spread, so that they do not come at once.
   * Undefined where that is too far ahead.
   */
  const book = (lane: Lane, mailId: string, time: number): number | undefined => {
    const free = Math.max(roomAt(lane.slots, lane), roomAt(lane.starts, lane));
    const after =
      (lane.slots.at(-1) ?? Number.NEGATIVE_INFINITY) + (free > time ? WINDOW_MS / lane.perMinute.value : 0);
    const slot = Math.max(time, lane.pausedUntil, free, after);
    if (slot - time > limits.bookAheadMs) return undefined;
    lane.slots.push(slot);
    lane.booked.set(mailId, slot);
    return slot;
  };

  /** A mail that came at its time and finds the lane closed since: the next room that has not been given to another. */
  const rebook = (lane: Lane, mailId: string, time: number): number => {
    const next = Math.max(
      lane.pausedUntil,
      roomAt(lane.starts, lane),
      lane.rebookedUpTo + WINDOW_MS / lane.perMinute.value,
    );
    lane.rebookedUpTo = Math.min(next, time + limits.bookAheadMs);
    // Again at the end, as they are kept by time.
    lane.booked.delete(mailId);
    lane.booked.set(mailId, lane.rebookedUpTo);
    return lane.rebookedUpTo;
  };

  return {
    get size() {
      return lanes.size;
    },
    enter: (mailbox, mailId, now, dueAt) => {
      const time = now.getTime();
      dropUnused(time);
      const lane = laneOf(mailbox);
      tidy(lane, time);
      const told = lane.booked.get(mailId) ?? dueAt?.getTime();
      const kept = told === undefined ? undefined : Math.min(told, time + limits.bookAheadMs);
      const closed = lane.pausedUntil > time || lane.starts.length >= lane.perMinute.value;
      const slot =
        kept === undefined
          ? book(lane, mailId, time)
          : kept <= time && closed
            ? rebook(lane, mailId, time)
            : kept;
      if (slot === undefined) return { kind: 'full', waitMs: Math.ceil(limits.bookAheadMs / 2) };
      if (slot > time) return { kind: 'wait', waitMs: Math.ceil(slot - time) };
      if (lane.inFlight >= (lane.probe === 'none' ? lane.concurrent.value : 1))
        return {
          kind: 'busy',
          isCrowded: lane.waiters.length >= WAITING_PER_REQUEST * lane.concurrent.value,
        };
      if (lane.probe === 'due') lane.probe = 'under way';
      lane.booked.delete(mailId);
      lane.inFlight += 1;
      lane.starts.push(time);
      return { kind: 'go' };
    },
    leave: (mailbox) => {
      const lane = laneOf(mailbox);
      lane.inFlight = Math.max(0, lane.inFlight - 1);
      if (lane.probe === 'under way') lane.probe = 'none';
      // All of them: who has lost patience since must not take the turn of another.
      for (const wake of lane.waiters.splice(0)) wake();
    },
    giveBack: (mailbox, now) => {
      const { starts, slots } = laneOf(mailbox);
      starts.pop();
      const last = slots.findLastIndex((slot) => slot <= now.getTime());
      if (last !== -1) slots.splice(last, 1);
    },
    forget: (mailbox, mailId) => {
      const lane = lanes.get(mailbox);
      const slot = lane?.booked.get(mailId);
      if (lane === undefined || slot === undefined) return;
      lane.booked.delete(mailId);
      const at = lane.slots.lastIndexOf(slot);
      if (at !== -1) lane.slots.splice(at, 1);
    },
    freed: (mailbox) => new Promise((resolve) => laneOf(mailbox).waiters.push(resolve)),
    pause: (mailbox, until, now) => {
      const time = now.getTime();
      const lane = laneOf(mailbox);
      tidy(lane, time);
      lane.pausedUntil = Math.max(lane.pausedUntil, until.getTime());
      // The refused one is counted among the starts and the requests under way.
      if (until.getTime() - time >= LONG_PAUSE_MS) {
        cut(lane.perMinute, lane.starts.length - 1, time);
        lane.probe = 'due';
      } else cut(lane.concurrent, lane.inFlight - 1, time);
    },
  };
};
