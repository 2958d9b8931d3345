const MOST_CHARACTERS = 2_000;
/** An address, but one of the examples in the relay's own texts. */
const ADDRESS = /[^\s<>"'`(),;:[\]]+@(?!example\.com\b)[^\s<>"'`(),;:[\]]+\.[^\s<>"'`(),;:[\]]+/g;
const KEY = /gmr_[\w-]{4,}/g;

/**
 * A text of a response as it can be in an error or a log. The relay has no address and no key in its problems, but what responds at its
 * address may not be the relay.
 */
const shownText = (text: string): string =>
  text
    .slice(0, MOST_CHARACTERS)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')
    .replaceAll(ADDRESS, '(an address)')
    .replaceAll(KEY, '(a key)');

/** The same for all the texts in a value of JSON. */
export const shown = (value: unknown): unknown => {
  if (typeof value === 'string') return shownText(value);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [shownText(name), shown(one)]));
};
