import { mkdirSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { refuseForeignPages } from './foreign-pages.ts';
import { listen, PortUnavailableError } from './http.ts';
import { messageOf } from './message-of.ts';

export type AzuriteOptions = {
  /** Where the data survives a restart; without it everything stays in memory. */
  readonly folder?: string;
  /** 0 takes any free port. */
  readonly blobPort: number;
  readonly queuePort: number;
  readonly tablePort: number;
  /** With it, HTTPS, and tokens of an identity beside the key of the account. */
  readonly certificate?: { readonly certificateFile: string; readonly keyFile: string };
  /** The environment variables that choose the ports, for the error when one is taken. */
  readonly portSettings?: { readonly blob: string; readonly queue: string; readonly table: string };
};

export type Azurite = {
  readonly connectionString: string;
  readonly blobUrl: string;
  readonly queueUrl: string;
  readonly tableUrl: string;
  /** Writes what is still in memory, then stops. */
  readonly close: () => Promise<void>;
};

/** What tokens for storage are issued for, in every cloud: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory */
export const STORAGE_RESOURCE = 'https://storage.azure.com';

const LOOPBACK = '127.0.0.1';
// The account that every storage emulator has, and whose key is public.
// https://learn.microsoft.com/azure/storage/common/storage-use-azurite#well-known-storage-account-and-key
const ACCOUNT = 'devstoreaccount1';
const ACCOUNT_KEY =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const PORT_SETTINGS = { blob: 'BLOB_PORT', queue: 'QUEUE_PORT', table: 'TABLE_PORT' };

/** Azurite inside this process: it starts in a fraction of the time its command line takes. */
export const startAzurite = async (options: AzuriteOptions): Promise<Azurite> => {
  const { folder, portSettings = PORT_SETTINGS } = options;
  const places = {
    blob: { name: 'Blob storage (Azurite)', port: options.blobPort, portSetting: portSettings.blob },
    queue: { name: 'Queue storage (Azurite)', port: options.queuePort, portSetting: portSettings.queue },
    table: { name: 'Table storage (Azurite)', port: options.tablePort, portSetting: portSettings.table },
  };
  // An Azurite server that fails to listen cannot be closed again and would keep the process alive.
  for (const place of Object.values(places))
    if (place.port !== 0) await (await listen(http.createServer(), place)).close();

  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const servers = createServers(loadAzurite(), options);
  // The account key is public, so a page could sign its requests.
  for (const [kind, { httpServer }] of Object.entries(servers))
    refuseForeignPages(httpServer, { name: places[kind as keyof typeof places].name, anyPort: true });
  const started = await Promise.allSettled(Object.values(servers).map((server) => server.start()));
  const failure = started.find((result) => result.status === 'rejected');
  const close = async () => {
    await Promise.all(
      Object.values(servers).map((server) => (server.getStatus() === 'Running' ? server.close() : undefined)),
    );
  };
  if (failure) {
    await close();
    const place = Object.values(places)[started.indexOf(failure)] ?? places.blob;
    throw new PortUnavailableError(place, messageOf(failure.reason), failure.reason);
  }

  const url = (server: AzuriteServer) => `${server.getHttpServerAddress()}/${ACCOUNT}`;
  const [blobUrl, queueUrl, tableUrl] = [url(servers.blob), url(servers.queue), url(servers.table)];
  let closing: Promise<void> | undefined;
  return {
    connectionString: [
      `DefaultEndpointsProtocol=${options.certificate === undefined ? 'http' : 'https'}`,
      `AccountName=${ACCOUNT}`,
      `AccountKey=${ACCOUNT_KEY}`,
      `BlobEndpoint=${blobUrl}`,
      `QueueEndpoint=${queueUrl}`,
      `TableEndpoint=${tableUrl}`,
    ].join(';'),
    blobUrl,
    queueUrl,
    tableUrl,
    close: () => (closing ??= close()),
  };
};

type AzuriteServer = {
  readonly httpServer: http.Server;
  readonly start: () => Promise<void>;
  readonly close: () => Promise<void>;
  readonly getStatus: () => string;
  readonly getHttpServerAddress: () => string;
};

/** A class with a positional constructor, as compiled by TypeScript. */
type Exported<T> = { readonly default: new (...args: unknown[]) => T };

type AzuriteService = {
  readonly server: Exported<AzuriteServer>;
  readonly configuration: Exported<object>;
};

type AzuriteClasses = {
  readonly blob: AzuriteService;
  readonly queue: AzuriteService;
  readonly table: AzuriteService;
  readonly memory: { readonly MemoryExtentChunkStore: new () => object };
};

/**
 * Azurite publishes no API to start it from code; these are its inner classes, as of the version pinned in package-lock.json.
 * Its telemetry library is four fifths of its loading time and must send nothing: an empty module stands in for it.
 */
const loadAzurite = (): AzuriteClasses => {
  const require = createRequire(import.meta.url);
  const azuriteRequire = createRequire(require.resolve('azurite/package.json'));
  const telemetry = azuriteRequire.resolve('applicationinsights');
  const before = require.cache[telemetry];
  require.cache[telemetry] = { ...makeModule(telemetry), exports: {} };
  try {
    const load = (path: string) => azuriteRequire(`./dist/src/${path}`);
    return {
      blob: { server: load('blob/BlobServer'), configuration: load('blob/BlobConfiguration') },
      queue: { server: load('queue/QueueServer'), configuration: load('queue/QueueConfiguration') },
      table: { server: load('table/TableServer'), configuration: load('table/TableConfiguration') },
      memory: load('common/persistence/MemoryExtentStore'),
    };
  } finally {
    if (before) require.cache[telemetry] = before;
    else delete require.cache[telemetry];
  }
};

const makeModule = (id: string): NodeJS.Module => ({
  id,
  filename: id,
  path: id,
  loaded: true,
  exports: {},
  children: [],
  paths: [],
  parent: undefined,
  isPreloading: false,
  require: createRequire(import.meta.url),
});

const createServers = ({ blob, queue, table, memory }: AzuriteClasses, options: AzuriteOptions) => {
  const { folder } = options;
  const inMemory = folder === undefined;
  const file = (name: string) => (folder === undefined ? name : join(folder, name));
  // Arguments go by position. First the logs, off: access, its stream, debug, its file; tables have another order.
  const noLogs = [false, undefined, false, undefined] as const;
  const noTableLogs = [false, false, undefined, undefined] as const;
  // Not loose, API versions not checked; certificate, key, no password, OAuth; product-style URLs left on.
  const { certificateFile = '', keyFile = '' } = options.certificate ?? {};
  const oauth = options.certificate === undefined ? undefined : 'basic';
  const rest = [false, true, certificateFile, keyFile, '', oauth, false] as const;
  const KEEP_ALIVE_SECONDS = 5;
  const withExtents = ({ server, configuration }: AzuriteService, name: 'blob' | 'queue', port: number) =>
    new server.default(
      new configuration.default(
        LOOPBACK,
        port,
        KEEP_ALIVE_SECONDS,
        file(`${name}s.json`),
        file(`${name}-extents.json`),
        [{ locationId: 'Default', locationPath: file(`${name}-extents`), maxConcurrency: 50 }],
        ...noLogs,
        ...rest,
        inMemory,
        new memory.MemoryExtentChunkStore(),
      ),
    );
  const { server, configuration } = table;
  return {
    blob: withExtents(blob, 'blob', options.blobPort),
    queue: withExtents(queue, 'queue', options.queuePort),
    table: new server.default(
      new configuration.default(
        LOOPBACK,
        options.tablePort,
        KEEP_ALIVE_SECONDS,
        file('tables.json'),
        ...noTableLogs,
        ...rest,
        inMemory,
      ),
    ),
  };
};
