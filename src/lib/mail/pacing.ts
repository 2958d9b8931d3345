/** Limits of Exchange Online for one mailbox, as settings. */
export type PaceLimits = { readonly concurrent: number; readonly perMinute: number };

export type Pacer = {
  /** May this mail go now? If so, call `leave` when its request has ended; if not, it waits on the queue. */
  enter(
    mailbox: string,
    mailId: string,
    now: Date,
  ): { readonly kind: 'go' } | { readonly kind: 'wait'; readonly waitMs: number };
  leave(mailbox: string): void;
  /** Graph limits this mailbox until then: nobody goes, and from then on no more than it let through lately. */
  pause(mailbox: string, until: Date, now: Date): void;
};

/** A little more than Exchange's minute, as its clock is not ours. */
const WINDOW_MS = 61_000;
/** The wait when only concurrency is in the way: a request takes about this long. */
const BUSY_WAIT_MS = 1000;
/** After a 429 the own share grows back by one mail per this time; other instances may have gone. */
const REGROWTH_MS = 5 * 60_000;

type Lane = {
  inFlight: number;
  /** Start times within the window, oldest first. */
  starts: number[];
  /** Times kept free for mails that were told to come back, oldest first. */
  readonly booked: Map<string, number>;
  pausedUntil: number;
  /** What this instance may send in a minute; less than the limit while others share the mailbox. */
  share: number;
  shareSetAt: number;
};

/**
 * Keeps each mailbox within its limits, in this process, without a timer: a mail that may not go is told when to
 * come back, and that time is kept for it. So ten thousand mails of one mailbox are each looked at twice, not once
 * a minute, and those of other mailboxes pass them. Other instances are seen only through Graph's 429s; after one,
 * the share of this instance is what Graph let through in the last minute.
 */
export const makePacer = ({ concurrent, perMinute }: PaceLimits): Pacer => {
  const lanes = new Map<string, Lane>();

  const laneOf = (mailbox: string): Lane => {
    const lane = lanes.get(mailbox) ?? {
      inFlight: 0,
      starts: [],
      booked: new Map(),
      pausedUntil: 0,
      share: perMinute,
      shareSetAt: 0,
    };
    lanes.set(mailbox, lane);
    return lane;
  };

  const tidy = (lane: Lane, time: number): void => {
    lane.starts = lane.starts.filter((start) => start > time - WINDOW_MS);
    // A mail that did not come back for its time went to another instance, or is gone.
    for (const [mailId, due] of lane.booked) if (due < time - WINDOW_MS) lane.booked.delete(mailId);
    const regrown = Math.floor((time - lane.shareSetAt) / REGROWTH_MS);
    if (lane.share < perMinute && regrown > 0) {
      lane.share = Math.min(perMinute, lane.share + regrown);
      lane.shareSetAt = time;
    }
  };

  /** The first time at which the window has room, after everything that went or is booked. */
  const firstFree = (lane: Lane, time: number): number => {
    const taken = [...lane.starts, ...lane.booked.values()].sort((a, b) => a - b);
    const blocking = taken.at(-lane.share);
    return Math.max(time, lane.pausedUntil, blocking === undefined ? 0 : blocking + WINDOW_MS);
  };

  return {
    enter: (mailbox, mailId, now) => {
      const time = now.getTime();
      const lane = laneOf(mailbox);
      tidy(lane, time);
      const due = lane.booked.get(mailId);
      if (due !== undefined && due > time) return { kind: 'wait', waitMs: due - time };
      lane.booked.delete(mailId);
      const free =
        due !== undefined && lane.pausedUntil <= time && lane.starts.length < lane.share
          ? time
          : firstFree(lane, time);
      if (free > time) {
        lane.booked.set(mailId, free);
        return { kind: 'wait', waitMs: free - time };
      }
      if (lane.inFlight >= concurrent) {
        lane.booked.set(mailId, time + BUSY_WAIT_MS);
        return { kind: 'wait', waitMs: BUSY_WAIT_MS };
      }
      lane.inFlight += 1;
      lane.starts.push(time);
      return { kind: 'go' };
    },
    leave: (mailbox) => {
      const lane = laneOf(mailbox);
      lane.inFlight = Math.max(0, lane.inFlight - 1);
      if (lane.inFlight === 0 && lane.starts.length === 0 && lane.booked.size === 0) lanes.delete(mailbox);
    },
    pause: (mailbox, until, now) => {
      const lane = laneOf(mailbox);
      tidy(lane, now.getTime());
      lane.pausedUntil = Math.max(lane.pausedUntil, until.getTime());
      // The one that was refused is among the starts.
      lane.share = Math.max(1, Math.min(lane.share, lane.starts.length - 1));
      lane.shareSetAt = now.getTime();
    },
  };
};
