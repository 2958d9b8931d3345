import {
  addRun,
  bookedFromEnd,
  bookedWithin,
  condensed,
  countAfter,
  cutAt,
  isIn,
  lastBooked,
  MOST_RUNS,
  type Run,
  withoutBooked,
} from './booked-runs.ts';
import { FIRST_CALL_MS, usualCallMs } from './call-time.ts';
import { firstFit, placeAfter, type Rule } from './first-fit.ts';
import { afterRefusal, GRID_MS, KEPT_MS, perMinuteOf, type Refusal, withoutOldCut } from './lane-refusal.ts';
import { isMostlyCanceled, isTooDense, RENEWED_EACH, withoutFarStarts } from './lane-renewal.ts';
import {
  bytesFit,
  bytesRoomAt,
  bytesStepMs,
  currentBytes,
  LARGE_BYTES,
  type SentBytes,
  withBytes,
} from './mailbox-bytes.ts';
import {
  countedAt,
  currentDay,
  type DayWant,
  decideDay,
  placeOfTime,
  timeOfHour,
  withoutPlace,
} from './mailbox-day.ts';
import { type Hours, recipientsIn } from './rolling-day.ts';

/*
 * The lane of a mailbox: which starts all instances together have promised to emails, so that Exchange never gets more than it takes.
 * Pure: an instance reads the lane, decides here, and writes it with its ETag. Times are milliseconds of the epoch by the clock of storage.
 *
 * Two kinds of starts share the limit. What is booked ahead goes to emails that wait, which take their start with them on the queue and
 * need no request when it comes. It is at most five sixths of the limit. The rest is for whoever asks for now: what is urgent, and what
 * missed its start.
 */

/** What an instance may start in any minute without asking, until then; and to how many recipients in all. */
type Standing = {
  readonly owner: string;
  readonly count: number;
  readonly until: number;
  readonly recipients: number;
};

export type Lane = {
  /** Booked ahead, oldest first; none is before an earlier one. */
  readonly booked: readonly Run[];
  /** Of those, what was given back: the next that books gets it. Oldest first. */
  readonly free: readonly number[];
  /** Given to those that asked for now, or soon. Oldest first. */
  readonly taken: readonly number[];
  readonly standing: readonly Standing[];
  /** When each instance last asked. */
  readonly users: Readonly<Record<string, number>>;
  /** The last time told to an email that waits without a start, of those that wait for the last sixth. */
  readonly askUpTo: number;
  /** The same, of bulk. */
  readonly bulkUpTo: number;
  readonly lastBulk: number;
  /** Of new starts, modulo `GRID_MS`. Another one since starts were last void, so that no new start is the same as one of those. */
  readonly phase: number;
  /** When starts far ahead were last given up as their emails were canceled. */
  readonly renewedAt: number;
  /** The last time told to a large email. */
  readonly largeUpTo: number;
  /** Graph limits the mailbox until then; after a long pause one email goes first. */
  readonly pausedUntil: number;
  readonly isProbing: boolean;
  /** The start of that one, which it uses although the lane is closed until others may follow. */
  readonly probe: number;
  /** What Graph took in a minute when it last refused; with when that was. Absent while it takes what it should. */
  readonly cut?: { readonly perMinute: number; readonly at: number };
  /** How often in a row Graph refused because too many requests were in progress, and until when that closed the mailbox. */
  readonly crowded: { readonly count: number; readonly until: number };
  /** How long a request usually takes. */
  readonly callMs: number;
  /** Large emails of the last minutes: when, and bytes. */
  readonly bytes: SentBytes;
  /** Emails that came late, and since when they are counted. */
  readonly late: { readonly count: number; readonly since: number };
  /** Emails come late: until then less is booked ahead, as it would be missed too. */
  readonly lateUntil: number;
  /** Recipients by hours since 1970, of the last day. */
  readonly hours: Hours;
  /** Recipients that instances may use without asking, by the time at which they have told of it or are gone. */
  readonly reserved: Hours;
  /** Of emails that wait for the day, and have a place in that hour. */
  readonly waiting: Hours;
};

