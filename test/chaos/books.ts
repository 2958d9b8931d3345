import { TableClient } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import { QueueServiceClient } from '@azure/storage-queue';
import { readAttachment } from '../../local/inbox/attachment-content.ts';
import type { MailStore } from '../../local/inbox/mail-store.ts';
import type { CapturedMail } from '../../src/lib/inbox/captured-mail.ts';
import type { HeldRecord } from '../../src/lib/ledger/held-record.ts';
import { type LedgerRow, type MailState, OPEN_STATES } from '../../src/lib/ledger/ledger-row.ts';
import { RELAY_ID_HEADER } from '../../src/lib/sending/compose-mime.ts';
import { RELAY_ID_PROPERTY } from '../../src/lib/sending/json-message.ts';
import { openLedgerTable } from '../../src/lib/storage/ledger-table.ts';
import {
  callerQueueOf,
  HELD_CONTAINER,
  LEDGER_TABLE,
  MAIL_QUEUE,
  PAYLOAD_CONTAINER,
  POISON_QUEUE,
  poisonQueueOf,
} from '../../src/lib/storage/storage-connection.ts';

import { comparableOf, toComparable, type WrittenMail } from './content.ts';
import { TWO_WAYS } from './declared-callers.ts';
import { inParallel } from './in-parallel.ts';

const STATES = [
  'queued',
  'sending',
  'deferred',
  'unknown',
  'sent',
  'rejected',
  'held',
  'closed',
  'canceled',
] as const;
const OWN_QUEUE = callerQueueOf(TWO_WAYS);

/** How often Graph accepted a mail, and when first. */
export type Copies = { readonly count: number; readonly firstAtMs: number };

/** What storage and Graph say of a run, read past the doors where requests are lost. */
export const openBooks = (connectionString: string, mails: MailStore) => {
  const ledger = openLedgerTable({ kind: 'connection-string', connectionString });
  const table = TableClient.fromConnectionString(connectionString, LEDGER_TABLE, {
    allowInsecureConnection: true,
  });
  const queues = QueueServiceClient.fromConnectionString(connectionString);
  const blobs = BlobServiceClient.fromConnectionString(connectionString);

  /** The ids of the mails in these states; storage chooses, as a table has ten entities for each mail. */
  const idsIn = async (states: readonly MailState[]): Promise<readonly string[]> => {
    const filter = `(${states.map((state) => `state eq '${state}'`).join(' or ')}) and PartitionKey lt 'relay'`;
    const ids: string[] = [];
    for await (const { rowKey } of table.listEntities({ queryOptions: { filter, select: ['RowKey'] } }))
      if (rowKey !== undefined) ids.push(rowKey);
    return ids;
  };
  const rows = async (): Promise<readonly LedgerRow[]> => {
    const found = await inParallel(await idsIn(STATES), (id) => ledger.find(id));
    return found.flatMap((entry) => entry?.row ?? []);
  };
  const messages = async (): Promise<number> => {
    const counts = await Promise.all(
      [MAIL_QUEUE, POISON_QUEUE, OWN_QUEUE, poisonQueueOf(OWN_QUEUE)].map((name) =>
        queues.getQueueClient(name).getProperties(),
      ),
    );
    return counts.reduce((sum, { approximateMessagesCount }) => sum + (approximateMessagesCount ?? 0), 0);
  };

  return {
    rows,
    messages,
    /** Mails that are still on their way. */
    open: async (): Promise<number> => (await idsIn(OPEN_STATES)).length,
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
    /** What Graph accepted of each mail, by the id that every mail carries. */
    copies: async (): Promise<ReadonlyMap<string, Copies>> => {
      const found = new Map<string, Copies>();
      for (const { summary } of mails.list().mails) {
        const mail = await mails.find(summary.ID);
        if (mail === undefined) continue;
        const mailId = relayIdOf(mail) ?? 'without an id';
        const { count, firstAtMs } = found.get(mailId) ?? { count: 0, firstAtMs: Number.POSITIVE_INFINITY };
        found.set(mailId, {
          count: count + 1,
          firstAtMs: Math.min(firstAtMs, Date.parse(mail.acceptedAt)),
        });
      }
      return found;
    },
    /** How many mails Graph accepted in which form. */
    forms: async (): Promise<ReadonlyMap<string, number>> => {
      const counts = new Map<string, number>();
      for (const { summary } of mails.list().mails) {
        const { via = 'json', mime } = (await mails.find(summary.ID)) ?? {};
        const form = via === 'draft' && mime !== undefined ? 'draft, from MIME' : via;
        counts.set(form, (counts.get(form) ?? 0) + 1);
      }
      return counts;
    },
    /** The subjects of mails that Graph got otherwise than their applications wrote them; a subject is a mail. */
    damaged: async (given: readonly WrittenMail[]): Promise<readonly string[]> => {
      const written = new Map(given.map((mail) => [mail.subject, comparableOf(mail)]));
      const damaged: string[] = [];
      for (const { summary } of mails.list().mails) {
        const mail = await mails.find(summary.ID);
        if (mail === undefined || written.get(summary.Subject) !== (await comparableOfSent(mail)))
          damaged.push(summary.Subject);
      }
      return damaged;
    },
  };
};

/** A property of JSON and of drafts; a header of MIME. */
const relayIdOf = ({ request, headers = [] }: CapturedMail): string | undefined =>
  request.body.message.singleValueExtendedProperties?.find(({ id }) => id === RELAY_ID_PROPERTY)?.value ??
  headers.find(({ name }) => name.toLowerCase() === RELAY_ID_HEADER.toLowerCase())?.value;

const comparableOfSent = async (mail: CapturedMail): Promise<string> => {
  const { body, toRecipients, attachments = [] } = mail.request.body.message;
  const isHtml = body?.contentType === 'html';
  return toComparable({
    text: isHtml ? mail.text : body?.content,
    html: isHtml ? body.content : undefined,
    to: toRecipients?.map(({ emailAddress }) => emailAddress.address).join(', '),
    files: await Promise.all(
      attachments.map(async (file) => [file.name, await readAttachment(mail, file)] as const),
    ),
  });
};
