import { canonicalPropertyId } from './extended-property.ts';
import { GraphError } from './graph-error.ts';
import type { PropertyMatch } from './sent-items.ts';

/** https://learn.microsoft.com/graph/api/user-list-messages */
const DEFAULT_TOP = 10;
const HIGHEST_TOP = 1000;
const OPTIONS = ['$filter', '$select', '$top', '$skip'];

const LITERAL = "'((?:[^']|'')*)'";
const BY_EXTENDED_PROPERTY = new RegExp(
  `^\\s*singleValueExtendedProperties/[Aa]ny\\(\\s*([A-Za-z_]\\w*)\\s*:\\s*\\1/id\\s+eq\\s+${LITERAL}\\s+and\\s+\\1/value\\s+eq\\s+${LITERAL}\\s*\\)\\s*$`,
);

export const SELECTABLE = [
  'id',
  'createdDateTime',
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
  readonly match: PropertyMatch | undefined;
  readonly select: readonly Selectable[] | undefined;
  readonly top: number;
  readonly skip: number;
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
    match: filter === null ? undefined : parseFilter(filter),
    select: select?.split(',').map(parseSelected),
    top: parseCount(query, '$top', 1, HIGHEST_TOP) ?? DEFAULT_TOP,
    skip: parseCount(query, '$skip', 0, Number.MAX_SAFE_INTEGER) ?? 0,
  };
};

const parseFilter = (filter: string): PropertyMatch => {
  const [, , id, value] = BY_EXTENDED_PROPERTY.exec(filter) ?? [];
  if (id === undefined || value === undefined)
    throw new GraphError(
      400,
      'ErrorInvalidUrlQueryFilter',
      "The query filter is not valid; expected singleValueExtendedProperties/Any(ep: ep/id eq '...' and ep/value eq '...'), with every single quote inside a value doubled.",
    );
  const match = { id: unquote(id), value: unquote(value) };
  if (canonicalPropertyId(match.id) === undefined)
    throw new GraphError(
      400,
      'ErrorInvalidExtendedProperty',
      `The extended property id '${match.id}' is not valid; expected '{type} {GUID} Name {name}', '{type} {GUID} Id {id}' or '{type} {proptag}'.`,
    );
  return match;
};

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
