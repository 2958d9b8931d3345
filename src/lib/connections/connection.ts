import { addressKey } from '../mail/address.ts';
import { matchesAny } from '../mail/address-pattern.ts';
import type { CloudName } from './cloud.ts';

export const CREDENTIAL_KINDS = ['client-secret', 'certificate', 'managed-identity', 'federated'] as const;
export type CredentialKind = (typeof CREDENTIAL_KINDS)[number];

/** How the relay proves to Entra which application it is. Names are those in the vault. */
export type Credential =
  | { readonly kind: 'client-secret'; readonly secretName: string }
  | { readonly kind: 'certificate'; readonly certificateName: string }
  /** The managed identity is itself the application that sends. */
  | { readonly kind: 'managed-identity' }
  /** The managed identity is a federated credential of the registration. */
  | { readonly kind: 'federated' };

/** A registration of a tenant, and the senders that it sends for. */
export type Connection = {
  readonly name: string;
  readonly cloud: CloudName;
  /** Address of Entra. */
  readonly authority: string;
  /** Address of Graph. */
  readonly graphEndpoint: string;
  /** A GUID, or a domain of the tenant. */
  readonly tenantId: string;
  readonly clientId: string;
  readonly credential: Credential;
  /** Addresses, or `*@domain`. The main connection has none here: it sends for everyone whom no other connection names. */
  readonly senders: readonly string[];
  /** Address of the person who is warned of its credential, beside those who are warned of all. */
  readonly owner?: string;
  /** External recipients of its tenant in 24 hours; undefined where they are not counted. */
  readonly externalRecipientsPerDay?: number;
  /** Domains of its tenant, beside those of its senders. */
  readonly internalDomains?: readonly string[];
};

/** The connection of the settings that name no connection. */
export const MAIN_CONNECTION = 'main';

/** The name of its credential in the vault; undefined where it has none there. */
export const vaultNameOf = (credential: Credential): string | undefined => {
  switch (credential.kind) {
    case 'client-secret':
      return credential.secretName;
    case 'certificate':
      return credential.certificateName;
    default:
      return undefined;
  }
};

/**
 * The connection that sends for a mailbox: the one that names its address, else the one that names its domain, else the main one, which is
 * the first.
 */
export const connectionOf = <Its extends Pick<Connection, 'senders'>>(
  connections: readonly [Its, ...Its[]],
  mailbox: string,
): Its => {
  const key = addressKey(mailbox);
  const [main, ...others] = connections;
  return (
    others.find(({ senders }) => senders.some((sender) => addressKey(sender) === key)) ??
    others.find(({ senders }) => matchesAny(senders, mailbox)) ??
    main
  );
};
