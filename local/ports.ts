import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { CloudPorts } from './cloud.ts';

/** Every port of the local cloud: the environment variable that sets it, and where it is otherwise. */
export const DEFAULT_PORTS = {
  FUNCTIONS_PORT: 7071,
  INBOX_PORT: 8025,
  ENTRA_PORT: 7072,
  GRAPH_PORT: 7073,
  KEY_VAULT_PORT: 7074,
  MANAGED_IDENTITY_PORT: 7075,
  GRAPH_UPLOAD_PORT: 7076,
  BLOB_PORT: 10000,
  QUEUE_PORT: 10001,
  TABLE_PORT: 10002,
} as const;

export type Ports = { readonly functions: number; readonly inbox: number; readonly cloud: CloudPorts };

export class PortsWrongError extends Error {
  override readonly name = 'PortsWrongError';
}

/** Reads the ports. Throws a PortsWrongError with the names of all that are not ports. */
export const readPorts = (environment: Readonly<Record<string, string | undefined>>): Ports => {
  const wrong: string[] = [];
  const port = (name: keyof typeof DEFAULT_PORTS): number => {
    const text = environment[name]?.trim();
    if (!text) return DEFAULT_PORTS[name];
    const number = Number(text);
    if (!/^\d+$/.test(text) || number > 65_535) wrong.push(name);
    return number;
  };
  const ports = {
    functions: port('FUNCTIONS_PORT'),
    inbox: port('INBOX_PORT'),
    cloud: {
      blob: port('BLOB_PORT'),
      queue: port('QUEUE_PORT'),
      table: port('TABLE_PORT'),
      entra: port('ENTRA_PORT'),
      graph: port('GRAPH_PORT'),
      graphUpload: port('GRAPH_UPLOAD_PORT'),
      keyVault: port('KEY_VAULT_PORT'),
      managedIdentity: port('MANAGED_IDENTITY_PORT'),
    },
  };
  if (wrong.length > 0)
    throw new PortsWrongError(
      `${wrong.join(', ')}: expected a port, a whole number from 0 (0 for any free port) to 65535.`,
    );
  return ports;
};

/** Which of the ports are taken, with what they are for: all of them, so that one start is enough to learn it. */
export const findTakenPorts = async (
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> => {
  const open: Server[] = [];
  const taken: string[] = [];
  for (const name of Object.keys(DEFAULT_PORTS) as (keyof typeof DEFAULT_PORTS)[]) {
    const port = Number(environment[name]?.trim() || DEFAULT_PORTS[name]);
    if (port === 0) continue;
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
      // Held until all were tried, so that two services with one port are found too.
      open.push(server);
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code === 'EADDRINUSE' ? 'is in use' : 'cannot be opened';
      taken.push(`Port ${port} ${why}. Set ${name} to a free port (0 for any).`);
    }
  }
  await Promise.all(open.map((server) => once(server.close(), 'close')));
  return taken;
};
