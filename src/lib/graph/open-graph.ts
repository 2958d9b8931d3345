import { lazily } from '../lazily.ts';
import type { TokenSource } from '../vault/entra-token.ts';
import type { GraphCall, GraphOptions } from './graph-call.ts';

/** Microsoft Graph; loads its client with the first request. */
export const openGraph = (options: GraphOptions, tokens: TokenSource): GraphCall => {
  const opened = lazily(async () => (await import('./graph-call.ts')).openGraph(options, tokens));
  return async (request) => (await opened())(request);
};
