import { createHash } from 'node:crypto';

/** What is served of the document: its text, and by what a client knows that it has not changed. */
export type Served = { readonly text: string; readonly etag: string };

/** With the length of a hash in mind: it tells versions apart, and protects nothing. */
const toServed = (text: string): Served => ({
  text,
  etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`,
});

/** The OpenAPI document, which `npm run docs` writes. It is loaded when someone asks for it. */
const readDocument = async (): Promise<unknown> =>
  (await import('../../../docs/openapi.json', { with: { type: 'json' } })).default;

const once = <Value>(make: () => Promise<Value>): (() => Promise<Value>) => {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
};

/** The document as JSON. */
export const readApiDocument = once(async () => toServed(JSON.stringify(await readDocument())));

/** The page that is made of it. */
export const readApiPage = once(async () => {
  const [{ toApiPage }, document] = await Promise.all([import('./api-page.ts'), readDocument()]);
  return toServed(toApiPage(document as Parameters<typeof toApiPage>[0]));
});
