import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COUNTS_WRITTEN_EVERY_MS, makeCountKeeper } from '../../../src/lib/delivery/keep-counts.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { makeMeter } from '../../../src/lib/metrics/meter.ts';
import type { Counts } from '../../../src/lib/ports.ts';
import { makeFakeCounts } from '../../support/fake-counts.ts';

const START = Date.parse('2026-03-02T08:00:00Z');
const ACCEPTED = '["mailrelay.mail.accepted","door","http"]';
const HOUR_MS = 3_600_000;

/** What becomes of the next write: it is carried out, or not, or is and its answer is lost. */
type Fate = 'happens' | 'fails' | 'is lost';

/** Instances that count emails, one store of counts, and one clock. */
const aFleet = () => {
  let time = START;
  let ids = 0;
  let fate: Fate = 'happens';
  const store = makeFakeCounts(() => new Date(time));
  const writes: number[] = [];
  const counts: Pick<Counts, 'write'> = {
    write: async (...write) => {
      writes.push(time - START);
      if (fate === 'fails') throw new AppError('STORAGE_UNAVAILABLE');
      const result = await store.write(...write);
      if (fate === 'is lost') throw new AppError('STORAGE_UNAVAILABLE');
      return result;
    },
  };
  const timers: { readonly at: number; readonly run: () => void; readonly of: object }[] = [];

  const start = () => {
    const self = {};
    const meter = makeMeter(() => keeper.changed());
    const keeper = makeCountKeeper({
      counts: () => counts,
      counted: () => ({ tally: meter.tally(), mailboxes: [] }),
      newInstance: () => {
        ids += 1;
        return `${ids}`;
      },
      now: () => new Date(time),
      later: (run, milliseconds) => void timers.push({ at: time + milliseconds, run, of: self }),
    });
    return {
      accept: () => meter.count({ event: 'MailAccepted', mailId: 'm', door: 'http' }),
      keep: keeper.keep,
      /** What waits in a killed process never runs. */
      kill: () => {
        for (const timer of timers.filter(({ of }) => of === self)) timers.splice(timers.indexOf(timer), 1);
      },
    };
  };

  /** Lets what was begun come to its end. */
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  };

  const pass = async (ms: number) => {
    const end = time + ms;
    for (;;) {
      const due = timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (due === undefined) break;
      timers.splice(timers.indexOf(due), 1);
      time = Math.max(time, due.at);
      due.run();
      await settle();
    }
    time = end;
  };

  return {
    start,
    pass,
    writes,
    fate: (next: Fate) => {
      fate = next;
    },
    fold: (silentMs: number) => store.fold(new Date(time - silentMs)),
    total: async () => (await store.read()).tally.counts[ACCEPTED] ?? 0,
  };
};

describe('an instance writes what it has counted', () => {
  test('a second after the first email, and then at most every half minute', async () => {
    const fleet = aFleet();
    const one = fleet.start();
    for (let second = 0; second < 61; second += 1) {
      one.accept();
      await fleet.pass(1000);
    }
    expect(fleet.writes).toEqual([1000, 31_000, 61_000]);
    expect(await fleet.total()).toBe(61);
  });

  test('once for a burst after which nothing comes, and never again while nothing is counted', async () => {
    const fleet = aFleet();
    const one = fleet.start();
    for (let sent = 0; sent < 500; sent += 1) one.accept();
    await fleet.pass(10 * HOUR_MS);
    expect(fleet.writes).toEqual([1000]);
    expect(await fleet.total()).toBe(500);
  });

  test('before it ends, where it is told to', async () => {
    const fleet = aFleet();
    const one = fleet.start();
    one.accept();
    await one.keep();
    await one.keep();
    expect([fleet.writes.length, await fleet.total()]).toEqual([1, 1]);
  });

  test('again after storage failed, with what was counted meanwhile', async () => {
    const fleet = aFleet();
    const one = fleet.start();
    fleet.fate('fails');
    one.accept();
    await fleet.pass(3 * 60_000);
    expect(await fleet.total()).toBe(0);
    fleet.fate('happens');
    one.accept();
    await fleet.pass(COUNTS_WRITTEN_EVERY_MS);
    expect(await fleet.total()).toBe(2);
  });
});

test('an instance that was idle for days, and folded, goes on and counts every email once', async () => {
  const fleet = aFleet();
  const one = fleet.start();
  one.accept();
  await fleet.pass(26 * HOUR_MS);
  expect(await fleet.fold(25 * HOUR_MS)).toBe(1);
  one.accept();
  one.accept();
  await fleet.pass(HOUR_MS);
  expect(await fleet.total()).toBe(3);
});

type Step =
  | { readonly kind: 'accept' | 'kill'; readonly instance: number }
  | { readonly kind: 'pass' | 'fold'; readonly ms: number }
  | { readonly kind: 'fate'; readonly fate: Fate };

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('accept' as const), instance: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), instance: fc.nat(2) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(500, 5000, 40_000, 26 * HOUR_MS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fold' as const), ms: fc.constantFrom(0, 1000, 25 * HOUR_MS) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('fate' as const),
      fate: fc.constantFrom<Fate>('happens', 'fails', 'is lost'),
    }),
  },
);

test('whatever three instances do, the sum never goes down, counts nothing twice, and lacks only what a killed one had not written', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (script) => {
      const fleet = aFleet();
      const live = [fleet.start(), fleet.start(), fleet.start()].map((instance) => ({
        instance,
        accepted: 0,
      }));
      let accepted = 0;
      let lostAtMost = 0;
      let before = 0;
      for (const step of script) {
        if (step.kind === 'accept') {
          accepted += 1;
          live[step.instance]!.accepted += 1;
          live[step.instance]!.instance.accept();
        }
        if (step.kind === 'kill') {
          live[step.instance]!.instance.kill();
          lostAtMost += live[step.instance]!.accepted;
          live[step.instance] = { instance: fleet.start(), accepted: 0 };
        }
        if (step.kind === 'pass') await fleet.pass(step.ms);
        if (step.kind === 'fold') await fleet.fold(step.ms);
        if (step.kind === 'fate') fleet.fate(step.fate);
        const total = await fleet.total();
        expect(total).toBeGreaterThanOrEqual(before);
        expect(total).toBeLessThanOrEqual(accepted);
        before = total;
      }
      fleet.fate('happens');
      await fleet.pass(2 * 60_000);
      expect(await fleet.total()).toBeLessThanOrEqual(accepted);
      expect(await fleet.total()).toBeGreaterThanOrEqual(accepted - lostAtMost);
    }),
    { numRuns: 300 },
  );
});
