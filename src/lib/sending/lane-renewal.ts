import { countAfter, cutAt } from './booked-runs.ts';
import { nextPhase } from './lane-refusal.ts';
import type { Lane } from './mailbox-lane.ts';

/*
 * When starts that are far ahead are given up, for emails to get others: those of emails that were canceled would be used by nobody, and
 * those of a time with a higher limit would be too many.
 */

/** An instance believes for so long what it has read of a lane: of starts nearer than that, nobody knows whether one is used. */
export const BELIEVED_MS = 5 * 60_000;
/** By its own clock, another instance has read the lane a little later. */
const READ_LATER_MS = 1000;
const MINUTE_MS = 60_000;
const LEAST_CANCELED = 20;
/**
 * Of the time that starts are kept ahead: not more often than this, as there are eight phases. Otherwise a new start could be the same as one
 * that was given up, and both emails would go by it.
 */
export const RENEWED_EACH = 1 / 7;

const givenUpFrom = (now: number): number => now + BELIEVED_MS + READ_LATER_MS;

/** Whether at least half of the emails with a start were canceled, as far as the one instance that asks can know. */
export const isMostlyCanceled = ({ booked, free, users }: Lane, canceled: number, now: number): boolean => {
  const ahead = countAfter(booked, now) - free.length;
  const instances = Math.max(1, Object.keys(users).length);
  return canceled * instances >= Math.max(LEAST_CANCELED, ahead / 2);
};

/** Whether more starts than the limit allows are in the first minute of those far ahead: it was higher when they were booked. */
export const isTooDense = ({ booked }: Lane, perMinute: number, now: number): boolean => {
  const from = givenUpFrom(now);
  return countAfter(booked, from) - countAfter(booked, from + MINUTE_MS) > perMinute;
};

/**
 * Whoever has one of the starts given up gives its recipients back when it comes, and gets another start. Of those that were told when to
 * ask, and have no start, hardly any comes where most were canceled: others need not wait behind their times.
 */
export const withoutFarStarts = (lane: Lane, now: number, areCanceled: boolean): Lane => {
  const from = givenUpFrom(now);
  const told = areCanceled ? now : from;
  return {
    ...lane,
    booked: cutAt(lane.booked, from)[0],
    free: lane.free.filter((at) => at <= from),
    askUpTo: Math.min(lane.askUpTo, told),
    bulkUpTo: Math.min(lane.bulkUpTo, told),
    largeUpTo: Math.min(lane.largeUpTo, told),
    phase: nextPhase(lane),
    renewedAt: areCanceled ? now : lane.renewedAt,
  };
};

/** Whether so many cancellations are a reason to tell the lane: seldom, as most are no reason to do anything. */
export const isToTellOfCanceled = (canceled: number): boolean =>
  canceled >= LEAST_CANCELED && Number.isInteger(Math.log2(canceled / LEAST_CANCELED));
