import { defined } from '../defined.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import { AppError } from '../errors.ts';

/** What Entra last said on the wire when no token came; nothing at all when it could not be reached. */
export type EntraAnswer = {
  readonly status: number;
  /** OAuth `error`. */
  readonly error?: string;
  /** AADSTS number. Microsoft may change it, so it only sharpens a message, within an OAuth error. */
  readonly aadsts?: number;
  readonly retryAfter?: string;
};

export type TokenFailure = {
  readonly code: ErrorCode;
  readonly aadsts?: number;
  readonly retryAfter?: string;
};

const TENANT_NOT_FOUND = new Set([90002, 900023]);
const SECRET_EXPIRED = 7000222;
const SECRET_WRONG = 7000215;

/** Decides what a refused or missing token means (Entra error codes; RFC 6749, 5.2). */
const decideTokenFailure = (answer: EntraAnswer | undefined): TokenFailure => {
  if (answer === undefined) return { code: 'ENTRA_UNREACHABLE' };
  const { aadsts, retryAfter } = answer;
  return {
    code: codeOf(answer),
    ...defined({ aadsts, retryAfter }),
  };
};

/** Entra says that the credential is not good; another version of the secret may be. */
export const mayBeTheSecret = (answer: EntraAnswer | undefined): boolean =>
  answer?.error === 'invalid_client';

const ABOUT_ONE_VERSION: ReadonlySet<ErrorCode> = new Set([
  'SECRET_DISABLED',
  'SECRET_NOT_YET_VALID',
  'SECRET_EXPIRED_IN_VAULT',
]);

/** The vault refuses its newest version, and may have one before it. */
export const isAboutOneVersion = (error: unknown): boolean =>
  error instanceof AppError && ABOUT_ONE_VERSION.has(error.code);

/** 4 to 18 seconds were observed until Entra knew a new secret everywhere; nothing is promised. */
const SETTLING_MS = 2 * 60_000;

/** One version of the secret that Entra refused, or could not be asked about. */
type Refused = { readonly answer?: EntraAnswer; readonly failure: unknown; readonly createdOn?: Date };

/**
 * What to say when no version of the secret gave a token. Where waiting can help, that: Entra could not be reached
 * for one of them, or has not heard of the newest yet. Else what it said of the newest. Undefined when none was tried.
 */
export const chooseTokenFailure = (
  refused: readonly Refused[],
  now: Date,
): (TokenFailure & { readonly cause: unknown }) | undefined => {
  const failures = refused
    .toSorted((one, other) => createdAt(other) - createdAt(one))
    .map((one) => {
      const failure = decideTokenFailure(one.answer);
      const isNew = now.getTime() - createdAt(one) < SETTLING_MS;
      const code = failure.code === 'CLIENT_SECRET_WRONG' && isNew ? 'CLIENT_SECRET_TOO_NEW' : failure.code;
      return { ...failure, code, cause: one.failure };
    });
  return failures.find(({ code }) => catalogue[code].fixedBy === 'time') ?? failures[0];
};

const createdAt = ({ createdOn }: Refused): number => createdOn?.getTime() ?? 0;

const codeOf = ({ status, error, aadsts = 0 }: EntraAnswer): ErrorCode => {
  if (error === 'temporarily_unavailable' || status === 429 || status >= 500) return 'ENTRA_UNREACHABLE';
  switch (error) {
    case 'invalid_client':
      if (aadsts === SECRET_EXPIRED) return 'CLIENT_SECRET_EXPIRED';
      return aadsts === SECRET_WRONG ? 'CLIENT_SECRET_WRONG' : 'TOKEN_REFUSED';
    case 'unauthorized_client':
      return 'APP_UNKNOWN';
    case 'invalid_tenant':
      return 'TENANT_UNKNOWN';
    case 'invalid_request':
      return TENANT_NOT_FOUND.has(aadsts) ? 'TENANT_UNKNOWN' : 'TOKEN_REFUSED';
    default:
      return 'TOKEN_REFUSED';
  }
};
