import type { SecretFacts } from '../ports.ts';

/** A version of a secret or of a certificate, with its value. */
export type SecretVersion = { readonly value: string; readonly facts: SecretFacts };

/** What credentials are read from. A certificate has a secret of the same name, with its private key. Throws AppErrors. */
export type SecretSource = {
  /** The version that the vault gives when none is named, kept for a while; read anew where it has to be `fresh`. */
  readonly readCurrent: (
    name: string,
    options?: { readonly signal?: AbortSignal; readonly fresh?: boolean },
  ) => Promise<SecretVersion>;
  /**
   * Enabled versions within their dates, newest first, as the vault has them now: the newest two whose values are well formed, and the
   * others met on the way to them.
   */
  readonly readValidVersions: (
    name: string,
    options?: {
      readonly signal?: AbortSignal;
      readonly isWellFormed?: (version: SecretVersion) => Promise<boolean>;
    },
  ) => Promise<readonly SecretVersion[]>;
};

/** Every version has its value when asked for by name, so the dates say which are meant to be used. */
export const isValid = ({ enabled, notBefore, expiresOn }: SecretFacts, now: Date): boolean =>
  enabled && (notBefore ?? now) <= now && (expiresOn === undefined || expiresOn > now);
