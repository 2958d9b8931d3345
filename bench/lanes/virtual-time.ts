/** Runs what waits for times, one after another, without waiting for them. */
export type VirtualTime = {
  /** Milliseconds of the epoch. */
  readonly now: () => number;
  readonly at: (time: number, happen: () => void) => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** Lets everything happen up to a time. */
  readonly runUntil: (time: number) => Promise<void>;
};

type Event = { readonly time: number; readonly order: number; readonly happen: () => void };

const isBefore = (one: Event, other: Event): boolean =>
  one.time < other.time || (one.time === other.time && one.order < other.order);

/** Each turn of the event loop asks the system for news, which takes longer than the event: so many share one. */
const AT_A_TIME = 64;

/** A binary heap of events; of those at the same time the first that was asked for comes first. */
export const makeVirtualTime = (start: number): VirtualTime => {
  const heap: Event[] = [];
  let time = start;
  let asked = 0;

  const push = (event: Event): void => {
    heap.push(event);
    let place = heap.length - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(heap[place] as Event, heap[parent] as Event)) break;
      [heap[place], heap[parent]] = [heap[parent] as Event, heap[place] as Event];
      place = parent;
    }
  };

  const pop = (): Event | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    heap[0] = last;
    let place = 0;
    for (;;) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      let least = place;
      for (const child of [left, right])
        if (child < heap.length && isBefore(heap[child] as Event, heap[least] as Event)) least = child;
      if (least === place) return first;
      [heap[place], heap[least]] = [heap[least] as Event, heap[place] as Event];
      place = least;
    }
  };

  const at = (when: number, happen: () => void): void => {
    asked += 1;
    push({ time: Math.max(when, time), order: asked, happen });
  };

  return {
    now: () => time,
    at,
    sleep: (ms) => new Promise((resolve) => at(time + ms, resolve)),
    runUntil: (end) =>
      new Promise((resolve, reject) => {
        let isOver = false;
        const runNext = (): void => {
          if (isOver) return;
          const next = heap[0];
          isOver = next === undefined || next.time > end;
          if (isOver || next === undefined) {
            time = end;
            resolve();
            return;
          }
          time = next.time;
          try {
            // What happens at the same moment happens before anybody looks.
            while (heap[0]?.time === time) pop()?.happen();
          } catch (fault) {
            isOver = true;
            reject(fault);
          }
        };
        // All promises run on, between two of them, to where they wait for time.
        const runSome = (): void => {
          for (let count = 1; count < AT_A_TIME; count += 1) setImmediate(runNext);
          setImmediate(() => {
            runNext();
            if (!isOver) runSome();
          });
        };
        runSome();
      }),
  };
};
