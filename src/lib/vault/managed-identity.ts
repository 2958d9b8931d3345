import { ManagedIdentityCredential } from '@azure/identity';

/** The identity of the app: the system's, or the one with a client id. */
export const openManagedIdentity = (
  clientId: string | undefined,
  { maxRetries }: { readonly maxRetries?: number },
): ManagedIdentityCredential =>
  new ManagedIdentityCredential({
    ...(clientId === undefined ? {} : { clientId }),
    ...(maxRetries === undefined ? {} : { retryOptions: { maxRetries } }),
  });
