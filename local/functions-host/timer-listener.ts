import { messageOf } from '../message-of.ts';
import type { Clock } from './clock.ts';
import type { TypedData } from './core-types.ts';
import type { TimerTrigger } from './function-info.ts';
import type { HostLog } from './host-log.ts';
import type { InFlight } from './in-flight.ts';
import type { Schedule } from './ncrontab.ts';
import { NEVER, type TimerStatus, type TimerStatusStore } from './timer-status.ts';

const LISTENER = 'Microsoft.Azure.WebJobs.Extensions.Timers.Listeners.TimerListener';
// setTimeout takes 2^31 ms at most, and a machine that slept would fire late; so the clock is looked at every hour.
const LONGEST_WAIT_MS = 3_600_000;
// useMonitor is off for schedules that come more often than once a minute.
const SHORTEST_MONITORED_MS = 60_000;

export type TimerListener = {
  /** What a run outside the schedule gets as its argument. */
  readonly currentArgument: () => TypedData;
  /** No further runs; one that is under way goes on. */
  readonly stop: () => void;
};

export type TimerDependencies = {
  readonly name: string;
  readonly trigger: TimerTrigger;
  readonly schedule: Schedule;
  readonly statusStore: TimerStatusStore;
  readonly clock: Clock;
  readonly log: HostLog;
  readonly inFlight: InFlight;
  readonly run: (argument: TypedData, reason: string) => Promise<unknown>;
};

/** Runs on schedule. A run missed while the host was down is made up at the start, once, as in Azure. */
export const startTimerListener = (dependencies: TimerDependencies): TimerListener => {
  const { name, trigger, schedule, statusStore, clock, log, inFlight, run } = dependencies;
  const monitored = trigger.useMonitor !== false && !comesMoreOftenThanEveryMinute(schedule, clock.now());
  let status: TimerStatus | undefined;
  let stopped = false;
  let callOff = () => {};

  const remember = async (next: TimerStatus) => {
    status = next;
    if (!monitored) return;
    try {
      await statusStore.write(name, next);
    } catch (error) {
      log('warning', LISTENER, `The status of timer '${name}' could not be stored: ${messageOf(error)}`);
    }
  };

  const fire = async (isPastDue: boolean) => {
    const firedAt = clock.now();
    await run(
      toTimerArgument(isPastDue, monitored ? status : undefined),
      `Timer fired at ${firedAt.toISOString()}`,
    );
    const endedAt = clock.now();
    await remember({ last: firedAt, next: schedule(endedAt), lastUpdated: endedAt });
  };

  const waitFor = (next: Date) => {
    if (stopped) return;
    const remainingMs = next.getTime() - clock.now().getTime();
    callOff = clock.after(Math.min(Math.max(remainingMs, 0), LONGEST_WAIT_MS), () => {
      if (clock.now() < next) return waitFor(next);
      void inFlight.track(fire(false).finally(() => waitFor(schedule(clock.now()))));
    });
  };

  const start = async () => {
    const now = clock.now();
    const stored = monitored ? await readStatus(dependencies) : undefined;
    const due = stored && expectedNext(stored, schedule, now);
    if (stored && due && due.getTime() === stored.next.getTime()) status = stored;
    else
      await remember({
        last: stored?.last,
        next: due ?? schedule(now),
        lastUpdated: stored ? stored.lastUpdated : now,
      });

    const isPastDue = stored !== undefined && now > status!.next;
    if (!stopped && (isPastDue || trigger.runOnStartup)) {
      log(
        'information',
        LISTENER,
        `Function '${name}' is ${isPastDue ? 'past due' : 'configured to run'} on startup. Executing now.`,
      );
      await fire(isPastDue);
    }
    waitFor(schedule(clock.now()));
  };
  void inFlight.track(start());

  return {
    currentArgument: () => toTimerArgument(false, monitored ? status : undefined),
    stop: () => {
      stopped = true;
      callOff();
    },
  };
};

const readStatus = async ({
  name,
  statusStore,
  log,
}: TimerDependencies): Promise<TimerStatus | undefined> => {
  try {
    return await statusStore.read(name);
  } catch (error) {
    log(
      'warning',
      LISTENER,
      `The status of timer '${name}' could not be read; a missed run is not made up: ${messageOf(error)}`,
    );
    return undefined;
  }
};

/** By today's schedule, which may have changed since the status was stored. */
const expectedNext = (stored: TimerStatus, schedule: Schedule, now: Date): Date => {
  if (stored.lastUpdated) return schedule(stored.lastUpdated);
  // Never run: only a stored occurrence that belongs to the schedule can be past due.
  const isOccurrence = schedule(new Date(stored.next.getTime() - 1)).getTime() === stored.next.getTime();
  return isOccurrence ? stored.next : schedule(now);
};

const comesMoreOftenThanEveryMinute = (schedule: Schedule, now: Date): boolean => {
  const first = schedule(now);
  return schedule(first).getTime() - first.getTime() < SHORTEST_MONITORED_MS;
};

/** .NET's TimerInfo; the library turns the names into camel case. */
export const toTimerArgument = (isPastDue: boolean, status: TimerStatus | undefined): TypedData => ({
  json: JSON.stringify({
    Schedule: { AdjustForDST: true },
    ScheduleStatus: status
      ? {
          Last: status.last?.toISOString() ?? NEVER,
          Next: status.next.toISOString(),
          LastUpdated: status.lastUpdated?.toISOString() ?? NEVER,
        }
      : null,
    IsPastDue: isPastDue,
  }),
});
