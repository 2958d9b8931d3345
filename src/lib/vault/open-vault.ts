import type { TokenCredential } from '@azure/identity';
import { lazily, openedAtFirstCall } from '../lazily.ts';
import type { SdkNetwork } from '../network/agents.ts';
import type { KeyVault, KeyVaultOptions } from './key-vault.ts';
import type { IdentityOptions } from './managed-identity.ts';

/** The vault; loads the SDK of secrets when first asked. */
export const openKeyVault = (
  options: KeyVaultOptions,
  needs: { readonly credential: TokenCredential; readonly now: () => Date; readonly network?: SdkNetwork },
): KeyVault =>
  openedAtFirstCall(async () => (await import('./key-vault.ts')).openKeyVault(options, needs), {
    readCurrent: 'promise',
    readValidVersions: 'promise',
    listSecrets: 'promise',
    listVersions: 'promise',
    storeSecret: 'promise',
  });

/** A managed identity of the app; loads the identity library with the first token. */
export const managedIdentity = (
  clientId: string | undefined,
  options: IdentityOptions = {},
): TokenCredential => {
  const opened = lazily(async () =>
    (await import('./managed-identity.ts')).openManagedIdentity(clientId, options),
  );
  return { getToken: async (scopes, tokenOptions) => (await opened()).getToken(scopes, tokenOptions) };
};
