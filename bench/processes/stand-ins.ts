import { ANY_PORTS, SECRET_NAME, startCloud } from '../../local/cloud.ts';
import type { Directory } from '../../local/directory.ts';
import { serveParent } from './serve-parent.ts';

/** Entra, Graph and Key Vault in a process of their own, so that the load generator does not slow them down. */
export type StandInsSaid = {
  readonly environment: Readonly<Record<string, string>>;
  readonly clientSecret: string;
};

const [folder = '', mailboxes = ''] = process.argv.slice(2);

const withMailboxes = (usual: Directory): Directory => ({
  ...usual,
  // Sections about drafts need the second; the relay uses it only where a setting says so.
  apps: usual.apps.map((app) => ({ ...app, roles: [...app.roles, 'Mail.ReadWrite'] })),
  mailboxes: [
    ...usual.mailboxes,
    ...mailboxes.split(',').map((address) => ({
      address,
      displayName: address,
      proxyAddresses: [],
      sendAs: [],
      licensed: true,
    })),
  ],
});

await serveParent(async () => {
  const cloud = await startCloud({ folder, ports: ANY_PORTS, directory: withMailboxes });
  const clientSecret = cloud.secrets.current(SECRET_NAME)?.value ?? '';
  const said: StandInsSaid = { environment: cloud.environment, clientSecret };
  return { said, close: cloud.close };
});
