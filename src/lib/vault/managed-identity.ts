import { ManagedIdentityCredential } from '@azure/identity';
import { defined } from '../defined.ts';
import type { SdkNetwork } from '../network/agents.ts';

/** Its token endpoint in App Service and Functions, and IMDS, speak plain HTTP to this machine alone. */
const TOKEN_ENDPOINT = 'http://localhost';

export type IdentityOptions = {
  /** The SDK's own when absent. */
  readonly maxRetries?: number;
  readonly network?: SdkNetwork;
};

/**
 * The identity of the app: the system's, or the one with a client id. The identity library keeps, for the whole process, the network of
 * the first one that asks, so that every one is to be opened here.
 */
export const openManagedIdentity = (
  clientId: string | undefined,
  { maxRetries, network }: IdentityOptions,
): ManagedIdentityCredential =>
  new ManagedIdentityCredential({
    ...defined({ clientId }),
    ...network?.optionsFor(TOKEN_ENDPOINT),
    ...(maxRetries === undefined ? {} : { retryOptions: { maxRetries } }),
  });
