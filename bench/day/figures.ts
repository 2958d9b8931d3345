import { PRIORITIES } from '../../src/lib/mail/priority.ts';
import { DAY_MS, type DayOptions, HOUR_MS } from './day-plan.ts';
import type { Day } from './run-day.ts';
import { MEMORY_GB } from './use-cases.ts';
import { toVerdict, type Verdict } from './verdict.ts';

/** Seconds from an application's hand to Exchange. */
export type Delays = {
  readonly emails: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly most: number;
};

/** How often each part of the world was asked. */
export type Requests = {
  readonly ledgerReads: number;
  readonly ledgerWrites: number;
  readonly laneReads: number;
  readonly laneWrites: number;
  readonly otherTable: number;
  readonly queuePuts: number;
  readonly queueGets: number;
  readonly queueDeletes: number;
  readonly queueOthers: number;
  readonly blobs: number;
};

/** Everything that is told of a day; it can be written as JSON. */
export type Figures = {
  readonly options: DayOptions;
  readonly emails: number;
  readonly endedAfterHours: number;
  readonly verdict: Verdict;
  readonly delays: readonly { readonly priority: string; readonly delays: Delays }[];
  readonly hours: readonly {
    readonly hour: number;
    readonly offered: number;
    readonly delays: readonly Delays[];
  }[];
  readonly requests: Requests;
  readonly laneConflicts: number;
  readonly storageFailed: number;
  readonly entitiesEach: number;
  readonly peaks: { readonly table: number; readonly lanes: number; readonly queue: number };
  readonly graph: {
    readonly send: number;
    readonly find: number;
    readonly throttled: number;
    readonly inBrownOut: number;
  };
  readonly executions: { readonly http: number; readonly queue: number; readonly other: number };
  readonly gbSeconds: { readonly billed: number; readonly busy: number };
  readonly ended: { readonly killed: number; readonly replaced: number; readonly timedOut: number };
  readonly repeats: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
  readonly own: { readonly seconds: number; readonly cpuSeconds: number; readonly memoryBytes: number };
};

const toDelays = (times: readonly number[]): Delays => {
  const sorted = Float64Array.from(times).sort();
  const at = (part: number): number => (sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0) / 1000;
  return { emails: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), most: at(1) };
};

/** What is told of a day. */
export const toFigures = (day: Day): Figures => {
  const { emails, storage, exchange, host, options } = day;
  const all = PRIORITIES.map((): number[] => []);
  const byHour = Array.from({ length: DAY_MS / HOUR_MS }, () => PRIORITIES.map((): number[] => []));
  for (let number = 0; number < emails.count; number += 1) {
    const { at, priority } = emails.of(number);
    if (emails.copiesOf(number) === 0) continue;
    const delay = emails.sentAt(number) - at;
    const kind = PRIORITIES.indexOf(priority);
    all[kind]?.push(delay);
    byHour[Math.floor((at - day.startedAt) / HOUR_MS)]?.[kind]?.push(delay);
  }
  const { requests } = storage;
  const { billedMs, busyMs } = host.billed();
  return {
    options,
    emails: emails.count,
    endedAfterHours: (day.endedAt - day.startedAt) / HOUR_MS,
    verdict: toVerdict(day),
    delays: PRIORITIES.map((priority, kind) => ({ priority, delays: toDelays(all[kind] ?? []) })),
    hours: byHour.map((kinds, hour) => ({
      hour,
      offered: kinds.reduce((sum, { length }) => sum + length, 0),
      delays: kinds.map(toDelays),
    })),
    requests: {
      ledgerReads: requests.ledgerReads,
      ledgerWrites: requests.ledgerWrites,
      laneReads: requests.laneReads,
      laneWrites: requests.laneWrites,
      otherTable: requests.otherTable,
      queuePuts: requests.queuePuts + requests.putByApplications,
      queueGets: requests.queueGets,
      queueDeletes: requests.queueDeletes,
      queueOthers: requests.queueOthers,
      blobs: requests.blobs,
    },
    laneConflicts: requests.laneConflicts,
    storageFailed: requests.failed,
    entitiesEach: storage.entitiesEach(),
    peaks: {
      table: storage.rates.table.most(),
      lanes: storage.rates.lanes.most(),
      queue: storage.rates.queue.most(),
    },
    graph: {
      send: exchange.requests.send,
      find: exchange.requests.find,
      throttled: exchange.requests.throttled,
      inBrownOut: exchange.requests.brownOut,
    },
    executions: { ...host.executions },
    gbSeconds: { billed: (billedMs / 1000) * MEMORY_GB, busy: (busyMs / 1000) * MEMORY_GB },
    ended: { ...host.ended },
    repeats: day.repeats,
    events: day.events,
    own: day.own,
  };
};
