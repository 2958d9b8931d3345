import { errors, type JSONWebKeySet, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { AppError } from '../errors.ts';
import { lazily } from '../lazily.ts';
import type { AppTokens } from '../ports.ts';
import { makeEntraKeys } from './entra-keys.ts';

export type AppTokenOptions = {
  readonly authority: string;
  /** A GUID, or a domain of the tenant. */
  readonly tenant: string;
  /** Of the registration of the relay, in lower case. */
  readonly clientId: string;
};

/** Entra's tokens for applications have 1 to 3 KB; Node takes 16 KB of headers. */
const MOST_CHARACTERS = 8192;
/** For clocks that differ. */
const CLOCK_TOLERANCE_SECONDS = 60;

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const GUID_IN_ISSUER = /\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\//i;
const CHINA = ['https://login.chinacloudapi.cn', 'https://login.partner.microsoftonline.cn'];

/**
 * How Entra names itself in tokens of versions 1 and 2 of this tenant. It signs those of every tenant with the same keys, so that this
 * decides whose they are. https://learn.microsoft.com/entra/identity-platform/access-tokens#token-formats
 */
export const issuersOf = (authority: string, tenantId: string): readonly string[] =>
  CHINA.includes(authority)
    ? [`https://sts.chinacloudapi.cn/${tenantId}/`, ...CHINA.map((one) => `${one}/${tenantId}/v2.0`)]
    : [`https://sts.windows.net/${tenantId}/`, `${authority}/${tenantId}/v2.0`];

/** Checks tokens with the keys of the tenant. `readJson` reads a document of Entra, once. */
export const openAppTokens = (
  { authority, tenant, clientId }: AppTokenOptions,
  { readJson, now }: { readonly readJson: (url: string) => Promise<unknown>; readonly now: () => Date },
): AppTokens => {
  const readTenantId = lazily(async (): Promise<string> => {
    if (GUID.test(tenant)) return tenant.toLowerCase();
    const url = `${authority}/${tenant}/v2.0/.well-known/openid-configuration`;
    const { issuer } = (await readJson(url)) as { readonly issuer?: unknown };
    const [, tenantId] = GUID_IN_ISSUER.exec(String(issuer)) ?? [];
    if (tenantId === undefined) throw new Error(`Expected the id of the tenant in the issuer of ${url}.`);
    return tenantId.toLowerCase();
  });
  const issuers = lazily(async () => issuersOf(authority, await readTenantId()));
  const keyOf = makeEntraKeys(
    async () => {
      const [keys] = await Promise.all([
        readJson(`${authority}/${tenant}/discovery/v2.0/keys`) as Promise<JSONWebKeySet>,
        issuers(),
      ]);
      return keys;
    },
    () => now().getTime(),
  );

  return {
    check: async (token) => {
      if (token.length > MOST_CHARACTERS)
        throw notAccepted(`It has more than ${MOST_CHARACTERS} characters.`);
      try {
        return await verify(token, keyOf, { issuers, clientId, now: now() });
      } catch (error) {
        throw error instanceof AppError ? error : notAccepted(faultOf(error));
      }
    },
  };
};

const verify = async (
  token: string,
  keyOf: JWTVerifyGetKey,
  expected: {
    readonly issuers: () => Promise<readonly string[]>;
    readonly clientId: string;
    readonly now: Date;
  },
) => {
  // By its signature first: of a token that somebody made up nothing else is looked at, and nothing is said.
  const { payload } = await jwtVerify(token, keyOf, {
    algorithms: ['RS256'],
    requiredClaims: ['exp', 'nbf', 'iss', 'aud'],
    audience: [expected.clientId, `api://${expected.clientId}`],
    currentDate: expected.now,
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
  });
  const issuers = await expected.issuers();
  if (typeof payload.iss !== 'string' || !issuers.includes(payload.iss))
    throw notAccepted('Another tenant, or another authority, issued it.');
  return payload;
};

const notAccepted = (detail: string): AppError => new AppError('TOKEN_NOT_ACCEPTED', { detail });

const CLAIM_FAULTS: Readonly<Record<string, string>> = {
  nbf: 'It is not valid yet.',
  exp: 'It does not say until when it is valid.',
  iss: 'It does not say who issued it.',
  aud: 'It was issued for another resource than the relay.',
};

/** What is wrong with a token, in words that have nothing of it. */
const faultOf = (error: unknown): string => {
  if (error instanceof errors.JWTExpired) return 'It has expired.';
  if (error instanceof errors.JWTClaimValidationFailed)
    return CLAIM_FAULTS[error.claim] ?? 'One of its claims has another form than those of Entra.';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'It is not signed with RS256.';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'It names no key that Entra publishes for the tenant of the relay.';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'Its signature is wrong.';
  return 'It is not a signed token (JWT).';
};
