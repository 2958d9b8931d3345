import { AppError } from '../lib/errors.ts';
import { readDelivery } from './delivery-query.ts';

/** What the desk is asked for: the held mails, a page at a time, or one mail. */
export type DeskQuery =
  | { readonly kind: 'held'; readonly after: string | undefined }
  | { readonly kind: 'mail'; readonly id: string; readonly withDelivery?: true };

/** The host takes these for itself: a key, and its name. */
const OF_THE_HOST = new Set(['code', 'clientid']);

const invalid = (detail: string): AppError => new AppError('QUERY_INVALID', { detail });

/** What is not for the host. Throws QUERY_INVALID where a parameter is there twice. */
export const withoutHostParameters = (query: URLSearchParams): readonly (readonly [string, string])[] => {
  const pairs = [...query].filter(([name]) => !OF_THE_HOST.has(name.toLowerCase()));
  const names = pairs.map(([name]) => name);
  if (new Set(names).size < names.length) throw invalid('Expected each parameter once.');
  return pairs;
};

/** Reads the query. Throws QUERY_INVALID where it is not one of the two, or asks for more than is answered. */
export const readDeskQuery = (query: URLSearchParams): DeskQuery => {
  const { state, id, after, delivery, ...others } = Object.fromEntries(withoutHostParameters(query));
  if (Object.keys(others).length > 0)
    throw invalid('Expected no parameters other than state and after, or id.');
  if (id !== undefined) {
    if (state !== undefined || after !== undefined)
      throw invalid('Expected id alone, or state=held without it.');
    if (id === '') throw invalid('Expected in `id` the id of an email, received nothing.');
    return { kind: 'mail', id, ...(readDelivery(query) ? { withDelivery: true } : {}) };
  }
  if (delivery !== undefined) throw invalid('Expected `delivery` beside `id` alone.');
  if (state !== 'held') throw invalid('Expected ?state=held or ?id=<id of an email>.');
  return { kind: 'held', after: after === undefined ? undefined : readPage(PAGE, after) };
};

/** Of a page of ours, so that anything else is told as that: some storages take any text, and begin anywhere. */
const PAGE = 'held page\n';

/** A place in a list of this kind, as a parameter. */
export const toPage = (kind: string, continuation: string): string =>
  Buffer.from(kind + continuation).toString('base64url');

/** Throws QUERY_INVALID for what is no place in a list of this kind. */
export const readPage = (kind: string, token: string): string => {
  const text = Buffer.from(token, 'base64url').toString();
  if (!text.startsWith(kind) || toPage(kind, text.slice(kind.length)) !== token)
    throw invalid('Expected in `after` the `next` of the previous page.');
  return text.slice(kind.length);
};

/** The `next` of a page of held emails, from what storage needs to go on there. */
export const toPageToken = (continuation: string): string => toPage(PAGE, continuation);
