import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BudgetPurse, makeBudgetPurse } from '../../../src/lib/delivery/budget-purse.ts';
import { type Budgets, makeBudgets } from '../../../src/lib/delivery/budgets.ts';
import type { LogEvent } from '../../../src/lib/log.ts';
import type { Claim } from '../../../src/lib/sending/external-recipients.ts';
import { A_TENANT, UNCOUNTED_RECIPIENTS } from '../../support/a-budget.ts';
import { budgetsIn, type FakeBudgets, makeFakeBudgets } from '../../support/fake-budgets.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const START = Date.parse('2026-03-02T08:00:00Z');

const claim = (limit: number, recipients = 1, kind: Claim['kind'] = 'tenant'): Claim => ({
  kind,
  tenant: A_TENANT,
  limit,
  recipients,
});

/** Instances over one storage, at a time that the test moves. */
const world = (budgets: FakeBudgets = makeFakeBudgets()) => {
  const at = { time: START };
  const logged: LogEvent[] = [];
  const seen = { requests: 0 };
  const port = budgetsIn(budgets);
  const needs = (aheadMs = 0) => ({
    clock: { now: () => new Date(at.time + aheadMs), sleep: async () => undefined },
    log: (event: LogEvent) => void logged.push(event),
    recipientBudgets: {
      read: async (...which: Parameters<typeof port.read>) => {
        seen.requests += 1;
        return port.read(...which);
      },
      write: async (...which: Parameters<typeof port.write>) => {
        seen.requests += 1;
        return port.write(...which);
      },
    },
  });
  return {
    at,
    logged,
    seen,
    purse: (aheadMs = 0): BudgetPurse => makeBudgetPurse(needs(aheadMs), A_TENANT, 'tenant'),
    instance: (): Budgets => makeBudgets(needs(), UNCOUNTED_RECIPIENTS),
    taken: (kind: Claim['kind'] = 'tenant') =>
      Object.values(budgets.read(A_TENANT, kind).budget.hours).reduce((sum, one) => sum + one, 0),
  };
};

const takeMany = async (purse: BudgetPurse, limit: number, count: number) => {
  const kinds = await Promise.all(
    Array.from({ length: count }, async () => (await purse.take(claim(limit))).kind),
  );
  return kinds.filter((kind) => kind === 'granted').length;
};