export type LaneLimits = {
  /** Limits of Exchange Online and Graph for one mailbox, as settings. */
  readonly concurrent: number;
  readonly perMinute: number;
  readonly recipientsPerDay: number;
  /** How far ahead starts are kept for emails. */
  readonly bookAheadMs: number;
  /** How long bulk gives way to others. */
  readonly agesAfterMs: number;
};

/** An email that asks. */
export type Want = DayWant & {
  /** Of its request, or of its files. */
  readonly bytes: number;
  /** It waited for its turn before, and has no start any more. */
  readonly hasWaited: boolean;
  /** It waited on the queue for longer than it should have. */
  readonly isLate?: boolean;
};

/** A start that was kept and not used, or the time of a place in the day, and how many recipients were counted with it. */
export type Returned = { readonly at: number; readonly recipients: number };

export type Answer =
  /** The start is kept for it. */
  | { readonly kind: 'start'; readonly at: number }
  /** Nothing is kept for it; it asks again then. */
  | { readonly kind: 'ask'; readonly at: number }
  /** The mailbox has had its recipients of the day until that hour. It comes back with the time that it is told. */
  | { readonly kind: 'day'; readonly at: number; readonly told: number }
  /** Everything there is to give is given to others. */
  | { readonly kind: 'full' };

export type Request = {
  /** The instance that asks. */
  readonly owner: string;
  readonly now: number;
  readonly wants: readonly Want[];
  /** Starts to keep for emails that this instance will see next, where others wait already. */
  readonly spare: number;
  readonly returned: readonly Returned[];
  /** Starts that were kept for its next emails, and are used or returned: nothing is reserved for them any more. */
  readonly released: readonly number[];
  /** Emails of the mailbox that were canceled by it while they waited, since that was last heard. */
  readonly canceled: number;
  /** To how many it sent without asking, less what was counted and not sent. */
  readonly recipients: number;
  readonly unasked: readonly number[];
  /** How long its requests took since it last asked. */
  readonly callsMs: readonly number[];
  readonly pause?: Refusal;
};

export type Decision = {
  readonly lane: Lane;
  readonly answers: readonly Answer[];
  readonly spare: readonly number[];
  /** That emails were canceled has done what it can. */
  readonly isHeard: boolean;
};

/** An email may begin so long after its start. The queue brings it that late, and the ledger is written in between. */
export const GRACE_MS = 1500;
/** Exchange's minute, the grace, and half a second for the way to Graph and for what is not known of clocks. */
export const WINDOW_MS = 60_000 + GRACE_MS + 500;

/** Reserved with each start that is kept for the next email: only one with as many recipients uses it. */
export const SPARE_RECIPIENTS = 1;

/** The clock of an instance may be as much ahead of another. */
const CLOCKS_MS = 60_000;
const HOUR_MS = 3_600_000;
/** Another instance counts as one that sends from the mailbox for so long. */
const USER_MS = 2 * 60_000;
/** Those that ask without a start come a little more often than there is room, so that none is left unused. */
const SOONER = 0.92;
/** After a long pause one email goes alone and finds out. */
const PROBE_MS = 5000;
/** A standing share: so long, and of so much of the last sixth. */
const STANDING_MS = 5 * 60_000;
const STANDING_EACH = 3;
/** Where the limit is low, every email asks. */
const STANDING_RECIPIENTS = 6;
/** An instance that sends something without asking tells of it within this; one that does nothing any more is idle for ten minutes. */
const TOLD_WITHIN_MS = 15 * 60_000;
const RESERVED_STEP_MS = 5 * 60_000;
const LEAST_DAY_FOR_STANDING = 500 * STANDING_RECIPIENTS;
/** Not for a burst: whoever asked so long ago, and asks again, sends little. */
const QUIET_MS = 15_000;
const LEAST_FOR_STANDING = 12;
/** From here on, or where emails wait for the day, every email asks: none passes those that have a place. */
const NEAR_DAY = 0.8;
/** So many late emails in so long are more than chance: the queue is longer than what the instances can process in time. */
const MANY_LATE = 3;
const COUNTED_MS = 60_000;
const LATE_MS = 2 * 60_000;
/** For a start that is not further away, an email does not go back to the queue. */
const AT_HAND_MS = 2000;
/** What is booked ahead then, of the limit. */
const LATE_SHARE = 1 / 3;
/** How far ahead an urgent email is kept a start of those that are not booked: those that come later are behind it. */
const HIGH_AHEAD_MS = 5 * 60_000;
/** How far ahead a start is kept for a large email, of which the lane keeps the bytes. */
const LARGE_AHEAD_MS = 15 * 60_000;
/** Bulk that found no room asks again: not at every moment, and not after hours either. */
const BULK_LEAST_MS = 30_000;
const BULK_MOST_MS = 60_000;
/** Those that wait for a start do so by a quarter longer at most where instances keep some for emails that do not come. */
const SPARE_OF = 4;
/** Nothing is promised for later than a day, and no pause is longer than an hour and a fifth. */
const FARTHEST_MS = 25 * HOUR_MS;
const MOST_PAUSE_MS = 1.5 * HOUR_MS;
/** So that a lane is never too large for its entity. */
const MOST_FREE = 400;
const MOST_TAKEN = 1000;
const MOST_USERS = 100;
const MOST_STANDING = 50;

