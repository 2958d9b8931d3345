import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

export type ConnectProxyOptions = {
  /** Only the proxy knows where a name leads: the port on this machine; undefined for a name that there is none of. */
  readonly portOf: (host: string) => number | undefined;
  /** What it answers instead of a tunnel. */
  readonly refuse?: (host: string, headers: http.IncomingHttpHeaders) => number | 'cut' | undefined;
};

/** A forward proxy that makes tunnels and nothing else, and says for which hosts it was asked. */
export const startConnectProxy = async ({ portOf, refuse }: ConnectProxyOptions) => {
  const asked: string[] = [];
  const plain: string[] = [];
  const open = new Set<Duplex>();
  const server = http.createServer((request, response) => {
    plain.push(request.url ?? '');
    response.writeHead(502).end();
  });
  server.on('connection', (socket) => open.add(socket.once('close', () => open.delete(socket))));
  server.on('connect', (request, socket, head) => {
    const target = request.url ?? '';
    asked.push(target);
    socket.on('error', () => {});
    const host = target.replace(/:443$/, '');
    const refused = refuse?.(host, request.headers);
    const port = portOf(host);
    if (refused === 'cut') return void socket.destroy();
    if (refused !== undefined || port === undefined) {
      const status = refused ?? 502;
      return void socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\ncontent-length: 0\r\n\r\n`);
    }
    const behind = net.connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      behind.write(head);
      socket.pipe(behind).pipe(socket);
    });
    behind.on('error', () => socket.destroy());
    socket.once('close', () => behind.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** Every `CONNECT`, as it was written: host and port. */
    asked,
    /** Hosts, each once. */
    hosts: (): readonly string[] => [...new Set(asked.map((one) => one.replace(/:443$/, '')))].sort(),
    /** Requests that were not for a tunnel: plain HTTP, of which the relay sends none through a proxy. */
    plain,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
