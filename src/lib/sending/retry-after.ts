/**
 * Reads a Retry-After header as milliseconds from now: decimal seconds (Graph's own sample shows `2.128`) or an
 * HTTP date. Absent, malformed or negative means no opinion: undefined. A date in the past means now: 0.
 */
export const parseRetryAfter = (header: string | null | undefined, now: Date): number | undefined => {
  const text = header?.trim();
  if (!text) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) {
    const milliseconds = Math.ceil(Number(text) * 1000);
    return Number.isSafeInteger(milliseconds) ? milliseconds : undefined;
  }
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
};
