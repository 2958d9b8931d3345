import type http from 'node:http';
import type https from 'node:https';
import type { TLSSocket } from 'node:tls';

/** What a request says of where it comes from. Browsers write these headers; a page cannot change them. */
export type Asker = {
  readonly method: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** Sec-Fetch-Site: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header */
  readonly site: string | undefined;
};

export type Asked = Audience & { readonly scheme: 'http' | 'https'; readonly port: number };

export type Audience = {
  /** What the service is called in the refusal. */
  readonly name: string;
  /** Other pages may link to it and embed what it shows, as no browser lets them read it. */
  readonly mayBeLookedAt?: boolean;
  /** Reached through a forwarded port too, whose number stands in `Host`. */
  readonly anyPort?: boolean;
  /** Further names, in lower case, that its owner has given it: of a container, for example. */
  readonly hostNames?: readonly string[];
  /**
   * The one other origin under which a tunnel shows it (`https://...`). A tunnel passes this name on as `Host`, or writes
   * localhost into `Host` and `Origin` instead, with a scheme of its choice.
   */
  readonly forwardedAs?: string | undefined;
};

const OWN_NAMES = ['localhost', '127.0.0.1', '[::1]'];
const AUTHORITY = /^([a-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?$/;
const DEFAULT_PORTS = { http: 80, https: 443 };
const METHODS_THAT_ONLY_LOOK = new Set(['GET', 'HEAD']);

/**
 * Why this request is not answered; undefined when it may be. Any web page can send requests to this machine, and the keys
 * here are known. A name that was made to point to 127.0.0.1 (DNS rebinding) shows in `Host`; a page of another origin in
 * `Origin` and `Sec-Fetch-Site`. Programs send neither of these two.
 */
export const whyForeign = ({ method, host = '', origin, site }: Asker, asked: Asked): string | undefined => {
  const { name, scheme, port, mayBeLookedAt, anyPort, hostNames = [], forwardedAs } = asked;
  const [, hostName = '', hostPort = DEFAULT_PORTS[scheme]] = AUTHORITY.exec(host.toLowerCase()) ?? [];
  const isForwarded = forwardedAs !== undefined && `https://${host.toLowerCase()}` === forwardedAs;
  const names = [...OWN_NAMES, ...hostNames];
  if (!isForwarded && (!names.includes(hostName) || !(anyPort || Number(hostPort) === port)))
    return `${name} accepts only the Host ${names.map((own) => `${own}:${port}`).join(', ')}, received ${JSON.stringify(host)}. Use one of these addresses.`;

  const ownOrigins = [
    `${scheme}://${host.toLowerCase()}`,
    ...(forwardedAs === undefined ? [] : [forwardedAs, `https://${host.toLowerCase()}`]),
  ];
  const own = origin === undefined || ownOrigins.includes(origin.toLowerCase());
  const near = site === undefined || site === 'same-origin' || site === 'none';
  if (own && near) return undefined;
  // The frame of a mail has no origin; its images are asked for with `null`.
  if (mayBeLookedAt && METHODS_THAT_ONLY_LOOK.has(method) && (own || origin === 'null')) return undefined;
  return (
    `${name} accepts requests from programs, not from web pages. ` +
    `This request is from ${origin === undefined || own ? 'a page of another site' : JSON.stringify(origin)}. ` +
    'Send it from the server side of your application, which can keep the key secret.'
  );
};

/** Puts the refusal in front of everything the server would answer. */
export const refuseForeignPages = (server: http.Server | https.Server, audience: Audience): void => {
  const answer = server.listeners('request') as http.RequestListener[];
  server.removeAllListeners('request');
  server.on('request', (request, response) => {
    const { headers, method = '', socket } = request;
    const site = headers['sec-fetch-site'];
    const reason = whyForeign(
      { method, host: headers.host, origin: headers.origin, site: Array.isArray(site) ? site[0] : site },
      {
        ...audience,
        scheme: (socket as Partial<TLSSocket>).encrypted ? 'https' : 'http',
        port: socket.localPort ?? 0,
      },
    );
    if (reason !== undefined) return refuse(request, response, reason);
    for (const listener of answer) listener.call(server, request, response);
  });
};

const refuse = (request: http.IncomingMessage, response: http.ServerResponse, message: string): void => {
  const body = JSON.stringify({ error: { code: 'FOREIGN_PAGE', message } });
  request.resume();
  response.writeHead(403, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'X-Content-Type-Options': 'nosniff',
    Connection: 'close',
  });
  response.end(body);
};
