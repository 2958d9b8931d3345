import { beforeEach, expect, test } from 'vitest';
import { makeInFlight } from '../../../local/functions-host/in-flight.ts';
import { parseNcrontab } from '../../../local/functions-host/ncrontab.ts';
import { startTimerListener, type TimerDependencies } from '../../../local/functions-host/timer-listener.ts';
import type { TimerStatus } from '../../../local/functions-host/timer-status.ts';
import { createTestClock, type TestClock } from './test-clock.ts';

let clock: TestClock;
let runs: { at: string; argument: { IsPastDue: boolean; ScheduleStatus: unknown } }[];
let stored: TimerStatus | undefined;
let log: string[];

const DAILY_AT_EIGHT = '0 0 8 * * *';

const start = (expression: string, values: Partial<TimerDependencies> = {}) =>
  startTimerListener({
    name: 'daily',
    trigger: { type: 'timer', schedule: expression, runOnStartup: false, useMonitor: undefined },
    schedule: parseNcrontab(expression, 'UTC'),
    statusStore: {
      read: async () => stored,
      write: async (_, status) => {
        stored = status;
      },
    },
    clock,
    log: (level, _category, message) => log.push(`${level}: ${message}`),
    inFlight: makeInFlight(),
    run: async ({ json = '' }) => runs.push({ at: clock.now().toISOString(), argument: JSON.parse(json) }),
    ...values,
  });

beforeEach(() => {
  clock = createTestClock('2026-11-22T07:00:00Z');
  runs = [];
  stored = undefined;
  log = [];
});

const times = () => runs.map(({ at }) => at);

test('it runs on schedule, day after day, and not at the start', async () => {
  const listener = start(DAILY_AT_EIGHT);
  await clock.advanceTo(new Date('2026-11-24T09:00:00Z'));
  expect(times()).toEqual([
    '2026-11-22T08:00:00.000Z',
    '2026-11-23T08:00:00.000Z',
    '2026-11-24T08:00:00.000Z',
  ]);
  listener.stop();
  await clock.advanceTo(new Date('2026-11-26T09:00:00Z'));
  expect(runs).toHaveLength(3);
});

test('the argument is that of the timer extension', async () => {
  start(DAILY_AT_EIGHT);
  await clock.advanceTo(new Date('2026-11-23T09:00:00Z'));
  expect(runs.map(({ argument }) => argument)).toEqual([
    {
      Schedule: { AdjustForDST: true },
      ScheduleStatus: {
        Last: '0001-01-01T00:00:00+00:00',
        Next: '2026-11-22T08:00:00.000Z',
        LastUpdated: '2026-11-22T07:00:00.000Z',
      },
      IsPastDue: false,
    },
    {
      Schedule: { AdjustForDST: true },
      ScheduleStatus: {
        Last: '2026-11-22T08:00:00.000Z',
        Next: '2026-11-23T08:00:00.000Z',
        LastUpdated: '2026-11-22T08:00:00.000Z',
      },
      IsPastDue: false,
    },
  ]);
});

test('a run that was missed while the host was down is made up once, at the start', async () => {
  const last = new Date('2026-11-19T08:00:00Z');
  stored = { last, next: new Date('2026-11-20T08:00:00Z'), lastUpdated: last };
  start(DAILY_AT_EIGHT);
  await clock.advance(0);
  expect(runs).toMatchObject([{ at: '2026-11-22T07:00:00.000Z', argument: { IsPastDue: true } }]);
  await clock.advanceTo(new Date('2026-11-22T09:00:00Z'));
  expect(times()).toEqual(['2026-11-22T07:00:00.000Z', '2026-11-22T08:00:00.000Z']);
  expect(log).toEqual(["information: Function 'daily' is past due on startup. Executing now."]);
});

test('a schedule that was changed meanwhile has missed nothing', async () => {
  stored = { last: undefined, next: new Date('2026-11-20T09:30:00Z'), lastUpdated: undefined };
  start(DAILY_AT_EIGHT);
  await clock.advance(0);
  expect(runs).toEqual([]);
  expect(stored.next).toEqual(new Date('2026-11-22T08:00:00Z'));
});

test('runOnStartup runs at the start, not as past due', async () => {
  start(DAILY_AT_EIGHT, {
    trigger: { type: 'timer', schedule: DAILY_AT_EIGHT, runOnStartup: true, useMonitor: undefined },
  });
  await clock.advance(0);
  expect(runs).toMatchObject([{ at: '2026-11-22T07:00:00.000Z', argument: { IsPastDue: false } }]);
});

test('a timer that comes more often than every minute keeps no status', async () => {
  start('*/20 * * * * *');
  await clock.advance(60_000);
  expect(runs).toHaveLength(3);
  expect(stored).toBeUndefined();
  expect(runs[0]?.argument.ScheduleStatus).toBeNull();
});

test('runs of one timer do not overlap: those that fall into a long run are left out', async () => {
  let end: (value: unknown) => void = () => {};
  start('0 * * * * *', {
    run: () => {
      runs.push({ at: clock.now().toISOString(), argument: { IsPastDue: false, ScheduleStatus: null } });
      return new Promise((resolve) => {
        end = resolve;
      });
    },
  });
  await clock.advance(5 * 60_000);
  expect(runs).toHaveLength(1);
  end(undefined);
  await clock.advance(60_000);
  expect(times()).toEqual(['2026-11-22T07:01:00.000Z', '2026-11-22T07:06:00.000Z']);
});

test('storage that fails does not stop the timer', async () => {
  start(DAILY_AT_EIGHT, {
    statusStore: {
      read: async () => {
        throw new Error('connect ECONNREFUSED');
      },
      write: async () => {
        throw new Error('connect ECONNREFUSED');
      },
    },
  });
  await clock.advanceTo(new Date('2026-11-23T09:00:00Z'));
  expect(runs).toHaveLength(2);
  expect(log[0]).toContain('could not be read; a missed run is not made up: connect ECONNREFUSED');
});
