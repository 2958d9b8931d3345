import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeKnownCallers } from '../../../src/lib/callers/known-callers.ts';
import { makeCachedCallers, type ReadCallers } from '../../../src/lib/desk/cached-callers.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { LogEvent } from '../../../src/lib/log.ts';
import { aDeclaredCaller } from '../../support/a-caller.ts';

const START = Date.parse('2026-03-02T08:00:00Z');

/** What a storage gives that has had so many changes: the number is in the name of its one caller. */
const had = (changes: number, unreadable: readonly string[] = []): ReadCallers => ({
  known: makeKnownCallers([aDeclaredCaller(`after-${changes}`)]),
  unreadable,
});

/** An instance with its clock, and reads that end when the test says so. */
const anInstance = () => {
  let now = START;
  const reads: { readonly end: (result: ReadCallers | Error) => Promise<void> }[] = [];
  const logged: LogEvent[] = [];
  const cache = makeCachedCallers(
    () =>
      new Promise((resolve, reject) => {
        reads.push({
          end: async (result) => {
            if (result instanceof Error) reject(result);
            else resolve(result);
            await settled();
          },
        });
      }),
    () => new Date(now),
  );
  const { known, refreshed } = cache.of((event) => logged.push(event));
  const nameOf = async (asked: ReturnType<typeof known>) => (await asked).declared[0]?.name;
  return {
    known: () => nameOf(known()),
    refreshed: () => nameOf(refreshed()),
    forget: cache.forget,
    logged,
    reads,
    pass: (seconds: number) => {
      now += seconds * 1000;
    },
  };
};

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
const AWAY = new AppError('STORAGE_UNAVAILABLE');

describe('who is known', () => {
  test('is read once for all who ask, and for 20 seconds not again', async () => {
    const { known, reads, pass } = anInstance();
    const asked = [known(), known(), known()];
    await reads[0]?.end(had(0));
    expect(await Promise.all(asked)).toEqual(['after-0', 'after-0', 'after-0']);
    pass(19);
    expect([await known(), reads.length]).toEqual(['after-0', 1]);
  });

  test('is read again from 20 seconds on, and nobody waits for it', async () => {
    const { known, reads, pass } = anInstance();
    const first = known();
    await reads[0]?.end(had(0));
    await first;
    pass(20);
    expect([await known(), await known(), reads.length]).toEqual(['after-0', 'after-0', 2]);
    await reads[1]?.end(had(1));
    expect([await known(), reads.length]).toEqual(['after-1', 2]);
  });

  test('is waited for from 60 seconds on', async () => {
    const { known, reads, pass } = anInstance();
    const first = known();
    await reads[0]?.end(had(0));
    await first;
    pass(60);
    const asked = known();
    await reads[1]?.end(had(1));
    expect(await asked).toBe('after-1');
  });

  test('is nobody where storage fails for longer than a minute', async () => {
    const { known, reads, pass } = anInstance();
    const first = known();
    await reads[0]?.end(had(0));
    await first;
    pass(59);
    expect(await known()).toBe('after-0');
    await reads[1]?.end(AWAY);
    pass(2);
    const asked = known();
    asked.catch(() => undefined);
    await reads[2]?.end(AWAY);
    await expect(asked).rejects.toBe(AWAY);
    await expect(known()).rejects.toBe(AWAY);
    expect(reads, 'not one read for each who asks').toHaveLength(3);
    pass(1);
    const again = known();
    await reads[3]?.end(had(1));
    expect(await again).toBe('after-1');
  });

  test('counts as old as when its read began: one that took a minute is read again', async () => {
    const { known, reads, pass } = anInstance();
    const asked = known();
    pass(60);
    await reads[0]?.end(had(0));
    await reads[1]?.end(had(1));
    expect(await asked).toBe('after-1');
  });

  test('is nobody where every read takes a minute', async () => {
    const { known, reads, pass } = anInstance();
    const asked = known();
    asked.catch(() => undefined);
    for (const at of [0, 1]) {
      pass(60);
      await reads[at]?.end(had(at));
    }
    await expect(asked).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });

  test('is read again where the clock was set back', async () => {
    const { known, reads, pass } = anInstance();
    const first = known();
    await reads[0]?.end(had(0));
    await first;
    pass(-3600);
    const asked = known();
    await reads[1]?.end(had(1));
    expect(await asked).toBe('after-1');
  });

  test('is read again by an instance that changed it, whatever was being read', async () => {
    const { known, reads, forget } = anInstance();
    const first = known();
    forget();
    const second = known();
    await reads[0]?.end(had(0));
    await reads[1]?.end(had(1));
    expect([await first, await second, await known()]).toEqual(['after-0', 'after-1', 'after-1']);
  });
});

