import { z } from 'zod';
import { makeRouter } from '../../src/lib/inbox/routes.ts';
import type { NewSecret, SecretProperties } from './secret-store.ts';
import { badParameter } from './vault-problem.ts';

/** https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#vault-name-and-object-name */
const SECRET_NAME = /^[0-9a-zA-Z-]{1,127}$/;
/** https://learn.microsoft.com/azure/key-vault/secrets/about-secrets: "a maximum size of 25k bytes each" */
const VALUE_BYTES = 25 * 1024;
const MOST_ON_A_PAGE = 25;

const seconds = z.int().min(0).max(253_402_300_799).nullish();
const propertiesSchema = z.object({
  contentType: z.string().nullish(),
  tags: z.record(z.string(), z.string()).nullish(),
  attributes: z.object({ enabled: z.boolean().nullish(), exp: seconds, nbf: seconds }).nullish(),
});
const newSecretSchema = propertiesSchema.extend({ value: z.string() });

/** What is asked of the vault, after the path and the method are understood. */
export type VaultRequest =
  | { readonly kind: 'list'; readonly page: Page }
  | { readonly kind: 'versions'; readonly name: string; readonly page: Page }
  | { readonly kind: 'get'; readonly name: string; readonly version: string | undefined }
  | { readonly kind: 'set'; readonly name: string; readonly secret: NewSecret }
  | {
      readonly kind: 'update';
      readonly name: string;
      readonly version: string | undefined;
      readonly changes: SecretProperties;
    };

export type Page = { readonly from: number; readonly size: number };

type Asked = {
  readonly name: string;
  readonly version: string | undefined;
  readonly url: URL;
  readonly body: Buffer;
};

// The client ends the path of a secret without a version with a slash.
const findRequest = makeRouter<(asked: Asked) => VaultRequest>(
  [
    ['GET', '/secrets', ({ url }) => ({ kind: 'list', page: parsePage(url) })],
    ['GET', '/secrets/:name/versions', ({ name, url }) => ({ kind: 'versions', name, page: parsePage(url) })],
    ['GET', '/secrets/:name{/:version}', ({ name, version }) => ({ kind: 'get', name, version })],
    ['PUT', '/secrets/:name', ({ name, body }) => ({ kind: 'set', name, secret: parseNewSecret(body) })],
    [
      'PATCH',
      '/secrets/:name{/:version}',
      ({ name, version, body }) => ({ kind: 'update', name, version, changes: parseChanges(body) }),
    ],
  ],
  { trailing: true },
);

/** Reads what is asked; undefined where the stand-in has no such path or method. Throws a VaultProblem. */
export const parseVaultRequest = (method: string, url: URL, body: Buffer): VaultRequest | undefined => {
  if (!url.searchParams.get('api-version')) throw badParameter('api-version must be specified');
  const found = findRequest(method, url.pathname);
  if (found.target === undefined) return undefined;
  const { name = '', version } = found.params;
  if (name !== '' && !SECRET_NAME.test(name))
    throw badParameter(`The request URI contains an invalid name: ${name}`);
  return found.target({ name, version, url, body });
};

const parseChanges = (body: Buffer): SecretProperties => toProperties(parseBody(propertiesSchema, body));

const parseNewSecret = (body: Buffer): NewSecret => {
  const parsed = parseBody(newSecretSchema, body);
  if (Buffer.byteLength(parsed.value) > VALUE_BYTES)
    throw badParameter(`The secret value must be at most ${VALUE_BYTES} bytes.`);
  return { value: parsed.value, ...toProperties(parsed) };
};

const toProperties = (parsed: z.output<typeof propertiesSchema>): SecretProperties => ({
  contentType: parsed.contentType ?? undefined,
  tags: parsed.tags ?? undefined,
  enabled: parsed.attributes?.enabled ?? undefined,
  expiresOn: toDate(parsed.attributes?.exp),
  notBefore: toDate(parsed.attributes?.nbf),
});

const parsePage = (url: URL): Page => {
  const asked = url.searchParams.get('maxresults');
  const size = asked === null ? MOST_ON_A_PAGE : Number(asked);
  if (!Number.isInteger(size) || size < 1 || size > MOST_ON_A_PAGE)
    throw badParameter(`maxresults must be from 1 to ${MOST_ON_A_PAGE}, got '${asked}'.`);
  const from = Number(url.searchParams.get('$skiptoken') ?? 0);
  if (!Number.isInteger(from) || from < 0) throw badParameter('The $skiptoken is not one of this vault.');
  return { from, size };
};

const parseBody = <T>(schema: z.ZodType<T>, body: Buffer): T => {
  try {
    return schema.parse(JSON.parse(body.toString('utf8')));
  } catch (error) {
    const paths = error instanceof z.ZodError ? error.issues.map((issue) => issue.path.join('.')) : [];
    const where = paths.length > 0 ? `Wrong or missing: ${paths.join(', ')}.` : 'It is not JSON.';
    throw badParameter(`The request body could not be read. ${where}`);
  }
};

const toDate = (epochSeconds: number | null | undefined) =>
  epochSeconds === null || epochSeconds === undefined ? undefined : new Date(epochSeconds * 1000);
