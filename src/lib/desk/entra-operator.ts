import * as z from 'zod';
import { type Operator, readOperatorName } from './operator.ts';

/** App roles of the registration with which App Service signs people in. */
export const READ_ROLE = 'Relay.Read';
export const OPERATE_ROLE = 'Relay.Operate';

/** https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities#decode-the-client-principal-header */
const principal = z.object({
  auth_typ: z.string(),
  name_typ: z.string().nullish(),
  role_typ: z.string().nullish(),
  claims: z.array(z.object({ typ: z.string(), val: z.string() })),
});

const OBJECT_ID = [
  'http://schemas.microsoft.com/identity/claims/objectidentifier',
  'oid',
] as const satisfies readonly string[];
const NAMES = [
  'preferred_username',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn',
  'upn',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
  'name',
] as const satisfies readonly string[];
const ROLES = ['roles', 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role'] as const;

export type EntraVisitor =
  | { readonly kind: 'operator'; readonly operator: Operator }
  /** Signed in, without a role of the relay. */
  | { readonly kind: 'no-role'; readonly name: string }
  | { readonly kind: 'signed-out' };

/**
 * Who App Service says has signed in, from its header `x-ms-client-principal`. Only to be asked where App Service itself wrote the header:
 * where its authentication is on, it removes what clients send under this name.
 */
export const readEntraVisitor = (header: string | null): EntraVisitor => {
  if (header === null || header === '') return { kind: 'signed-out' };
  const read = principal.safeParse(parse(header)).data;
  if (read === undefined || read.auth_typ !== 'aad') return { kind: 'signed-out' };
  const claimOf = (types: readonly string[]): string | undefined =>
    types
      .map((type) => read.claims.find(({ typ }) => typ === type)?.val)
      .find((value) => value !== undefined);
  const id = claimOf(OBJECT_ID);
  if (id === undefined) return { kind: 'signed-out' };
  const name = readOperatorName(claimOf(NAMES) ?? id) ?? id;
  const roleTypes: readonly string[] = [...ROLES, read.role_typ ?? ''];
  const roles = read.claims.filter(({ typ }) => roleTypes.includes(typ)).map(({ val }) => val);
  const mayOperate = roles.includes(OPERATE_ROLE);
  if (!mayOperate && !roles.includes(READ_ROLE)) return { kind: 'no-role', name };
  return { kind: 'operator', operator: { name, with: 'Entra', mayOperate, binding: `entra ${id}` } };
};

const parse = (header: string): unknown => {
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
};
