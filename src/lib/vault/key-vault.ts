import type { TokenCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import type { ErrorCode } from '../error-catalogue.ts';
import { AppError } from '../errors.ts';
import type { SecretFacts } from '../secrets/secret-expiry.ts';

/** The client secret; `fresh` asks the vault even if it was read a moment ago. Throws an AppError. */
export type ReadClientSecret = (options: { readonly fresh: boolean }) => Promise<string>;

export type KeyVault = {
  readonly readClientSecret: ReadClientSecret;
  readonly listSecrets: () => Promise<readonly SecretFacts[]>;
};

/** Long enough that mails do not wait for the vault, short enough that a rotation is seen soon. */
const SECRET_CACHE_MS = 5 * 60_000;

export const openKeyVault = (
  { vaultUrl, secretName }: { readonly vaultUrl: string; readonly secretName: string },
  needs: { readonly credential: TokenCredential; readonly now: () => Date },
): KeyVault => {
  const client = new SecretClient(vaultUrl, needs.credential, {
    // The client compares the vault's host with the audience it is told to use; a vault on this machine has none.
    disableChallengeResourceVerification: isLoopback(vaultUrl),
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
  });
  let cached: { readonly value: string; readonly readAt: number } | undefined;

  return {
    readClientSecret: async ({ fresh }) => {
      const now = needs.now().getTime();
      if (!fresh && cached !== undefined && now - cached.readAt < SECRET_CACHE_MS) return cached.value;
      const secret = await client.getSecret(secretName).catch(explain);
      if (!secret.value)
        throw new AppError('SECRET_NOT_FOUND', { detail: 'The secret in the vault is empty.' });
      cached = { value: secret.value, readAt: now };
      return secret.value;
    },
    listSecrets: async () => {
      const secrets: SecretFacts[] = [];
      try {
        for await (const { name, enabled, expiresOn } of client.listPropertiesOfSecrets())
          secrets.push({ name, enabled: enabled ?? true, ...(expiresOn === undefined ? {} : { expiresOn }) });
      } catch (cause) {
        explain(cause);
      }
      return secrets;
    },
  };
};

const isLoopback = (url: string): boolean => ['localhost', '127.0.0.1'].includes(new URL(url).hostname);

type VaultFailure = { readonly name?: string; readonly statusCode?: number; readonly message?: string };

const explain = (cause: unknown): never => {
  throw new AppError(decideVaultFailure(cause as VaultFailure), { cause });
};

/** What a failure of the vault means. Its message is looked at, since a disabled secret has no code of its own. */
const decideVaultFailure = ({ name, statusCode, message = '' }: VaultFailure): ErrorCode => {
  if (statusCode === 404) return 'SECRET_NOT_FOUND';
  if (statusCode === 403) return /disabled/i.test(message) ? 'SECRET_DISABLED' : 'VAULT_ACCESS_DENIED';
  if (statusCode === 401) return 'VAULT_ACCESS_DENIED';
  if (
    name === 'CredentialUnavailableError' ||
    name === 'AuthenticationRequiredError' ||
    name === 'AuthenticationError'
  )
    return 'IDENTITY_UNAVAILABLE';
  return 'VAULT_UNREACHABLE';
};
