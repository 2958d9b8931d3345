import type { TokenCredential } from '@azure/identity';
import { SecretClient, type SecretProperties } from '@azure/keyvault-secrets';
import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import type { SdkNetwork } from '../network/agents.ts';
import type { SecretFacts, Vault } from '../ports.ts';
import { proxyRefusalOf } from '../proxy-refusal.ts';
import { isValid, type SecretSource, type SecretVersion } from './secret-source.ts';
import { decideVaultFailure, isAboutOneVersion, type VaultFailure } from './vault-failure.ts';

export type KeyVault = SecretSource & Vault;

/** Long enough that mails do not wait for the vault, short enough that a rotation is seen soon. */
const SECRET_CACHE_MS = 5 * 60_000;
/** The one that is to be used and the one before it: a rotation has no more. */
const VERSIONS_TRIED = 2;
/** What was pasted by mistake takes the place of neither, so often as people try again. */
const VERSIONS_READ = 5;

export type KeyVaultOptions = { readonly vaultUrl: string };

export const openKeyVault = (
  { vaultUrl }: KeyVaultOptions,
  needs: { readonly credential: TokenCredential; readonly now: () => Date; readonly network?: SdkNetwork },
): KeyVault => {
  const client = new SecretClient(vaultUrl, needs.credential, {
    ...needs.network?.optionsFor(vaultUrl),
    // The client compares the vault's host with the audience it is told to use; a vault on this machine has none.
    disableChallengeResourceVerification: isLoopback(vaultUrl),
    retryOptions: { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1000 },
  });
  const kept = new Map<string, { readonly version: SecretVersion; readonly readAt: number }>();

  const readVersion = async (
    name: string,
    signal: AbortSignal | undefined,
    version?: string,
  ): Promise<SecretVersion> => {
    const { value, properties } = await client
      .getSecret(name, defined({ abortSignal: signal, version }))
      .catch(explain);
    // An empty one is as wrong as any other that cannot be used, and says nothing of the version before it.
    return { value: value ?? '', facts: toFacts(properties) };
  };

  const listFacts = async (name: string, signal?: AbortSignal): Promise<readonly SecretFacts[]> => {
    const versions: SecretFacts[] = [];
    try {
      const listed = client.listPropertiesOfSecretVersions(name, defined({ abortSignal: signal }));
      for await (const version of listed) versions.push(toFacts(version));
    } catch (cause) {
      explain(cause);
    }
    // The vault lists them in no order that means anything.
    return versions.toSorted((one, other) => Number(other.createdOn ?? 0) - Number(one.createdOn ?? 0));
  };

  return {
    readCurrent: async (name, { signal, fresh = false } = {}) => {
      const now = needs.now().getTime();
      const known = kept.get(name);
      if (!fresh && known !== undefined && now - known.readAt < SECRET_CACHE_MS) return known.version;
      const version = await readVersion(name, signal);
      kept.set(name, { version, readAt: now });
      return version;
    },
    readValidVersions: async (name, { signal, isWellFormed = async () => true } = {}) => {
      // What is kept may be what was refused.
      kept.delete(name);
      const newest = (await listFacts(name, signal))
        .filter((facts) => isValid(facts, needs.now()))
        .slice(0, VERSIONS_READ);
      const read: PromiseSettledResult<SecretVersion>[] = [];
      let left = VERSIONS_TRIED;
      while (left > 0 && read.length < newest.length) {
        const next = newest.slice(read.length, read.length + left);
        const settled = await Promise.allSettled(
          next.map(({ version }) => readVersion(name, signal, version)),
        );
        read.push(...settled);
        for (const one of settled)
          if (one.status === 'rejected' || (await isWellFormed(one.value))) left -= 1;
      }
      const versions = read.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      // One that was disabled since it was listed is none; one that could not be read hides the other no more than that.
      const failed = read.find((one) => one.status === 'rejected' && !isAboutOneVersion(one.reason));
      if (versions.length === 0 && failed?.status === 'rejected') throw failed.reason;
      return versions;
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
    listVersions: (name) =>
      listFacts(name).catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'SECRET_NOT_FOUND') return [];
        throw error;
      }),
    storeSecret: async (name, { value, expiresOn, tags }) => {
      const { properties } = await client.setSecret(name, value, { expiresOn, tags }).catch(explain);
      return toFacts(properties);
    },
  };
};

/** The forms in which the value of a secret is a certificate with its key. */
const CERTIFICATE_TYPES = ['application/x-pkcs12', 'application/x-pem-file'];

/**
 * A certificate has a secret of the same name, which the vault manages. A list names no key (Key Vault: SecretItem, managed; SecretBundle,
 * kid), and one that was imported as a secret has neither.
 */
const isCertificate = ({ managed, certificateKeyId, contentType = '' }: SecretProperties): boolean =>
  managed === true ||
  certificateKeyId !== undefined ||
  CERTIFICATE_TYPES.includes(contentType.trim().toLowerCase());

const toFacts = (properties: SecretProperties): SecretFacts => ({
  name: properties.name,
  kind: isCertificate(properties) ? 'certificate' : 'secret',
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

const explain = (cause: unknown): never => {
  const detail = proxyRefusalOf(cause);
  if (detail !== undefined) throw new AppError('PROXY_REFUSED', { detail, cause });
  throw new AppError(decideVaultFailure(cause as VaultFailure), { cause });
};
