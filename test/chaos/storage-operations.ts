import type { LedgerRow, MailState } from '../../src/lib/ledger/ledger-row.ts';
import {
  HELD_CONTAINER,
  LEDGER_TABLE,
  MAIL_QUEUE,
  PAYLOAD_CONTAINER,
} from '../../src/lib/storage/storage-connection.ts';

export type Operation =
  | `write ${MailState}`
  | 'put message'
  | 'delete message'
  | 'put payload'
  | 'delete payload'
  | 'store record'
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
  return { operation: 'other' };
};

const seeWrite = (...entities: readonly string[]): SeenOperation => {
  for (const entity of entities) {
    if (!entity.startsWith('{')) continue;
    const { row } = JSON.parse(entity) as { readonly row?: string };
    if (row === undefined) continue;
    const written = JSON.parse(row) as LedgerRow;
    return { operation: `write ${written.fate.state}`, row: written };
  }
  return { operation: 'other' };
};
