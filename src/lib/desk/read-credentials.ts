import { type Connection, vaultNameOf } from '../connections/connection.ts';
import { defined } from '../defined.ts';
import type { SecretFacts, Vault } from '../ports.ts';

/** A credential of the vault, as an operator looks at it. Never its value. */
export type CredentialView = {
  readonly name: string;
  readonly kind: SecretFacts['kind'];
  readonly expiresOn?: Date;
  /** Less than zero once it has expired; absent where the vault names no day. */
  readonly daysLeft?: number;
  /** Connections that name it. */
  readonly connections: readonly string[];
};

const DAY_MS = 86_400_000;

/** What the vault holds, what ends first at the top. */
export const readCredentials = async (
  {
    vault,
    connections,
  }: {
    readonly vault: Pick<Vault, 'listSecrets'>;
    readonly connections: readonly Connection[];
  },
  now: Date,
): Promise<readonly CredentialView[]> => {
  const listed = (await vault.listSecrets()).filter(({ enabled }) => enabled);
  const certificates = new Set(listed.filter(({ kind }) => kind === 'certificate').map(({ name }) => name));
  return (
    listed
      // A certificate has a secret of the same name (Key Vault: composition of a certificate).
      .filter(({ kind, name }) => kind === 'certificate' || !certificates.has(name))
      .map(
        ({ name, kind, expiresOn }): CredentialView => ({
          name,
          kind,
          ...defined({ expiresOn, daysLeft: expiresOn && daysUntil(expiresOn, now) }),
          connections: connections
            .filter(({ credential }) => vaultNameOf(credential)?.toLowerCase() === name.toLowerCase())
            .map((one) => one.name),
        }),
      )
      .toSorted((one, other) => endOf(one) - endOf(other))
  );
};

const daysUntil = (end: Date, now: Date): number => Math.floor((end.getTime() - now.getTime()) / DAY_MS);

const endOf = ({ expiresOn }: CredentialView): number => expiresOn?.getTime() ?? Number.POSITIVE_INFINITY;
