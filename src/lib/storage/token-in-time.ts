import type { TokenCredential } from '@azure/identity';

/** The endpoint of the identity is on the machine of the app. */
const LIMIT_MS = 10_000;

/** The identity of the app, whose own client waits as long as its endpoint says nothing, with an end as that of a connection to storage. */
export const tokenInTime = (credential: TokenCredential, limitMs = LIMIT_MS): TokenCredential => ({
  getToken: async (scopes, options) => {
    const { promise: outOfTime, reject } = Promise.withResolvers<never>();
    const signal = AbortSignal.timeout(limitMs);
    const stop = () =>
      reject(new DOMException('Expected a token of the managed identity, received nothing.', 'AbortError'));
    signal.addEventListener('abort', stop, { once: true });
    try {
      return await Promise.race([credential.getToken(scopes, options), outOfTime]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  },
});
