import { AppError } from '../errors.ts';
import type { PassedOver, SecretFacts } from '../ports.ts';
import type { TokenFailure } from './token-failure.ts';

export type TokenSource = {
  /** A token with at least some minutes to live. Throws an AppError that says who refused it and why. */
  readToken(): Promise<string>;
  /** Makes the next call fetch a new token: Graph refused this one. */
  forget(token: string): void;
};

export type ProvenTokenSource = TokenSource & {
  /** Fetches a new token now, whatever is kept, and keeps it. A failure changes nothing for mails. */
  readonly prove: () => Promise<IssuedToken>;
};

export type IssuedToken = {
  readonly token: string;
  readonly expiresOnTimestamp: number;
  /** The version that Entra accepted, where the credential is in the vault. */
  readonly version?: SecretFacts;
  readonly passedOver?: readonly PassedOver[];
};

/**
 * Gets a token by one kind of credential. `fresh` means that nothing kept of the vault may be used. Throws an AppError that says
 * who refused it and why.
 */
export type FetchToken = (asked: {
  readonly signal: AbortSignal;
  readonly fresh: boolean;
}) => Promise<IssuedToken>;

/** An AppError of the token endpoint, with the wait it asked for. */
export class TokenError extends AppError {
  readonly retryAfter: string | undefined;

  constructor({ code, aadsts, retryAfter }: TokenFailure, cause: unknown, detail?: string) {
    super(code, {
      cause,
      ...(aadsts === undefined ? {} : { upstreamCode: `AADSTS${aadsts}` }),
      ...(detail === undefined ? {} : { detail }),
    });
    this.retryAfter = retryAfter;
  }
}

/** A token used up to its last second can expire on the way; Entra gives 60 to 90 minutes. */
const SPARE_MS = 5 * 60_000;
/** So that neither Entra nor the vault is asked for every mail while they refuse; as long as the first back-off. */
const REFUSED_FOR_MS = 5000;
/**
 * A refusal that was long in coming holds longer. Emails that wait for a tenant that does not answer occupy the invocations that those of
 * other connections need: so they do for a fifth of the time at most.
 */
const HELD_FOR_EACH_WAITED = 4;
const LONGEST_REFUSED_FOR_MS = 60_000;

const holdFor = (waitedMs: number): number =>
  Math.min(Math.max(REFUSED_FOR_MS, HELD_FOR_EACH_WAITED * waitedMs), LONGEST_REFUSED_FOR_MS);

/**
 * Keeps the token of a connection. One request at a time, however many mails wait for it, and a refusal holds for some seconds.
 */
export const makeTokenSource = (
  fetchToken: FetchToken,
  { timeoutMs, now }: { readonly timeoutMs: number; readonly now: () => Date },
): ProvenTokenSource => {
  let cached: IssuedToken | undefined;
  let underWay: Promise<IssuedToken> | undefined;
  let refused: { readonly error: unknown; readonly until: number } | undefined;

  const fetchOnce = async (): Promise<IssuedToken> => {
    const time = now().getTime();
    if (refused !== undefined && time < refused.until) throw refused.error;
    try {
      return await fetchToken({ signal: AbortSignal.timeout(timeoutMs), fresh: false });
    } catch (error) {
      const ended = now().getTime();
      refused = { error, until: ended + holdFor(ended - time) };
      throw error;
    }
  };
  const keep = (token: IssuedToken): IssuedToken => {
    cached = token;
    refused = undefined;
    return token;
  };

  return {
    readToken: async () => {
      if (cached !== undefined && cached.expiresOnTimestamp - SPARE_MS > now().getTime()) return cached.token;
      underWay ??= fetchOnce()
        .then(keep)
        .finally(() => {
          underWay = undefined;
        });
      return (await underWay).token;
    },
    prove: async () => keep(await fetchToken({ signal: AbortSignal.timeout(timeoutMs), fresh: true })),
    forget: (token) => {
      if (cached?.token === token) cached = undefined;
    },
  };
};
