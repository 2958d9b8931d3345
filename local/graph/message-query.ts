import { canonicalPropertyId } from './extended-property.ts';
import { GraphError } from './graph-error.ts';
import type { MessageFilter } from './mail-item.ts';

/** https://learn.microsoft.com/graph/api/user-list-messages */
const DEFAULT_TOP = 10;
const HIGHEST_TOP = 1000;
const OPTIONS = ['$filter', '$select', '$expand', '$orderby', '$top', '$skip'];

const LITERAL = "'((?:[^']|'')*)'";
const PROPERTY = new RegExp(
  `singleValueExtendedProperties/[Aa]ny\\(\\s*(?<ep>[A-Za-z_]\\w*)\\s*:\\s*\\k<ep>/id\\s+eq\\s+${LITERAL}\\s+and\\s+\\k<ep>/value\\s+(?:eq\\s+${LITERAL}|ne\\s+null)\\s*\\)`,
  'y',
);
const EXPANDED = new RegExp(`^singleValueExtendedProperties\\(\\$filter=id eq ${LITERAL}\\)$`);
const MESSAGE_ID = new RegExp(`internetMessageId\\s+eq\\s+${LITERAL}`, 'y');
const CREATED = /createdDateTime\s+lt\s+(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z)/y;
const RECEIVED = /receivedDateTime\s+ge\s+(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?Z)/y;
const AND = /\s+and\s+/y;

export const SELECTABLE = [
  'id',
  'changeKey',
  'createdDateTime',
  'lastModifiedDateTime',
  'receivedDateTime',
  'sentDateTime',
  'hasAttachments',
  'internetMessageId',
  'internetMessageHeaders',
  'subject',
  'bodyPreview',
  'importance',
  'parentFolderId',
  'isDeliveryReceiptRequested',
  'isReadReceiptRequested',
  'isRead',
  'isDraft',
  'categories',
  'body',
  'sender',
  'from',
  'toRecipients',
  'ccRecipients',
  'bccRecipients',
  'replyTo',
] as const;

export type Selectable = (typeof SELECTABLE)[number];

export type MessageQuery = {
  readonly filter: MessageFilter;
  readonly select: readonly Selectable[] | undefined;
  /** The id of the extended property that comes with each message that has it. */
  readonly expand: string | undefined;
  /** By the time they were received, oldest first. */
  readonly oldestFirst: boolean;
  readonly top: number;
  readonly skip: number;
};

/** Reads the OData options of a single message, which are `$select` alone. Throws as for a list. */
export const parseMessageSelect = (query: URLSearchParams): MessageQuery['select'] => {
  const other = [...query.keys()].find((key) => key !== '$select');
  if (other !== undefined)
    throw invalid(`The query option '${other}' is not supported here; expected $select.`);
  return parseMessageQuery(query).select;
};

/** Reads the OData options of a list. Throws the refusal of Graph for what is wrong or not known here. */
export const parseMessageQuery = (query: URLSearchParams): MessageQuery => {
  const unknown = [...query.keys()].find((key) => !OPTIONS.includes(key));
  if (unknown !== undefined)
    throw invalid(`The query option '${unknown}' is not supported here; expected ${OPTIONS.join(', ')}.`);
  const repeated = OPTIONS.find((option) => query.getAll(option).length > 1);
  if (repeated !== undefined) throw invalid(`Query option '${repeated}' was specified more than once.`);

  const filter = query.get('$filter');
  const select = query.get('$select');
  return {
    filter: filter === null ? {} : parseFilter(filter),
    select: select?.split(',').map(parseSelected),
    expand: parseExpand(query.get('$expand')),
    oldestFirst: parseOrder(query.get('$orderby'), filter ?? ''),
    top: parseCount(query, '$top', 1, HIGHEST_TOP) ?? DEFAULT_TOP,
    skip: parseCount(query, '$skip', 0, Number.MAX_SAFE_INTEGER) ?? 0,
  };
};

/**
 * What is ordered by must come first in the filter, else Graph answers InefficientFilter
 * (graph: user-list-messages, using filter and orderby in the same query).
 */
