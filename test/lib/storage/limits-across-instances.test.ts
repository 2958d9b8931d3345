import { expect, test } from 'vitest';
import { makeQuotas } from '../../../src/lib/delivery/quotas.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openUsageTable } from '../../../src/lib/storage/usage-table.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';
import { storageForTests } from './storage-for-tests.ts';

const LIMIT = Number(process.env.LIMIT_MAILS ?? 40);
const CALLER = aCaller('payroll', { mailsPerDay: LIMIT, owner: 'owner@contoso.example' });
const INSTANCES = 3;
const AT_A_TIME = 4;

test('three instances that share one ledger accept exactly as many emails as the limit, and none over it', async () => {
  const { connection } = await storageForTests();
  const seen = { usage: 0 };
  /** An instance as the relay wires it, over the one storage; its queue is its own. */
  const instance = () => {
    const world = inMemoryPorts();
    const usages = openUsageTable(connection);
    const ledger = openLedgerTable(connection);
    const quotas = makeQuotas({
      read: (...which) => {
        seen.usage += 1;
        return usages.read(...which);
      },
      write: async (...which) => {
        const written = await usages.write(...which);
        // One that is beaten reads what is there.
        seen.usage += written.isOwn ? 1 : 2;
        return written;
      },
    });
    return { world, needs: { ...world.needs, quotas, usages, ledger } };
  };
  const instances = Array.from({ length: INSTANCES }, instance);
  const outcomes: string[] = [];
  const sendUntilRefused = async ({ needs }: (typeof instances)[number]): Promise<void> => {
    for (let code = 'accepted'; code === 'accepted'; outcomes.push(code))
      code = await sendMail(needs, { input: aMail(), caller: CALLER, respondAsync: true }).then(
        () => 'accepted',
        (error: unknown) => (error instanceof AppError ? error.code : String(error)),
      );
  };
  const work = instances.flatMap((one) => Array.from({ length: AT_A_TIME }, () => sendUntilRefused(one)));
  await Promise.all(work);

  expect(Map.groupBy(outcomes, (code) => code)).toEqual(
    new Map([
      ['accepted', Array(LIMIT).fill('accepted')],
      ['CALLER_LIMIT_REACHED', Array(INSTANCES * AT_A_TIME).fill('CALLER_LIMIT_REACHED')],
    ]),
  );
  const rows = [];
  const ledger = openLedgerTable(connection);
  for await (const id of ledger.listOpen('open', new Date(NOW.getTime() + 1), 0, () => false)) rows.push(id);
  expect(rows).toHaveLength(LIMIT);
  expect((await openUsageTable(connection).read('2026-03-02', 'payroll')).taken.mails).toBe(LIMIT);
  // Each instance can write the warning before one of them notes that it is written: it has one id.
  const warnings = instances.flatMap(({ world }) =>
    world
      .queued()
      .flatMap((one) => (one.kind === 'envelope' && one.caller !== 'payroll' ? [one.mailId] : [])),
  );
  expect(new Set(warnings).size).toBe(1);
  const told = instances.flatMap(({ world }) =>
    world.logged.filter(({ event }) => event === 'CallerLimitReached'),
  );
  expect(told).toHaveLength(1);
  expect(seen.usage).toBeLessThan(4 * LIMIT);
  if (process.env.LIMIT_MAILS !== undefined)
    console.log({ limit: LIMIT, ...seen, perEmail: seen.usage / LIMIT });
});
