import type { AppRegistration, Directory } from '../directory.ts';
import { isSameSecret } from '../is-same-secret.ts';
import * as aadsts from './aadsts.ts';
import { toApiClaims, toAppOnlyClaims } from './app-only-claims.ts';
import { type AssertionRules, refuseAssertion } from './client-assertion.ts';
import type { ApiTokenClaims, TokenClaims } from './token-keys.ts';
import type { TokenRequest } from './token-request.ts';

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DNS_NAME = /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/i;
const DEFAULT_SCOPE = '/.default';

export type TokenDecision =
  | { readonly claims: TokenClaims | ApiTokenClaims }
  | { readonly refused: aadsts.Aadsts };

export type TokenRules = {
  readonly directory: Directory;
  /** What a scope may name before `/.default`, beside the applications of the directory that are APIs. */
  readonly audiences: readonly string[];
  /** Entra's own address. */
  readonly authority: string;
  readonly lifetimeSeconds: number;
  readonly now: Date;
} & AssertionRules;

/** Client credentials: a token, or the refusal that Entra would answer with. */
export const decideToken = async (request: TokenRequest, rules: TokenRules): Promise<TokenDecision> => {
  const { directory } = rules;
  const refuse = (refused: aadsts.Aadsts): TokenDecision => ({ refused });

  const tenantRefusal = refuseTenant(request.tenant, directory);
  if (tenantRefusal) return refuse(tenantRefusal);
  if (request.grantType === undefined) return refuse(aadsts.parameterMissing('grant_type'));
  if (request.grantType !== 'client_credentials') return refuse(aadsts.grantUnsupported(request.grantType));
  if (request.clientId === undefined) return refuse(aadsts.parameterMissing('client_id'));
  if (request.scope === undefined) return refuse(aadsts.parameterMissing('scope'));

  const scope = request.scope.trim();
  if (!scope.endsWith(DEFAULT_SCOPE)) return refuse(aadsts.scopeNotDefault(scope));
  const resource = scope.slice(0, -DEFAULT_SCOPE.length);
  if (/\s/.test(scope) || !isResourceIdentifier(resource)) return refuse(aadsts.scopeInvalid(scope));

  const app = directory.apps.find((one) => isSame(one.clientId, request.clientId ?? ''));
  if (app === undefined) return refuse(aadsts.appUnknown(request.clientId, directory.tenantDomain));
  if (app.isManagedIdentity) return refuse(aadsts.appUnknown(request.clientId, directory.tenantDomain));
  if (app.hasNoEnterpriseApp) return refuse(aadsts.enterpriseAppMissing(app.clientId, directory.tenantId));
  const credentialRefusal = await refuseCredential(request, app, rules);
  if (credentialRefusal) return refuse(credentialRefusal);
  if (!app.enabled) return refuse(aadsts.appDisabled(app.clientId, app.displayName));
  const { tenantId } = directory;
  const { lifetimeSeconds, now, authority } = rules;
  const { clientId } = app;
  const api = directory.apps.find((one) => one.api !== undefined && namesApi(resource, one.clientId));
  if (api !== undefined) {
    const roles = app.assignedRoles?.[api.clientId] ?? [];
    const token = { tenantId, clientId, roles, now, lifetimeSeconds };
    return {
      claims:
        api.api?.tokenVersion === 2
          ? toApiClaims({ ...token, authority, apiClientId: api.clientId })
          : toAppOnlyClaims({ ...token, resource }),
    };
  }
  if (!rules.audiences.some((audience) => withoutSlash(audience) === withoutSlash(resource)))
    return refuse(aadsts.resourceUnknown(resource, directory.tenantDomain));
  const { roles } = app;
  return {
    claims: toAppOnlyClaims({ tenantId, clientId, resource, roles, now, lifetimeSeconds }),
  };
};

/** Also asked by the discovery documents, which carry the tenant in their address. */
export const refuseTenant = (tenant: string, directory: Directory): aadsts.Aadsts | undefined => {
  if (isSame(tenant, directory.tenantId) || isSame(tenant, directory.tenantDomain)) return undefined;
  if (isSame(tenant, 'common') || isSame(tenant, 'consumers')) return aadsts.tenantNeeded();
  return GUID.test(tenant) || DNS_NAME.test(tenant)
    ? aadsts.tenantUnknown(tenant)
    : aadsts.tenantMalformed(tenant);
};

const refuseCredential = async (
  request: TokenRequest,
  app: AppRegistration,
  rules: AssertionRules,
): Promise<aadsts.Aadsts | undefined> => {
  const { now } = rules;
  const given = request.clientSecret;
  if (given === undefined)
    return request.clientAssertion === undefined
      ? aadsts.credentialMissing()
      : refuseAssertion(request.clientAssertion, app, rules);
  const matching = app.secrets.filter(
    (secret) => isSameSecret(secret.value, given) && (secret.usableFrom ?? now) <= now,
  );
  if (matching.length === 0) return aadsts.secretWrong(app.clientId);
  return matching.every((secret) => secret.expiresOn <= now) ? aadsts.secretExpired(app.clientId) : undefined;
};

const isResourceIdentifier = (text: string): boolean =>
  GUID.test(text) || (URL.canParse(text) && new URL(text).host !== '');

/** By its identifier URI or by its client id alone. */
const namesApi = (resource: string, clientId: string) =>
  isSame(resource, clientId) || isSame(resource, `api://${clientId}`);

const isSame = (left: string, right: string) => left.toLowerCase() === right.toLowerCase();
const withoutSlash = (text: string) => text.replace(/\/$/, '').toLowerCase();
