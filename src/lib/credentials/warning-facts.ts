import type { ErrorCode } from '../error-catalogue.ts';
import type { CredentialWarning } from './credential-warning.ts';
import type { OwnerFault } from './owner-tag.ts';

/** A warning in fixed fields, for programs: alert rules, and what receives the webhook. */
export type WarningFacts = {
  readonly credential: string;
  readonly kind: CredentialWarning['kind'];
  readonly state: CredentialWarning['state'];
  readonly inUse: boolean;
  /** Names of the connections that use it. */
  readonly connection?: string;
  readonly daysLeft?: number;
  readonly expiresOn?: string;
  /** Code of the error that its connection meets. */
  readonly code?: ErrorCode;
  /** Why the owner whom the vault names gets no email. */
  readonly ownerTag?: OwnerFault;
};

const expiryOf = (warning: CredentialWarning): Date | undefined => {
  if (warning.state === 'dates-differ')
    return new Date(Math.min(Number(warning.entraDate), Number(warning.vaultDate)));
  if (warning.state === 'no-expiry-date') return warning.entraDate;
  return warning.state === 'refused' ? undefined : warning.expiresOn;
};

/** The fixed fields of a warning. No address is in them. */
export const warningFacts = (warning: CredentialWarning): WarningFacts => {
  const { name, kind, state, uses } = warning;
  const expiresOn = expiryOf(warning)?.toISOString();
  return {
    credential: name,
    kind,
    state,
    inUse: uses.length > 0,
    ...(uses.length === 0 ? {} : { connection: uses.map(({ connection }) => connection.name).join(',') }),
    ...('daysLeft' in warning ? { daysLeft: warning.daysLeft } : {}),
    ...(expiresOn === undefined ? {} : { expiresOn }),
    ...(warning.state === 'refused' ? { code: warning.code } : {}),
    ...(warning.ownerFault === undefined ? {} : { ownerTag: warning.ownerFault }),
  };
};
