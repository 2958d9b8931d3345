import { BlobServiceClient, RestError } from '@azure/storage-blob';
import { z } from 'zod';

/** What the host remembers of a timer across restarts. `last` is undefined until it has run once. */
export type TimerStatus = {
  readonly last: Date | undefined;
  readonly next: Date;
  readonly lastUpdated: Date | undefined;
};

export type TimerStatusStore = {
  readonly read: (functionName: string) => Promise<TimerStatus | undefined>;
  readonly write: (functionName: string, status: TimerStatus) => Promise<void>;
};

// Where the timer extension keeps it, so that Core Tools and this host can take turns on one storage.
const CONTAINER = 'azure-webjobs-hosts';
/** The host takes this for itself in Azure; AzureWebJobsHostId is not read any more. */
export const HOST_ID = 'AzureFunctionsWebHost__hostid';
// .NET's default(DateTime): never.
export const NEVER = '0001-01-01T00:00:00+00:00';

const stored = z.object({ Last: z.string(), Next: z.string(), LastUpdated: z.string() });

/** The status of timers in blobs. */
export const openTimerStatusStore = (connectionString: string): TimerStatusStore => {
  const container = BlobServiceClient.fromConnectionString(connectionString, {
    retryOptions: { maxTries: 2, tryTimeoutInMs: 5_000, retryDelayInMs: 100 },
  }).getContainerClient(CONTAINER);
  const blobOf = (functionName: string) =>
    container.getBlockBlobClient(`timers/${HOST_ID}/Host.Functions.${functionName}/status`);

  return {
    read: async (functionName) => {
      try {
        const text = (await blobOf(functionName).downloadToBuffer()).toString('utf8');
        const { Last, Next, LastUpdated } = stored.parse(JSON.parse(text));
        return { last: toDate(Last), next: new Date(Next), lastUpdated: toDate(LastUpdated) };
      } catch (error) {
        if (error instanceof RestError && error.statusCode === 404) return undefined;
        throw error;
      }
    },
    write: async (functionName, { last, next, lastUpdated }) => {
      await container.createIfNotExists();
      const text = JSON.stringify({
        Last: last?.toISOString() ?? NEVER,
        Next: next.toISOString(),
        LastUpdated: lastUpdated?.toISOString() ?? NEVER,
      });
      await blobOf(functionName).upload(text, Buffer.byteLength(text));
    },
  };
};

const toDate = (text: string) => (text.startsWith('0001-') ? undefined : new Date(text));
