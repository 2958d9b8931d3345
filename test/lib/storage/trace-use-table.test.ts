import { expect, test } from 'vitest';
import { askTrace } from '../../../src/lib/desk/trace-request.ts';
import { TRACE_REQUESTS } from '../../../src/lib/ledger/trace-use.ts';
import { openTraceUseTable } from '../../../src/lib/storage/trace-use-table.ts';
import { traceUsesContract } from '../../contract/trace-uses.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const HOUR_MS = 3_600_000;

traceUsesContract('the table', () => openTraceUseTable(connection));

test('three instances that ask together, with clocks an hour apart, make 20 requests for message traces and not one more', async () => {
  let asked = 0;
  const ask = async () => {
    asked += 1;
    return { kind: 'rows', rows: [] } as const;
  };
  const instances = [-HOUR_MS, 0, HOUR_MS].map((wrongByMs) => ({
    traceUses: openTraceUseTable(connection),
    clock: { now: () => new Date(Date.now() + wrongByMs), sleep: async () => undefined },
  }));
  await Promise.all(
    instances.map(async (needs) => {
      for (let times = 0; times < 30; times += 1) await askTrace(needs, 'three.example', 'operator', ask);
    }),
  );
  expect(asked).toBe(TRACE_REQUESTS);
});

test('storage that cannot be reached is not room for requests', async () => {
  const { read } = openTraceUseTable(awayStorage(connection));
  await expect(read('contoso.example')).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
