/*
 * The bytes of the large emails of a mailbox: Exchange takes 150 MB in five minutes. Times are milliseconds of the epoch; what was sent in a
 * quarter of a minute counts together, at its end.
 */

/** When, and how many bytes, in no order. */
export type SentBytes = readonly (readonly [at: number, bytes: number])[];

/** https://learn.microsoft.com/graph/throttling-limits#limits-per-mailbox: 150 MB in five minutes, for an app and a mailbox. */
const MOST_BYTES = 150_000_000;
const TOGETHER_MS = 15_000;
/** Five minutes, how late an email may be for its start, half a second for the way to Graph, and what counts together. */
const WINDOW_MS = 300_000 + 1500 + 500 + TOGETHER_MS;
/** Smaller emails at the full rate stay far below the limit. */
export const LARGE_BYTES = 500_000;

/** One that is larger than the limit goes where there is no other. */
const needOf = (bytes: number): number => Math.min(bytes, MOST_BYTES);

/** Without what no longer counts. */
export const currentBytes = (sent: SentBytes, now: number): SentBytes =>
  sent.filter(([at]) => at > now - WINDOW_MS);

/** With one more email, which may be too small to count. */
export const withBytes = (sent: SentBytes, at: number, bytes: number): SentBytes => {
  if (bytes < LARGE_BYTES) return sent;
  const end = Math.ceil(at / TOGETHER_MS) * TOGETHER_MS;
  const place = sent.findIndex(([one]) => one === end);
  const before = sent[place]?.[1] ?? 0;
  return place === -1 ? [...sent, [end, bytes]] : sent.with(place, [end, before + bytes]);
};

/** Whether every window around a time has room for so many bytes. */
export const bytesFit = (sent: SentBytes, at: number, bytes: number): boolean => {
  if (bytes < LARGE_BYTES) return true;
  const near = sent.filter(([one]) => one > at - WINDOW_MS && one < at + WINDOW_MS);
  const begins = [at, ...near.map(([one]) => one)].filter((one) => one <= at);
  return begins.every((begin) => {
    let sum = needOf(bytes);
    for (const [one, size] of near) if (one >= begin && one < begin + WINDOW_MS) sum += size;
    return sum <= MOST_BYTES;
  });
};

/** The first time from one on at which so many bytes fit. */
export const bytesRoomAt = (sent: SentBytes, from: number, bytes: number): number => {
  const times = [from, ...sent.map(([at]) => at + WINDOW_MS).filter((at) => at > from)];
  return Math.min(...times.filter((at) => bytesFit(sent, at, bytes)));
};

/** How far apart emails of this size go, so that they use the limit and no more. */
export const bytesStepMs = (bytes: number): number => Math.ceil((needOf(bytes) / MOST_BYTES) * WINDOW_MS);
