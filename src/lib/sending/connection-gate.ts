/** Where an email comes from: the two have invocations of their own (host.json), and do not take them from each other. */
export type Origin = 'queue' | 'caller';

type Passage =
  | {
      readonly kind: 'go';
      /** The request has ended, or none was made. */
      readonly leave: (how: Ended, now: Date) => void;
    }
  /** The connection has all that it can have. Come back then. */
  | { readonly kind: 'wait'; readonly waitMs: number };

export type ConnectionGate = {
  /** May one more request of this connection, for this mailbox, be under way? If so, call `leave` when it has ended. */
  enter(connection: string, mailbox: string, origin: Origin, now: Date): Passage;
};

/**
 * For the queue, fewer than `newBatchThreshold` of host.json: while more than that are under way, the host fetches no email of any
 * connection. For callers, half of `maxConcurrentRequests`.
 */
export const MOST_UNDER_WAY: Readonly<Record<Origin, number>> = { queue: 6, caller: 16 };

const SHORTEST_WAIT_MS = 2000;
const LONGEST_WAIT_MS = 5 * 60_000;

/** Who has no answer for so long was silent. What is refused is known sooner, and so is a connection that breaks. */
const SILENT_MS = 5000;
const WITHOUT_ANSWER = ['unknown', 'not-sent', 'not-now'];

/** What a request says of its connection. A refusal that was kept, or a connection that broke, says nothing of its silence. */
export type Ended = 'responded' | 'silent' | 'not asked';

/** What is to be concluded from what a request ended with, an outcome or a sighting: a response is one even if nobody likes it. */
export const endedAs = (
  { kind, status }: { readonly kind: string; readonly status?: number },
  tookMs: number,
): Ended => {
  if (status !== undefined || !WITHOUT_ANSWER.includes(kind)) return 'responded';
  return tookMs < SILENT_MS ? 'not asked' : 'silent';
};

/** Longer than the longest wait: while there are emails, somebody has asked since. */
const REMEMBERED_MS = 15 * 60_000;

type Silence = { readonly since: number; readonly last: number };

/** A connection, or one mailbox of it. */
type Side = { readonly underWay: Record<Origin, number>; silence: Silence | undefined };

const totalOf = ({ underWay }: Side): number => underWay.queue + underWay.caller;

/**
 * Keeps the connections of one instance apart: none has more than its share of the invocations, and one whose last request had
 * no response, or a mailbox of which that is true, has one request at a time until it responds. Those that wait come back the
 * later the longer the silence lasts, so that what they cost does not grow with it.
 */
export const makeConnectionGate = (): ConnectionGate => {
  const sides = new Map<string, Side>();

  const sideOf = (key: string): Side => {
    const side = sides.get(key) ?? { underWay: { queue: 0, caller: 0 }, silence: undefined };
    sides.set(key, side);
    return side;
  };

  const dropUnused = (keys: readonly string[]): void => {
    for (const key of keys) {
      const side = sides.get(key);
      if (side !== undefined && totalOf(side) === 0 && side.silence === undefined) sides.delete(key);
    }
  };

  return {
    enter: (connection, mailbox, origin, now) => {
      const keys = [connection, `${connection} ${mailbox.toLowerCase()}`];
      const both = keys.map(sideOf);
      for (const side of both)
        if (totalOf(side) === 0 && now.getTime() - (side.silence?.last ?? 0) > REMEMBERED_MS)
          side.silence = undefined;
      const silences = both.flatMap((side) =>
        side.silence === undefined || totalOf(side) === 0 ? [] : [now.getTime() - side.silence.since],
      );
      if (silences.length > 0 || sideOf(connection).underWay[origin] >= MOST_UNDER_WAY[origin]) {
        dropUnused(keys);
        const waitMs = Math.max(SHORTEST_WAIT_MS, ...silences.map((ms) => ms / 2));
        return { kind: 'wait', waitMs: Math.min(waitMs, LONGEST_WAIT_MS) };
      }
      for (const side of both) side.underWay[origin] += 1;
      return {
        kind: 'go',
        leave: (how, then) => {
          for (const side of both) {
            side.underWay[origin] -= 1;
            const last = then.getTime();
            if (how === 'responded') side.silence = undefined;
            if (how === 'silent') side.silence = { since: side.silence?.since ?? last, last };
          }
          dropUnused(keys);
        },
      };
    },
  };
};
