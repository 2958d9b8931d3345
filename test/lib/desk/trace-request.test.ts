import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { askTrace, type TraceRequestNeeds } from '../../../src/lib/desk/trace-request.ts';
import { TRACE_MARGIN_MS, TRACE_REQUESTS, TRACE_WINDOW_MS } from '../../../src/lib/ledger/trace-use.ts';
import type { TraceFailure, TraceUses } from '../../../src/lib/ports.ts';
import { asTraceUses, makeFakeTraceUses } from '../../support/fake-trace-uses.ts';

const START = Date.parse('2026-03-02T08:00:00Z');
const TENANT = 'contoso.example';
const never = () => new Promise<never>(() => undefined);
const ROWS = { kind: 'rows', rows: [] } as const;

const world = (storageClock: (now: number) => Date | undefined = (now) => new Date(now)) => {
  let now = START;
  const traceUses = asTraceUses(makeFakeTraceUses(() => storageClock(now)));
  /** An instance whose clock is wrong by so much. */
  const instance = (wrongByMs = 0, uses: TraceUses = traceUses): TraceRequestNeeds => ({
    traceUses: uses,
    clock: { now: () => new Date(now + wrongByMs), sleep: never },
  });
  return {
    instance,
    traceUses,
    now: () => now,
    pass: (ms: number) => {
      now += ms;
    },
  };
};

/** How many of these times lie within five minutes at most. */
const mostInWindow = (times: readonly number[]): number =>
  Math.max(0, ...times.map((from) => times.filter((at) => at >= from && at < from + TRACE_WINDOW_MS).length));

/** One step of the world: an instance asks, its write is in the way of another one, or its process dies before it asks. */
const step = fc.record({
  passMs: fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 120_000 })),
  instance: fc.integer({ min: 0, max: 2 }),
  isOvertaken: fc.boolean(),
  dies: fc.boolean(),
});

const runInstances = async (
  steps: readonly { passMs: number; instance: number; isOvertaken: boolean; dies: boolean }[],
  wrongByMs: readonly number[],
  storageClock?: (now: number) => Date | undefined,
) => {
  const { instance, traceUses, now, pass } = world(storageClock);
  const asked: number[] = [];
  let died = 0;
  for (const { passMs, instance: which, isOvertaken, dies } of steps) {
    pass(passMs);
    let overtaken = !isOvertaken;
    const uses: TraceUses = {
      read: traceUses.read,
      write: async (tenant, use, etag) => {
        if (!overtaken) {
          overtaken = true;
          // Another instance counts between the read and the write of this one.
          await askTrace(instance(wrongByMs[(which + 1) % 3]), TENANT, 'operator', async () => {
            asked.push(now());
            return ROWS;
          });
        }
        return traceUses.write(tenant, use, etag);
      },
    };
    const asking = askTrace(instance(wrongByMs[which], uses), TENANT, 'operator', async () => {
      if (dies) throw new Error('the process died');
      asked.push(now());
      return ROWS;
    });
    await asking.catch(() => {
      died += 1;
    });
  }
  return { asked, died, instance, pass };
};

