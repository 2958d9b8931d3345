import type http from 'node:http';
import type https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type Audience, refuseForeignPages } from './foreign-pages.ts';
import type { Listening } from './listening.ts';
import { messageOf } from './message-of.ts';

const LOOPBACK = '127.0.0.1';
const HIGHEST_PORT = 65_535;
const OWN_HOST = /^(localhost|127\.0\.0\.1)(:\d{1,5})?$/;

export type Place = Audience & {
  /** 0 takes any free port. */
  readonly port: number;
  /** The environment variable that chooses the port. */
  readonly portSetting: string;
};

/** An answer with a JSON body, before it is sent. */
export type JsonAnswer = { readonly status: number; readonly body: unknown };

export class PortUnavailableError extends Error {
  override readonly name = 'PortUnavailableError';
  readonly place: Place;

  constructor(place: Place, reason: string, cause?: unknown) {
    super(
      `${place.name} cannot listen on ${LOOPBACK}:${place.port}: ${reason}. ` +
        `Set ${place.portSetting} to a free port (0 for any), for example ${place.portSetting}=${exampleOtherThan(place.port)}.`,
      { cause },
    );
    this.place = place;
  }
}

export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  readonly limitBytes: number;
  readonly receivedBytes: number;

  constructor(limitBytes: number, receivedBytes: number) {
    super(`The request body has ${receivedBytes} bytes; the maximum is ${limitBytes}.`);
    this.limitBytes = limitBytes;
    this.receivedBytes = receivedBytes;
  }
}

/** Starts the server on this machine only, never on an address that others can reach, nor for pages of others. */
export const listen = async (server: http.Server | https.Server, place: Place): Promise<Listening> => {
  if (!Number.isInteger(place.port) || place.port < 0 || place.port > HIGHEST_PORT)
    throw new PortUnavailableError(place, `a port is a whole number from 0 to ${HIGHEST_PORT}`);
  refuseForeignPages(server, place);
  // closeAllConnections() knows connections that spoke HTTP; one that stopped in the TLS handshake would hold close() up.
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    const key = connectionKey(socket);
    sockets.add(socket);
    openConnections.set(key, socket);
    socket.once('close', () => {
      sockets.delete(socket);
      if (openConnections.get(key) === socket) openConnections.delete(key);
    });
  });

  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) =>
      reject(new PortUnavailableError(place, whyUnavailable(error), error));
    server.once('error', onError);
    server.listen(place.port, LOOPBACK, () => {
      server.removeListener('error', onError);
      resolve();
    });
  });

  const { port } = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  return {
    // By address: on some machines `localhost` is [::1] first, which another process may hold.
    url: `${isTls(server) ? 'https' : 'http'}://${LOOPBACK}:${port}`,
    port,
    close: () => {
      closing ??= new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
      return closing;
    },
  };
};

/**
 * Ends the connection with a TCP reset, as a dying peer does. The socket under TLS has to be asked: a TLS socket
 * refuses `resetAndDestroy()`.
 */
export const cutConnection = (request: http.IncomingMessage): void => {
  const socket = openConnections.get(connectionKey(request.socket));
  socket?.resetAndDestroy();
  request.socket.destroy();
};

/** This server's address as the client wrote it: clients compare it with the links they are answered. */
export const originOf = (request: http.IncomingMessage): string => {
  const { host = '' } = request.headers;
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  return `${scheme}://${OWN_HOST.test(host) ? host : `${LOOPBACK}:${request.socket.localPort}`}`;
};

/** The path of a request as it was sent, without the query. */
export const pathOf = ({ url = '/' }: http.IncomingMessage): string => url.split('?', 1)[0] ?? '';

/** Reads to the end even when it is too much, so that the client gets an answer and not a broken connection. */
export const readBody = async (request: http.IncomingMessage, limitBytes: number): Promise<Buffer> => {
  let chunks: Buffer[] = [];
  let receivedBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    receivedBytes += chunk.length;
    if (receivedBytes <= limitBytes) chunks.push(chunk);
    else chunks = [];
  }
  if (receivedBytes > limitBytes) throw new BodyTooLargeError(limitBytes, receivedBytes);
  return Buffer.concat(chunks);
};

/** Ends the response with a JSON body, which nobody may cache. */
export const answerJson = (
  response: http.ServerResponse,
  status: number,
  body: unknown,
  headers: http.OutgoingHttpHeaders = {},
): void => {
  const text = Buffer.from(JSON.stringify(body));
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': text.length,
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(text);
};

/** For `createServer`: a handler may be async, and what it throws becomes an answer instead of the end of the process. */
export const answering =
  (
    handle: (request: http.IncomingMessage, response: http.ServerResponse) => Promise<void>,
  ): http.RequestListener =>
  (request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) {
        response.destroy();
        return;
      }
      const tooLarge = error instanceof BodyTooLargeError;
      const message = messageOf(error);
      answerJson(response, tooLarge ? 413 : 500, {
        error: { code: tooLarge ? 'RequestTooLarge' : 'LocalCloudError', message },
      });
    });
  };

/** The TCP sockets of every server here, by their two ports: a TLS socket has the ports of the one below it. */
const openConnections = new Map<string, Socket>();

const connectionKey = (socket: Socket) => `${socket.localPort}<${socket.remotePort}`;

const isTls = (server: http.Server | https.Server) => 'setSecureContext' in server;

const exampleOtherThan = (port: number) => (port > 0 && port < HIGHEST_PORT ? port + 1 : 18_080);

const whyUnavailable = (error: NodeJS.ErrnoException): string => {
  if (error.code === 'EADDRINUSE') return 'another process uses that port';
  if (error.code === 'EACCES') return 'this user has no permission to open that port';
  return error.message;
};
