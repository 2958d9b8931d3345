import type { TokenCredential } from '@azure/identity';

/** How the storage account of the app is reached: by the identity of the app, or locally by a connection string. */
export type StorageConnection =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | { readonly kind: 'account'; readonly accountName: string; readonly credential: TokenCredential };

/** The names that Bicep and the local cloud create. */
export const MAIL_QUEUE = 'mail';
export const POISON_QUEUE = 'mail-poison';
export const EVENT_QUEUE = 'mail-events';
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

/** Short, because a caller or an invocation waits; the queue is where long waits belong. */
export const STORAGE_RETRIES = {
  retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 1000, tryTimeoutInMs: 15_000 },
} as const;
