import http from 'node:http';
import net, { type AddressInfo } from 'node:net';

/** The HTTP server inside the app that takes streamed requests, each under the id of its invocation. */
export type WorkerProxy = {
  readonly port: number;
  /** Resolves when the app has received the head of the request of this invocation. */
  readonly received: (invocationId: string) => Promise<void>;
  /** Whether the app has begun to answer the request of this invocation. */
  readonly hasAnswered: (invocationId: string) => boolean;
  readonly close: () => Promise<void>;
};

export const INVOCATION_ID_HEADER = 'x-ms-invocation-id';

/**
 * Asks the app for its capabilities. One that turned streaming on (`app.setup({ enableHttpStream: true })`) answers with
 * `HttpUri`, the server that the library has just started on every address of the machine; here it is kept on this one.
 */
export const openWorkerProxy = async (
  askCapabilities: () => Promise<Record<string, string>> | undefined,
): Promise<WorkerProxy | undefined> => {
  const { asking, server } = listeningOnLoopback(askCapabilities);
  const capabilities = await asking;
  if (!capabilities?.HttpUri || server === undefined) return undefined;

  const answers = new Map<string, http.ServerResponse>();
  const awaited = new Map<string, () => void>();
  server.on('request', (request: http.IncomingMessage, response: http.ServerResponse) => {
    const id = String(request.headers[INVOCATION_ID_HEADER]);
    answers.set(id, response);
    awaited.get(id)?.();
    awaited.delete(id);
    response.once('close', () => answers.delete(id));
  });
  return {
    port: (server.address() as AddressInfo).port,
    received: (id) => new Promise((resolve) => awaited.set(id, resolve)),
    hasAnswered: (id) => answers.get(id)?.headersSent ?? true,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** The library's `server.listen(callback)` runs before its first await, so nothing else is touched. */
const listeningOnLoopback = <T>(
  start: () => T,
): { readonly asking: T; readonly server: http.Server | undefined } => {
  const prototype = net.Server.prototype;
  const listen = prototype.listen;
  let server: http.Server | undefined;
  prototype.listen = function (this: net.Server, ...given: unknown[]) {
    if (this instanceof http.Server) server = this;
    const callback = given.findLast((one) => typeof one === 'function') as (() => void) | undefined;
    return listen.call(this, { port: 0, host: '127.0.0.1' }, callback);
  } as typeof listen;
  try {
    const asking = start();
    return { asking, server };
  } finally {
    prototype.listen = listen;
  }
};
