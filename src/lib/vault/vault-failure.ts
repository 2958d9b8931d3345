import type { ErrorCode } from '../error-catalogue.ts';
import { AppError } from '../errors.ts';

/** What the client of the vault throws, as far as it says why. */
export type VaultFailure = {
  readonly name?: string;
  /** Of Node, where no answer came. */
  readonly code?: string;
  readonly statusCode?: number;
  readonly message?: string;
  /** As the client reads the body; on the wire it is `innererror`. */
  readonly details?: { readonly error?: { readonly innerError?: { readonly code?: string } } };
  readonly cause?: unknown;
};

/** What the vault gives as the inner code of a 403: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes */
const FORBIDDEN: Readonly<Record<string, ErrorCode>> = {
  SecretDisabled: 'SECRET_DISABLED',
  SecretNotYetValid: 'SECRET_NOT_YET_VALID',
  SecretExpired: 'SECRET_EXPIRED_IN_VAULT',
  ForbiddenByFirewall: 'VAULT_FIREWALL',
  // Public access is off, and the request did not come by a private endpoint.
  ForbiddenByConnection: 'VAULT_PRIVATE',
};
/** For the vaults that give no such code. */
const FORBIDDEN_IN_WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/disabled secret/i, 'SECRET_DISABLED'],
  [/not yet valid/i, 'SECRET_NOT_YET_VALID'],
  [/expired secret|secret (is|has) expired/i, 'SECRET_EXPIRED_IN_VAULT'],
  [/public network access is disabled|not an approved private link/i, 'VAULT_PRIVATE'],
  [/client address is not authorized/i, 'VAULT_FIREWALL'],
];

/** Decides what a failure of the vault means. */
export const decideVaultFailure = (failure: VaultFailure): ErrorCode => {
  const { statusCode, code } = failure;
  if (isOfIdentity(failure)) return decideIdentityFailure(failure);
  if (statusCode === 404) return 'SECRET_NOT_FOUND';
  if (statusCode === 403) return forbidden(failure);
  if (statusCode === 401) return 'VAULT_ACCESS_DENIED';
  return code === 'ENOTFOUND' ? 'VAULT_NAME_UNKNOWN' : 'VAULT_UNREACHABLE';
};

/** Whatever else is refused under 403 is about the caller: no role, or no access policy. */
const forbidden = ({ details, message = '' }: VaultFailure): ErrorCode => {
  const code = details?.error?.innerError?.code ?? '';
  const known = Object.hasOwn(FORBIDDEN, code) ? FORBIDDEN[code] : undefined;
  return known ?? FORBIDDEN_IN_WORDS.find(([words]) => words.test(message))?.[1] ?? 'VAULT_ACCESS_DENIED';
};

const isOfIdentity = ({ name }: VaultFailure): boolean =>
  name === 'CredentialUnavailableError' ||
  name === 'AuthenticationRequiredError' ||
  name === 'AuthenticationError';

/** Decides what it means that the endpoint of the managed identity gave no token. */
const decideIdentityFailure = (failure: VaultFailure): ErrorCode =>
  isPassing(failure) || isPassing(failure.cause) ? 'IDENTITY_UNREACHABLE' : 'IDENTITY_UNAVAILABLE';

/** Throttled, broken, or no answer at all where there is an endpoint. */
const isPassing = (failure: unknown): boolean => {
  const { status, errorCode } = (failure ?? {}) as {
    readonly status?: unknown;
    readonly errorCode?: unknown;
  };
  return errorCode === 'network_error' || (typeof status === 'number' && (status === 429 || status >= 500));
};

/** Entra can refuse an identity too; the endpoint quotes it. */
const AADSTS = /AADSTS\d+/;

/** The error of a managed identity that gave no token. */
export const toIdentityError = (cause: unknown): AppError => {
  const upstreamCode = AADSTS.exec(cause instanceof Error ? cause.message : '')?.[0];
  return new AppError(decideIdentityFailure(cause as VaultFailure), {
    cause,
    ...(upstreamCode === undefined ? {} : { upstreamCode }),
  });
};

const ABOUT_ONE_VERSION: ReadonlySet<ErrorCode> = new Set([
  'SECRET_DISABLED',
  'SECRET_NOT_YET_VALID',
  'SECRET_EXPIRED_IN_VAULT',
]);

/** The vault refuses one version, and may have another one before it. */
export const isAboutOneVersion = (error: unknown): boolean =>
  error instanceof AppError && ABOUT_ONE_VERSION.has(error.code);