describe('the newest', () => {
  test('is read at most once a second', async () => {
    const { known, refreshed, reads, pass } = anInstance();
    const first = known();
    await reads[0]?.end(had(0));
    await first;
    pass(0.999);
    expect([await refreshed(), reads.length]).toEqual(['after-0', 1]);
    pass(0.001);
    const asked = [refreshed(), refreshed()];
    await reads[1]?.end(had(1));
    expect([...(await Promise.all(asked)), reads.length]).toEqual(['after-1', 'after-1', 2]);
    expect(await known()).toBe('after-1');
  });

  test('is not what a read gives that began long before', async () => {
    const { known, refreshed, reads, pass } = anInstance();
    const slow = known();
    pass(5);
    const asked = refreshed();
    await reads[0]?.end(had(0));
    await reads[1]?.end(had(1));
    expect([await slow, await asked]).toEqual(['after-0', 'after-1']);
  });
});

test('one that cannot be read is told once, and once more after it was well', async () => {
  const { known, reads, pass, logged } = anInstance();
  for (const [at, unreadable] of [['erp'], ['erp'], [], ['erp', 'payroll']].entries()) {
    const asked = known();
    await reads[at]?.end(had(at, unreadable));
    await asked;
    await known();
    pass(60);
  }
  expect(logged).toEqual([
    { event: 'CallerUnreadable', caller: 'erp' },
    { event: 'CallerUnreadable', caller: 'erp' },
    { event: 'CallerUnreadable', caller: 'payroll' },
  ]);
});

test('whatever happens, nobody who was changed a minute ago is served as before', async () => {
  const step = fc.record({
    pass: fc.integer({ min: 0, max: 45 }),
    change: fc.boolean(),
    end: fc.constantFrom('well', 'badly', 'not yet'),
    ask: fc.constantFrom('known', 'refreshed', 'nobody'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const instance = anInstance();
      let [time, changes, ended] = [0, 0, 0];
      const changedAt: number[] = [0];
      /** What a read gives is what was there when it began. */
      const began: number[] = [];
      const failures: string[] = [];
      const check = async (asked: Promise<string | undefined>) => {
        const name = await asked.catch((error: unknown) => (error === AWAY ? undefined : String(error)));
        if (name === undefined || /STORAGE/.test(name)) return;
        const next = changedAt[Number(name.split('-')[1]) + 1];
        if (next !== undefined && time - next > 60) failures.push(`${name} at ${time}, changed at ${next}`);
      };
      const note = () => {
        while (began.length < instance.reads.length) began.push(changes);
      };
      for (const { pass, change, end, ask } of steps) {
        instance.pass(pass);
        time += pass;
        if (change) {
          changes += 1;
          changedAt.push(time);
        }
        if (ask !== 'nobody') check(instance[ask]());
        note();
        if (end !== 'not yet' && ended < instance.reads.length) {
          await instance.reads[ended]?.end(end === 'well' ? had(began[ended] ?? 0) : AWAY);
          ended += 1;
        }
        note();
        await settled();
      }
      expect(failures).toEqual([]);
    }),
    { numRuns: 200 },
  );
});
