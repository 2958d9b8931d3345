import { randomUUID } from 'node:crypto';
import https from 'node:https';
import type { TlsIdentity } from '../certificate.ts';
import type { TokenClaims } from '../entra/token-keys.ts';
import { answering, answerJson, listen, originOf, readBody } from '../http.ts';
import { type HttpFaults, makeHttpFaults, withFaults } from '../http-faults.ts';
import type { Listening } from '../listening.ts';
import { answerVault, toAction, type VaultAction } from './answer-vault.ts';
import type { SecretStore } from './secret-store.ts';
import { notPermitted, unauthorized, VaultProblem } from './vault-problem.ts';
import { parseVaultRequest } from './vault-request.ts';

export const VAULT_RESOURCE = 'https://vault.azure.net';
const PUBLIC_AUTHORITY = 'https://login.microsoftonline.com';
const BODY_BYTES = 256 * 1024;
const REMEMBERED_REQUESTS = 1000;

export type KeyVaultOptions = {
  readonly tls: TlsIdentity;
  readonly port: number;
  readonly portSetting?: string;
  readonly secrets: SecretStore;
  readonly tenantId: string;
  readonly verifyToken: (token: string) => Promise<TokenClaims>;
  /** Role assignments on the vault. Without it every app of the tenant may do everything. */
  readonly mayDo?: (claims: TokenClaims, action: VaultAction) => boolean;
  readonly now: () => Date;
};

type VaultRequestRecord = {
  readonly at: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
};

export type KeyVault = Listening & {
  readonly faults: HttpFaults;
  /** The requests that carried a token or were challenged for one; never a value. */
  readonly requests: () => readonly VaultRequestRecord[];
};

/** Key Vault's secrets, as the real client asks for them: first without a token, then as the challenge says. */
export const startKeyVault = async (options: KeyVaultOptions): Promise<KeyVault> => {
  const faults = makeHttpFaults();
  let records: readonly VaultRequestRecord[] = [];

  const server = https.createServer(
    { ...options.tls },
    answering(
      withFaults(faults, { requests: () => ({ requests: records }) }, async (request, response) => {
        const { method = 'GET' } = request;
        const url = new URL(request.url ?? '/', originOf(request));
        const answer = await decideAnswer(options, method, url, request.headers.authorization, () =>
          readBody(request, BODY_BYTES),
        );
        request.resume();
        const seen = { at: options.now().toISOString(), method, path: url.pathname, status: answer.status };
        records = [...records, seen].slice(-REMEMBERED_REQUESTS);
        answerJson(response, answer.status, answer.body, {
          'x-ms-request-id': randomUUID(),
          ...(answer.status === 401 ? { 'WWW-Authenticate': toChallenge(options.tenantId) } : {}),
        });
      }),
    ),
  );
  const listening = await listen(server, {
    name: 'The Key Vault stand-in',
    port: options.port,
    portSetting: options.portSetting ?? 'KEY_VAULT_PORT',
  });
  return { ...listening, faults, requests: () => records };
};

const decideAnswer = async (
  options: KeyVaultOptions,
  method: string,
  url: URL,
  authorization: string | undefined,
  body: () => Promise<Buffer>,
): Promise<{ readonly status: number; readonly body: unknown }> => {
  try {
    const claims = await authenticate(options, authorization);
    const request = parseVaultRequest(method, url, await body());
    if (request === undefined)
      throw new VaultProblem(
        405,
        'MethodNotAllowed',
        `The Key Vault stand-in has no ${method} ${url.pathname}. It knows secrets: GET, PUT, PATCH and their versions.`,
      );
    const action = toAction(request);
    if (options.mayDo && !options.mayDo(claims, action)) throw notPermitted(claims, action);
    return { status: 200, body: await answerVault(options.secrets, request, url, options.now()) };
  } catch (error) {
    if (error instanceof VaultProblem) return { status: error.status, body: error.toBody() };
    throw error;
  }
};

const authenticate = async (
  options: KeyVaultOptions,
  authorization: string | undefined,
): Promise<TokenClaims> => {
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw unauthorized('AKV10000: Request is missing a Bearer or PoP token.');
  const claims = await options.verifyToken(token).catch((error: unknown) => {
    throw unauthorized(`Error validating token: ${error instanceof Error ? error.message : 'unreadable'}`);
  });
  if (claims.aud.replace(/\/$/, '') !== VAULT_RESOURCE)
    throw unauthorized(`AKV10022: Invalid audience. Expected ${VAULT_RESOURCE}, found: ${claims.aud}.`);
  if (claims.tid !== options.tenantId)
    throw unauthorized(
      `AKV10032: Invalid issuer. Expected one of https://sts.windows.net/${options.tenantId}/, found ${claims.iss}.`,
    );
  return claims;
};

/** The client takes the tenant and the resource from here; where it signs in is its own setting. */
const toChallenge = (tenantId: string) =>
  `Bearer authorization="${PUBLIC_AUTHORITY}/${tenantId}", resource="${VAULT_RESOURCE}"`;
