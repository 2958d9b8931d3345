import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { HttpResponseInit } from '@azure/functions';
import { generate } from 'selfsigned';
import { afterAll, onTestFinished } from 'vitest';
import { STORAGE_RESOURCE, startAzurite } from '../../local/azurite.ts';
import { LOCAL_TENANT_ID } from '../../local/directory.ts';
import { makeTokenKeys } from '../../local/entra/token-keys.ts';
import { startManagedIdentity } from '../../local/managed-identity/start-managed-identity.ts';
import { layOutStorage } from '../../local/storage-layout.ts';
import { sendMailHttp } from '../../src/functions/send-mail.http.ts';
import { CLOUD_NAMES, CLOUDS, type CloudName } from '../../src/lib/connections/cloud.ts';
import { openRelay } from '../../src/relay.ts';
import { bodyOf, invocation, mailRequest } from '../functions/invocation.ts';
import { trust } from '../local/certificate-for-tests.ts';
import { type ConnectProxyOptions, startConnectProxy } from './connect-proxy.ts';
import { startMicrosoft } from './microsoft.ts';

/** The only account of Azurite. */
export const ACCOUNT = 'devstoreaccount1';
export const VAULT = 'kv-mail-relay';

/** Where Outlook of each cloud takes the files of an upload session. */
export const UPLOAD_HOSTS: Readonly<Record<CloudName, string>> = {
  global: 'outlook.office365.com',
  usgov: 'outlook.office365.us',
  dod: 'outlook-dod.office365.us',
  china: 'partner.outlook.cn',
};

const LONGEST_SLEEP_MS = 1000;
const hostOf = (url: string): string => new URL(url).hostname;

/** The names under which a cloud is reached; nothing on this machine or its network leads there, save for the proxy. */
const hostsOf = (cloud: CloudName) => {
  const { authority, graphEndpoint, vaultSuffix, storageSuffix } = CLOUDS[cloud];
  const storage = (service: string) => `${ACCOUNT}.${service}.${storageSuffix}`;
  return {
    entra: hostOf(authority),
    graph: hostOf(graphEndpoint),
    upload: UPLOAD_HOSTS[cloud],
    vault: `${VAULT}.${vaultSuffix}`,
    blob: storage('blob'),
    queue: storage('queue'),
    table: storage('table'),
  };
};

const once = <Value>(make: () => Promise<Value>): (() => Promise<Value>) => {
  let made: Promise<Value> | undefined;
  return () => (made ??= make());
};

const atEnd: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(atEnd.map((end) => end())));

/** One for all clouds: of two with the same issuer OpenSSL trusts the first alone. */
const certificateOfClouds = once(async () => {
  const certificate = await makeCertificate(CLOUD_NAMES.flatMap((cloud) => Object.values(hostsOf(cloud))));
  atEnd.push(() => rm(certificate.folder, { recursive: true }));
  return certificate;
});

