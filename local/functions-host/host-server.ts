import http from 'node:http';
import { answering } from '../http.ts';
import type { InFlight } from './in-flight.ts';

type Handle = (request: http.IncomingMessage, response: http.ServerResponse, url: URL) => Promise<void>;

export type HostServer = {
  readonly server: http.Server;
  /** From now on every request is answered with 503. */
  readonly refuse: () => void;
};

/** `/` and `/admin` belong to the host, everything else to the functions; `customHeaders` of host.json to every answer. */
export const makeHostServer = (
  serveFunction: Handle,
  serveAdmin: Handle,
  inFlight: InFlight,
  customHeaders: Readonly<Record<string, string>>,
): HostServer => {
  let refusing = false;
  const handle = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const url = readUrl(request);
    for (const [name, value] of Object.entries(customHeaders)) response.setHeader(name, value);
    if (refusing || !url) {
      response.writeHead(refusing ? 503 : 400, { 'Content-Length': 0, Connection: 'close' });
      response.end();
      return;
    }
    if (url.pathname === '/') {
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end('The functions host is up.\n');
      return;
    }
    await (/^\/admin(?:\/|$)/i.test(url.pathname) ? serveAdmin : serveFunction)(request, response, url);
    if (!response.writableFinished && !response.destroyed) await untilSent(response);
  };
  return {
    server: http.createServer(answering((request, response) => inFlight.track(handle(request, response)))),
    refuse: () => {
      refusing = true;
    },
  };
};

/**
 * The URL as the client meant it, at the Host that was checked. Joined as text, because "//host/path" would otherwise name
 * another host; so would the absolute form of a request to a proxy.
 */
const readUrl = ({ url = '/', headers }: http.IncomingMessage): URL | undefined => {
  const path = url.startsWith('/') ? url : pathOf(url);
  const text = `http://${headers.host ?? '127.0.0.1'}${path ?? ''}`;
  return path !== undefined && URL.canParse(text) ? new URL(text) : undefined;
};

const pathOf = (absolute: string): string | undefined => {
  if (!URL.canParse(absolute)) return undefined;
  const { pathname, search } = new URL(absolute);
  return pathname + search;
};

const untilSent = (response: http.ServerResponse) =>
  new Promise<void>((resolve) => {
    response.once('close', resolve);
  });
