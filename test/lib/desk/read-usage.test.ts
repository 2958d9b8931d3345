import { expect, test } from 'vitest';
import { readUsage } from '../../../src/lib/desk/read-usage.ts';
import { aCaller } from '../../support/a-caller.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

test('a caller sees what was taken of its limits today, its limits, and when they begin anew', async () => {
  const { needs, pass } = inMemoryPorts();
  const payroll = aCaller('payroll', { mailsPerDay: 100, recipientsPerDay: 1000 });
  const resetsAt = '2026-03-03T00:00:00.000Z';
  const usage = (mails: number, recipients: number) => ({
    resetsAt,
    mails: { limit: 100, taken: mails },
    recipients: { limit: 1000, taken: recipients },
  });
  expect(await readUsage(needs, payroll)).toEqual(usage(0, 0));
  await needs.quotas.take(payroll, 7, needs.clock.now());
  expect(await readUsage(needs, payroll)).toEqual(usage(1, 7));
  pass(16 * 3_600_000);
  expect(await readUsage(needs, payroll)).toMatchObject({ mails: { taken: 0 } });
});

test('of a caller without limits nothing is counted, and nobody is asked', async () => {
  const world = inMemoryPorts();
  world.fail('usages.read');
  expect(await readUsage(world.needs, aCaller())).toBeUndefined();
});