export const EMPTY_LANE: Lane = {
  booked: [],
  free: [],
  taken: [],
  standing: [],
  users: {},
  askUpTo: 0,
  bulkUpTo: 0,
  lastBulk: 0,
  phase: 0,
  renewedAt: 0,
  largeUpTo: 0,
  pausedUntil: 0,
  isProbing: false,
  probe: 0,
  crowded: { count: 0, until: 0 },
  callMs: FIRST_CALL_MS,
  bytes: [],
  late: { count: 0, since: 0 },
  lateUntil: 0,
  hours: {},
  reserved: {},
  waiting: {},
};

/** How many starts can be booked ahead within a window; what remains is for those that ask. */
export const aheadOf = (perMinute: number, isLate = false): number =>
  Math.max(1, Math.floor(isLate ? perMinute * LATE_SHARE : (perMinute * 5) / 6));

/** What an instance may keep of starts: of all instances together, a quarter of what is booked. */
const spareOf = ({ booked, free, users }: Lane, now: number): number =>
  Math.floor((countAfter(booked, now) - free.length) / (SPARE_OF * Math.max(1, Object.keys(users).length)));

/** Whether a time can be a start at all. */
export const canBeStart = (at: number): boolean => at % 2 === 0;

/** Whether the lane has kept this start for an email. */
export const hasStart = ({ booked, taken }: Lane, at: number): boolean =>
  taken.includes(at) || booked.some((run) => isIn(run, at));

/** How many starts the lane has kept for emails after one time and up to another. */
export const startsWithin = ({ booked, free, taken }: Lane, after: number, to: number): number => {
  const isWithin = (at: number) => at > after && at <= to;
  return (
    bookedWithin(booked, after + 1, to).length - free.filter(isWithin).length + taken.filter(isWithin).length
  );
};

const sumOf = (numbers: Iterable<number>): number => Array.from(numbers).reduce((sum, one) => sum + one, 0);

/** Recipients of the last 24 hours. The first hour counts until all of it is over. */
export const recipientsOfDay = ({ hours, reserved }: Lane, now: number): number =>
  recipientsIn(hours, now) + sumOf(Object.values(reserved));

/**
 * Reserves recipients until an instance has told what it used, or is gone; a negative number ends that. What is used of a share, or kept by
 * an instance that was killed, counts twice until then: rather too many than too few.
 */
const withReserved = (lane: Lane, lastUse: number, recipients: number): Lane => {
  const until = String(Math.ceil((lastUse + TOLD_WITHIN_MS) / RESERVED_STEP_MS));
  const count = Math.max(0, (lane.reserved[until] ?? 0) + recipients);
  return { ...lane, reserved: { ...lane.reserved, [until]: count } };
};

const withRecipients = (lane: Lane, at: number, recipients: number): Lane => ({
  ...lane,
  hours: countedAt(lane.hours, at, recipients),
});

/** Of an email that is not sent after all, what was counted with its start, or its place among those that wait for the day. */
const withoutReturned = (
  lane: Lane,
  { recipientsPerDay }: LaneLimits,
  { at, recipients }: Returned,
): Lane => {
  const place = placeOfTime(at);
  return place === undefined
    ? withRecipients(lane, at, -recipients)
    : { ...lane, waiting: withoutPlace(lane.waiting, place, recipients, recipientsPerDay) };
};

