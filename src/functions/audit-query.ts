import { readPage, toPage } from '../lib/desk/page-token.ts';
import { AppError } from '../lib/errors.ts';
import { withoutHostParameters } from './desk-query.ts';

/** Of which caller the trail is asked, and from where on. */
export type AuditQuery = { readonly caller: string | undefined; readonly after: string | undefined };

const PAGE = 'audit page\n';

/** The `next` of a page, from what storage needs to go on there. */
export const toAuditToken = (continuation: string): string => toPage(PAGE, continuation);

/** Reads the query. Throws QUERY_INVALID where it is anything but `caller` and `after`. */
export const readAuditQuery = (query: URLSearchParams): AuditQuery => {
  const { caller, after, ...others } = Object.fromEntries(withoutHostParameters(query));
  if (Object.keys(others).length > 0)
    throw new AppError('QUERY_INVALID', { detail: 'Expected no parameters other than caller and after.' });
  if (caller === '')
    throw new AppError('QUERY_INVALID', {
      detail: 'Expected in `caller` the name of a caller, received nothing.',
    });
  return { caller, after: after === undefined ? undefined : readPage(PAGE, after) };
};
