import { AppError } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import { makeKeyFinder } from './key-finder.ts';
import { type Findings, isNothing, tell } from './sendgrid-findings.ts';

/** SendGrid's limit for one personalization. */
const MAX_BYTES = 50_000;
/** So many parts of a text are joined at a time: each takes memory until then. */
const MOST_PARTS = 10_000;
/** More than any email has room for. */
const MAX_GROWN = 8_000_000;

/** What substitution makes in all emails of a request together. */
export type Growth = {
  /** Characters so far. */
  made: number;
  readonly most: number;
  /** What is thrown where they are more. */
  readonly tooMuch: () => AppError;
};

/** Replaces keys by their values in a text; what is no text stays what it is. */
export type Substitute = <Value>(value: Value) => Value | string;

const UNCHANGED: Substitute = (value) => value;

/**
 * What `substitutions` of a personalization does: each key is replaced wherever it is, in one pass, so that a value is not looked
 * through for keys again. Of two keys that begin at the same place the longer one counts. Nothing is encoded for HTML. A text is given up
 * while it grows: a small request could ask for more than an instance can hold.
 */
export const readSubstitutions = (
  findings: Findings,
  value: unknown,
  place: string,
  growth: Growth,
): Substitute => {
  if (isNothing(value) || (Array.isArray(value) && value.length === 0)) return UNCHANGED;
  if (!isObject(value)) {
    tell(findings, place, 'an object', value);
    return UNCHANGED;
  }
  const values = new Map<string, string>();
  let bytes = 0;
  for (const [key, text] of Object.entries(value)) {
    if (key === '') tell(findings, place, 'keys that are not empty', key);
    else if (typeof text !== 'string' && typeof text !== 'number')
      tell(findings, place, 'text as the value of each key', text);
    else {
      values.set(key, String(text));
      bytes += Buffer.byteLength(key) + Buffer.byteLength(String(text));
    }
  }
  if (bytes > MAX_BYTES) {
    tell(findings, place, `at most ${MAX_BYTES} bytes of keys and values, not ${bytes}`, value);
    return UNCHANGED;
  }
  if (values.size === 0) return UNCHANGED;
  const keys = [...values.keys()];
  const replacements = [...values.values()];
  const find = makeKeyFinder(keys);
  const tooLong = () =>
    new AppError('MAIL_TOO_LARGE', {
      detail: `With \`${place}\`, a text of the email has more than ${MAX_GROWN} characters.`,
    });
  return (text) => {
    if (typeof text !== 'string') return text;
    if (text.length > MAX_GROWN) throw tooLong();
    const hits = find(text);
    if (hits.starts.length === 0) return text;
    let length = text.length;
    let made = '';
    let parts: string[] = [];
    let end = 0;
    for (let hit = hits.starts.length - 1; hit >= 0; hit -= 1) {
      const start = hits.starts[hit] ?? 0;
      // Inside a key that was replaced.
      if (start < end) continue;
      const which = hits.keys[hit] ?? 0;
      const [key = '', replacement = ''] = [keys[which], replacements[which]];
      length += replacement.length - key.length;
      if (growth.made + length > growth.most) throw growth.tooMuch();
      if (length > MAX_GROWN) throw tooLong();
      parts.push(text.slice(end, start), replacement);
      end = start + key.length;
      if (parts.length < MOST_PARTS) continue;
      made += parts.join('');
      parts = [];
    }
    growth.made += length;
    return made + parts.join('') + text.slice(end);
  };
};