/** What no version writes is damage, and must not close a mailbox for as long as it says. */
const notAfter = (time: number, most: number): number => (time > most ? 0 : time);

/** Without what is too old to matter, and what is too far away to be true. */
const pruned = (lane: Lane, now: number): Lane => {
  const old = now - WINDOW_MS - CLOCKS_MS;
  const [farthest, standsUntil] = [now + FARTHEST_MS, now + STANDING_MS + CLOCKS_MS];
  const current = cutAt(cutAt(lane.booked, farthest)[0], old)[1];
  return {
    ...lane,
    booked: condensed(current, now),
    free: lane.free.filter((at) => at > now && at <= farthest),
    taken: lane.taken.filter((at) => at > old && at <= farthest),
    standing: lane.standing.filter(({ until }) => until > old && until <= standsUntil),
    users: Object.fromEntries(
      Object.entries(lane.users)
        .filter(([, at]) => at > now - USER_MS)
        .toSorted(([, one], [, other]) => one - other)
        .slice(-MOST_USERS),
    ),
    askUpTo: notAfter(lane.askUpTo, farthest),
    bulkUpTo: notAfter(lane.bulkUpTo, farthest),
    lastBulk: notAfter(lane.lastBulk, farthest),
    largeUpTo: notAfter(lane.largeUpTo, farthest),
    renewedAt: notAfter(lane.renewedAt, now + CLOCKS_MS),
    pausedUntil: notAfter(lane.pausedUntil, now + MOST_PAUSE_MS),
    lateUntil: notAfter(lane.lateUntil, farthest),
    bytes: currentBytes(lane.bytes, now),
    ...currentDay(lane, now),
    reserved: Object.fromEntries(
      Object.entries(lane.reserved).filter(([until]) => Number(until) * RESERVED_STEP_MS > now),
    ),
  };
};

const inserted = (times: readonly number[], at: number): readonly number[] =>
  times.toSpliced(placeAfter(times, at), 0, at);

const without = (times: readonly number[], gone: readonly number[]): readonly number[] => {
  const left = [...times];
  for (const at of gone) {
    const place = left.indexOf(at);
    if (place !== -1) left.splice(place, 1);
  }
  return left;
};

const withLate = ({ late, lateUntil }: Lane, more: number, now: number): Pick<Lane, 'late' | 'lateUntil'> => {
  const isNew = now - late.since > COUNTED_MS;
  const [count, since] = isNew ? [more, now] : [late.count + more, late.since];
  return { late: { count, since }, lateUntil: count >= MANY_LATE ? now + LATE_MS : lateUntil };
};

/** The lane after what the instance has to tell: what it did not use, what it used unasked, how Graph is. */
const told = (lane: Lane, limits: LaneLimits, request: Request): Lane => {
  const { owner, now, returned, recipients, unasked, callsMs, pause } = request;
  const unused = returned.map(({ at }) => at);
  const isBooked = (at: number) => !lane.taken.includes(at) && !lane.free.includes(at);
  const free = unused.filter((at) => at > now && isBooked(at) && hasStart(lane, at));
  let next: Lane = {
    ...lane,
    users: { ...lane.users, [owner]: now },
    callMs: usualCallMs(lane.callMs, callsMs),
    taken: unasked.map(evenly).reduce(inserted, without(lane.taken, unused)),
    booked: withoutBooked(
      lane.booked,
      unused.filter((at) => at <= now && isBooked(at)),
    ),
    free: free.reduce(inserted, lane.free).slice(0, MOST_FREE),
  };
  const late = request.wants.filter(({ isLate }) => isLate).length;
  if (late > 0) next = { ...next, ...withLate(lane, late, now) };
  for (const one of returned) next = withoutReturned(next, limits, one);
  for (const at of request.released) next = withReserved(next, at, -SPARE_RECIPIENTS);
  next = withRecipients(next, now, recipients);
  const whole = withoutOldCut(next, now);
  return pause === undefined ? whole : afterRefusal(whole, limits, pause, now);
};

