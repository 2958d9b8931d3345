import type { ErrorCode } from '../error-catalogue.ts';

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
export const decideTokenFailure = (answer: EntraAnswer | undefined): TokenFailure => {
  if (answer === undefined) return { code: 'ENTRA_UNREACHABLE' };
  const { aadsts, retryAfter } = answer;
  return {
    code: codeOf(answer),
    ...(aadsts === undefined ? {} : { aadsts }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
};

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
