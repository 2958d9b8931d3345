import { randomInt, randomUUID } from 'node:crypto';
import type http from 'node:http';
import https from 'node:https';
import { makeRouter } from '../../src/lib/inbox/routes.ts';
import type { TlsIdentity } from '../certificate.ts';
import { type Directory, findTenant } from '../directory.ts';
import { answering, answerJson, listen, originOf, pathOf, readBody } from '../http.ts';
import { type HttpFaults, makeHttpFaults, withFaults } from '../http-faults.ts';
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
  /** How often somebody read the keys. */
  readonly keyRequests: () => number;
  /** Signs with a new key from now on. */
  readonly rollKeys: () => Promise<void>;
};

/** Entra's token endpoint for one pretend tenant. */
export const startEntra = async (options: EntraOptions): Promise<Entra> => {
  const faults = makeHttpFaults();
  let records: readonly TokenRequestRecord[] = [];
  const record = (one: TokenRequestRecord) => {
    records = [...records, one].slice(-REMEMBERED_REQUESTS);
  };
  let own = '';
  let keyRequests = 0;
  const keys: TokenKeys = {
    ...options.keys,
    published: () => {
      keyRequests += 1;
      return options.keys.published();
    },
  };
  const server = https.createServer(
    { ...options.tls },
    answering(
      withFaults(faults, { requests: () => ({ tokenRequests: records }) }, (request, response) =>
        answerAuthority({ ...options, keys, own }, request, response, record),
      ),
    ),
  );
  const listening = await listen(server, {
    name: 'The Entra stand-in',
    port: options.port,
    portSetting: options.portSetting ?? 'ENTRA_PORT',
  });
  own = listening.url;
  return {
    ...listening,
    faults,
    tokenRequests: () => records,
    keyRequests: () => keyRequests,
    rollKeys: options.keys.roll,
  };
};

/** `own` is the address that stands in tokens, however a client writes it. */
type Authority = EntraOptions & { readonly own: string };

type Asked = Pick<Authority, 'own'> &
  Pick<EntraOptions, 'audiences' | 'keys' | 'lifetimeSeconds'> & {
    readonly request: http.IncomingMessage;
    readonly directory: Directory;
    /** This server, as the client wrote it. */
    readonly authority: string;
    /** As written in the path. */
    readonly tenant: string;
    readonly now: Date;
    readonly record: (one: TokenRequestRecord) => void;
  };

type Answer = { readonly refused: Aadsts } | { readonly body: object };

const issueToken = async (asked: Asked): Promise<Answer> => {
  const { request, directory, tenant, now, keys } = asked;
  const wanted = parseTokenRequest(tenant, request.headers, await readBody(request, FORM_BYTES));
  const lifetimeSeconds = asked.lifetimeSeconds?.() ?? randomInt(LIFETIME_SECONDS.from, LIFETIME_SECONDS.to);
  const audiences = asked.audiences();
  const decision = await decideToken(wanted, {
    directory,
    audiences,
    authority: asked.own,
    tokenEndpoint: `${asked.authority}/${tenant}/oauth2/v2.0/token`,
    verifyOwn: keys.verifyAny,
    lifetimeSeconds,
    now,
  });
  asked.record({
    at: now.toISOString(),
    tenant,
    clientId: wanted.clientId,
    scope: wanted.scope,
    outcome: 'refused' in decision ? decision.refused.code : 'issued',
  });
  if ('refused' in decision) return decision;
  return {
    body: {
      token_type: 'Bearer',
      // A second less than the token lives, as Entra has it.
      expires_in: lifetimeSeconds - 1,
      ext_expires_in: lifetimeSeconds - 1,
      access_token: await keys.sign(decision.claims),
    },
  };
};

const describeTenant = ({ directory, authority, tenant }: Asked): Answer => {
  const refused = refuseTenant(tenant, directory);
  if (refused === undefined) return { body: toOpenIdConfiguration(authority, directory.tenantId) };
  // The discovery document names the same refusal by another OAuth error than the token endpoint does.
  return { refused: refused.code === 90002 ? tenantUnknown(tenant, 'invalid_tenant') : refused };
};

const findEndpoint = makeRouter<(asked: Asked) => Answer | Promise<Answer>>([
  [
    'GET',
    '/common/discovery/instance',
    ({ authority, directory }) => ({ body: toInstanceDiscovery(authority, directory.tenantId) }),
  ],
  ['POST', '/:tenant/oauth2/v2.0/token', issueToken],
  ['GET', '/:tenant/v2.0/.well-known/openid-configuration', describeTenant],
  ['GET', '/:tenant/discovery/v2.0/keys', ({ keys }) => ({ body: { keys: keys.published() } })],
]);

const answerAuthority = async (
  options: Authority,
  request: http.IncomingMessage,
  response: http.ServerResponse,
  record: (one: TokenRequestRecord) => void,
): Promise<void> => {
  const { method = '' } = request;
  const path = pathOf(request);
  const authority = originOf(request);
  const refuse = (refused: Aadsts) => answerRefusal(request, response, refused, options.now(), authority);

  const found = findEndpoint(method, path);
  if (found.target === undefined) {
    if (found.allowed.includes('POST')) return refuse(onlyPost(method));
    return answerJson(response, 404, {
      error: 'not_found',
      error_description: `The Entra stand-in has no ${method} ${path}. It has only /{tenant}/oauth2/v2.0/token.`,
    });
  }
  const { tenant = '' } = found.params;
  const asked = {
    ...options,
    directory: findTenant(options.directory(), tenant) ?? options.directory(),
    now: options.now(),
    request,
    authority,
    tenant,
    record,
  };
  const answer = await found.target(asked);
  if ('refused' in answer) refuse(answer.refused);
  else answerJson(response, 200, answer.body);
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
