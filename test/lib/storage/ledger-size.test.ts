import { expect, test } from 'vitest';
import { fillLedger } from '../../../bench/fill-ledger.ts';
import type { SearchTerm } from '../../../src/lib/ledger/search-index.ts';
import { claimNew, queueNew, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openMailIndexTable } from '../../../src/lib/storage/mail-index-table.ts';
import { startStorageProxy } from '../../chaos/storage-proxy.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { storageForTests } from './storage-for-tests.ts';

const NOW = new Date('2026-03-02T08:00:00Z');
const later = (ms: number) => new Date(NOW.getTime() + ms);
const newMail = aNewMail(NOW);

/** A ledger of so many ended mails and two open ones, and what reaches its storage. */
const aLedger = async (endedMails: number) => {
  const { connection } = await storageForTests();
  const ended = claimNew(newMail, false, NOW);
  const straight = openLedgerTable(connection);
  const { etag = '' } = (await straight.create(ended)) ?? {};
  await straight.replace(recordSent(ended, { at: NOW.toISOString(), outcome: 'accepted' }, NOW), etag);
  await fillLedger(connection, ended.facts.mailId, endedMails - 1);
  const table = /TableEndpoint=([^;]+)/.exec(connection.connectionString)?.[1] ?? '';
  // What the SDK repeats on a busy machine counts once.
  const seen = { requests: new Set<string>(), bytes: 0 };
  const proxy = await startStorageProxy(table, {
    decide: (_operation, what) => {
      seen.requests.add(what);
      return {};
    },
    carriedOut: () => undefined,
    answered: (bytes) => {
      seen.bytes += bytes;
    },
    kill: () => undefined,
  });
  const connectionString = connection.connectionString.replace(table, proxy.url);
  const ledger = openLedgerTable({ kind: 'connection-string', connectionString });
  await ledger.create(queueNew({ ...newMail, mailId: newMail.mailId.replace('9f', 'a1') }, NOW));
  await ledger.create(claimNew({ ...newMail, mailId: newMail.mailId.replace('9f', 'a0') }, false, NOW));
  const costOf = async (work: () => Promise<unknown>) => {
    Object.assign(seen, { requests: new Set(), bytes: 0 });
    await work();
    return { requests: seen.requests.size, bytes: seen.bytes };
  };
  const mailIndex = openMailIndexTable({ kind: 'connection-string', connectionString });
  return { ledger, mailIndex, costOf, close: proxy.close };
};

test('an email costs two requests to the table: its claim and its end', async () => {
  const { ledger, costOf, close } = await aLedger(1);
  const claimed = claimNew({ ...newMail, mailId: newMail.mailId.replace('9f', 'b0') }, true, NOW);
  const attempt = { at: NOW.toISOString(), outcome: 'accepted' } as const;
  const { requests } = await costOf(async () => {
    const created = await ledger.create(claimed);
    await ledger.replace(recordSent(claimed, attempt, NOW), created?.etag ?? '');
  });
  await close();
  expect(requests).toBe(2);
});

test('what a sweep asks, and what it is told, does not depend on how many mails the ledger has', async () => {
  const costs = await Promise.all(
    [256, 2560].map(async (size) => {
      const { ledger, costOf, close } = await aLedger(size);
      const cost = await costOf(async () => {
        for (const shelf of ['attempt', 'open'] as const)
          for await (const mailId of ledger.listOpen(shelf, later(1), 3, () => false))
            await ledger.find(mailId);
        // Nothing is due: all of them ended today.
        await ledger.expire(NOW, 3, () => false);
      });
      await close();
      return cost;
    }),
  );
  // One query for each of 256 partitions and three kinds, and the two open mails.
  expect(costs.map(({ requests }) => requests)).toEqual([770, 770]);
  expect(costs[1]?.bytes).toBe(costs[0]?.bytes);
});

test('what a search asks depends on what it gives, never on how many mails the ledger has', async () => {
  const searches = {
    'a state of most emails': { by: 'state', state: 'sent' },
    'a caller that has none': { by: 'caller', caller: 'nobody' },
  } as const satisfies Record<string, SearchTerm>;
  const costs = await Promise.all(
    [256, 1280].map(async (size) => {
      const { mailIndex, costOf, close } = await aLedger(size);
      const requests: Record<string, number> = {};
      for (const [name, term] of Object.entries(searches))
        requests[name] = (await costOf(() => mailIndex.list(term, {}, 50))).requests;
      await close();
      return requests;
    }),
  );
  expect(costs[0]).toEqual(Object.fromEntries(Object.keys(searches).map((name) => [name, 256])));
  expect(costs[1]).toEqual(costs[0]);
});
