import net from 'node:net';
import { afterAll } from 'vitest';

/** A port of its own before another, which can be cut off: what lies behind is then unreachable. */
export async function breakablePort(behind: string) {
  const target = new URL(behind);
  const sockets = new Set<net.Socket>();
  let broken = false;
  const server = net.createServer((near) => {
    if (broken) {
      near.resetAndDestroy();
      return;
    }
    const far = net.connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as net.AddressInfo;
  return {
    url: behind.replace(`:${target.port}`, `:${port}`),
    cut: () => {
      broken = true;
      for (const socket of sockets) socket.resetAndDestroy();
    },
    mend: () => {
      broken = false;
    },
  };
}
