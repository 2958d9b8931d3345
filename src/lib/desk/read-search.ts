import { defined } from '../defined.ts';
import { describe } from '../describe.ts';
import { AppError } from '../errors.ts';
import { FINAL_STATES, OPEN_STATES } from '../ledger/ledger-row.ts';
import { isMailId } from '../ledger/mail-id.ts';
import type { SearchPlace, SearchState } from '../ledger/search-index.ts';
import { ONE_ADDRESS } from '../mail/address.ts';
import { readAddresses } from '../mail/address-list.ts';
import { KEY_FORM, keyFault } from '../mail/idempotency-key.ts';
import { readPage, toPage } from './page-token.ts';
import type { MailQuery } from './search-mail.ts';

/** A search as it was asked for: what is looked for, and which page of it. */
export type MailSearch = {
  readonly query: MailQuery;
  readonly limit: number;
  readonly after?: SearchPlace;
};

/** The states to search for, in the order in which an email goes through them. */
export const SEARCH_STATES = [
  ...OPEN_STATES,
  ...FINAL_STATES,
  'bounced',
] as const satisfies readonly SearchState[];

export const USUAL_LIMIT = 50;
export const MAX_LIMIT = 200;

/** Every parameter of a search, in the order in which the documentation has them. */
export const SEARCH_PARAMETERS = [
  'state',
  'sender',
  'caller',
  'tag',
  'from',
  'until',
  'recipient',
  'idempotencyKey',
  'graphRequestId',
  'internetMessageId',
  'limit',
  'after',
] as const;
type Parameter = (typeof SEARCH_PARAMETERS)[number];

const MAX_CALLER = 100;
/** A header line has at most so many characters (RFC 5322, 2.1.1). */
const MAX_MESSAGE_ID = 998;

/** What was received is named by its kind alone: a recipient or a key is in no error and no log. */
const expected = (name: Parameter, what: string, received: string): AppError =>
  new AppError('QUERY_INVALID', { detail: `Expected in \`${name}\` ${what}, received ${received}.` });

type Read<Value> = (name: Parameter, text: string, now: Date) => Value;

const oneOf =
  (what: string, isRight: (text: string) => boolean): Read<string> =>
  (name, text) => {
    if (!isRight(text)) throw expected(name, what, describe(text));
    return text;
  };

const isPrintable = (text: string, most: number): boolean =>
  text.length <= most && !/\p{Cc}/u.test(text) && text.isWellFormed();

/** As it is copied from an email too, with its name: `Name <name@example.com>`. */
const address: Read<string> = (name, text) => {
  const { addresses, places } = readAddresses(text, 2);
  const [only] = addresses;
  if (only === undefined || places !== 1) throw expected(name, ONE_ADDRESS, describe(text));
  return only.address;
};

const state: Read<SearchState> = (name, text) => {
  const found = SEARCH_STATES.find((one) => one === text);
  // A single word of letters is no address, and shows a typing error.
  const received = /^[a-z]{1,20}$/i.test(text) ? text : describe(text);
  if (found === undefined) throw expected(name, `one of ${SEARCH_STATES.join(', ')}`, received);
  return found;
};

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const TIME =
  'a time such as 2026-11-26T08:00:00Z (with its offset), a date such as 2026-11-26 (its beginning in UTC), or how long ago, such as 90m, 2h or 7d';

const time: Read<Date> = (name, text, now) => {
  const [, count = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  if (count !== '')
    return new Date(Math.max(0, now.getTime() - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]));
  const isWhole =
    /^\d{4}-\d{2}-\d{2}$/.test(text) ||
    /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  const read = isWhole ? new Date(text) : undefined;
  // Date takes the 30th of February for the first of March.
  if (read === undefined || Number.isNaN(read.getTime()) || !isDayOf(text))
    throw expected(name, TIME, /^[\dT:.Z+ -]{1,40}$/.test(text) ? `\`${text}\`` : describe(text));
  return read;
};

