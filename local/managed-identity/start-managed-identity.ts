import { randomBytes, randomUUID } from 'node:crypto';
import http from 'node:http';
import { toApiClaims, toAppOnlyClaims } from '../entra/app-only-claims.ts';
import type { ApiTokenClaims, TokenClaims, TokenKeys } from '../entra/token-keys.ts';
import { answering, answerJson, listen } from '../http.ts';
import { type HttpFaults, makeHttpFaults, withFaults } from '../http-faults.ts';
import { isSameSecret } from '../is-same-secret.ts';
import type { Listening } from '../listening.ts';

const PATH = '/msi/token';
const API_VERSION = '2019-08-01';
/** Tokens of managed identities live a day: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identities-faq */
const LIFETIME_SECONDS = 86_400;

type ManagedIdentity = {
  readonly clientId: string;
  /** The identity that answers when the app names none. */
  readonly systemAssigned?: boolean;
  /** Application permissions by resource; a resource without any still gets a token, as Azure roles are not in it. */
  readonly roles?: Readonly<Record<string, readonly string[]>>;
};

export type ManagedIdentityOptions = {
  readonly port: number;
  readonly portSetting?: string;
  readonly tenantId: string;
  readonly identities: readonly ManagedIdentity[];
  /** What a token may be asked for, without a slash at the end. */
  readonly resources: () => readonly string[];
  /** What registrations that trust an identity ask it for, and the Entra that then issues its token. */
  readonly exchange?: { readonly audience: string; readonly authority: () => string };
  readonly keys: TokenKeys;
  readonly now: () => Date;
  /** Azure makes one for each start, and so is the default; a test may want to know it before. */
  readonly identityHeader?: string;
};

export type ManagedIdentityEndpoint = Listening & {
  readonly faults: HttpFaults;
  /** What Azure puts into the environment of an app: with these, `ManagedIdentityCredential` finds this endpoint. */
  readonly environment: { readonly IDENTITY_ENDPOINT: string; readonly IDENTITY_HEADER: string };
};

type Refusal = { readonly status: number; readonly message: string };

/** App Service's token endpoint: https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference */
export const startManagedIdentity = async (
  options: ManagedIdentityOptions,
): Promise<ManagedIdentityEndpoint> => {
  const faults = makeHttpFaults();
  const identityHeader = options.identityHeader ?? randomBytes(16).toString('hex').toUpperCase();
  const server = http.createServer(
    answering(
      withFaults(faults, {}, async (request, response) => {
        request.resume();
        const url = new URL(request.url ?? '/', 'http://localhost');
        const decision =
          request.method === 'GET' && url.pathname === PATH
            ? decideToken(url.searchParams, request.headers['x-identity-header'], identityHeader, options)
            : { status: 404, message: `Expected GET ${PATH}, got ${request.method} ${url.pathname}.` };
        if ('status' in decision) {
          const { status, message } = decision;
          return answerJson(response, status, { statusCode: status, message, correlationId: randomUUID() });
        }
        answerJson(response, 200, {
          access_token: await options.keys.sign(decision),
          expires_on: String(decision.exp),
          resource: decision.aud,
          token_type: 'Bearer',
          client_id: 'appid' in decision ? decision.appid : decision.azp,
        });
      }),
    ),
  );
  const listening = await listen(server, {
    name: 'The managed identity stand-in',
    port: options.port,
    portSetting: options.portSetting ?? 'MANAGED_IDENTITY_PORT',
  });
  return {
    ...listening,
    faults,
    environment: { IDENTITY_ENDPOINT: `${listening.url}${PATH}`, IDENTITY_HEADER: identityHeader },
  };
};

const decideToken = (
  asked: URLSearchParams,
  givenHeader: string | string[] | undefined,
  identityHeader: string,
  options: ManagedIdentityOptions,
): TokenClaims | ApiTokenClaims | Refusal => {
  // The header proves that the request was written by the app and not by a page it was tricked into fetching.
  if (typeof givenHeader !== 'string' || !isSameSecret(givenHeader, identityHeader))
    return {
      status: 401,
      message: 'The X-IDENTITY-HEADER is missing or is not the IDENTITY_HEADER of this app.',
    };
  if (asked.get('api-version') !== API_VERSION)
    return {
      status: 400,
      message: `Expected api-version=${API_VERSION}, got '${asked.get('api-version')}'.`,
    };
  const resource = asked.get('resource');
  if (!resource) return { status: 400, message: 'Expected the parameter resource.' };

  const clientId = asked.get('client_id');
  const identity = options.identities.find((one) =>
    clientId === null
      ? one.systemAssigned && !asked.has('principal_id') && !asked.has('mi_res_id')
      : one.clientId.toLowerCase() === clientId.toLowerCase(),
  );
  if (identity === undefined)
    return {
      status: 400,
      message:
        'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
    };
  if (options.exchange !== undefined && resource === options.exchange.audience)
    return toApiClaims({
      authority: options.exchange.authority(),
      tenantId: options.tenantId,
      clientId: identity.clientId,
      apiClientId: resource,
      azpacr: '2',
      roles: [],
      now: options.now(),
      lifetimeSeconds: LIFETIME_SECONDS,
    });
  const known = options.resources().find((one) => one === resource.replace(/\/$/, ''));
  if (known === undefined)
    return {
      status: 400,
      message: `AADSTS500011: The resource principal named ${resource} was not found in the tenant named ${options.tenantId}.`,
    };
  return toAppOnlyClaims({
    tenantId: options.tenantId,
    clientId: identity.clientId,
    resource,
    roles: identity.roles?.[known] ?? [],
    now: options.now(),
    lifetimeSeconds: LIFETIME_SECONDS,
  });
};
