import type { TokenCredential } from '@azure/identity';
import { SecretClient, type SecretProperties } from '@azure/keyvault-secrets';
import { defined } from '../defined.ts';
import type { ErrorCode } from '../error-catalogue.ts';
import { AppError } from '../errors.ts';
import type { SdkNetwork } from '../network/agents.ts';
import type { SecretFacts, Vault } from '../ports.ts';
import { proxyRefusalOf } from '../proxy-refusal.ts';

/** A version of the client secret. */
export type ClientSecret = { readonly value: string; readonly createdOn?: Date };

export type SecretSource = {
  /** The version the vault gives when none is named, kept for a while. Throws an AppError. */
  readonly readClientSecret: (signal?: AbortSignal) => Promise<ClientSecret>;
  /** Enabled versions within their dates, newest first, two at most, as the vault has them now. Throws an AppError. */
  readonly readValidVersions: (signal?: AbortSignal) => Promise<readonly ClientSecret[]>;
};

export type KeyVault = SecretSource & Vault;

/** Long enough that mails do not wait for the vault, short enough that a rotation is seen soon. */
const SECRET_CACHE_MS = 5 * 60_000;
/** The one that is to be used and the one before it: a rotation has no more. */
const VERSIONS_TRIED = 2;

export type KeyVaultOptions = { readonly vaultUrl: string; readonly secretName: string };

export const openKeyVault = (
  { vaultUrl, secretName }: KeyVaultOptions,
  needs: { readonly credential: TokenCredential; readonly now: () => Date; readonly network?: SdkNetwork },
): KeyVault => {
  const client = new SecretClient(vaultUrl, needs.credential, {
    ...needs.network?.optionsFor(vaultUrl),
    // The client compares the vault's host with the audience it is told to use; a vault on this machine has none.
    disableChallengeResourceVerification: isLoopback(vaultUrl),
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
  });
  let cached: { readonly secret: ClientSecret; readonly readAt: number } | undefined;

  const readVersion = async (signal?: AbortSignal, version?: string): Promise<ClientSecret> => {
    const { value, properties } = await client
      .getSecret(secretName, defined({ abortSignal: signal, version }))
      .catch(explain);
    if (!value) throw new AppError('SECRET_NOT_FOUND', { detail: 'The secret in the vault is empty.' });
    return { value, ...defined({ createdOn: properties.createdOn }) };
  };

  return {
    readClientSecret: async (signal) => {
      const now = needs.now().getTime();
      if (cached !== undefined && now - cached.readAt < SECRET_CACHE_MS) return cached.secret;
      const secret = await readVersion(signal);
      cached = { secret, readAt: now };
      return secret;
    },
    readValidVersions: async (signal) => {
      // What is kept may be what was refused.
      cached = undefined;
      const versions: SecretProperties[] = [];
      try {
        const listed = client.listPropertiesOfSecretVersions(secretName, defined({ abortSignal: signal }));
        for await (const version of listed) versions.push(version);
      } catch (cause) {
        explain(cause);
      }
      // The vault lists them in no order that means anything.
      const newest = versions
        .filter((version) => isValid(version, needs.now()))
        .toSorted((one, other) => Number(other.createdOn ?? 0) - Number(one.createdOn ?? 0))
        .slice(0, VERSIONS_TRIED);
      return Promise.all(newest.map(({ version }) => readVersion(signal, version)));
    },
    listSecrets: async () => {
      const secrets: SecretFacts[] = [];
      try {
        for await (const one of client.listPropertiesOfSecrets()) secrets.push(toFacts(one));
      } catch (cause) {
        explain(cause);
      }
      return secrets;
    },
    listVersions: async (name) => {
      const versions: SecretFacts[] = [];
      try {
        for await (const one of client.listPropertiesOfSecretVersions(name)) versions.push(toFacts(one));
      } catch (cause) {
        if ((cause as VaultFailure).statusCode === 404) return [];
        explain(cause);
      }
      // The vault lists them in no order that means anything.
      return versions.toSorted((one, other) => Number(other.createdOn ?? 0) - Number(one.createdOn ?? 0));
    },
    storeSecret: async (name, { value, expiresOn, tags }) => {
      const { properties } = await client.setSecret(name, value, { expiresOn, tags }).catch(explain);
      return toFacts(properties);
    },
  };
};

/** A certificate has a secret of the same name, which the vault manages (Key Vault: SecretItem, managed). */
const toFacts = (properties: SecretProperties): SecretFacts => ({
  name: properties.name,
  kind: properties.certificateKeyId === undefined ? 'secret' : 'certificate',
  version: properties.version ?? '',
  enabled: properties.enabled ?? true,
  tags: properties.tags ?? {},
  ...defined({
    createdOn: properties.createdOn,
    notBefore: properties.notBefore,
    expiresOn: properties.expiresOn,
  }),
});

const isLoopback = (url: string): boolean => ['localhost', '127.0.0.1'].includes(new URL(url).hostname);

/** Every version has its value when asked for by name, so the dates say which are meant to be used. */
const isValid = ({ enabled, notBefore, expiresOn }: SecretProperties, now: Date): boolean =>
  enabled !== false && (notBefore ?? now) <= now && (expiresOn === undefined || expiresOn > now);

type VaultFailure = {
  readonly name?: string;
  readonly statusCode?: number;
  readonly message?: string;
  /** As the client reads the body; on the wire it is `innererror`. */
  readonly details?: { readonly error?: { readonly innerError?: { readonly code?: string } } };
};

const explain = (cause: unknown): never => {
  const detail = proxyRefusalOf(cause);
  if (detail !== undefined) throw new AppError('PROXY_REFUSED', { detail, cause });
  throw new AppError(decideVaultFailure(cause as VaultFailure), { cause });
};

/**
 * Of one secret, where others of the same name may do (Key Vault: REST error codes).
 * Everything else under 403 is about the caller: role, firewall, policy.
 */
const REFUSED_SECRETS: Readonly<Record<string, ErrorCode>> = {
  SecretDisabled: 'SECRET_DISABLED',
  SecretNotYetValid: 'SECRET_NOT_YET_VALID',
  SecretExpired: 'SECRET_EXPIRED_IN_VAULT',
};
/** For the vaults that give no such code. */
const REFUSED_SECRETS_IN_WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/disabled secret/i, 'SECRET_DISABLED'],
  [/not yet valid/i, 'SECRET_NOT_YET_VALID'],
  [/expired secret|secret (is|has) expired/i, 'SECRET_EXPIRED_IN_VAULT'],
];

const refusedSecret = ({ details, message = '' }: VaultFailure): ErrorCode | undefined => {
  const code = details?.error?.innerError?.code ?? '';
  return Object.hasOwn(REFUSED_SECRETS, code)
    ? REFUSED_SECRETS[code]
    : REFUSED_SECRETS_IN_WORDS.find(([words]) => words.test(message))?.[1];
};

/** What a failure of the vault means. */
const decideVaultFailure = (failure: VaultFailure): ErrorCode => {
  const { name, statusCode } = failure;
  if (statusCode === 404) return 'SECRET_NOT_FOUND';
  if (statusCode === 403) return refusedSecret(failure) ?? 'VAULT_ACCESS_DENIED';
  if (statusCode === 401) return 'VAULT_ACCESS_DENIED';
  if (
    name === 'CredentialUnavailableError' ||
    name === 'AuthenticationRequiredError' ||
    name === 'AuthenticationError'
  )
    return 'IDENTITY_UNAVAILABLE';
  return 'VAULT_UNREACHABLE';
};
