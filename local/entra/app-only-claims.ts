import { createHash } from 'node:crypto';
import type { ApiTokenClaims, TokenClaims } from './token-keys.ts';

/** Entra writes tokens five minutes back, for resources whose clock is behind. */
const BACKDATED_SECONDS = 300;

/** The claims of a token for an app itself, without a user: the same for a client secret and a managed identity. */
export const toAppOnlyClaims = (app: {
  readonly tenantId: string;
  readonly clientId: string;
  readonly resource: string;
  readonly roles: readonly string[];
  readonly now: Date;
  readonly lifetimeSeconds: number;
}): TokenClaims => {
  const nowSeconds = Math.floor(app.now.getTime() / 1000);
  return {
    aud: app.resource,
    iss: `https://sts.windows.net/${app.tenantId}/`,
    tid: app.tenantId,
    appid: app.clientId,
    // Nothing consented: Entra leaves the claim out and issues the token all the same.
    ...(app.roles.length > 0 ? { roles: app.roles } : {}),
    iat: nowSeconds - BACKDATED_SECONDS,
    nbf: nowSeconds - BACKDATED_SECONDS,
    exp: nowSeconds + app.lifetimeSeconds,
  };
};

type ApiToken = Omit<Parameters<typeof toAppOnlyClaims>[0], 'resource'> & {
  /** Entra's own address, which is in every token of version 2. */
  readonly authority: string;
  readonly apiClientId: string;
  /** How it was proved: by a secret, or by a certificate, as a managed identity does. */
  readonly azpacr?: '1' | '2';
};

/** The same in version 2, which an API gets that asks for it: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
export const toApiClaims = ({ authority, apiClientId, azpacr = '1', ...app }: ApiToken): ApiTokenClaims => {
  const { appid, ...claims } = toAppOnlyClaims({ ...app, resource: apiClientId });
  const servicePrincipal = principalIdOf(appid);
  return {
    ...claims,
    iss: `${authority}/${app.tenantId}/v2.0`,
    azp: appid,
    azpacr,
    oid: servicePrincipal,
    sub: servicePrincipal,
    ver: '2.0',
  };
};

/** The object id of an application in the pretend tenant: another than its client id, and always the same. */
export const principalIdOf = (clientId: string): string =>
  createHash('sha256')
    .update(clientId)
    .digest('hex')
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5');
