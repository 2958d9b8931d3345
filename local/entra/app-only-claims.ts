import type { TokenClaims } from './token-keys.ts';

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
