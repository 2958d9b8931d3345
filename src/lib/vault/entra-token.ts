import type { AccessToken } from '@azure/identity';
import { AppError } from '../errors.ts';
import type { ClientSecret, SecretSource } from './key-vault.ts';
import { chooseTokenFailure, isAboutOneVersion, mayBeTheSecret, type TokenFailure } from './token-failure.ts';
import type { EntraTokenOptions, Refusal } from './token-request.ts';

export type TokenSource = {
  /** A token with at least some minutes to live. Throws an AppError that says who refused it and why. */
  readToken(): Promise<string>;
  /** Makes the next call fetch a new token: Graph refused this one. */
  forget(token: string): void;
};

/** An AppError of the token endpoint, with the wait it asked for. */
export class TokenError extends AppError {
  readonly retryAfter: string | undefined;

  constructor({ code, aadsts, retryAfter }: TokenFailure, cause: unknown) {
    super(code, { cause, ...(aadsts === undefined ? {} : { upstreamCode: `AADSTS${aadsts}` }) });
    this.retryAfter = retryAfter;
  }
}

/** A token used up to its last second can expire on the way; Entra gives 60 to 90 minutes. */
const SPARE_MS = 5 * 60_000;
/** So that neither Entra nor the vault is asked for every mail while they refuse; as long as the first back-off. */
const REFUSED_FOR_MS = 5000;

/**
 * Gives Graph tokens with the client secret. One request at a time, however many mails wait for it, and a refusal
 * holds for some seconds. When Entra refuses the secret, or the vault its newest version, the newest two valid
 * versions are tried: a rotation needs no restart, and may be ahead of Entra.
 */
export const makeTokenSource = (
  options: EntraTokenOptions,
  needs: SecretSource & { readonly now: () => Date },
): TokenSource => {
  let cached: AccessToken | undefined;
  let underWay: Promise<AccessToken> | undefined;
  let refused: { readonly error: unknown; readonly until: number } | undefined;

  const fetchToken = async (): Promise<AccessToken> => {
    // It loads the identity library, which an instance that sends nothing does not need.
    const { requestToken } = await import('./token-request.ts');
    const signal = AbortSignal.timeout(options.timeoutMs);
    const tried: { readonly secret: ClientSecret; readonly refusal: Refusal }[] = [];
    /** Undefined when it is refused, or is the same as one that was. */
    const tryWith = async (secret: ClientSecret): Promise<AccessToken | undefined> => {
      if (tried.some((one) => one.secret.value === secret.value)) return undefined;
      const answer = await requestToken(options, secret.value, signal);
      if (!('failure' in answer)) return answer;
      tried.push({ secret, refusal: answer });
      return undefined;
    };

    let failure: unknown;
    try {
      const token = await tryWith(await needs.readClientSecret(signal));
      if (token !== undefined) return token;
    } catch (error) {
      if (!isAboutOneVersion(error)) throw error;
      failure = error;
    }
    if (tried.every(({ refusal }) => mayBeTheSecret(refusal.answer))) {
      try {
        for (const version of await needs.readValidVersions(signal)) {
          const token = await tryWith(version);
          if (token !== undefined) return token;
        }
      } catch (error) {
        failure ??= error;
      }
    }
    // What Entra said outranks what the vault said: it was asked with what the vault had given.
    const chosen = chooseTokenFailure(
      tried.map(({ secret, refusal }) => ({ ...refusal, ...secret })),
      needs.now(),
    );
    throw chosen === undefined ? failure : new TokenError(chosen, chosen.cause);
  };

  const fetchOnce = async (): Promise<AccessToken> => {
    const time = needs.now().getTime();
    if (refused !== undefined && time < refused.until) throw refused.error;
    refused = undefined;
    try {
      return await fetchToken();
    } catch (error) {
      refused = { error, until: needs.now().getTime() + REFUSED_FOR_MS };
      throw error;
    }
  };

  return {
    readToken: async () => {
      if (cached !== undefined && cached.expiresOnTimestamp - SPARE_MS > needs.now().getTime())
        return cached.token;
      underWay ??= fetchOnce().finally(() => {
        underWay = undefined;
      });
      cached = await underWay;
      return cached.token;
    },
    forget: (token) => {
      if (cached?.token === token) cached = undefined;
    },
  };
};
