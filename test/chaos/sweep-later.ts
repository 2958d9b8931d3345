import { makeQuotas } from '../../src/lib/delivery/quotas.ts';
import { sweepMail } from '../../src/lib/delivery/sweep-mail.ts';
import { openLaneTable } from '../../src/lib/storage/lane-table.ts';
import { openLedgerTable } from '../../src/lib/storage/ledger-table.ts';
import { openMailBlobs } from '../../src/lib/storage/mail-blobs.ts';
import { openUsageTable } from '../../src/lib/storage/usage-table.ts';
import { makeFakeHeartbeats } from '../support/fake-heartbeats.ts';
import { identityOf } from '../support/identity-for-tests.ts';

const TWO_DAYS_MS = 2 * 86_400_000;

/** The sweep as it will run in two days, over the storage of a run. */
export const sweepLater = (connectionString: string): Promise<void> => {
  const connection = { kind: 'connection-string', connectionString } as const;
  const usages = openUsageTable(connection);
  return sweepMail({
    usages,
    mailboxLanes: openLaneTable(connection),
    quotas: makeQuotas(usages),
    ...openMailBlobs(connection),
    ledger: openLedgerTable(connection),
    readIdentity: () => identityOf(connectionString),
    poisonQueues: {},
    heartbeats: makeFakeHeartbeats(),
    mailboxes: {
      routeOf: () => ({ connection: 'main', cloud: 'global', tenantId: 'contoso.example' }),
      send: async () => ({ kind: 'not-connected' }),
      find: async () => ({ kind: 'not-now' }),
    },
    draftMailboxes: [],
    drafts: {
      look: async () => ({ kind: 'not-now' }),
      remove: async () => 'failed',
      listBefore: async () => [],
    },
    policy: { verifyWindowMs: 0, sendingLimitMs: 0, giveUpAfterMs: 0, ledgerDays: 90 },
    clock: { now: () => new Date(Date.now() + TWO_DAYS_MS), sleep: async () => undefined },
    log: () => undefined,
  });
};
