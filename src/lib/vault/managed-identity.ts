import { ManagedIdentityCredential } from '@azure/identity';

/** The identity of the app: the system's, or the one with a client id. */
export const openManagedIdentity = (clientId: string | undefined): ManagedIdentityCredential =>
  clientId === undefined ? new ManagedIdentityCredential() : new ManagedIdentityCredential({ clientId });
