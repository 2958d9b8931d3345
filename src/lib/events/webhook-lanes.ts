import type { AttemptResult } from './webhook-retry.ts';

/** Of the 24 messages that an instance works on (host.json: batchSize, newBatchThreshold): others have a place beside it. */
const CONCURRENT = 8;
/** A receiver that responds frees a place within this time; one that hangs keeps its places for 15 seconds. */
const PATIENCE_MS = 2000;
/** So many failures in a row, and a receiver is asked by one event at a time only. */
const FAILURES = 3;
const FIRST_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/** What may be done about a receiver now. */
export type LaneEntry =
  | { readonly kind: 'go'; readonly leave: (result: AttemptResult, now: Date) => void }
  /** It has as many requests as it may have. */
  | { readonly kind: 'busy' }
  /** It has failed several times, and is left alone for a while. */
  | { readonly kind: 'paused' };

/** What an instance knows of the receivers: one that hangs takes no time from the others. */
export type WebhookLanes = {
  readonly enter: (
    receiver: string,
    clock: { readonly now: () => Date; readonly sleep: (ms: number) => Promise<unknown> },
  ) => Promise<LaneEntry>;
};

type Lane = {
  inFlight: number;
  failures: number;
  pausedUntil: number;
  readonly waiting: (() => void)[];
};

/** Failures that say something of the receiver as a whole, and not of one event or of the relay. */
const isOfReceiver = (result: AttemptResult): boolean =>
  result.kind === 'failed'
    ? result.fault === 'timeout' || result.fault === 'connection'
    : result.status === 408 || result.status === 429 || result.status >= 500;

const isSuccess = (result: AttemptResult): boolean =>
  result.kind === 'answered' && result.status >= 200 && result.status < 300;

/** Makes the lanes of an instance. One of a receiver that is in no setting any more costs a few bytes. */
export const makeWebhookLanes = (): WebhookLanes => {
  const lanes = new Map<string, Lane>();

  const laneOf = (receiver: string): Lane => {
    const known = lanes.get(receiver) ?? { inFlight: 0, failures: 0, pausedUntil: 0, waiting: [] };
    lanes.set(receiver, known);
    return known;
  };

  const placesOf = ({ failures }: Lane): number => (failures >= FAILURES ? 1 : CONCURRENT);

  const take = (lane: Lane): LaneEntry => {
    lane.inFlight += 1;
    return {
      kind: 'go',
      leave: (result, now) => {
        lane.inFlight -= 1;
        if (isSuccess(result)) lane.failures = 0;
        // What was in progress when the pause began says nothing new.
        else if (isOfReceiver(result) && now.getTime() >= lane.pausedUntil) {
          lane.failures += 1;
          const doublings = lane.failures - FAILURES;
          if (doublings >= 0)
            lane.pausedUntil = now.getTime() + Math.min(FIRST_PAUSE_MS * 2 ** doublings, LONGEST_PAUSE_MS);
        }
        lane.waiting.shift()?.();
      },
    };
  };

  return {
    enter: async (receiver, clock) => {
      const lane = laneOf(receiver);
      const isPaused = () => clock.now().getTime() < lane.pausedUntil;
      if (isPaused()) return { kind: 'paused' };
      if (lane.inFlight >= placesOf(lane)) {
        let free = () => {};
        const freed = new Promise<void>((resolve) => {
          free = resolve;
        });
        lane.waiting.push(free);
        await Promise.race([freed, clock.sleep(PATIENCE_MS)]);
        const index = lane.waiting.indexOf(free);
        if (index >= 0) lane.waiting.splice(index, 1);
        if (isPaused()) return { kind: 'paused' };
        if (lane.inFlight >= placesOf(lane)) return { kind: 'busy' };
      }
      return take(lane);
    },
  };
};