const parseOrder = (text: string | null, filter: string): boolean => {
  if (text === null) return false;
  const [, direction = 'asc'] = /^receivedDateTime(?: (asc|desc))?$/.exec(text.trim()) ?? [undefined, ''];
  if (direction === '')
    throw invalid(`The query option '$orderby' is not supported here; expected receivedDateTime.`);
  if (filter.trim() !== '' && !filter.trim().startsWith('receivedDateTime'))
    throw new GraphError(
      400,
      'InefficientFilter',
      'The restriction or sort order is too complex for this operation.',
    );
  return direction === 'asc';
};

/** Terms of four kinds, each once at most, joined by `and`. */
const parseFilter = (text: string): MessageFilter => {
  const filter = text.trim();
  let at = 0;
  const read = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(filter) ?? undefined;
    if (found !== undefined) at = pattern.lastIndex;
    return found;
  };
  let result: MessageFilter = {};
  do {
    const term = readTerm(read);
    if (term === undefined || Object.keys(term).some((name) => name in result)) throw filterInvalid();
    result = { ...result, ...term };
  } while (at < filter.length && read(AND) !== undefined);
  if (at < filter.length) throw filterInvalid();
  return result;
};

const readTerm = (read: (pattern: RegExp) => RegExpExecArray | undefined): MessageFilter | undefined => {
  const property = read(PROPERTY);
  if (property !== undefined) {
    const [, , id = '', value] = property;
    return {
      property: {
        id: requirePropertyId(unquote(id)),
        value: value === undefined ? undefined : unquote(value),
      },
    };
  }
  const messageId = read(MESSAGE_ID)?.[1];
  if (messageId !== undefined) return { internetMessageId: unquote(messageId) };
  const received = read(RECEIVED)?.[1];
  if (received !== undefined && !Number.isNaN(Date.parse(received)))
    return { receivedFrom: new Date(received) };
  const created = read(CREATED)?.[1];
  const createdBefore = created === undefined ? undefined : new Date(created);
  return createdBefore === undefined || Number.isNaN(createdBefore.getTime()) ? undefined : { createdBefore };
};

/** https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get */
const parseExpand = (text: string | null): string | undefined => {
  if (text === null) return undefined;
  const id = EXPANDED.exec(text)?.[1];
  if (id !== undefined) return requirePropertyId(unquote(id));
  throw invalid(
    "The query option '$expand' is not valid; expected singleValueExtendedProperties($filter=id eq '...').",
  );
};

const requirePropertyId = (id: string): string => {
  if (canonicalPropertyId(id) !== undefined) return id;
  throw new GraphError(
    400,
    'ErrorInvalidExtendedProperty',
    `The extended property id '${id}' is not valid; expected '{type} {GUID} Name {name}', '{type} {GUID} Id {id}' or '{type} {proptag}'.`,
  );
};

const filterInvalid = () =>
  new GraphError(
    400,
    'ErrorInvalidUrlQueryFilter',
    "The query filter is not valid; expected singleValueExtendedProperties/Any(ep: ep/id eq '...' and ep/value eq '...') (or ne null), internetMessageId eq '<...>', receivedDateTime ge 2026-01-01T00:00:00Z or createdDateTime lt 2026-01-01T00:00:00Z, joined by 'and', with every single quote inside a value doubled.",
  );

const unquote = (literal: string) => literal.replaceAll("''", "'");

const parseSelected = (name: string): Selectable => {
  const known = SELECTABLE.find((selectable) => selectable === name.trim());
  if (known !== undefined) return known;
  throw invalid(
    `Parsing OData Select and Expand failed: Could not find a property named '${name.trim()}' on type 'microsoft.graph.message'.`,
  );
};

const parseCount = (
  query: URLSearchParams,
  option: string,
  least: number,
  most: number,
): number | undefined => {
  const text = query.get(option);
  if (text === null) return undefined;
  const count = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (count >= least && count <= most) return count;
  throw invalid(
    `Invalid value '${text}' for ${option} query option found; expected a whole number from ${least}${most === HIGHEST_TOP ? ` to ${most}` : ''}.`,
  );
};

const invalid = (message: string) => new GraphError(400, 'BadRequest', message);
