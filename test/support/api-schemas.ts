import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { expect } from 'vitest';
import { makeDocument } from '../../scripts/openapi/document.ts';

type Json = { [name: string]: Json } & Record<string, unknown>;

/** The document as tests look into it. */
export const apiDocument = (): Json => JSON.parse(JSON.stringify(makeDocument()));

/** Allows no field that a schema does not have: clients can live with one, and the document must not. */
const closed = <Value>(value: Value): Value => {
  if (Array.isArray(value)) return value.map(closed) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const all = Object.fromEntries(Object.entries(value).map(([name, one]) => [name, closed(one)]));
  return (
    'properties' in all && !('additionalProperties' in all) ? { ...all, additionalProperties: false } : all
  ) as Value;
};

const ajv = new Ajv2020({ strict: false, allErrors: true });
// The package is CommonJS, whose default export is the module.
(addFormats as unknown as (on: Ajv2020) => void)(ajv);
ajv.addSchema(closed(apiDocument()), 'api');

/** What is wrong with a value, by the schema at a pointer into the document. */
export const faultsBySchema = (pointer: string, value: unknown): readonly string[] => {
  const validate = ajv.getSchema(`api#${pointer}`) ?? ajv.compile({ $ref: `api#${pointer}` });
  validate(value);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
};

const pointerOf = (...path: readonly string[]): string =>
  path.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('');

/** Where the schema of a named component is. */
export const componentAt = (name: string): string => pointerOf('components', 'schemas', name);

/** The path of the document that an address belongs to; literal parts win over parameters. */
const pathOf = (address: string): string => {
  const parts = new URL(address, 'http://relay').pathname.split('/');
  const fits = Object.keys(apiDocument().paths ?? {}).filter((path) => {
    const wanted = path.split('/');
    return (
      wanted.length === parts.length && wanted.every((part, at) => part.startsWith('{') || part === parts[at])
    );
  });
  const [path] = fits.toSorted((one, other) => one.split('{').length - other.split('{').length);
  if (path === undefined) throw new Error(`Expected ${address} to be in the document, found no such path.`);
  return path;
};

/** Expects a response to be one that the document describes for this call. */
export const expectDescribed = (
  method: string,
  address: string,
  { status, headers, body }: { readonly status: number; readonly headers: Headers; readonly body: unknown },
): void => {
  const path = pathOf(address);
  const operation = apiDocument().paths?.[path]?.[method.toLowerCase()];
  const response = operation?.responses?.[String(status)];
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  expect(response?.content, `${method} ${path} with ${status}`).toHaveProperty([type]);
  const schema = pointerOf(
    'paths',
    path,
    method.toLowerCase(),
    'responses',
    String(status),
    'content',
    type,
    'schema',
  );
  expect({ call: `${method} ${path}`, body, faults: faultsBySchema(schema, body) }).toMatchObject({
    faults: [],
  });
  // Of a problem, the code is one of those that the call lists.
  if (type === 'application/problem+json')
    expect(response?.description).toContain(`\`${(body as { readonly code: string }).code}\``);
};
