import { AppError } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import { type Findings, isNothing, tell } from './sendgrid-findings.ts';

/** SendGrid's limit for one personalization. */
const MAX_BYTES = 50_000;
/** More than any email has room for. */
const MAX_GROWN = 8_000_000;

/** Replaces keys by their values in a text; what is no text stays what it is. */
export type Substitute = <Value>(value: Value) => Value | string;

const UNCHANGED: Substitute = (value) => value;

const escaped = (key: string): string => key.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/**
 * What `substitutions` of a personalization does: each key is replaced wherever it is, in one pass, so that a value is not looked
 * through for keys again. Of two keys that begin at the same place the longer one counts. Nothing is encoded for HTML.
 */
export const readSubstitutions = (findings: Findings, value: unknown, place: string): Substitute => {
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
  const keys = [...values.keys()].toSorted((one, other) => other.length - one.length);
  const anyKey = new RegExp(keys.map(escaped).join('|'), 'g');
  return (text) => {
    if (typeof text !== 'string') return text;
    let length = text.length;
    return text.replaceAll(anyKey, (key) => {
      const replacement = values.get(key) ?? key;
      length += replacement.length - key.length;
      if (length > MAX_GROWN)
        throw new AppError('MAIL_TOO_LARGE', {
          detail: `With \`${place}\`, a text of the email has more than ${MAX_GROWN} characters.`,
        });
      return replacement;
    });
  };
};
