import { TableServiceClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import {
  ATTACHMENT_CONTAINER,
  CAPTURED_CONTAINER,
  callerQueueOf,
  EVENT_QUEUE,
  HELD_CONTAINER,
  LEDGER_TABLE,
  MAIL_QUEUE,
  PAYLOAD_CONTAINER,
  poisonQueueOf,
  VAULT_EVENT_QUEUE,
  WEBHOOK_QUEUE,
} from '../src/lib/storage/storage-connection.ts';

/** Makes the queues, containers and the table that Bicep makes in Azure; what is there already stays as it is. */
export const layOutStorage = async (
  connectionString: string,
  callersWithQueues: readonly string[] = [],
): Promise<void> => {
  const read = [MAIL_QUEUE, ...callersWithQueues.map(callerQueueOf), VAULT_EVENT_QUEUE, WEBHOOK_QUEUE];
  const queueNames = [...read, ...read.map(poisonQueueOf), EVENT_QUEUE];
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  const blobs = BlobServiceClient.fromConnectionString(connectionString);
  const tables = TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true });
  await Promise.all([
    ...queueNames.map((name) => queues.getQueueClient(name).createIfNotExists()),
    ...[PAYLOAD_CONTAINER, HELD_CONTAINER, CAPTURED_CONTAINER, ATTACHMENT_CONTAINER].map((name) =>
      blobs.getContainerClient(name).createIfNotExists(),
    ),
    tables.createTable(LEDGER_TABLE),
  ]);
};
