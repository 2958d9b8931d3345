import * as z from 'zod';
import { InboxProblem } from './inbox-problem.ts';

/** Mailpit's. */
const DEFAULT_LIMIT = 50;
/** Room for some ten thousand ids. */
export const BODY_LIMIT_BYTES = 1024 * 1024;

/** Strict: with a misspelt `ids` the request would otherwise mean every mail. */
const ids = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);
export const removal = z.strictObject({ IDs: ids });
export const readStatus = z.strictObject({
  Read: z.boolean().default(false),
  IDs: ids,
  Search: z.string().default(''),
});

/** An empty body is an empty object, as in Mailpit; unlike Mailpit, a broken one does not mean "all". */
export const parseBody = <T>(body: string, schema: z.ZodType<T>): T => {
  const text = body.trim();
  let value: unknown;
  try {
    value = text === '' ? {} : JSON.parse(text);
  } catch {
    throw new InboxProblem(
      400,
      'The body is not JSON. Expected JSON such as { "IDs": ["..."] }, or no body for all emails.',
    );
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new InboxProblem(400, `The body is not valid:\n${z.prettifyError(parsed.error)}`);
};

/** Reads `start` and `limit`. Throws an InboxProblem. */
export const readPaging = (query: URLSearchParams) => ({
  start: readCount(query, 'start', 0),
  limit: readCount(query, 'limit', DEFAULT_LIMIT),
});

const readCount = (query: URLSearchParams, name: string, otherwise: number): number => {
  const value = query.get(name);
  if (value === null || value === '') return otherwise;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new InboxProblem(
    400,
    `"${name}": expected a whole number from 0 to 999999999, received ${JSON.stringify(value)}.`,
  );
};

/** Reads `tz`, the time zone of the times in a search. */
export const readTimeZone = (query: URLSearchParams): { readonly timeZone?: string } => {
  const timeZone = query.get('tz')?.trim();
  return timeZone ? { timeZone } : {};
};

/** Reads `query`. Throws an InboxProblem where it is empty: it would otherwise mean every email. */
export const readSearch = (query: URLSearchParams): string => {
  const search = query.get('query')?.trim() ?? '';
  if (search === '')
    throw new InboxProblem(400, 'The search query is missing. Add ?query=..., for example ?query=to:ada');
  return search;
};

/** A segment of the path. */
export const decodeSegment = (segment: string): string => {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new InboxProblem(400, `${JSON.stringify(segment)} is not correctly percent-encoded.`);
  }
};
