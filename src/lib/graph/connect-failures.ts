import { subscribe } from 'node:diagnostics_channel';

/**
 * Errors of connections that were never made. Node's fetch publishes each of them on this channel before it
 * rejects with the same object as its cause (undici, docs/api/DiagnosticsChannel). Should that ever change, an
 * error is merely not recognised, and the outcome of the mail counts as unknown: the safe side.
 */
const failures = new WeakSet<object>();
let listening = false;

const listen = (): void => {
  if (listening) return;
  listening = true;
  subscribe('undici:client:connectError', (message) => {
    const { error } = message as { readonly error?: unknown };
    if (typeof error === 'object' && error !== null) failures.add(error);
  });
};

/** Begins to remember failed connections; call it before the first request. */
export const watchConnections = (): void => listen();

/** True only when DNS, TCP or TLS failed before a byte of the request was written. */
export const neverConnected = (thrown: unknown): boolean =>
  thrown instanceof Error &&
  typeof thrown.cause === 'object' &&
  thrown.cause !== null &&
  failures.has(thrown.cause);
