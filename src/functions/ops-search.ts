import { findMail } from '../lib/desk/mail-status.ts';
import { readField } from '../lib/desk/read-search.ts';
import { type MailQuery, type SearchNeeds, searchMail } from '../lib/desk/search-mail.ts';
import { AppError } from '../lib/errors.ts';
import { isMailId } from '../lib/ledger/mail-id.ts';
import type { SearchPlace } from '../lib/ledger/search-index.ts';
import {
  type NextPage,
  SEARCH_FIELDS,
  type SearchFaults,
  type SearchFields,
  searchPage,
  UNADDRESSED_FIELDS,
} from '../lib/ops/search-page.ts';
import { mailPath, pathOf, type View } from '../lib/ops/view.ts';
import type { OpsAnswer } from './ops-answer.ts';

const PAGE = 25;

/** What the address of the search page asks for, or its form. */
export type AskedSearch = {
  readonly fields: SearchFields;
  readonly after?: SearchPlace;
};

/** Reads an address, which the host has logged. Throws QUERY_INVALID. */
export const readSearchAddress = (query: URLSearchParams): AskedSearch => {
  const asked = readSearch(query);
  if (UNADDRESSED_FIELDS.some((name) => asked.fields[name] !== undefined))
    throw invalid(
      'Expected a recipient and an idempotency key in the form of the search page, received one in the address, which the host logs. Write it into the form.',
    );
  return asked;
};

/** Reads a form. Empty fields are those that a form leaves empty. Throws QUERY_INVALID. */
export const readSearch = (query: URLSearchParams): AskedSearch => {
  const fields = Object.fromEntries(
    SEARCH_FIELDS.map((name) => [name, query.get(name)?.trim() ?? ''] as const).filter(
      ([, value]) => value !== '',
    ),
  );
  const after = query.get('after');
  return { fields, ...(after === null ? {} : { after: readPlace(after) }) };
};

const invalid = (detail: string): AppError => new AppError('QUERY_INVALID', { detail });

const readPlace = (text: string): SearchPlace => {
  const [ms = '', mailId = ''] = text.split('~');
  if (!/^\d{1,16}$/.test(ms) || !isMailId(mailId))
    throw invalid('Expected in `after` the place where a page of the search ended, received another text.');
  return { acceptedAt: new Date(Number(ms)), mailId };
};

type Read = { readonly query: MailQuery; readonly faults: SearchFaults };

/** Every field by itself, so that all that is wrong is said together. */
const toQuery = ({ words, now }: View, { id: _id, ...texts }: SearchFields): Read => {
  const query: Record<string, unknown> = {};
  const faults: Partial<Record<keyof typeof texts, string>> = {};
  for (const name of SEARCH_FIELDS) {
    const text = name === 'id' ? undefined : texts[name];
    if (name === 'id' || text === undefined) continue;
    try {
      // A browser sends minutes without a zone; the page says that all times are UTC.
      query[name] = readField(name, isTime(name) && !/Z$/i.test(text) ? `${text}Z` : text, now);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'QUERY_INVALID') throw error;
      faults[name] = words.search.faults[name];
    }
  }
  const read = query as MailQuery;
  if (read.from !== undefined && read.until !== undefined && read.from >= read.until)
    faults.until = words.search.faults.order;
  return { query: read, faults };
};

const isTime = (name: keyof SearchFields): boolean => name === 'from' || name === 'until';

const hasFaults = (faults: SearchFaults): boolean => Object.keys(faults).length > 0;

/** The search page; an id leads to its email. Throws QUERY_INVALID, STORAGE_UNAVAILABLE. */
export const showSearch = async (
  needs: SearchNeeds,
  view: View,
  { fields, after: begin }: AskedSearch,
): Promise<OpsAnswer> => {
  if (fields.id !== undefined) {
    const found = await findMail(needs, fields.id).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'MAIL_NOT_FOUND') return undefined;
      throw error;
    });
    if (found !== undefined) return { kind: 'go', to: mailPath(view, found.row.facts.mailId) };
    return { kind: 'page', page: searchPage(view, fields, { mails: [], isIncomplete: false }) };
  }
  const { query, faults } = toQuery(view, fields);
  if (hasFaults(faults))
    return { kind: 'page', status: 400, page: searchPage(view, fields, undefined, faults) };
  const { mails, next, incomplete } = await searchMail(needs, query, {
    after: begin,
    limit: PAGE,
  });
  const after = next && `${next.acceptedAt.getTime()}~${next.mailId}`;
  return {
    kind: 'page',
    page: searchPage(view, fields, {
      mails,
      ...(after === undefined ? {} : { next: nextPage(view, fields, after) }),
      isIncomplete: incomplete === true,
    }),
  };
};

const mayBeAddressed = (fields: SearchFields): boolean =>
  UNADDRESSED_FIELDS.every((name) => fields[name] === undefined);

const addressOf = (view: View, fields: Readonly<Record<string, string>>): string => {
  const query = String(new URLSearchParams(fields));
  return `${pathOf(view, 'mail')}${query === '' ? '' : `?${query}`}`;
};

const nextPage = (view: View, fields: SearchFields, after: string): NextPage =>
  mayBeAddressed(fields) ? { url: addressOf(view, { ...fields, after }) } : { fields, after };

/**
 * The form of the search page: to the address of what it looks for, which can be kept and loaded again, or answered without an address
 * where that must not have it. Throws QUERY_INVALID, STORAGE_UNAVAILABLE.
 */
export const openSearch = async (
  needs: SearchNeeds,
  view: View,
  form: URLSearchParams,
): Promise<OpsAnswer> => {
  const asked = readSearch(form);
  const { fields, after } = asked;
  return after === undefined && mayBeAddressed(fields) && !hasFaults(toQuery(view, fields).faults)
    ? { kind: 'go', to: addressOf(view, fields) }
    : showSearch(needs, view, asked);
};
