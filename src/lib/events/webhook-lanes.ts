import { makeRetryPace } from './retry-pace.ts';
import type { AttemptResult } from './webhook-retry.ts';

/** Of the 24 messages that an instance works on (host.json: batchSize, newBatchThreshold): others have a place beside it. */
const CONCURRENT = 8;
/** A receiver that responds frees a place within this time; one that hangs keeps its places for 15 seconds. */
const PATIENCE_MS = 2000;
/** So many failures in a row, and a receiver is asked by one event at a time only. */
const FAILURES = 3;
/** So many receivers that fail are asked at the same time, so that they do not take all 24 places if each of them hangs. */
const PROBES = 8;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** What may be done about a receiver now. */
export type LaneEntry =
  | { readonly kind: 'go'; readonly leave: (result: AttemptResult, now: Date) => void }
  /** It has as many requests as it may have. */
  | { readonly kind: 'busy' }
  /** It has failed several times, and is left alone for a while. */
  | { readonly kind: 'paused'; readonly forMs: number };

/** What an instance knows of the receivers: one that hangs takes no time from the others. */
export type WebhookLanes = {
  readonly enter: (
    receiver: string,
    clock: { readonly now: () => Date; readonly sleep: (ms: number) => Promise<unknown> },
  ) => Promise<LaneEntry>;
  /** How long an event that this receiver did not take waits: at least so long, and not with too many others. */
  readonly waitOf: (receiver: string, leastMs: number, now: Date) => number;
};

type Lane = {
  inFlight: number;
  failures: number;
  pausedUntil: number;
  /** An event has waited for a place in vain, and no request has succeeded since. */
  isSlow: boolean;
  readonly waiting: (() => void)[];
  readonly pace: ReturnType<typeof makeRetryPace>;
};

/** Failures that say something of the receiver as a whole, and not of one event or of the relay. */
const isOfReceiver = (result: AttemptResult): boolean =>
  result.kind === 'failed'
    ? result.fault === 'timeout' || result.fault === 'connection'
    : result.status === 408 || result.status === 429 || result.status >= 500;

const isSuccess = (result: AttemptResult): boolean =>
  result.kind === 'answered' && result.status >= 200 && result.status < 300;

const pauseAfter = (failures: number): number =>
  Math.min(FIRST_PAUSE_MS * 2 ** Math.max(failures - FAILURES, 0), LONGEST_PAUSE_MS);

/** Makes the lanes of an instance. One of a receiver that is in no setting any more costs a few bytes. */
export const makeWebhookLanes = (): WebhookLanes => {
  const lanes = new Map<string, Lane>();
  let probes = 0;

  const laneOf = (receiver: string): Lane => {
    const known = lanes.get(receiver) ?? {
      ...{ inFlight: 0, failures: 0, pausedUntil: 0, isSlow: false, waiting: [] },
      pace: makeRetryPace(),
    };
    lanes.set(receiver, known);
    return known;
  };

  const fails = ({ failures }: Lane): boolean => failures >= FAILURES;

  const take = (lane: Lane): LaneEntry => {
    const isProbe = fails(lane);
    lane.inFlight += 1;
    if (isProbe) probes += 1;
    return {
      kind: 'go',
      leave: (result, now) => {
        lane.inFlight -= 1;
        if (isProbe) probes -= 1;
        if (isSuccess(result)) Object.assign(lane, { failures: 0, isSlow: false });
        // What was in progress when the pause began says nothing new.
        else if (isOfReceiver(result) && now.getTime() >= lane.pausedUntil) {
          lane.failures += 1;
          if (fails(lane)) lane.pausedUntil = now.getTime() + pauseAfter(lane.failures);
        }
        lane.waiting.shift()?.();
      },
    };
  };

  /** What keeps an event from a receiver that fails; undefined where nothing does. */
  const pauseOf = (lane: Lane, now: Date): LaneEntry | undefined => {
    const leftMs = lane.pausedUntil - now.getTime();
    if (leftMs > 0) return { kind: 'paused', forMs: leftMs };
    // Another event is finding out, and if it fails, the pause is as long as this.
    if (fails(lane) && (lane.inFlight > 0 || probes >= PROBES))
      return { kind: 'paused', forMs: pauseAfter(lane.failures + 1) };
    return undefined;
  };

  const waitForPlace = async (lane: Lane, sleep: (ms: number) => Promise<unknown>): Promise<void> => {
    let free = () => {};
    const freed = new Promise<'freed'>((resolve) => {
      free = () => resolve('freed');
    });
    lane.waiting.push(free);
    const end = await Promise.race([freed, sleep(PATIENCE_MS)]);
    const index = lane.waiting.indexOf(free);
    if (index >= 0) lane.waiting.splice(index, 1);
    if (end !== 'freed') lane.isSlow = true;
  };

  return {
    enter: async (receiver, { now, sleep }) => {
      const lane = laneOf(receiver);
      const isFull = () => lane.inFlight >= CONCURRENT;
      // Where one event has waited in vain, the next ones would keep others from the places of this instance.
      if (pauseOf(lane, now()) === undefined && isFull() && !lane.isSlow) await waitForPlace(lane, sleep);
      return pauseOf(lane, now()) ?? (isFull() ? { kind: 'busy' } : take(lane));
    },
    waitOf: (receiver, leastMs, now) => {
      const lane = laneOf(receiver);
      return lane.failures > 0 || lane.isSlow ? lane.pace(leastMs, now) : leastMs;
    },
  };
};
