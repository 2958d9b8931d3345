import { isObject } from '../mail/absent.ts';
import { sortHeaders } from './header-fields.ts';

export type ReadHeaders = {
  /** Fields of our email. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What no field says. */
  readonly rest: unknown;
  /** The header that each of the fields comes from, as it was written. */
  readonly names: ReadonlyMap<string, string>;
};

/**
 * `headers` of Resend: those that are a field of ours become that field, where the email does not say otherwise; the rules of an email
 * refuse the others of the kind, so that nothing is lost. `hasReplyTo` says that the email has `reply_to`.
 */
export const readHeaders = (written: unknown, hasReplyTo: boolean): ReadHeaders => {
  // PHP writes an empty object as a list.
  if (Array.isArray(written) && written.length === 0)
    return { fields: {}, rest: undefined, names: new Map() };
  if (!isObject(written)) return { fields: {}, rest: written, names: new Map() };
  const given = Object.entries(written).map(([name, value]) => ({ name, value, place: name }));
  const { fields, others, contradicting } = sortHeaders(given);
  const rest = [...others, ...contradicting];
  const taken = new Map(fields);
  const replyTo = hasReplyTo ? taken.get('replyTo') : undefined;
  if (replyTo !== undefined) {
    rest.push(replyTo);
    taken.delete('replyTo');
  }
  return {
    fields: Object.fromEntries([...taken].map(([field, { value }]) => [field, value])),
    rest: Object.fromEntries(rest.map(({ name, value }) => [name, value])),
    names: new Map([...taken].map(([field, { name }]) => [field, name])),
  };
};
