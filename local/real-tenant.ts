import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { readSettings } from '../src/lib/settings/settings.ts';
import { SECRET_NAME } from './cloud.ts';
import type { SecretStore } from './key-vault/secret-store.ts';

/** What it takes to send through a real tenant from this machine: everything but the vault is Microsoft's. */
export type RealTenant = {
  readonly environment: Readonly<Record<string, string>>;
  readonly storeSecret: (secrets: SecretStore) => Promise<unknown>;
};

const REAL = ['ENTRA_TENANT_ID', 'ENTRA_CLIENT_ID', 'MAIL_DEFAULT_SENDER'] as const;
const OPTIONAL = ['MAIL_ALLOWED_SENDERS'] as const;
const DAY_MS = 86_400_000;

/**
 * Reads tenant, app and sender from local.settings.json, and the client secret from GRAPH_CLIENT_SECRET or the
 * terminal, where it is not shown. It is kept in the local vault only.
 */
export const readRealTenant = async (root: string): Promise<RealTenant> => {
  const file = join(root, 'local.settings.json');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Error(
      'local.settings.json is missing. Copy local.settings.example.json, and set ENTRA_TENANT_ID, ENTRA_CLIENT_ID and MAIL_DEFAULT_SENDER in the copy.',
    );
  });
  const { Values: values = {} } = JSON.parse(text) as { readonly Values?: Record<string, string> };
  readSettings(values, REAL);
  const secret = process.env.GRAPH_CLIENT_SECRET || (await askSecret());
  return {
    environment: {
      ENTRA_AUTHORITY: values.ENTRA_AUTHORITY || 'https://login.microsoftonline.com',
      GRAPH_ENDPOINT: values.GRAPH_ENDPOINT || 'https://graph.microsoft.com',
      ...Object.fromEntries([...REAL, ...OPTIONAL].map((name) => [name, values[name] ?? ''])),
    },
    storeSecret: (secrets) =>
      secrets.set(SECRET_NAME, { value: secret, expiresOn: new Date(Date.now() + DAY_MS) }, new Date()),
  };
};

const askSecret = async (): Promise<string> => {
  if (!process.stdin.isTTY)
    throw new Error('Expected the client secret in the environment variable GRAPH_CLIENT_SECRET.');
  process.stdout.write('Client secret (not shown): ');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  const secret = (await lines.question('')).trim();
  lines.close();
  process.stdout.write('\n');
  return secret;
};