describe('a budget of external recipients', () => {
  test.each([1, 7, 100, 1000])(
    'of %i is used up exactly by three instances that send together, and never passed',
    async (limit) => {
      const { purse, taken } = world();
      const granted = await Promise.all(
        [purse(), purse(), purse()].map((one) => takeMany(one, limit, limit)),
      );
      expect(granted.reduce((sum, one) => sum + one, 0)).toBe(limit);
      expect(taken()).toBe(limit);
    },
  );

  test('costs an instance that sends much far less than a request for each email', async () => {
    const { purse, seen } = world();
    expect(await takeMany(purse(), 60_000, 3000)).toBe(3000);
    expect(seen.requests).toBeLessThan(3000 / 10);
  });

  test('has room again when the hour of its emails is more than a day ago', async () => {
    const { purse, at } = world();
    const own = purse();
    await takeMany(own, 10, 10);
    const reached = await own.take(claim(10));
    expect(reached).toMatchObject({ kind: 'reached', at: new Date('2026-03-03T09:00:00Z') });
    at.time = Date.parse('2026-03-03T08:59:59Z');
    expect(await own.take(claim(10))).toMatchObject({ kind: 'reached' });
    at.time = Date.parse('2026-03-03T09:00:00Z');
    expect(await takeMany(own, 10, 20)).toBe(10);
  });

  test('counts an email of the last minutes of an hour for the next one, in which Exchange may have it', async () => {
    const { purse, at } = world();
    const own = purse();
    at.time = Date.parse('2026-03-02T08:55:00Z');
    await takeMany(own, 10, 10);
    at.time = Date.parse('2026-03-03T09:00:00Z');
    expect(await own.take(claim(10))).toMatchObject({
      kind: 'reached',
      at: new Date('2026-03-03T10:00:00Z'),
    });
  });

  test('that is used up is known without a request for a minute, for emails that are not smaller', async () => {
    const { purse, at, seen } = world();
    const own = purse();
    await takeMany(own, 10, 8);
    expect(await own.take(claim(10, 3))).toMatchObject({ kind: 'reached' });
    const { requests } = seen;
    expect(own.known(claim(10, 3))).toMatchObject({ kind: 'reached', at: new Date('2026-03-03T09:00:00Z') });
    expect(own.known(claim(10, 2))).toBeUndefined();
    at.time += MINUTE_MS;
    expect(own.known(claim(10, 3))).toBeUndefined();
    expect(seen.requests).toBe(requests);
  });

  test('gets back what was not sent: for the next email, and in a later hour for every instance', async () => {
    const { purse, at, taken } = world();
    const [one, other] = [purse(), purse()];
    const first = await one.take(claim(10, 10));
    expect(await other.take(claim(10, 10))).toMatchObject({ kind: 'reached' });
    if (first.kind === 'granted') first.giveBack();
    const second = await one.take(claim(10, 10));
    expect(second.kind).toBe('granted');
    at.time += HOUR_MS;
    if (second.kind === 'granted') second.giveBack();
    expect(await one.take(claim(10, 1))).toMatchObject({ kind: 'granted' });
    expect(taken()).toBe(1);
    expect(await other.take(claim(10, 9))).toMatchObject({ kind: 'granted' });
  });

  test('loses what an instance holds that ends, and no more than a part of what was left', async () => {
    const { purse, taken } = world();
    for (let turn = 0; turn < 20; turn += 1) await takeMany(purse(), 1000, 10);
    expect(taken()).toBeGreaterThanOrEqual(200);
    expect(taken()).toBeLessThan(400);
  });

  test('warns once a day when four fifths of it are taken', async () => {
    const { purse, at, logged } = world();
    const [one, other] = [purse(), purse()];
    await takeMany(one, 100, 70);
    expect(logged).toEqual([]);
    await takeMany(one, 100, 15);
    await takeMany(other, 100, 5);
    const warning = { event: 'ExternalRecipientsNear', budget: 'tenant', tenant: A_TENANT, limit: 100 };
    expect(logged).toEqual([warning]);
    at.time += 26 * HOUR_MS;
    await takeMany(other, 100, 100);
    expect(logged).toEqual([warning, warning]);
  });

  test('is kept by any instances, whatever their clocks say, whenever they end, in every 24 hours', async () => {
    const step = fc.record({
      instance: fc.nat(2),
      passMs: fc.oneof(fc.nat(5 * MINUTE_MS), fc.nat(9 * HOUR_MS)),
      /** To within a minute of a full hour, where what clocks say matters most. */
      isAtHour: fc.boolean(),
      beforeHourMs: fc.integer({ min: -MINUTE_MS, max: MINUTE_MS }),
      recipients: fc.integer({ min: 1, max: 12 }),
      requestMs: fc.nat(3 * MINUTE_MS),
      end: fc.constantFrom('sent', 'sent', 'sent', 'not sent', 'killed'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 120 }),
        fc.integer({ min: 5, max: 60 }),
        async (steps, limit) => {
          const { purse, at } = world();
          const skews = [0, MINUTE_MS, -MINUTE_MS];
          const purses = skews.map(purse);
          const sent: { readonly at: number; readonly recipients: number }[] = [];
          for (const { instance, passMs, isAtHour, beforeHourMs, recipients, requestMs, end } of steps) {
            at.time += passMs;
            const hour = Math.ceil(at.time / HOUR_MS) * HOUR_MS;
            if (isAtHour) at.time = Math.max(at.time, hour - beforeHourMs);
            const own = purses[instance];
            const need = Math.min(recipients, limit);
            const taken = await own?.take(claim(limit, need));
            if (taken?.kind !== 'granted') continue;
            if (end === 'not sent') taken.giveBack();
            else sent.push({ at: at.time + requestMs, recipients: need });
            if (end === 'killed') purses[instance] = purse(skews[instance]);
          }
          for (const { at: from } of sent) {
            const within = sent.filter((one) => one.at >= from && one.at < from + DAY_MS);
            expect(within.reduce((sum, one) => sum + one.recipients, 0)).toBeLessThanOrEqual(limit);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is used up again after a day in which nobody was told to wait, so that nothing is left over', async () => {
    const { purse, at } = world();
    const own = purse();
    for (let day = 0; day < 3; day += 1) {
      expect(await takeMany(own, 50, 60)).toBe(50);
      at.time += 26 * HOUR_MS;
    }
  });
});

describe('an email that needs two budgets', () => {
  const both = [claim(10, 4), claim(6, 4, 'onmicrosoft')];

  test('takes of both, or of neither', async () => {
    const { instance, taken } = world();
    const budgets = instance();
    expect(await budgets.take(both)).toMatchObject({ kind: 'granted' });
    expect(await budgets.take(both)).toMatchObject({ kind: 'reached', claim: { kind: 'onmicrosoft' } });
    expect(await budgets.take([claim(10, 6)])).toMatchObject({ kind: 'granted' });
    expect([taken('tenant'), taken('onmicrosoft')]).toEqual([10, 4]);
    expect(budgets.known(both)).toMatchObject({ claim: { kind: 'onmicrosoft' } });
  });

  test('takes of neither where storage fails for one', async () => {
    const { instance, taken } = world();
    const fake = makeFakeBudgets();
    const failing = makeBudgets(
      {
        clock: { now: () => new Date(START), sleep: async () => undefined },
        log: () => undefined,
        recipientBudgets: {
          read: async (...which) => fake.read(...which),
          write: async (tenant, kind, ...more) => {
            if (kind === 'onmicrosoft') throw new Error('storage');
            return fake.write(tenant, kind, ...more);
          },
        },
      },
      UNCOUNTED_RECIPIENTS,
    );
    await expect(failing.take(both)).rejects.toThrow('storage');
    expect(await failing.take([claim(10, 10)])).toMatchObject({ kind: 'granted' });
    expect(await instance().take([])).toMatchObject({ kind: 'granted' });
    expect(taken()).toBe(0);
  });
});
