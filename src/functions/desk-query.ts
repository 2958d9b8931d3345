import { readPage, toPage } from '../lib/desk/page-token.ts';
import { type MailSearch, readSearch } from '../lib/desk/read-search.ts';
import { AppError } from '../lib/errors.ts';
import { readDelivery } from './delivery-query.ts';

/** What the desk is asked for: a page of a search, or one email. */
export type DeskQuery =
  | ({ readonly kind: 'search' } & MailSearch)
  | {
      readonly kind: 'mail';
      readonly id: string;
      readonly withContent: boolean;
      readonly withDelivery: boolean;
    };

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

/**
 * Reads the query. A plus sign in a URL is a space to whoever reads it, and no value has a space: `a+b@example.com` and
 * `2026-11-26T08:00+08:00` are meant as they are written. Throws QUERY_INVALID.
 */
export const readDeskQuery = (query: URLSearchParams, now: Date): DeskQuery => {
  const { id, content, delivery, ...search } = Object.fromEntries(
    withoutHostParameters(query).map(([name, value]) => [name, value.replaceAll(' ', '+')]),
  );
  if (id === undefined) {
    if (content === undefined && delivery === undefined)
      return { kind: 'search', ...readSearch(search, now) };
    throw invalid('Expected `content` and `delivery` beside the `id` of one email only.');
  }
  if (Object.keys(search).length > 0)
    throw invalid('Expected `id` without parameters of a search: it is one email.');
  if (id === '') throw invalid('Expected in `id` the id of an email, received nothing.');
  if (content !== undefined && content !== 'true' && content !== 'false')
    throw invalid('Expected content=true or content=false, received something else.');
  return { kind: 'mail', id, withContent: content === 'true', withDelivery: readDelivery(query) };
};

/** Of a page of held emails, so that anything else is told as that: some storages take any text, and begin anywhere. */
const HELD_PAGE = 'held page\n';

/** The `next` of a page of held emails, from what storage needs to go on there. */
export const toHeldToken = (continuation: string): string => toPage(HELD_PAGE, continuation);

/** The place that this `next` names. Throws QUERY_INVALID. */
export const readHeldToken = (token: string): string => readPage(HELD_PAGE, token);
