/** What an instance took of a limit the last time: for how many emails, and when. */
export type LastBlock = { readonly factor: number; readonly takenAt: number };

/** A block that was used within this is followed by one of twice the size: a block is for some minutes of sending. */
const QUICK_MS = 5 * 60_000;

/** For how many emails like this one the next block is, and never for more than `most`. `time` in milliseconds of the epoch. */
export const growingFactor = (last: LastBlock | undefined, time: number, most: number): number =>
  last !== undefined && time - last.takenAt < QUICK_MS ? Math.min(2 * last.factor, most) : 1;
