import type { TokenCredential } from '@azure/identity';
import { openLimitedNetwork, type SdkNetwork } from '../network/agents.ts';

/** Where the services of a storage account answer. */
type StorageAddresses = { readonly blob: string; readonly queue: string; readonly table: string };

/**
 * How the storage account of the app is reached: by the identity of the app, or locally by a connection string. Its token is for
 * https://storage.azure.com in every cloud: names of storage in other clouds, which SDKs of other languages had for tables, are not
 * known there (https://github.com/Azure/azure-sdk-for-go/issues/25542).
 */
export type StorageConnection = { readonly network?: SdkNetwork } & (
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | { readonly kind: 'account'; readonly addresses: StorageAddresses; readonly credential: TokenCredential }
);

/** The names that Bicep and the local cloud create. */
export const MAIL_QUEUE = 'mail';
export const POISON_QUEUE = 'mail-poison';
export const EVENT_QUEUE = 'mail-events';
/** By which the relay tells itself which events to post to webhooks. No caller can have a queue of this name. */
export const WEBHOOK_QUEUE = 'webhook-events';
/** Where Event Grid puts what the vault says of its secrets. */
export const VAULT_EVENT_QUEUE = 'vault-events';
export const LEDGER_TABLE = 'mailledger';
export const PAYLOAD_CONTAINER = 'mail-payloads';
export const HELD_CONTAINER = 'mail-held';
/** A queue of its own, into which only one caller writes. */
export const callerQueueOf = (caller: string): string => `${MAIL_QUEUE}-${caller}`;
/** Where the host puts what it gave up on (Microsoft.Azure.WebJobs.Extensions.Storage.Queues: QueueListener). */
export const poisonQueueOf = (queue: string): string => `${queue}-poison`;
/** Where a test environment keeps what it does not send. */
export const CAPTURED_CONTAINER = 'mail-captured';
/** Where applications put the files that an email names. */
export const ATTACHMENT_CONTAINER = 'mail-attachments';

/**
 * Few and short, because a caller or an invocation waits; the queue is where long waits belong. With the network's limit for silence, storage
 * that takes everything and says nothing is given up after two tries. The SDK of tables has the same policy in other words.
 */
const RETRIES = {
  maxTries: 2,
  maxRetries: 1,
  retryDelayInMs: 200,
  maxRetryDelayInMs: 1000,
  tryTimeoutInMs: 15_000,
} as const;

const DIRECT = openLimitedNetwork(undefined);

/** What every client of storage is made with. The SDKs pass the agent on, also where their types do not name it. */
export const clientOptionsOf = (connection: StorageConnection) => {
  const address =
    connection.kind === 'account' ? connection.addresses.blob : endpointIn(connection.connectionString);
  return { retryOptions: RETRIES, ...(connection.network ?? DIRECT).optionsFor(address) };
};

/** Its protocol is what counts. Azurite speaks HTTP as long as it has no certificate. */
const endpointIn = (connectionString: string): string =>
  /UseDevelopmentStorage=true|EndpointsProtocol=http(?!s)|Endpoint=http:/i.test(connectionString)
    ? 'http://storage'
    : 'https://storage';