/** Starts are even: an email that brings an odd time was told to ask then, and the lane need not be read to know that nothing is kept. */
export const evenly = (time: number): number => Math.floor(time / 2) * 2;
/** A time at which nothing is kept. */
export const oddly = (time: number): number => evenly(Math.ceil(time)) + 1;

/** The time of a phase that is next to this one. */
const onGrid = (time: number, phase: number, side: 'before' | 'after'): number => {
  const steps = (time - phase) / GRID_MS;
  return (side === 'before' ? Math.floor(steps) : Math.ceil(steps)) * GRID_MS + phase;
};

/** Decides for all emails of an instance that ask together. */
export const askLane = (before: Lane, limits: LaneLimits, request: Request): Decision => {
  const asked = evenly(request.now);
  const current = pruned(told(before, limits, { ...request, now: asked }), asked);
  const isHeard = isMostlyCanceled(current, request.canceled, asked);
  const areCanceled = isHeard && asked - current.renewedAt > limits.bookAheadMs * RENEWED_EACH;
  const isRenewed = areCanceled || isTooDense(current, limits.perMinute, asked);
  let lane = isRenewed ? withoutFarStarts(current, asked, areCanceled) : current;
  const { phase } = lane;
  const now = onGrid(asked, phase, 'before');
  const perMinute = perMinuteOf(lane, limits, now);
  const isLate = lane.lateUntil > now;
  const ahead = aheadOf(perMinute, isLate);

  /** Of the limit, what instances may use without asking at a time near this one. */
  const standingAt = (at: number) =>
    sumOf(lane.standing.flatMap(({ count, until }) => (until + WINDOW_MS > at ? [count] : [])));
  const earliest = (): number => Math.max(now, evenly(lane.pausedUntil + 1));
  /** Those near enough to matter, and those of them that were booked. Kept up to date, for a lane can have very many. */
  const nearUntil = now + STANDING_MS + 5 * WINDOW_MS;
  const booked = [...bookedWithin(lane.booked, Number.NEGATIVE_INFINITY, nearUntil)];
  const near = [...booked, ...lane.taken].toSorted((one, other) => one - other);
  const add = (times: number[], at: number): void => {
    if (at <= nearUntil) times.splice(placeAfter(times, at), 0, at);
  };
  const callMs = evenly(Math.ceil(lane.callMs) + 1) + GRID_MS;
  /** Nobody sees all requests in progress: starts are so far apart that few overlap. */
  const atOnce = (times: readonly number[], most = limits.concurrent): Rule => ({
    times,
    most,
    // Their grid moves them by less.
    windowMs: callMs,
  });
  const inMinute =
    (times: readonly number[], most: number) =>
    (at: number): Rule => ({ times, most: most - standingAt(at), windowMs: WINDOW_MS });
  const steps = () => lane.standing.map(({ until }) => evenly(Math.ceil(until + WINDOW_MS) + 1));

  const alignedFit = (
    from: number,
    rulesAt: (at: number) => readonly Rule[],
    bound: number,
  ): number | undefined => {
    const at = firstFit(from, rulesAt, bound, steps());
    return at === undefined ? undefined : onGrid(at, phase, 'after');
  };

  const bookable = (): number | undefined => {
    const from = earliest();
    const free = lane.free.find((at) => at >= from);
    if (free !== undefined) return free;
    if (lane.booked.length >= MOST_RUNS) return undefined;
    const last = lastBooked(lane.booked);
    const room = bookedFromEnd(lane.booked, ahead) + WINDOW_MS;
    // Of the requests at once, one is for whoever asks.
    const atOnceAhead = Math.max(1, limits.concurrent - 1);
    const least = onGrid(callMs / atOnceAhead, 0, 'after');
    const step = Math.max(least, onGrid(WINDOW_MS / ahead, 0, 'after'));
    // A burst goes nearly as fast as requests end; only what the minute holds up is spread.
    const spread = room > from ? Math.max(room, last + step) : last + least;
    const at = room > from || last > from ? Math.max(from, spread) : from;
    if (at > now + limits.bookAheadMs) return undefined;
    if (at > now + 2 * WINDOW_MS + STANDING_MS) return onGrid(at, phase, 'after');
    const minute = inMinute(near, perMinute);
    return alignedFit(at, (time) => [minute(time), atOnce(near)], now + limits.bookAheadMs);
  };
  const takeable = (most: number, from = earliest(), withinMs = WINDOW_MS): number | undefined => {
    if (lane.taken.length >= MOST_TAKEN) return undefined;
    const minute = inMinute(near, most);
    return alignedFit(from, (time) => [minute(time), atOnce(near)], now + withinMs);
  };
  /** Requests take longer than when starts were booked, and these alone are too many at once: what is urgent goes between them. */
  const squeezable = (): number | undefined => {
    const from = earliest();
    const isCrowded = firstFit(from, () => [atOnce(booked)], now + WINDOW_MS, []) === undefined;
    if (!isCrowded || lane.taken.length >= MOST_TAKEN) return undefined;
    const minute = inMinute(near, perMinute);
    return alignedFit(from, (time) => [minute(time), atOnce(lane.taken, 1)], now + WINDOW_MS);
  };

  const book = (at: number): void => {
    if (lane.free.includes(at)) {
      lane = { ...lane, free: without(lane.free, [at]) };
      return;
    }
    lane = { ...lane, booked: addRun(lane.booked, at) };
    add(booked, at);
    add(near, at);
  };
  const take = (at: number): void => {
    lane = { ...lane, taken: inserted(lane.taken, at) };
    add(near, at);
  };
  const start = (at: number, { recipients, bytes }: Want): Answer => {
    lane = withRecipients(lane, at, recipients);
    lane = { ...lane, bytes: withBytes(lane.bytes, at, bytes) };
    // A start that is far away would keep the lane closed to those before it.
    if (lane.isProbing && at <= earliest() + KEPT_MS)
      lane = { ...lane, isProbing: false, probe: at, pausedUntil: at + PROBE_MS };
    return { kind: 'start', at };
  };
  const nextAsking = (): number =>
    Math.max(now, lane.askUpTo, lane.pausedUntil) +
    Math.ceil((WINDOW_MS * SOONER) / Math.max(1, perMinute - ahead));
  const askAgain = (want: Want): Answer => {
    if (want.priority === 'bulk') {
      // While others wait it stays out of their way, and otherwise comes in turn.
      const backlogMs = Math.min(Math.max(lastBooked(lane.booked), lane.askUpTo) - now, BULK_MOST_MS);
      const first = backlogMs > 0 ? now + Math.max(backlogMs, BULK_LEAST_MS) : now;
      const at = Math.max(first, lane.bulkUpTo, lane.pausedUntil) + Math.ceil(WINDOW_MS / ahead);
      if (at > now + limits.bookAheadMs) return { kind: 'full' };
      lane = { ...lane, bulkUpTo: at };
      return { kind: 'ask', at: oddly(at) };
    }
    const at = nextAsking();
    if (at > now + limits.bookAheadMs) return { kind: 'full' };
    lane = { ...lane, askUpTo: at };
    return { kind: 'ask', at: oddly(at) };
  };
  /** Large emails for which no start can be kept come one after another, as the five minutes have room for them. */
  const askLarge = (want: Want): Answer => {
    const at = Math.max(bytesRoomAt(lane.bytes, earliest(), want.bytes), lane.largeUpTo);
    if (at > now + limits.bookAheadMs) return { kind: 'full' };
    const stepMs = Math.max(bytesStepMs(want.bytes), Math.ceil(WINDOW_MS / ahead));
    lane = { ...lane, largeUpTo: at + stepMs };
    return { kind: 'ask', at: oddly(at) };
  };
  const startBulk = (want: Want): Answer => {
    const from = Math.max(earliest(), lane.lastBulk + evenly(Math.ceil(WINDOW_MS / ahead) + 1));
    // Some wait for a start of theirs, or were told when to ask.
    const isWanted = isLate || lastBooked(lane.booked) > now || lane.askUpTo > now;
    const soon = now + (want.hasWaited ? KEPT_MS : GRACE_MS);
    const at = isWanted || from > soon ? undefined : takeable(ahead, from);
    if (at === undefined || at > soon) return askAgain(want);
    if (!bytesFit(lane.bytes, at, want.bytes)) return askLarge(want);
    take(at);
    lane = { ...lane, lastBulk: at };
    return start(at, want);
  };

  const decide = (want: Want): Answer => {
    const hours = countedAt(lane.hours, now, sumOf(Object.values(lane.reserved)));
    const { day, full } = decideDay({ ...lane, hours }, limits.recipientsPerDay, want, now);
    lane = { ...lane, waiting: day.waiting };
    if (full !== undefined)
      return { kind: 'day', at: full.hour * HOUR_MS, told: timeOfHour(full.hour, full.hasPlace) };
    if (want.priority === 'bulk') return startBulk(want);
    const booking = bookable();
    const fits = (at: number): boolean => bytesFit(lane.bytes, at, want.bytes);
    if (booking !== undefined && booking <= now && fits(booking)) {
      book(booking);
      return start(booking, want);
    }
    // Where emails come late, those with the starts of now are still behind this one on the queue.
    const isUrgent = want.priority === 'high' || want.hasWaited || isLate;
    const isHigh = want.priority === 'high';
    const highMs = want.isLate === true ? AT_HAND_MS : HIGH_AHEAD_MS;
    const taking = isUrgent
      ? (takeable(perMinute, earliest(), isHigh ? highMs : WINDOW_MS) ?? (isHigh ? squeezable() : undefined))
      : undefined;
    const mostMs = want.isLate === true ? AT_HAND_MS : isHigh ? highMs : KEPT_MS;
    const isSoon = taking !== undefined && taking <= now + mostMs;
    if (isSoon && taking <= (booking ?? Number.POSITIVE_INFINITY) && fits(taking)) {
      take(taking);
      return start(taking, want);
    }
    const isLarge = want.bytes >= LARGE_BYTES;
    if (isLarge && booking !== undefined && !(booking <= now + LARGE_AHEAD_MS && fits(booking)))
      return askLarge(want);
    if (booking !== undefined && (perMinute === ahead || booking <= nextAsking())) {
      book(booking);
      return start(booking, want);
    }
    return booking === undefined && perMinute === ahead ? { kind: 'full' } : askAgain(want);
  };

  const answers = request.wants.map(decide);

  const spare: number[] = [];
  const isNearDay =
    recipientsOfDay(lane, now) >= NEAR_DAY * limits.recipientsPerDay || Object.keys(lane.waiting).length > 0;
  const mostSpare = Math.min(request.spare, spareOf(lane, now));
  while (spare.length < mostSpare && !isNearDay) {
    const at = bookable();
    if (at === undefined || at <= now) break;
    book(at);
    spare.push(at);
  }
  for (const at of spare) lane = withReserved(lane, at, SPARE_RECIPIENTS);
  const lastAsked = before.users[request.owner];
  const isSteady = lastAsked !== undefined && now - lastAsked > QUIET_MS;
  return {
    lane: isSteady ? withStanding(lane, limits, request, perMinute, isNearDay) : lane,
    answers,
    spare,
    isHeard,
  };
};

