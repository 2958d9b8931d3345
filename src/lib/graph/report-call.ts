import { defined } from '../defined.ts';
import { AppError } from '../errors.ts';
import type { SendReport } from '../sending/send-outcome.ts';
import { TokenError } from '../vault/entra-token.ts';
import type { GraphAnswer, GraphCall, GraphRequest } from './graph-call.ts';

type NoToken = Extract<SendReport, { readonly kind: 'no-token' }>;

/** What came of a request, also where no token could be had for it. */
export type GraphReport = GraphAnswer | NoToken;

/** Makes one request and reports what was observed. */
export const reportCall = async (call: GraphCall, request: GraphRequest): Promise<GraphReport> => {
  try {
    return await call(request);
  } catch (thrown) {
    return noToken(thrown);
  }
};

const noToken = (thrown: unknown): NoToken => {
  if (!(thrown instanceof AppError)) throw thrown;
  const retryAfter = thrown instanceof TokenError ? thrown.retryAfter : undefined;
  const { upstreamCode } = thrown.facts;
  return {
    kind: 'no-token',
    code: thrown.code,
    ...defined({ upstreamCode, retryAfter }),
  };
};
