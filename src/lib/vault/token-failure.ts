import { defined } from '../defined.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import type { PassedOver, SecretFacts } from '../ports.ts';

/** What Entra last said on the wire when no token came; nothing at all when it could not be reached. */
export type EntraAnswer = {
  readonly status: number;
  /** OAuth `error`. */
  readonly error?: string;
  /** AADSTS number. It says more than `error`, which Entra gives differently for the same number. */
  readonly aadsts?: number;
  /** The certificate that signed is registered, and has expired there. */
  readonly keyExpired?: true;
  readonly retryAfter?: string;
};

export type TokenFailure = {
  readonly code: ErrorCode;
  readonly aadsts?: number;
  readonly retryAfter?: string;
};

/** Numbers and meanings: https://learn.microsoft.com/entra/identity-platform/reference-error-codes; those of federation as people have published them. */
const MEANINGS: ReadonlyMap<number, ErrorCode> = new Map([
  [7000215, 'CLIENT_SECRET_WRONG'],
  [7000222, 'CLIENT_SECRET_EXPIRED'],
  [700016, 'APP_UNKNOWN'],
  [7000112, 'APP_DISABLED'],
  [7000229, 'ENTERPRISE_APP_MISSING'],
  [90002, 'TENANT_UNKNOWN'],
  [900023, 'TENANT_UNKNOWN'],
  // The resource is not in this tenant; the tenant or the client belongs to another cloud.
  [500011, 'CLOUDS_MIXED'],
  [90038, 'CLOUDS_MIXED'],
  [900382, 'CLOUDS_MIXED'],
  [900432, 'CLOUDS_MIXED'],
  // A client in a loop, and the tenant as a whole.
  [50196, 'ENTRA_THROTTLED'],
  [90055, 'ENTRA_THROTTLED'],
  // 50012 is the earlier number of 700027.
  [700027, 'CERTIFICATE_NOT_REGISTERED'],
  [50012, 'CERTIFICATE_NOT_REGISTERED'],
  [7000213, 'CERTIFICATE_CHAIN_REFUSED'],
  [700030, 'CERTIFICATE_CHAIN_REFUSED'],
  [700024, 'ASSERTION_TIME_REFUSED'],
  [500133, 'ASSERTION_TIME_REFUSED'],
  [70021, 'FEDERATED_CREDENTIAL_MISSING'],
  [700211, 'FEDERATED_ISSUER_WRONG'],
  [700212, 'FEDERATED_AUDIENCE_WRONG'],
  [700213, 'FEDERATED_SUBJECT_WRONG'],
  // The subject differs in upper and lower case, or in its form.
  [7002137, 'FEDERATED_SUBJECT_WRONG'],
  [7002138, 'FEDERATED_SUBJECT_WRONG'],
]);

/** Conditional Access, and policies of security beside it: 53000 to 53011, and 530001 onward. */
const isConditionalAccess = (aadsts: number): boolean => /^530\d{2}$|^530\d{3}$/.test(String(aadsts));

/** Decides what a refused or missing token means (Entra error codes; RFC 6749, 5.2). */
export const decideTokenFailure = (answer: EntraAnswer | undefined): TokenFailure => {
  if (answer === undefined) return { code: 'ENTRA_UNREACHABLE' };
  const { aadsts, retryAfter } = answer;
  return { code: codeOf(answer), ...defined({ aadsts, retryAfter }) };
};

const codeOf = ({ status, error, aadsts = 0, keyExpired }: EntraAnswer): ErrorCode => {
  if (keyExpired) return 'CERTIFICATE_EXPIRED';
  const meaning = MEANINGS.get(aadsts);
  if (meaning !== undefined) return meaning;
  if (isConditionalAccess(aadsts)) return 'CONDITIONAL_ACCESS_BLOCKED';
  if (status === 429) return 'ENTRA_THROTTLED';
  if (error === 'temporarily_unavailable' || status >= 500) return 'ENTRA_UNREACHABLE';
  // Entra gives it with numbers of other meanings too.
  if (error === 'unauthorized_client' && aadsts === 0) return 'APP_UNKNOWN';
  return error === 'invalid_tenant' ? 'TENANT_UNKNOWN' : 'TOKEN_REFUSED';
};

const ABOUT_THE_CREDENTIAL: ReadonlySet<ErrorCode> = new Set([
  'CLIENT_SECRET_WRONG',
  'CLIENT_SECRET_EXPIRED',
  'CERTIFICATE_NOT_REGISTERED',
  'CERTIFICATE_EXPIRED',
  'CERTIFICATE_CHAIN_REFUSED',
]);

/** Entra says that the credential is not good; another version of it may be. */
export const mayBeTheCredential = (answer: EntraAnswer | undefined): boolean => {
  const { code } = decideTokenFailure(answer);
  return ABOUT_THE_CREDENTIAL.has(code) || (code === 'TOKEN_REFUSED' && answer?.error === 'invalid_client');
};

/** 4 to 18 seconds were observed until Entra knew a new secret everywhere; nothing is promised. */
const SETTLING_MS = 2 * 60_000;

/** Whether Entra may not have heard everywhere of what was stored then. */
export const isSettling = (createdOn: Date | undefined, now: Date): boolean =>
  now.getTime() - (createdOn?.getTime() ?? 0) < SETTLING_MS;

/** One version of a credential that gave no token. */
export type Refused = {
  /** Absent where Entra could not be reached. */
  readonly answer?: EntraAnswer;
  readonly failure: unknown;
  readonly createdOn?: Date;
  readonly version?: string;
  /** Its value looks like the id of a secret. */
  readonly looksLikeId?: boolean;
  /** Entra was not asked, because the value cannot be used. */
  readonly unusable?: ErrorCode;
};

/**
 * What to say when no version of a credential gave a token. Where waiting can help, that: Entra could not be reached for one of
 * them, or has not heard of the newest yet. Else what it said of the newest. Undefined when none was tried.
 */
export const chooseTokenFailure = (
  refused: readonly Refused[],
  now: Date,
): (TokenFailure & { readonly cause: unknown }) | undefined => {
  const failures = refused
    .toSorted((one, other) => createdAt(other) - createdAt(one))
    .map((one) => ({ ...failureOf(one, now), cause: one.failure }));
  return failures.find(({ code }) => catalogue[code].fixedBy === 'time') ?? failures[0];
};

/** Which of those that were refused are newer than the one that was accepted, each once. */
export const passedOverFor = (
  accepted: SecretFacts,
  refused: readonly Refused[],
  now: Date,
): readonly PassedOver[] => {
  const newer = refused.filter(
    (one) => one.version !== accepted.version && createdAt(one) > createdAt(accepted),
  );
  return [
    ...new Map(
      newer.map((one) => [one.version, { version: one.version ?? '', code: failureOf(one, now).code }]),
    ).values(),
  ];
};

const createdAt = ({ createdOn }: Pick<Refused, 'createdOn'>): number => createdOn?.getTime() ?? 0;

const failureOf = ({ answer, createdOn, looksLikeId, unusable }: Refused, now: Date): TokenFailure => {
  if (unusable !== undefined) return { code: unusable };
  const failure = decideTokenFailure(answer);
  if (failure.code !== 'CLIENT_SECRET_WRONG') return failure;
  if (looksLikeId) return { ...failure, code: 'CLIENT_SECRET_IS_ID' };
  return isSettling(createdOn, now) ? { ...failure, code: 'CLIENT_SECRET_TOO_NEW' } : failure;
};
