import { type AccessToken, ClientSecretCredential } from '@azure/identity';
import { AppError } from '../errors.ts';
import type { ReadClientSecret } from './key-vault.ts';
import { decideTokenFailure, type EntraAnswer, type TokenFailure } from './token-failure.ts';

export type EntraTokenOptions = {
  readonly authority: string;
  readonly tenantId: string;
  readonly clientId: string;
  /** `{graph endpoint}/.default` */
  readonly scope: string;
  readonly timeoutMs: number;
};

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

type PipelinePolicy = NonNullable<
  NonNullable<ConstructorParameters<typeof ClientSecretCredential>[3]>['additionalPolicies']
>[number]['policy'];

/**
 * Gets Graph tokens with the client secret. One request at a time, however many mails wait for it. When Entra
 * says invalid_client the secret is read again at once and, if it changed, tried once more: a rotation needs no
 * restart.
 */
export const makeTokenSource = (
  options: EntraTokenOptions,
  needs: { readonly readClientSecret: ReadClientSecret; readonly now: () => Date },
): TokenSource => {
  let cached: AccessToken | undefined;
  let underWay: Promise<AccessToken> | undefined;

  const fetchToken = async (): Promise<AccessToken> => {
    const secret = await needs.readClientSecret({ fresh: false });
    const first = await requestToken(options, secret);
    if (!('failure' in first)) return first;
    if (first.answer?.error === 'invalid_client') {
      const fresh = await needs.readClientSecret({ fresh: true });
      if (fresh !== secret) {
        const second = await requestToken(options, fresh);
        if (!('failure' in second)) return second;
        throw new TokenError(decideTokenFailure(second.answer), second.failure);
      }
    }
    throw new TokenError(decideTokenFailure(first.answer), first.failure);
  };

  return {
    readToken: async () => {
      if (cached !== undefined && cached.expiresOnTimestamp - SPARE_MS > needs.now().getTime())
        return cached.token;
      underWay ??= fetchToken().finally(() => {
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

/**
 * Asks once, and watches the wire: the errors of the identity library hide what Entra said when it said it to the
 * discovery request, so an unknown tenant looks to it like a broken network.
 */
const requestToken = async (
  { authority, tenantId, clientId, scope, timeoutMs }: EntraTokenOptions,
  secret: string,
): Promise<AccessToken | { readonly failure: unknown; readonly answer?: EntraAnswer }> => {
  let answer: EntraAnswer | undefined;
  const watch: PipelinePolicy = {
    name: 'watchEntra',
    sendRequest: async (request, next) => {
      answer = undefined;
      request.timeout = timeoutMs;
      const response = await next(request).catch((failure: unknown) => {
        if (!wasReset(failure)) throw failure;
        return next(request);
      });
      answer = {
        status: response.status,
        ...readOAuthError(response.bodyAsText),
        ...(response.headers.has('retry-after')
          ? { retryAfter: response.headers.get('retry-after') ?? '' }
          : {}),
      };
      return response;
    },
  };
  try {
    const credential = new ClientSecretCredential(tenantId, clientId, secret, {
      authorityHost: authority,
      // The authority is a setting, so there is nothing to discover; it would ask the global cloud about it.
      disableInstanceDiscovery: true,
      // The queue waits, not the function.
      retryOptions: { maxRetries: 0 },
      additionalPolicies: [{ policy: watch, position: 'perRetry' }],
    });
    return await credential.getToken(scope);
  } catch (failure) {
    return answer === undefined ? { failure } : { failure, answer };
  }
};

/** A connection kept since the last token may have been closed at this moment; asking for a token twice does no harm. */
const wasReset = (failure: unknown): boolean =>
  ['ECONNRESET', 'EPIPE'].includes((failure as { readonly code?: string }).code ?? '');

const readOAuthError = (body: string | null | undefined): Pick<EntraAnswer, 'error' | 'aadsts'> => {
  try {
    const { error, error_codes: codes } = JSON.parse(body ?? '') as {
      error?: unknown;
      error_codes?: unknown;
    };
    const aadsts: unknown = Array.isArray(codes) ? codes[0] : undefined;
    return {
      ...(typeof error === 'string' ? { error } : {}),
      ...(typeof aadsts === 'number' ? { aadsts } : {}),
    };
  } catch {
    return {};
  }
};
