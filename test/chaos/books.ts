import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import type { MailStore } from '../../local/inbox/mail-store.ts';
import type { HeldRecord } from '../../src/lib/ledger/held-record.ts';
import { type LedgerRow, type MailState, OPEN_STATES } from '../../src/lib/ledger/ledger-row.ts';
import { RELAY_ID_PROPERTY } from '../../src/lib/sending/json-message.ts';
import { openLedgerTable } from '../../src/lib/storage/ledger-table.ts';
import {
  HELD_CONTAINER,
  LEDGER_TABLE,
  MAIL_QUEUE,
  PAYLOAD_CONTAINER,
  POISON_QUEUE,
} from '../../src/lib/storage/storage-connection.ts';

const STATES = ['queued', 'sending', 'deferred', 'unknown', 'sent', 'rejected', 'held', 'closed'] as const;
/** What of a mail is compared with what arrived. */
export type WrittenMail = {
  readonly subject: string;
  readonly text: string;
  readonly to: string;
  readonly attachments: readonly { readonly filename: string; readonly content: string }[];
};

/** Later than anything a run writes. */
/** What storage and Graph say of a run, read past the doors where requests are lost. */
export const openBooks = (connectionString: string, mails: MailStore) => {
  const ledger = openLedgerTable({ kind: 'connection-string', connectionString });
  const table = TableClient.fromConnectionString(connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  const blobs = BlobServiceClient.fromConnectionString(connectionString);

  const rows = async (states: readonly MailState[] = STATES): Promise<readonly LedgerRow[]> => {
    const found: LedgerRow[] = [];
    const filter = "PartitionKey lt 'relay'";
    for await (const { rowKey, state } of table.listEntities<{ state?: string }>({
      queryOptions: { filter },
    })) {
      if (state === undefined || !(states as readonly string[]).includes(state)) continue;
      const entry = await ledger.find(rowKey ?? '');
      if (entry !== undefined) found.push(entry.row);
    }
    return found;
  };
  const messages = async (): Promise<number> => {
    const counts = await Promise.all(
      [MAIL_QUEUE, POISON_QUEUE].map((name) => queues.getQueueClient(name).getProperties()),
    );
    return counts.reduce((sum, { approximateMessagesCount }) => sum + (approximateMessagesCount ?? 0), 0);
  };

  return {
    rows,
    messages,
    /** Mails that are still on their way. */
    open: async (): Promise<number> => (await rows(OPEN_STATES)).length,
    payloads: async (): Promise<readonly string[]> => {
      const names: string[] = [];
      for await (const { name } of blobs.getContainerClient(PAYLOAD_CONTAINER).listBlobsFlat())
        names.push(name);
      return names;
    },
    record: async (name: string): Promise<HeldRecord> => {
      const blob = blobs.getContainerClient(HELD_CONTAINER).getBlobClient(name);
      return JSON.parse((await blob.downloadToBuffer()).toString('utf8')) as HeldRecord;
    },
    /** How often Graph accepted each mail, by the id in the property that every mail carries. */
    copies: async (): Promise<ReadonlyMap<string, number>> => {
      const counts = new Map<string, number>();
      for (const { summary } of mails.list().mails) {
        const properties = (await mails.find(summary.ID))?.request.body.message.singleValueExtendedProperties;
        const mailId = properties?.find(({ id }) => id === RELAY_ID_PROPERTY)?.value ?? 'without an id';
        counts.set(mailId, (counts.get(mailId) ?? 0) + 1);
      }
      return counts;
    },
    /** The subjects of mails that Graph got otherwise than their applications wrote them; a subject is a mail. */
    damaged: async (given: readonly WrittenMail[]): Promise<readonly string[]> => {
      const written = new Map(
        given.map(({ subject, text, to, attachments }) => [
          subject,
          JSON.stringify([text, to, ...filesOf(attachments)]),
        ]),
      );
      const damaged: string[] = [];
      for (const { summary } of mails.list().mails) {
        const message = (await mails.find(summary.ID))?.request.body.message;
        const to = message?.toRecipients?.map(({ emailAddress }) => emailAddress.address).join(', ');
        const files = message?.attachments?.map(({ name, contentBytes }) => `${name} ${contentBytes}`) ?? [];
        if (written.get(message?.subject ?? '') !== JSON.stringify([message?.body?.content, to, ...files]))
          damaged.push(summary.Subject);
      }
      return damaged;
    },
  };
};

const filesOf = (attachments: WrittenMail['attachments']): readonly string[] =>
  attachments.map(({ filename, content }) => `${filename} ${content}`);
