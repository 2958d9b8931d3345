import type { MakeOneRequest } from '../graph/one-request.ts';
import type { Webhook } from '../ports.ts';

/** Teams and Slack answer within a second; a run has two more tries. */
const PATIENCE_MS = 10_000;

/**
 * The webhook at an address, which is itself a secret: it is in no report. Each post is one request that follows no redirect, because
 * the address is the only place that the settings allow.
 */
export const openHttpsWebhook = (
  url: string,
  request: MakeOneRequest,
  patienceMs = PATIENCE_MS,
): Webhook => ({
  post: async (json) => {
    const signal = AbortSignal.timeout(patienceMs);
    try {
      const body = Buffer.from(json);
      const response = await request({
        url,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': String(body.length) },
        body,
        signal,
      });
      // Whatever it says beside its status is read by nobody.
      response.destroy();
      return { kind: 'answered', status: response.statusCode ?? 0 };
    } catch {
      return { kind: 'failed', reason: signal.aborted ? 'timeout' : 'connection' };
    }
  },
});
