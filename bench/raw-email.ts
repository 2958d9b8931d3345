import { randomUUID } from 'node:crypto';
import { type BenchCloud, type BenchStorage, openGraphClient } from './cloud.ts';
import { type BenchHost, JSON_HEADERS } from './host.ts';
import { openRawStorage, type RawEntity, type RawStorage } from './raw-storage.ts';
import { MAILBOXES, sampleGraphBody, sampleMail } from './sample-mail.ts';

/** Beside the ledger: nothing that the relay reads is in it. */
const TABLE = 'benchraw';
/** Writes spread over as many partitions as the rows of a ledger. */
const PARTITION_DIGITS = 2;
const GRAPH_REQUEST_ID = 'd8a4f5f0-7f0e-4e58-9d8f-3a1f4f3f9a11';

/**
 * The least that an email with a record costs: one invocation of a function, a row inserted, the request to Graph, and the
 * row replaced with the outcome. Plain HTTP on kept connections, with fixed texts, without an SDK and without any code
 * of the relay: a faster relay shows here, and a slower one.
 */
export type RawEmail = {
  callGraph(mailbox: string): Promise<void>;
  writeRows(): Promise<void>;
  callEmptyFunction(mailbox: string): Promise<void>;
  /** All of them, one after the other as a relay must. */
  send(mailbox: string): Promise<void>;
  readonly storage: RawStorage;
  close(): Promise<void>;
};

/** About as large as the rows of the relay: 600 bytes of facts in a column, and what people and indexes read. */
const toEntity = (id: string, state: string, facts: object): RawEntity => ({
  PartitionKey: id.slice(-PARTITION_DIGITS),
  RowKey: id,
  state,
  index: `${state}!2026-03-02T08:00:00.000Z!${id}`,
  write: randomUUID(),
  row: JSON.stringify({
    mailId: id,
    caller: 'key:0123456789',
    sender: 'bench1@contoso.example',
    recipients: 1,
    tags: [],
    bodyHash: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
    leavesCopy: true,
    acceptedAt: '2026-03-02T08:00:00.000Z',
    updatedAt: '2026-03-02T08:00:00.000Z',
    turn: 0,
    omittedAttempts: 0,
    inQueue: false,
    resent: false,
    state,
    ...facts,
  }),
});

const SENT = {
  attempts: [{ at: '2026-03-02T08:00:00.000Z', outcome: 'accepted', graphRequestId: GRAPH_REQUEST_ID }],
  graphRequestId: GRAPH_REQUEST_ID,
  verified: false,
};

export const openRawEmail = async (
  cloud: BenchCloud,
  storage: BenchStorage,
  emptyFunction: BenchHost,
): Promise<RawEmail> => {
  const graph = openGraphClient(cloud.environment);
  const raw = openRawStorage(storage.connectionString);
  await raw.createTable(TABLE);
  const graphHeaders = {
    authorization: `Bearer ${await cloud.readToken()}`,
    'content-type': 'application/json',
  };
  const graphBodies = new Map(MAILBOXES.map((mailbox) => [mailbox, sampleGraphBody(mailbox)]));
  const bodies = new Map(MAILBOXES.map((mailbox) => [mailbox, JSON.stringify(sampleMail(mailbox))]));

  const callGraph = async (mailbox: string): Promise<void> => {
    const path = `/v1.0/users/${encodeURIComponent(mailbox)}/sendMail`;
    const { status, text } = await graph.send('POST', path, graphHeaders, graphBodies.get(mailbox));
    if (status !== 202) throw new Error(`The Graph stand-in returned ${status} instead of 202: ${text}`);
  };
  const insert = async (id: string) => raw.insertEntity(TABLE, toEntity(id, 'sending', { attempts: [] }));
  const replace = async (id: string, etag: string) =>
    raw.replaceEntity(TABLE, toEntity(id, 'sent', SENT), etag);
  const callEmptyFunction = async (mailbox: string): Promise<void> => {
    const { status } = await emptyFunction.client.send(
      'POST',
      '/api/empty',
      JSON_HEADERS,
      bodies.get(mailbox),
    );
    if (status !== 200) throw new Error(`The empty function returned ${status} instead of 200.`);
  };
  return {
    storage: raw,
    callGraph,
    callEmptyFunction,
    writeRows: async () => {
      const id = randomUUID();
      await replace(id, await insert(id));
    },
    send: async (mailbox) => {
      const id = randomUUID();
      await callEmptyFunction(mailbox);
      const etag = await insert(id);
      await callGraph(mailbox);
      await replace(id, etag);
    },
    close: async () => {
      graph.close();
      raw.close();
    },
  };
};