const isDayOf = (text: string): boolean => {
  const day = text.slice(0, 10);
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
};

const limit: Read<number> = (name, text) => {
  const read = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (read < 1 || read > MAX_LIMIT)
    throw expected(
      name,
      `a whole number from 1 to ${MAX_LIMIT}`,
      /^-?\d{1,9}$/.test(text) ? text : describe(text),
    );
  return read;
};

const PAGE = 'mail page\n';

/** The `next` of a page. */
export const toSearchToken = ({ acceptedAt, mailId }: SearchPlace): string =>
  toPage(PAGE, `${acceptedAt.getTime()} ${mailId}`);

const place: Read<SearchPlace> = (_name, token) => {
  const [ms = '', mailId = ''] = readPage(PAGE, token).split(' ');
  if (!/^\d{1,13}$/.test(ms) || !isMailId(mailId)) readPage(PAGE, '');
  return { acceptedAt: new Date(Number(ms)), mailId };
};

const READERS = {
  state,
  sender: address,
  caller: oneOf(`the name of a caller of at most ${MAX_CALLER} characters`, (text) =>
    isPrintable(text, MAX_CALLER),
  ),
  tag: oneOf('a tag of 1 to 50 letters, digits, dots, dashes or underscores', (text) =>
    /^[\w.-]{1,50}$/.test(text),
  ),
  from: time,
  until: time,
  recipient: address,
  idempotencyKey: oneOf(KEY_FORM, (text) => keyFault(text) === undefined),
  graphRequestId: oneOf(
    'the ID of a request to Graph, such as 50185901-84c7-4d0e-8dbc-da0433628433',
    isMailId,
  ),
  internetMessageId: oneOf(
    'a Message-ID such as <name@example.com>',
    (text) => isPrintable(text, MAX_MESSAGE_ID) && /^<?[^<>\s]+>?$/.test(text),
  ),
  limit,
  after: place,
} as const satisfies Record<Parameter, Read<unknown>>;

/** Reads one field by itself. Throws QUERY_INVALID. */
export const readField = <Name extends Parameter>(
  name: Name,
  text: string,
  now: Date,
): ReturnType<(typeof READERS)[Name]> => READERS[name](name, text, now) as ReturnType<(typeof READERS)[Name]>;

type Values = { readonly [Name in Parameter]?: ReturnType<(typeof READERS)[Name]> };

/**
 * Reads the fields of a search, each a text; `limit` can be a number. Throws QUERY_INVALID, which names the parameter, what was
 * expected and what was received.
 */
export const readSearch = (fields: Readonly<Record<string, unknown>>, now: Date): MailSearch => {
  const unknown = Object.keys(fields).find((name) => !Object.hasOwn(READERS, name));
  if (unknown !== undefined)
    throw new AppError('QUERY_INVALID', {
      detail: `Expected no parameters other than ${SEARCH_PARAMETERS.join(', ')}${
        /^[a-z_-]{1,30}$/i.test(unknown) ? `, received \`${unknown}\`` : ''
      }.`,
    });
  const values = Object.fromEntries(
    SEARCH_PARAMETERS.flatMap((name) => {
      const given = fields[name];
      if (given === undefined) return [];
      const text = name === 'limit' && typeof given === 'number' ? String(given) : given;
      if (typeof text !== 'string' || text === '')
        throw expected(name, 'a value', text === '' ? 'nothing' : describe(text));
      return [[name, READERS[name](name, text, now)]];
    }),
  ) as Values;
  const { limit: most = USUAL_LIMIT, after, ...query } = values;
  if (query.from !== undefined && query.until !== undefined && query.from >= query.until)
    throw new AppError('QUERY_INVALID', {
      detail: 'Expected `from` to be earlier than `until`, received one that is not.',
    });
  return { query, limit: most, ...defined({ after }) };
};
