import { setTimeout as wait } from 'node:timers/promises';

const LOOK_EVERY_MS = 50;

/** Waits until it is so; false when the time was over before. `look` is called before each look. */
export const until = async (
  isSo: () => boolean,
  limitMs: number,
  look: () => Promise<void> = async () => undefined,
): Promise<boolean> => {
  const deadline = performance.now() + limitMs;
  for (;;) {
    await look();
    if (isSo()) return true;
    if (performance.now() > deadline) return false;
    await wait(LOOK_EVERY_MS);
  }
};
