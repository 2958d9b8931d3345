import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { TlsIdentity } from '../../../local/certificate.ts';
import { trustedCertificate } from '../../local/certificate-for-tests.ts';

/** A server that answers as one test says, also what no Graph would answer; gives the requests it saw. */
export async function scriptedServer(
  answer: (request: RequestSeen, response: Response) => void,
  tls?: TlsIdentity,
) {
  const seen: RequestSeen[] = [];
  let connections = 0;
  const server = https.createServer({ ...(tls ?? (await trustedCertificate())) }, (request, response) => {
    request.resume();
    request.once('end', () => {
      const one = { method: request.method ?? '', path: request.url ?? '', headers: request.headers };
      seen.push(one);
      answer(one, response);
    });
  });
  server.on('secureConnection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    connections: () => connections,
  };
}

type RequestSeen = {
  readonly method: string;
  readonly path: string;
  readonly headers: NodeJS.Dict<string | string[]>;
};
type Response = Parameters<NonNullable<Parameters<typeof https.createServer>[1]>>[1];
