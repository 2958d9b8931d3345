/** What the same request may get through later, without anyone changing anything (RFC 9110, 15.5.9; RFC 6585, 4). */
const OF_TIME = new Set(['408', '429']);
/** Deep enough for an error of the network within one of an SDK within one of ours. */
const MOST_CAUSES = 6;

type Failure = {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly statusCode?: unknown;
  readonly cause?: unknown;
};

/**
 * Says that the proxy refused a connection, where that is why something failed: it wants a name and a password (407), or does not allow
 * the host (403). Its other answers say that it could not reach the host now, or has no time (408, 429), as if there were no proxy. The SDKs keep of Node's error only
 * the code and the message, which has no password in it (Node.js: ERR_PROXY_TUNNEL).
 */
export const proxyRefusalOf = (failure: unknown): string | undefined => {
  let next = failure as Failure | undefined;
  for (let depth = 0; depth < MOST_CAUSES && typeof next === 'object' && next !== null; depth += 1) {
    const [, host, status] =
      /establish tunnel to (\S+) via \S+: HTTP\/\d\.\d (4\d\d)\b/.exec(String(next.message)) ?? [];
    if (next.code === 'ERR_PROXY_TUNNEL' && status !== undefined && !OF_TIME.has(status))
      return `The proxy answered ${status} to a connection to ${host}.`;
    next = next.cause as Failure | undefined;
  }
  return undefined;
};