describe('never more than 20 requests in five minutes', () => {
  test('by three instances whose clocks are wrong by hours, that overtake each other and die', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 30, maxLength: 120 }),
        fc.array(fc.integer({ min: -7_200_000, max: 7_200_000 }), { minLength: 3, maxLength: 3 }),
        async (steps, wrongByMs) => {
          const { asked } = await runInstances(steps, wrongByMs);
          expect(mostInWindow(asked)).toBeLessThanOrEqual(TRACE_REQUESTS);
        },
      ),
      { numRuns: 60 },
    ));

  test('where storage says no time, as long as their clocks differ by less than the margin', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 30, maxLength: 120 }),
        fc.array(fc.integer({ min: -TRACE_MARGIN_MS / 2, max: TRACE_MARGIN_MS / 2 }), {
          minLength: 3,
          maxLength: 3,
        }),
        async (steps, wrongByMs) => {
          const { asked } = await runInstances(steps, wrongByMs, () => undefined);
          expect(mostInWindow(asked)).toBeLessThanOrEqual(TRACE_REQUESTS);
        },
      ),
      { numRuns: 60 },
    ));

  test('and all of them are there again five and a half minutes after every process died', async () => {
    const steps = Array.from({ length: 40 }, (_, number) => ({
      passMs: 0,
      instance: number % 3,
      isOvertaken: false,
      dies: true,
    }));
    const { asked, died, instance, pass } = await runInstances(steps, [0, 0, 0]);
    expect([asked.length, died]).toEqual([0, TRACE_REQUESTS]);
    pass(TRACE_WINDOW_MS + TRACE_MARGIN_MS);
    for (let number = 0; number < TRACE_REQUESTS; number += 1)
      expect(await askTrace(instance(), TENANT, 'operator', async () => ROWS)).toEqual(ROWS);
  });

  test('an instance that stood still after it had counted counts anew before it asks', async () => {
    const { instance, traceUses, pass } = world();
    let isFirst = true;
    const slow: TraceUses = {
      ...traceUses,
      write: async (...which) => {
        if (isFirst) pass(TRACE_MARGIN_MS);
        isFirst = false;
        return traceUses.write(...which);
      },
    };
    expect(await askTrace(instance(0, slow), TENANT, 'operator', async () => ROWS)).toEqual(ROWS);
    expect((await traceUses.read(TENANT)).use.requests).toHaveLength(2);
  });

  test('instances that are overtaken each time do not ask', async () => {
    const { instance, traceUses } = world();
    const losing: TraceUses = { ...traceUses, write: async () => false };
    expect(await askTrace(instance(0, losing), TENANT, 'operator', never)).toEqual({
      kind: 'not-asked',
      reason: { code: 'TRACE_LIMIT_REACHED' },
    });
  });
});

describe('a failure keeps all instances from asking for a while', () => {
  test.each<[TraceFailure, number]>([
    [{ kind: 'failed', reason: { code: 'TRACE_THROTTLED' }, waitMs: 600_000 }, 600_000],
    [{ kind: 'failed', reason: { code: 'TRACE_THROTTLED' } }, 300_000],
    [{ kind: 'failed', reason: { code: 'TRACE_PRINCIPAL_MISSING' } }, 300_000],
    [{ kind: 'failed', reason: { code: 'TRACE_NOT_PERMITTED' } }, 300_000],
    [{ kind: 'failed', reason: { code: 'TRACE_UNAVAILABLE' } }, 30_000],
  ])('%j', async (failure, closedMs) => {
    const { instance, now, pass } = world();
    const until = new Date(now() + closedMs);
    const told = { kind: 'not-asked', reason: failure.reason, until };
    expect(await askTrace(instance(), TENANT, 'operator', async () => failure)).toEqual(told);
    pass(closedMs - 1);
    expect(await askTrace(instance(), TENANT, 'operator', never)).toEqual(told);
    pass(1);
    expect(await askTrace(instance(), TENANT, 'operator', async () => ROWS)).toEqual(ROWS);
  });

  test('and not those who ask about another tenant', async () => {
    const { instance } = world();
    const failure = { kind: 'failed', reason: { code: 'TRACE_NOT_PERMITTED' } } as const;
    await askTrace(instance(), TENANT, 'operator', async () => failure);
    expect(await askTrace(instance(), 'fabrikam.example', 'operator', async () => ROWS)).toEqual(ROWS);
  });

  test('until is by the clock of whoever asks, whatever storage says the time is', async () => {
    const { instance, now } = world((time) => new Date(time + 3_600_000));
    const failure = { kind: 'failed', reason: { code: 'TRACE_THROTTLED' }, waitMs: 600_000 } as const;
    await askTrace(instance(), TENANT, 'operator', async () => failure);
    expect(await askTrace(instance(), TENANT, 'operator', never)).toMatchObject({
      until: new Date(now() + 600_000),
    });
  });
});
