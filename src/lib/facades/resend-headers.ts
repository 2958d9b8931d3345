import { isAbsent, isObject } from '../mail/absent.ts';

/** Headers for which our email has a field. */
const FIELD_OF: Readonly<Record<string, string>> = {
  'reply-to': 'replyTo',
  'message-id': 'messageId',
  'in-reply-to': 'inReplyTo',
  references: 'references',
  importance: 'importance',
  priority: 'importance',
  'x-priority': 'importance',
};

/** Words and numbers of the headers that say how important an email is, as mail programs write them. */
const IMPORTANCE: Readonly<Record<string, string>> = {
  urgent: 'high',
  'non-urgent': 'low',
  '1': 'high',
  '2': 'high',
  '3': 'normal',
  '4': 'low',
  '5': 'low',
};

/** `1 (Highest)` is 1. */
const importanceOf = (value: unknown): unknown => {
  if (typeof value !== 'string') return value;
  const word = value
    .trim()
    .toLowerCase()
    .replace(/ ?\(.*\)$/, '');
  return IMPORTANCE[word] ?? word;
};

export type ReadHeaders = {
  /** Fields of our email. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What no field says. */
  readonly rest: unknown;
  /** The header that each of the fields comes from, as it was written. */
  readonly names: ReadonlyMap<string, string>;
};

/**
 * `headers` of Resend: those that are a field of ours become that field, where the field is not taken; the rules of an email refuse the
 * others of the kind, so that nothing is lost. `hasReplyTo` says that the email has `reply_to`.
 */
export const readHeaders = (written: unknown, hasReplyTo: boolean): ReadHeaders => {
  const names = new Map<string, string>();
  // PHP writes an empty object as a list.
  if (Array.isArray(written) && written.length === 0) return { fields: {}, rest: undefined, names };
  if (!isObject(written)) return { fields: {}, rest: written, names };
  const fields: Record<string, unknown> = {};
  const rest: [string, unknown][] = [];
  for (const [name, value] of Object.entries(written)) {
    const key = name.toLowerCase();
    const field = Object.hasOwn(FIELD_OF, key) ? FIELD_OF[key] : undefined;
    const isTaken = field !== undefined && (names.has(field) || (field === 'replyTo' && hasReplyTo));
    if (field === undefined || isTaken) rest.push([name, value]);
    else if (!isAbsent(value)) {
      names.set(field, name);
      fields[field] = field === 'importance' ? importanceOf(value) : value;
    }
  }
  return { fields, rest: Object.fromEntries(rest), names };
};
