import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../../local/functions-host/clock.ts';

export type TestClock = Clock & {
  /** Moves time on, running what falls due in its order. */
  advance(ms: number): Promise<void>;
  advanceTo(when: Date): Promise<void>;
};

/** Lets promises that are ready run on; nothing here waits for real time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}

export function createTestClock(start: string): TestClock {
  let now = Date.parse(start);
  const timers = new Set<{ at: number; run: () => void }>();
  const advance = async (ms: number) => {
    const end = now + ms;
    for (;;) {
      await settle();
      const next = [...timers].filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (!next) break;
      timers.delete(next);
      now = Math.max(now, next.at);
      next.run();
    }
    now = end;
    await settle();
  };
  return {
    now: () => new Date(now),
    after(delayMs, run) {
      const timer = { at: now + delayMs, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance,
    advanceTo: (when) => advance(when.getTime() - now),
  };
}
