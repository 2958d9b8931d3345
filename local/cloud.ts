import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { CLOUDS } from '../src/lib/connections/cloud.ts';
import type { CredentialKind } from '../src/lib/connections/connection.ts';
import { type Azurite, STORAGE_RESOURCE, startAzurite } from './azurite.ts';
import { obtainCertificate } from './certificate.ts';
import { obtainClientCertificates } from './client-certificate.ts';
import {
  contoso,
  type Directory,
  fabrikam,
  LOCAL_CLIENT_ID,
  LOCAL_SENDERS,
  LOCAL_TENANT_ID,
} from './directory.ts';
import { principalIdOf } from './entra/app-only-claims.ts';
import { startEntra } from './entra/start-entra.ts';
import { makeTokenKeys } from './entra/token-keys.ts';
import { type Graph, startGraph } from './graph/graph-server.ts';
import type { Limits } from './graph/mailbox-limits.ts';
import { type MailStore, openMailStore } from './inbox/mail-store.ts';
import { openSecretStore, type SecretStore } from './key-vault/secret-store.ts';
import { startKeyVault, VAULT_RESOURCE } from './key-vault/start-key-vault.ts';
import { startManagedIdentity } from './managed-identity/start-managed-identity.ts';
import { layOutStorage } from './storage-layout.ts';

export type CloudPorts = {
  readonly blob: number;
  readonly queue: number;
  readonly table: number;
  readonly entra: number;
  readonly graph: number;
  /** Where large files are uploaded. */
  readonly graphUpload: number;
  readonly keyVault: number;
  readonly managedIdentity: number;
};

export const ANY_PORTS: CloudPorts = {
  blob: 0,
  queue: 0,
  table: 0,
  entra: 0,
  graph: 0,
  graphUpload: 0,
  keyVault: 0,
  managedIdentity: 0,
};

export type CloudOptions = {
  /** Where everything is kept: certificate, vault, storage, sent mail. */
  readonly folder: string;
  readonly ports: CloudPorts;
  readonly now?: () => Date;
  /** What the Graph stand-in enforces; the limits of Exchange unless told otherwise. */
  readonly limits?: Partial<Limits>;
  readonly sentItemsDelayMs?: number;
  /** Over TLS, and the app is given no connection string: it asks its managed identity for tokens, as in Azure. */
  readonly storageByIdentity?: boolean;
  /** The callers that have a queue of their own. */
  readonly callersWithQueues?: readonly string[];
  /** Whether there is also Fabrikam, with its client secret in the vault of Contoso. */
  readonly withFabrikam?: boolean;
  /** What the relay proves itself with: a certificate is made only for one that uses it. */
  readonly credential?: CredentialKind;
  /** Those of Entra unless told otherwise. */
  readonly tokenLifetimeSeconds?: () => number;
  /** Changes the pretend organisation. */
  readonly directory?: (usual: Directory) => Directory;
};

export type Cloud = {
  readonly azurite: Azurite;
  readonly entra: Awaited<ReturnType<typeof startEntra>>;
  readonly graph: Graph;
  readonly keyVault: Awaited<ReturnType<typeof startKeyVault>>;
  readonly secrets: SecretStore;
  readonly mails: MailStore;
  /** The pretend organisation as it is now. */
  readonly directory: () => Directory;
  readonly changeDirectory: (change: (directory: Directory) => Directory) => void;
  /** The environment in which the app finds this cloud, exactly as it finds Azure. */
  readonly environment: Readonly<Record<string, string>>;
  readonly close: () => Promise<void>;
};

export const SECRET_NAME = 'graph-client-secret';
/** As the relay names that of a connection `fabrikam` by default. */
export const FABRIKAM_SECRET_NAME = 'graph-client-secret-fabrikam';
const YEAR_MS = 365 * 86_400_000;

