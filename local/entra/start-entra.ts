import { randomInt, randomUUID } from 'node:crypto';
import type http from 'node:http';
import https from 'node:https';
import type { TlsIdentity } from '../certificate.ts';
import type { Directory } from '../directory.ts';
import { answering, answerJson, listen, originOf, readBody } from '../http.ts';
import { answerFaultControl, type HttpFaults, makeHttpFaults } from '../http-faults.ts';
import type { Listening } from '../listening.ts';
import { type Aadsts, onlyPost, tenantUnknown, toErrorBody } from './aadsts.ts';
import { decideToken, refuseTenant } from './decide-token.ts';
import { toInstanceDiscovery, toOpenIdConfiguration } from './discovery.ts';
import type { TokenKeys } from './token-keys.ts';
import { parseTokenRequest } from './token-request.ts';

const FORM_BYTES = 64 * 1024;
const REMEMBERED_REQUESTS = 1000;
/** Entra draws 60 to 90 minutes: https://learn.microsoft.com/entra/identity-platform/access-tokens#token-lifetime */
const LIFETIME_SECONDS = { from: 3600, to: 5400 };

export type EntraOptions = {
  readonly tls: TlsIdentity;
  readonly port: number;
  readonly portSetting?: string;
  readonly directory: () => Directory;
  /** The Graph endpoints that a scope may name, without `/.default`. */
  readonly audiences: () => readonly string[];
  readonly keys: TokenKeys;
  readonly now: () => Date;
  readonly lifetimeSeconds?: () => number;
};

/** One request to the token endpoint, without its secret. */
type TokenRequestRecord = {
  readonly at: string;
  readonly tenant: string;
  readonly clientId: string | undefined;
  readonly scope: string | undefined;
  /** `issued`, or the AADSTS number of the refusal. */
  readonly outcome: 'issued' | number;
};

export type Entra = Listening & {
  readonly faults: HttpFaults;
  readonly tokenRequests: () => readonly TokenRequestRecord[];
};

/** Entra's token endpoint for one pretend tenant. */
export const startEntra = async (options: EntraOptions): Promise<Entra> => {
  const faults = makeHttpFaults();
  let records: readonly TokenRequestRecord[] = [];
  const record = (one: TokenRequestRecord) => {
    records = [...records, one].slice(-REMEMBERED_REQUESTS);
  };
  const server = https.createServer(
    { ...options.tls },
    answering(async (request, response) => {
      const url = new URL(request.url ?? '/', 'https://localhost');
      if (url.pathname === '/_control/faults') return answerFaultControl(faults, request, response);
      if (url.pathname === '/_control/requests') return answerJson(response, 200, { tokenRequests: records });
      if (await faults.strike(request, response)) return;
      await answerAuthority(options, url.pathname, request, response, record);
    }),
  );
  const listening = await listen(server, {
    name: 'The Entra stand-in',
    port: options.port,
    portSetting: options.portSetting ?? 'ENTRA_PORT',
  });
  return { ...listening, faults, tokenRequests: () => records };
};

const answerAuthority = async (
  options: EntraOptions,
  pathname: string,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  record: (one: TokenRequestRecord) => void,
): Promise<void> => {
  const directory = options.directory();
  const authority = originOf(request);
  const refuse = (refused: Aadsts) => answerRefusal(request, response, refused, options.now(), authority);

  if (pathname === '/common/discovery/instance')
    return answerJson(response, 200, toInstanceDiscovery(authority, directory.tenantId));
  const [, tenant = '', endpoint = ''] = /^\/([^/]+)\/(.+)$/.exec(decodePath(pathname)) ?? [];
  switch (endpoint) {
    case 'oauth2/v2.0/token': {
      if (request.method !== 'POST') return refuse(onlyPost(request.method ?? ''));
      const asked = parseTokenRequest(tenant, request.headers, await readBody(request, FORM_BYTES));
      const lifetimeSeconds =
        options.lifetimeSeconds?.() ?? randomInt(LIFETIME_SECONDS.from, LIFETIME_SECONDS.to);
      const decision = decideToken(asked, {
        directory,
        audiences: options.audiences(),
        lifetimeSeconds,
        now: options.now(),
      });
      record({
        at: options.now().toISOString(),
        tenant,
        clientId: asked.clientId,
        scope: asked.scope,
        outcome: 'refused' in decision ? decision.refused.code : 'issued',
      });
      if ('refused' in decision) return refuse(decision.refused);
      return answerJson(response, 200, {
        token_type: 'Bearer',
        // A second less than the token lives, as Entra has it.
        expires_in: lifetimeSeconds - 1,
        ext_expires_in: lifetimeSeconds - 1,
        access_token: await options.keys.sign(decision.claims),
      });
    }
    case 'v2.0/.well-known/openid-configuration': {
      const refused = refuseTenant(tenant, directory);
      // The discovery document names the same refusal by another OAuth error than the token endpoint does.
      if (refused?.code === 90002) return refuse(tenantUnknown(tenant, 'invalid_tenant'));
      if (refused) return refuse(refused);
      return answerJson(response, 200, toOpenIdConfiguration(authority, directory.tenantId));
    }
    case 'discovery/v2.0/keys':
      return answerJson(response, 200, { keys: options.keys.published });
    default:
      return answerJson(response, 404, {
        error: 'not_found',
        error_description: `The Entra stand-in has no ${request.method} ${pathname}. It has only /{tenant}/oauth2/v2.0/token.`,
      });
  }
};

const answerRefusal = (
  request: http.IncomingMessage,
  response: http.ServerResponse,
  refused: Aadsts,
  now: Date,
  authority: string,
): void => {
  const asked = request.headers['client-request-id'];
  const correlationId = typeof asked === 'string' ? asked : randomUUID();
  const body = toErrorBody(refused, now, correlationId, authority);
  request.resume();
  answerJson(response, refused.status, body, {
    'x-ms-request-id': body.trace_id,
    'client-request-id': correlationId,
  });
};

const decodePath = (pathname: string): string => {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
};
