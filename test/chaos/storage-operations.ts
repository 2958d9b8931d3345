import type { LedgerRow, MailState } from '../../src/lib/ledger/ledger-row.ts';
import {
  ATTACHMENT_CONTAINER,
  HELD_CONTAINER,
  LEDGER_TABLE,
  MAIL_QUEUE,
  PAYLOAD_CONTAINER,
} from '../../src/lib/storage/storage-connection.ts';

export type Operation =
  | `write ${MailState}`
  /** That a draft was made, and that its sending begins. */
  | 'write draft'
  | 'write submitting'
  | 'put message'
  | 'delete message'
  | 'put payload'
  | 'delete payload'
  | 'store record'
  /** A range of a file that an application put into a blob. */
  | 'read file'
  | 'other';

export type SeenOperation = {
  readonly operation: Operation;
  /** The row that is written, if that is what it is about. */
  readonly row?: LedgerRow;
};

type StorageRequest = { readonly method: string; readonly path: string; readonly body: Buffer };

/** What a request to storage is about, as seen on the wire. */
export const seeOperation = ({ method, path, body }: StorageRequest): SeenOperation => {
  const [, , first = '', ...rest] = path.split('?')[0]?.split('/') ?? [];
  if (first.startsWith(LEDGER_TABLE) && method !== 'GET' && method !== 'DELETE')
    return seeWrite(body.toString('utf8'));
  // A transaction has its entities as lines of JSON between those of its own (OData batch).
  if (first === '$batch') return seeWrite(...body.toString('utf8').split(/\r?\n/));
  if (first === MAIL_QUEUE && rest[0] === 'messages') {
    if (method === 'POST') return { operation: 'put message' };
    if (method === 'DELETE') return { operation: 'delete message' };
  }
  if (first === PAYLOAD_CONTAINER && rest.length > 0) {
    if (method === 'PUT') return { operation: 'put payload' };
    if (method === 'DELETE') return { operation: 'delete payload' };
  }
  if (first === HELD_CONTAINER && method === 'PUT' && rest.length > 0) return { operation: 'store record' };
  if (first === ATTACHMENT_CONTAINER && method === 'GET' && rest.length > 0)
    return { operation: 'read file' };
  return { operation: 'other' };
};

const operationOf = ({ fate, progress }: LedgerRow): Operation => {
  if (fate.state !== 'sending' || progress.draft === undefined) return `write ${fate.state}`;
  return progress.draft.isSubmitted ? 'write submitting' : 'write draft';
};

const seeWrite = (...entities: readonly string[]): SeenOperation => {
  for (const entity of entities) {
    if (!entity.startsWith('{')) continue;
    const { row } = JSON.parse(entity) as { readonly row?: string };
    if (row === undefined) continue;
    const written = JSON.parse(row) as LedgerRow;
    return { operation: operationOf(written), row: written };
  }
  return { operation: 'other' };
};
