import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { makeQuotas } from '../../../src/lib/delivery/quotas.ts';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { openUsageTable } from '../../../src/lib/storage/usage-table.ts';
import { startStorageProxy } from '../../chaos/storage-proxy.ts';
import { usagesContract } from '../../contract/usages.contract.ts';
import { aCaller } from '../../support/a-caller.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const NOW = new Date('2026-03-02T08:00:00Z');
const payroll = (mailsPerDay: number) => aCaller('payroll', { mailsPerDay });

usagesContract('the table', () => openUsageTable(connection));

/** The storage of the tests, behind a proxy that counts and can lose answers. */
const watched = async (losesAnswer: (request: number) => boolean = () => false) => {
  const { connection: own } = await storageForTests();
  const table = /TableEndpoint=([^;]+)/.exec(own.connectionString)?.[1] ?? '';
  const seen = { requests: 0 };
  const proxy = await startStorageProxy(table, {
    decide: () => {
      seen.requests += 1;
      return losesAnswer(seen.requests) ? { after: 'cut' } : {};
    },
    carriedOut: () => undefined,
    answered: () => undefined,
    kill: () => undefined,
  });
  const connectionString = own.connectionString.replace(table, proxy.url);
  return { connection: { kind: 'connection-string', connectionString } as const, seen, close: proxy.close };
};

test('three instances that send to the limit together send exactly that many emails, for few requests', async () => {
  const { connection: counted, seen, close } = await watched();
  const instances = [1, 2, 3].map(() => makeQuotas(openUsageTable(counted)));
  const sendUntilRefused = async (quotas: (typeof instances)[number]): Promise<number> => {
    for (let sent = 0; ; sent += 1)
      if ((await quotas.take(payroll(300), 1, NOW)).kind === 'reached') return sent;
  };
  const sent = await Promise.all(instances.flatMap((one) => [one, one, one, one]).map(sendUntilRefused));
  await close();
  expect(sent.reduce((sum, one) => sum + one, 0)).toBe(300);
  expect(seen.requests).toBeLessThan(300);
});

test('a write whose answer is lost is known as the own one when it is repeated: its block is not lost', async () => {
  const { connection: lossy, close } = await watched((request) => request === 2);
  const usages = openUsageTable(lossy);
  const quotas = makeQuotas(usages);
  expect((await quotas.take(payroll(1), 1, NOW)).kind).toBe('taken');
  expect((await usages.read('2026-03-02', 'payroll')).taken.mails).toBe(1);
  await close();
});

test('usages are no emails: the ledger does not list them, and its key is made as if there were none', async () => {
  const { connection: fresh } = await storageForTests();
  await openUsageTable(fresh).write(
    '2026-03-02',
    'payroll',
    { taken: { mails: 1, recipients: 1 }, isTold: false },
    undefined,
  );
  const ledger = openLedgerTable(fresh);
  const listed = [];
  for await (const mailId of ledger.listOpen('open', new Date(), 0, () => false)) listed.push(mailId);
  const filed = await ledger.fileEarlier(
    () => false,
    () => undefined,
  );
  expect([listed, filed, await ledger.expire(new Date(), 0, () => false)]).toEqual([[], 0, 0]);
  expect((await openRelayKey(fresh).readRelayKey()).hasEarlierRows).toBe(false);
});

test('storage that cannot be reached is STORAGE_UNAVAILABLE', async () => {
  const away = openUsageTable(awayStorage(connection));
  await expect(away.read('2026-03-02', 'payroll')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});

test('a table that is not there is a fault of the set-up, and not a caller who has sent nothing', async () => {
  const { connection: broken } = await storageForTests();
  await TableClient.fromConnectionString(broken.connectionString, 'mailledger', {
    allowInsecureConnection: true,
  }).deleteTable();
  await expect(openUsageTable(broken).read('2026-03-02', 'payroll')).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
});