/** Starts everything the relay needs around it, on this machine. */
export const startCloud = async (options: CloudOptions): Promise<Cloud> => {
  const { folder, ports, now = () => new Date() } = options;
  const running: { readonly close: () => Promise<unknown> }[] = [];
  const close = async () => {
    await Promise.all(running.map((server) => server.close()));
  };
  const keep = async <Server extends { readonly close: () => Promise<unknown> }>(
    starting: Promise<Server>,
  ): Promise<Server> => {
    const server = await starting;
    running.push(server);
    return server;
  };

  try {
    const [certificate, keys, secrets, mails] = await Promise.all([
      obtainCertificate(join(folder, 'certificate'), now()),
      makeTokenKeys(now),
      openSecretStore(join(folder, 'key-vault.json')),
      openMailStore({ folder: join(folder, 'inbox') }),
    ]);
    const { tls } = certificate;
    const { storageByIdentity = false } = options;
    // This process makes the queues and the like.
    if (storageByIdentity) setDefaultCACertificates([...getCACertificates('default'), tls.cert]);
    const secretNamed = async (name: string) =>
      (secrets.current(name) ?? (await makeSecret(secrets, name, now()))).value;
    const own = contoso(await secretNamed(SECRET_NAME), now());
    const withTenants = options.withFabrikam
      ? { ...own, furtherTenants: [fabrikam(await secretNamed(FABRIKAM_SECRET_NAME), now())] }
      : own;
    const identityClientId = randomUUID();
    let issuer = '';
    const usual = withOtherCredentials(withTenants, {
      identityClientId,
      issuer: () => issuer,
      certificates:
        options.credential === 'certificate' ? await obtainClientCertificates(secrets, now()) : [],
    });
    let directory = options.directory?.(usual) ?? usual;
    const changeDirectory: Cloud['changeDirectory'] = (change) => {
      directory = change(directory);
    };
    const identityRoles = directory.apps.find(({ clientId }) => clientId === identityClientId)?.roles ?? [];

    const graph = await keep(
      startGraph({
        tls,
        port: ports.graph,
        uploadPort: ports.graphUpload,
        uploadFolder: join(folder, 'uploads'),
        directory: () => directory,
        changeDirectory,
        verifyToken: keys.verify,
        capture: mails.capture,
        now,
        limits: options.limits,
        sentItemsDelayMs: options.sentItemsDelayMs,
        earlierMails: await allMails(mails),
      }),
    );
    const [azurite, entra, keyVault, managedIdentity] = await Promise.all([
      keep(
        startAzurite({
          folder: join(folder, 'storage'),
          blobPort: ports.blob,
          queuePort: ports.queue,
          tablePort: ports.table,
          ...(storageByIdentity ? { certificate } : {}),
        }).then(async (storage) => {
          await layOutStorage(storage.connectionString, options.callersWithQueues);
          return storage;
        }),
      ),
      keep(
        startEntra({
          tls,
          port: ports.entra,
          directory: () => directory,
          audiences: () => [graph.url],
          keys,
          now,
          ...(options.tokenLifetimeSeconds === undefined
            ? {}
            : { lifetimeSeconds: options.tokenLifetimeSeconds }),
        }).then((started) => {
          issuer = `${started.url}/${LOCAL_TENANT_ID}/v2.0`;
          return started;
        }),
      ),
      keep(
        startKeyVault({
          tls,
          port: ports.keyVault,
          secrets,
          tenantId: LOCAL_TENANT_ID,
          verifyToken: keys.verify,
          now,
        }),
      ),
      keep(
        startManagedIdentity({
          port: ports.managedIdentity,
          tenantId: LOCAL_TENANT_ID,
          identities: [{ clientId: identityClientId, roles: { [graph.url]: identityRoles } }],
          resources: () => [VAULT_RESOURCE, STORAGE_RESOURCE, graph.url],
          exchange: {
            audience: CLOUDS.global.exchangeAudience,
            authority: () => issuer.slice(0, issuer.indexOf(`/${LOCAL_TENANT_ID}`)),
          },
          keys,
          now,
        }),
      ),
    ]);

    return {
      azurite,
      entra,
      graph,
      keyVault,
      secrets,
      mails,
      directory: () => directory,
      changeDirectory,
      environment: {
        ...(storageByIdentity ? byIdentity(azurite) : { AzureWebJobsStorage: azurite.connectionString }),
        ENTRA_AUTHORITY: entra.url,
        ENTRA_TENANT_ID: LOCAL_TENANT_ID,
        ENTRA_CLIENT_ID: LOCAL_CLIENT_ID,
        GRAPH_ENDPOINT: graph.url,
        KEY_VAULT_URL: keyVault.url,
        CLIENT_SECRET_NAME: SECRET_NAME,
        AZURE_CLIENT_ID: identityClientId,
        ...LOCAL_SENDERS,
        NODE_EXTRA_CA_CERTS: certificate.certificateFile,
        ...managedIdentity.environment,
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

/** The functions host has no identity of its own: it reads a connection string that is not a setting of the app. */
const byIdentity = ({ connectionString, blobUrl, queueUrl, tableUrl }: Azurite) => ({
  FUNCTIONS_STORAGE: connectionString,
  AzureWebJobsStorage__blobServiceUri: blobUrl,
  AzureWebJobsStorage__queueServiceUri: queueUrl,
  AzureWebJobsStorage__tableServiceUri: tableUrl,
});

/** What an administrator sets up for a relay that has no client secret. */
const withOtherCredentials = (
  usual: Directory,
  relay: {
    readonly identityClientId: string;
    readonly issuer: () => string;
    readonly certificates: readonly string[];
  },
): Directory => ({
  ...usual,
  apps: [
    ...usual.apps.map((app) =>
      app.clientId === LOCAL_CLIENT_ID
        ? {
            ...app,
            certificates: relay.certificates.map((pem) => ({ pem })),
            federatedCredentials: [
              {
                // Known once Entra has its port.
                get issuer() {
                  return relay.issuer();
                },
                subject: principalIdOf(relay.identityClientId),
                audience: CLOUDS.global.exchangeAudience,
              },
            ],
          }
        : app,
    ),
    {
      clientId: relay.identityClientId,
      displayName: 'Managed identity of the relay',
      enabled: true,
      isManagedIdentity: true,
      secrets: [],
      roles: ['Mail.Send'],
      exchangeRoles: [],
    },
  ],
});

const makeSecret = (secrets: SecretStore, name: string, now: Date) =>
  secrets.set(
    name,
    { value: randomBytes(30).toString('base64url'), expiresOn: new Date(now.getTime() + YEAR_MS) },
    now,
  );

const allMails = async (mails: MailStore) => {
  const { mails: listed } = mails.list({ limit: Number.MAX_SAFE_INTEGER });
  const found = await Promise.all(listed.map(({ summary }) => mails.find(summary.ID)));
  return found.filter((mail) => mail !== undefined);
};
