import type { CloudPorts } from './cloud.ts';

/** Every port of the local cloud: the environment variable that sets it, and where it is otherwise. */
const PORTS = {
  FUNCTIONS_PORT: 7071,
  INBOX_PORT: 8025,
  ENTRA_PORT: 7072,
  GRAPH_PORT: 7073,
  KEY_VAULT_PORT: 7074,
  MANAGED_IDENTITY_PORT: 7075,
  BLOB_PORT: 10000,
  QUEUE_PORT: 10001,
  TABLE_PORT: 10002,
} as const;

export type Ports = { readonly functions: number; readonly inbox: number; readonly cloud: CloudPorts };

/** Reads the ports. Throws with the names of all that are not ports. */
export function readPorts(environment: Readonly<Record<string, string | undefined>>): Ports {
  const wrong: string[] = [];
  const port = (name: keyof typeof PORTS): number => {
    const text = environment[name]?.trim();
    if (!text) return PORTS[name];
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
      keyVault: port('KEY_VAULT_PORT'),
      managedIdentity: port('MANAGED_IDENTITY_PORT'),
    },
  };
  if (wrong.length > 0)
    throw new Error(`${wrong.join(', ')}: expected a port, a whole number from 0 (any free one) to 65535.`);
  return ports;
}