/** One for all clouds: the identity library remembers for the whole process where it is. */
const managedIdentity = once(async () => {
  const now = () => new Date();
  const vaults = CLOUD_NAMES.map((cloud) => `https://${CLOUDS[cloud].vaultSuffix}`);
  const endpoint = await startManagedIdentity({
    port: 0,
    tenantId: LOCAL_TENANT_ID,
    identities: [{ clientId: 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb', systemAssigned: true }],
    resources: () => [STORAGE_RESOURCE, ...vaults],
    keys: await makeTokenKeys(now),
    now,
  });
  atEnd.push(endpoint.close);
  return endpoint;
});

const makeCertificate = async (names: readonly string[]) => {
  const folder = await mkdtemp(join(tmpdir(), 'clouds-'));
  const made = await generate([{ name: 'commonName', value: 'clouds' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() - 60_000),
    notAfterDate: new Date(Date.now() + 86_400_000),
    extensions: [
      {
        name: 'subjectAltName',
        altNames: [...names.map((value) => ({ type: 2 as const, value })), { type: 7, ip: '127.0.0.1' }],
      },
    ],
  });
  const [certificateFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await writeFile(certificateFile, made.cert);
  await writeFile(keyFile, made.private);
  trust(made.cert);
  return {
    certificateFile,
    keyFile,
    tls: { cert: made.cert, key: made.private },
    folder,
  };
};

/**
 * A cloud of Microsoft behind a forward proxy, which alone knows where its names lead; and the relay, which has only that way out. The
 * managed identity is on this machine, as in Azure.
 */
export const startBehindProxy = async (
  cloud: CloudName,
  options: Pick<ConnectProxyOptions, 'refuse'> = {},
) => {
  const hosts = hostsOf(cloud);
  const certificate = await certificateOfClouds();
  const [azurite, identity] = await Promise.all([
    startAzurite({ blobPort: 0, queuePort: 0, tablePort: 0, certificate }),
    managedIdentity(),
  ]);
  await layOutStorage(azurite.connectionString);
  const microsoft = await startMicrosoft(certificate.tls, {
    uploadHost: hosts.upload,
    vault: hosts.vault,
    storage: {
      [hosts.blob]: azurite.blobUrl,
      [hosts.queue]: azurite.queueUrl,
      [hosts.table]: azurite.tableUrl,
    },
  });
  const known = new Set<string>(Object.values(hosts));
  const proxy = await startConnectProxy({
    portOf: (host) => (known.has(host) ? microsoft.port : undefined),
    ...options,
  });

  return {
    hosts,
    microsoft,
    proxy,
    /** The environment of an app in this cloud. It names a proxy, and no host that is to be reached without it. */
    environment: {
      GRAPH_CLOUD: cloud,
      ENTRA_TENANT_ID: LOCAL_TENANT_ID,
      ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
      KEY_VAULT_URL: `https://${hosts.vault}`,
      MAIL_DEFAULT_SENDER: 'noreply@contoso.com',
      MAIL_LARGE_ATTACHMENTS: 'true',
      AzureWebJobsStorage__accountName: ACCOUNT,
      HTTPS_PROXY: proxy.url,
      ...identity.environment,
    } as Readonly<Record<string, string>>,
    close: async () => {
      await Promise.all([azurite.close(), microsoft.close(), proxy.close()]);
    },
  };
};

/** The relay as the app opens it: SDKs look for a proxy and for the managed identity in the environment of the process too. */
export const openRelayIn = (environment: Readonly<Record<string, string>>) => {
  const before = process.env;
  process.env = { ...before, ...environment };
  onTestFinished(() => {
    process.env = before;
  });
  return openRelay(
    environment,
    {
      now: () => new Date(),
      steadyNow: () => new Date(),
      random: Math.random,
      // A start of the mailbox is real, as its lane is; back-offs are not waited for.
      sleep: (ms) => wait(Math.min(ms, LONGEST_SLEEP_MS)),
      later: () => undefined,
      memoryBytes: 2_000_000_000,
      version: '0.0.0',
    },
    300,
  );
};

/** Sends an email as a caller does, and gives the answer with what was logged. */
export const post = async (
  relay: ReturnType<typeof openRelay>,
  mail: unknown,
  headers: Record<string, string> = {},
) => {
  const { context, logged } = invocation();
  const answer = (await sendMailHttp(relay.forSendMail)(
    mailRequest(mail, { headers }),
    context,
  )) as HttpResponseInit;
  return { status: answer.status, body: bodyOf(answer), logged };
};

/** Everything that the relay calls: Graph by itself and by an upload, storage in all three kinds, the vault, Entra for a token and for its keys. */
export const callEverything = async (relay: ReturnType<typeof openRelay>) => {
  const to = 'someone@fabrikam.example';
  const small = await post(relay, { to, subject: 'small', text: 'hello' });
  const file = { filename: 'report.bin', content: Buffer.alloc(3_200_000).toString('base64') };
  const large = await post(relay, { to, subject: 'large', text: 'hello', attachments: [file] });
  const later = await post(
    relay,
    { to, subject: 'later', text: 'x'.repeat(100_000) },
    { prefer: 'respond-async' },
  );
  // Its signature is of no key that Entra publishes here; to find that out, the keys are read.
  const token = `${Buffer.from('{"alg":"RS256","kid":"one"}').toString('base64url')}.e30.AA`;
  const refused = await relay
    .forIdentity(() => {})
    .appTokens.check(token)
    .catch(({ code }: { readonly code: string }) => code);
  return { small, large, later, refused };
};
