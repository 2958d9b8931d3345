import { lazily, openedAtFirstCall } from '../lazily.ts';
import type {
  CallerStore,
  Counts,
  Heartbeats,
  Ledger,
  MailboxLanes,
  MailIndex,
  OperatorTrail,
  RecipientBudgets,
  Rotations,
  Samples,
  TraceUses,
  Usages,
  WarningState,
  WatchedMailboxes,
} from '../ports.ts';
import type { MailBlobs } from './mail-blobs.ts';
import type { MailQueues } from './mail-queue.ts';
import type { RelayKey } from './relay-key.ts';
import type { StorageConnection } from './storage-connection.ts';

/** The ledger; loads the SDK of tables when first asked. */
export const openLedgerTable = (connection: StorageConnection): Ledger =>
  openedAtFirstCall(async () => (await import('./ledger-table.ts')).openLedgerTable(connection), {
    find: 'promise',
    create: 'promise',
    replace: 'promise',
    listOpen: 'list',
    expire: 'promise',
    forget: 'promise',
    fileEarlier: 'promise',
  });

/** By what emails are found; loads the SDK of tables when first asked. */
export const openMailIndexTable = (connection: StorageConnection): MailIndex =>
  openedAtFirstCall(async () => (await import('./mail-index-table.ts')).openMailIndexTable(connection), {
    list: 'promise',
    isFiling: 'promise',
  });

/** The callers; loads the SDK of tables when first asked. */
export const openCallerTable = (connection: StorageConnection): CallerStore =>
  openedAtFirstCall(async () => (await import('./caller-table.ts')).openCallerTable(connection), {
    read: 'promise',
    readForChange: 'promise',
    write: 'promise',
    audit: 'promise',
  });

/** What operators did; loads the SDK of tables when first asked. */
export const openOperatorTrail = (connection: StorageConnection): OperatorTrail =>
  openedAtFirstCall(async () => (await import('./operator-trail-table.ts')).openOperatorTrail(connection), {
    begin: 'promise',
    finish: 'promise',
    find: 'promise',
    list: 'promise',
    ofMail: 'promise',
  });

/** What was taken of limits; loads the SDK of tables when first asked. */
export const openUsageTable = (connection: StorageConnection): Usages =>
  openedAtFirstCall(async () => (await import('./usage-table.ts')).openUsageTable(connection), {
    read: 'promise',
    write: 'promise',
    expire: 'promise',
  });

/** The lanes of mailboxes; loads the SDK of tables when first asked. */
export const openLaneTable = (connection: StorageConnection): MailboxLanes =>
  openedAtFirstCall(async () => (await import('./lane-table.ts')).openLaneTable(connection), {
    read: 'promise',
    write: 'promise',
    expire: 'promise',
  });

/** What was taken of budgets of recipients; loads the SDK of tables when first asked. */
export const openBudgetTable = (connection: StorageConnection): RecipientBudgets =>
  openedAtFirstCall(async () => (await import('./budget-table.ts')).openBudgetTable(connection), {
    read: 'promise',
    write: 'promise',
  });

/** What people were told of credentials; loads the SDK of tables when first asked. */
export const openWarningTable = (connection: StorageConnection): WarningState =>
  openedAtFirstCall(async () => (await import('./warning-table.ts')).openWarningTable(connection), {
    list: 'promise',
    write: 'promise',
    forget: 'promise',
    readClaim: 'promise',
    writeClaim: 'promise',
    lastRun: 'promise',
  });

/** How far the renewal of client secrets is; loads the SDK of tables when first asked. */
export const openRotationTable = (connection: StorageConnection): Rotations =>
  openedAtFirstCall(async () => (await import('./rotation-table.ts')).openRotationTable(connection), {
    read: 'promise',
    write: 'promise',
  });

/** When what runs by itself last ran; loads the SDK of tables when first asked. */
export const openHeartbeatTable = (connection: StorageConnection): Heartbeats =>
  openedAtFirstCall(async () => (await import('./heartbeat-table.ts')).openHeartbeatTable(connection), {
    read: 'promise',
    note: 'promise',
  });

/** What was used of the message trace; loads the SDK of tables when first asked. */
export const openTraceUseTable = (connection: StorageConnection): TraceUses =>
  openedAtFirstCall(async () => (await import('./trace-use-table.ts')).openTraceUseTable(connection), {
    read: 'promise',
    write: 'promise',
  });

/** The mailboxes whose reports are read; loads the SDK of tables when first asked. */
export const openWatchedMailboxTable = (connection: StorageConnection): WatchedMailboxes =>
  openedAtFirstCall(
    async () => (await import('./watched-mailbox-table.ts')).openWatchedMailboxTable(connection),
    { note: 'promise', list: 'promise', write: 'promise', forget: 'promise' },
  );

/** What instances have counted; loads the SDK of tables when first asked. */
export const openCountsTable = (connection: StorageConnection): Counts =>
  openedAtFirstCall(async () => (await import('./counts-table.ts')).openCountsTable(connection), {
    write: 'promise',
    read: 'promise',
    fold: 'promise',
  });

/** Samples of the relay; loads the SDK of tables when first asked. */
export const openSamplesTable = (connection: StorageConnection): Samples =>
  openedAtFirstCall(async () => (await import('./samples-table.ts')).openSamplesTable(connection), {
    lastDay: 'promise',
    newest: 'promise',
    write: 'promise',
    expire: 'promise',
  });

/** The key of the relay; loads the SDK of tables when first asked. */
export const openRelayKey = (
  connection: StorageConnection,
): {
  readonly findRelayKey: () => Promise<RelayKey | undefined>;
  readonly readRelayKey: () => Promise<RelayKey>;
} =>
  openedAtFirstCall(async () => (await import('./relay-key.ts')).openRelayKey(connection), {
    findRelayKey: 'promise',
    readRelayKey: 'promise',
  });

/** The queues; loads the SDK of queues when first asked, which an email that is sent immediately never does. */
export const openMailQueues = (connection: StorageConnection): MailQueues => {
  const opened = lazily(async () => (await import('./mail-queue.ts')).openMailQueues(connection));
  return {
    queueNamed: (name) =>
      openedAtFirstCall(async () => (await opened()).queueNamed(name), {
        put: 'promise',
        count: 'promise',
        peek: 'promise',
      }),
    events: openedAtFirstCall(async () => (await opened()).events, { put: 'promise' }),
  };
};

/** The blobs; loads the SDK of blobs when first asked, which only a large or a held email does, and one that names files. */
export const openMailBlobs = (connection: StorageConnection): MailBlobs => {
  const opened = lazily(async () => (await import('./mail-blobs.ts')).openMailBlobs(connection));
  return {
    payloads: openedAtFirstCall(async () => (await opened()).payloads, {
      put: 'promise',
      read: 'promise',
      sizeOf: 'promise',
      keep: 'promise',
      delete: 'promise',
      list: 'list',
    }),
    records: openedAtFirstCall(async () => (await opened()).records, {
      store: 'promise',
      list: 'promise',
      read: 'promise',
      delete: 'promise',
    }),
    captured: openedAtFirstCall(async () => (await opened()).captured, {
      store: 'promise',
      list: 'list',
      read: 'promise',
      delete: 'promise',
      clear: 'promise',
      expire: 'promise',
    }),
    attachments: openedAtFirstCall(async () => (await opened()).attachments, {
      find: 'promise',
      read: 'promise',
    }),
  };
};
