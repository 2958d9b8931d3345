import { findMail } from '../lib/desk/mail-status.ts';
import { type MailQuery, type SearchNeeds, searchMail } from '../lib/desk/search-mail.ts';
import { AppError } from '../lib/errors.ts';
import { isMailId } from '../lib/ledger/mail-id.ts';
import type { SearchPlace, SearchState } from '../lib/ledger/search-index.ts';
import { SEARCH_FIELDS, type SearchFields, searchPage } from '../lib/ops/search-page.ts';
import { mailPath, pathOf, type View } from '../lib/ops/view.ts';
import type { OpsAnswer } from './ops-answer.ts';

const PAGE = 25;

/** What the address of the search page asks for. */
export type AskedSearch = {
  readonly fields: SearchFields;
  readonly after?: SearchPlace;
};

/** Reads the address. Empty fields are those that a form leaves empty. Throws QUERY_INVALID. */
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

/** A browser sends minutes without a zone; the page says that all times are UTC. */
const readTime = (name: string, text: string | undefined): Date | undefined => {
  if (text === undefined) return undefined;
  const date = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?$/.test(text)
    ? new Date(`${text}Z`)
    : undefined;
  if (date === undefined || Number.isNaN(date.getTime()))
    throw invalid(`Expected in \`${name}\` a time such as 2026-03-02T08:00, received another text.`);
  return date;
};

const toQuery = (view: View, { state, from, until, id: _id, ...texts }: SearchFields): MailQuery => {
  if (state !== undefined && !(state in view.words.states))
    throw invalid('Expected in `state` a state of an email, received another text.');
  const [since, before] = [readTime('from', from), readTime('until', until)];
  return {
    ...texts,
    ...(state === undefined ? {} : { state: state as SearchState }),
    ...(since === undefined ? {} : { from: since }),
    ...(before === undefined ? {} : { until: before }),
  };
};

/** The search page; an id leads to its email. Throws QUERY_INVALID, STORAGE_UNAVAILABLE. */
export const showSearch = async (
  needs: SearchNeeds,
  view: View,
  { fields, after }: AskedSearch,
): Promise<OpsAnswer> => {
  if (fields.id !== undefined) {
    const found = await findMail(needs, fields.id).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'MAIL_NOT_FOUND') return undefined;
      throw error;
    });
    if (found !== undefined) return { kind: 'go', to: mailPath(view, found.row.facts.mailId) };
    return { kind: 'page', page: searchPage(view, fields, { mails: [], isIncomplete: false }) };
  }
  const { mails, next, incomplete } = await searchMail(needs, toQuery(view, fields), { after, limit: PAGE });
  const nextUrl =
    next &&
    `${pathOf(view, 'mail')}?${new URLSearchParams({ ...fields, after: `${next.acceptedAt.getTime()}~${next.mailId}` })}`;
  return {
    kind: 'page',
    page: searchPage(view, fields, {
      mails,
      ...(nextUrl === undefined ? {} : { nextUrl }),
      isIncomplete: incomplete === true,
    }),
  };
};