/** Gives an instance that sends little a share that it need not ask for. */
const withStanding = (
  lane: Lane,
  { perMinute: whole, recipientsPerDay }: LaneLimits,
  { owner, now, wants }: Request,
  perMinute: number,
  isNearDay: boolean,
): Lane => {
  const current = lane.standing.filter(({ until }) => until > now);
  const isQuiet =
    lastBooked(lane.booked) <= now &&
    lane.pausedUntil <= now &&
    lane.cut === undefined &&
    wants.length <= 2 &&
    !isNearDay;
  const isLow = whole < LEAST_FOR_STANDING || recipientsPerDay < LEAST_DAY_FOR_STANDING;
  if (isLow || !isQuiet || current.some((one) => one.owner === owner)) return lane;
  const left = perMinute - aheadOf(perMinute) - sumOf(lane.standing.map(({ count }) => count));
  const count = Math.min(STANDING_EACH, left);
  const until = evenly(now + STANDING_MS);
  const used = bookedWithin(lane.booked, now - WINDOW_MS, now + WINDOW_MS).length + lane.taken.length;
  if (count < 1 || used + count > aheadOf(perMinute) || lane.standing.length >= MOST_STANDING) return lane;
  const share = { owner, count, until, recipients: STANDING_RECIPIENTS };
  return withReserved({ ...lane, standing: [...lane.standing, share] }, until, STANDING_RECIPIENTS);
};
