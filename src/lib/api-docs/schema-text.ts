import { type Html, html, prose } from './html.ts';

/** A schema of the document, as far as the page shows it. */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly format?: string;
  readonly enum?: readonly (string | null)[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxLength?: number;
  readonly contentEncoding?: string;
};

const separated = (parts: readonly Html[], separator: string): Html =>
  html`${parts.map((part, index) => (index === 0 ? part : html`${separator}${part}`))}`;

const nameOf = (ref: string): string => ref.slice(ref.lastIndexOf('/') + 1);

const isNull = ({ type }: Schema): boolean => type === 'null';

/** A type in words, with links to the schemas that have a name. */
export const typeOf = (schema: Schema): Html => {
  const { $ref, anyOf, type } = schema;
  if ($ref !== undefined) return html`<a href="#schema-${nameOf($ref)}">${nameOf($ref)}</a>`;
  if (anyOf !== undefined)
    return separated(
      anyOf.map((one) => (isNull(one) ? html`<code>null</code>` : typeOf(one))),
      ' or ',
    );
  if (typeof type !== 'object') return typeOfOne(schema, type);
  const [usual] = type;
  return html`${typeOfOne(schema, usual)} or <code>null</code>`;
};

const typeOfOne = (schema: Schema, type: string | undefined): Html => {
  const { items, format, contentEncoding } = schema;
  if (schema.enum !== undefined)
    return separated(
      schema.enum.filter((word) => word !== null).map((word) => html`<code>${word}</code>`),
      ', ',
    );
  if (schema.const !== undefined) return html`<code>${String(schema.const)}</code>`;
  if (type === 'array') return html`list of ${items === undefined ? 'values' : typeOf(items)}`;
  if (type !== 'string') return html`${type ?? 'any value'}`;
  return html`${format ?? (contentEncoding === undefined ? 'text' : `text in ${contentEncoding}`)}`;
};

const limitsOf = ({ minimum, maximum, minItems, maxItems, maxLength, default: usual }: Schema): string =>
  [
    minimum !== undefined && maximum !== undefined ? `From ${minimum} to ${maximum}.` : '',
    minItems !== undefined && maxItems !== undefined
      ? `${minItems} to ${maxItems} entries.`
      : maxItems === undefined
        ? ''
        : `At most ${maxItems} entries.`,
    maxLength === undefined ? '' : `At most ${maxLength} characters.`,
    usual === undefined ? '' : `Default: \`${String(usual)}\`.`,
  ]
    .filter((part) => part !== '')
    .join(' ');

type Row = { readonly name: string; readonly schema: Schema; readonly isRequired: boolean };

/** The fields of an object, and of objects inside it that have no name of their own. */
const rowsOf = ({ properties = {}, required = [] }: Schema, before = ''): readonly Row[] =>
  Object.entries(properties).flatMap(([field, schema]) => {
    const name = before + field;
    const inside = schema.type === 'array' ? schema.items : schema;
    const mark = schema.type === 'array' ? '[]' : '';
    return [
      { name, schema, isRequired: required.includes(field) },
      ...(inside?.properties === undefined ? [] : rowsOf(inside, `${name}${mark}.`)),
    ];
  });

/** What a schema with a name says. */
export const schemaBody = (schema: Schema): Html => {
  const rows = rowsOf(schema);
  if (rows.length === 0) return html`<p>${typeOf(schema)}</p>`;
  return html`<div class="scroll" tabindex="0"><table>
<thead><tr><th>Field</th><th>Type</th><th>Meaning</th></tr></thead>
<tbody>${rows.map(
    ({ name, schema: field, isRequired }) => html`<tr><td><code>${name}</code>${
      isRequired ? html`<br><span class="required">required</span>` : ''
    }</td><td>${typeOf(field)}</td><td>${prose([field.description ?? '', limitsOf(field)].join(' ').trim())}</td></tr>
`,
  )}</tbody></table></div>`;
};
