import { type GraphCall, type GraphOptions, openGraph } from '../../../src/lib/graph/graph-call.ts';
import type { TokenSource } from '../../../src/lib/vault/entra-token.ts';
import { tokenWith } from '../../local/graph/graph-for-tests.ts';

export const MAILBOX = 'noreply@contoso.example';
export const SEND_MAIL = `/users/${encodeURIComponent(MAILBOX)}/sendMail`;

export type CallForTests = GraphCall & { readonly forgotten: readonly string[] };

/** Graph's client on an endpoint, with a token that is good for the stand-in; tells which tokens were given up. */
export const graphCall = (
  endpoint: string,
  {
    timeoutMs = 60_000,
    readToken = () => tokenWith(),
    ...rest
  }: Partial<GraphOptions> & { readonly readToken?: TokenSource['readToken'] } = {},
): CallForTests => {
  const forgotten: string[] = [];
  const tokens: TokenSource = { readToken, forget: (token) => void forgotten.push(token) };
  return Object.assign(openGraph({ endpoint, timeoutMs, ...rest }, tokens), { forgotten });
};
