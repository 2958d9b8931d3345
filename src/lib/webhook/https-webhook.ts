import { defined } from '../defined.ts';
import { type MakeOneRequest, NeverConnected } from '../graph/one-request.ts';
import type { EventWebhooks, Webhook, WebhookReport } from '../ports.ts';

/** Teams and Slack answer within a second; a run has two more tries. */
const PATIENCE_MS = 10_000;
/** "somewhere between 15 and 30s" (Standard Webhooks, request timeouts). */
const EVENT_PATIENCE_MS = 15_000;

type Post = {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly patienceMs: number;
};

/**
 * One request that follows no redirect, because the address is the only place that the settings allow. The address can be a secret: it
 * is in no report.
 */
const postOnce = async (
  request: MakeOneRequest,
  { url, headers, text, patienceMs }: Post,
): Promise<WebhookReport> => {
  const signal = AbortSignal.timeout(patienceMs);
  try {
    const body = Buffer.from(text);
    const response = await request({
      url,
      method: 'POST',
      headers: { ...headers, 'content-length': String(body.length) },
      body,
      signal,
    });
    // Whatever it says beside its head is read by nobody.
    response.destroy();
    const retryAfter = response.headers['retry-after'];
    return { kind: 'answered', status: response.statusCode ?? 0, ...defined({ retryAfter }) };
  } catch (failure) {
    if (failure instanceof NeverConnected && failure.proxyRefusal !== undefined)
      return { kind: 'failed', reason: 'proxy' };
    return { kind: 'failed', reason: signal.aborted ? 'timeout' : 'connection' };
  }
};

/** The webhook at an address that is itself a secret. */
export const openHttpsWebhook = (
  url: string,
  request: MakeOneRequest,
  patienceMs = PATIENCE_MS,
): Webhook => ({
  post: (json) =>
    postOnce(request, { url, headers: { 'content-type': 'application/json' }, text: json, patienceMs }),
});

/** Posts events; `loopback` is for receivers on this machine, which need no TLS. */
export const openHttpsEventWebhooks = (
  request: MakeOneRequest,
  loopback: MakeOneRequest,
  patienceMs = EVENT_PATIENCE_MS,
): EventWebhooks => ({
  post: (url, headers, text) =>
    postOnce(url.startsWith('http:') ? loopback : request, { url, headers, text, patienceMs }),
});
