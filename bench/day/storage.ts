import { AppError } from '../../src/lib/errors.ts';
import { indexKeyOf, keysBefore } from '../../src/lib/ledger/ledger-index.ts';
import { isFinal, type LedgerRow, type MailState } from '../../src/lib/ledger/ledger-row.ts';
import { prefixesOf } from '../../src/lib/ledger/search-index.ts';
import type { BudgetEntry, LaneEntry, LedgerEntry, Ports } from '../../src/lib/ports.ts';
import { EMPTY_LANE } from '../../src/lib/sending/mailbox-lane.ts';
import { EMPTY_BUDGET } from '../../src/lib/sending/recipient-budget.ts';
import type { VirtualTime } from '../lanes/virtual-time.ts';
import { type Span, TROUBLES } from './day-plan.ts';
import type { Random } from './random.ts';
import { makeRateMeter } from './rate-meter.ts';
import { makeShelf } from './shelf.ts';

/** A process that can die; nothing that it asked for is heard by anybody then. */
export type Process = { readonly skewMs: number; isAlive: boolean };

type Part = 'ledger' | 'lanes' | 'queue' | 'blob';

const PARTITIONS = 256;
/** Those of one table server. */
const SLOW_PARTITIONS = 32;
/** As the adapter of lanes: emails wait for this, and can do without it. */
const LANE_TIMEOUT_MS = 3000;
const SLOW_MS = { least: 1000, more: 5000 };
const USUAL_MS = { least: 4, more: 8 };
/** How often storage fails, before it has done something or after. */
const FAILS = { usual: 0.000_01, slow: 0.2 };
const ANSWER_LOST = { usual: 0.000_01, slow: 0.03 };
/** One write in so many is looked at closely. */
const LOOKED_AT = 64;

const partitionOf = (mailId: string): number => Number.parseInt(mailId.slice(-2), 16);

type Kept = { readonly version: number; readonly json: string | undefined; readonly place: number };

/** Tables and blobs as the processes of the relay meet them. */
export const makeStorage = (time: VirtualTime, start: number, random: Random) => {
  const requests = {
    ledgerReads: 0,
    ledgerWrites: 0,
    laneReads: 0,
    laneWrites: 0,
    laneConflicts: 0,
    otherTable: 0,
    queuePuts: 0,
    putByApplications: 0,
    queueGets: 0,
    queueDeletes: 0,
    queueOthers: 0,
    blobs: 0,
    failed: 0,
  };
  const entities = { writes: 0, written: 0 };
  const rates = { table: makeRateMeter(start), lanes: makeRateMeter(start), queue: makeRateMeter(start) };
  const problems: string[] = [];
  const kept = new Map<string, Kept>();
  const open = new Set<string>();
  const shelf = makeShelf();
  const lanes = new Map<string, LaneEntry>();
  const budgets = new Map<string, BudgetEntry>();
  const records = new Set<string>();
  let version = 0;

  const isWithin = ({ from, to }: Span): boolean => time.now() >= start + from && time.now() < start + to;
  const isSlow = (part: Part, partition: number): boolean =>
    (part === 'ledger' && partition < SLOW_PARTITIONS && isWithin(TROUBLES.slowPartitions)) ||
    (part === 'lanes' && isWithin(TROUBLES.slowLanes));

  /** Lets time pass; a process that has died by then hears nothing more. */
  const pass = (process: Process, ms: number): Promise<void> =>
    new Promise((resolve) => {
      time.at(time.now() + ms, () => {
        if (process.isAlive) resolve();
      });
    });
  const fail = (): never => {
    requests.failed += 1;
    throw new AppError('STORAGE_UNAVAILABLE');
  };

  /** A request: it takes its time, happens in the middle of it, and can fail before or after. */
  const ask = async <Value>(
    process: Process,
    part: Part,
    partition: number,
    happen: () => Value,
  ): Promise<Value> => {
    if (part !== 'blob') rates[part === 'queue' ? 'queue' : 'table'].note(time.now());
    if (part === 'lanes') rates.lanes.note(time.now());
    const slow = isSlow(part, partition);
    const { least, more } = slow ? SLOW_MS : USUAL_MS;
    const half = (least + more * random()) / 2;
    await pass(process, half);
    if (random() < (slow ? FAILS.slow : FAILS.usual)) fail();
    const value = happen();
    const isLate = part === 'lanes' && 2 * half > LANE_TIMEOUT_MS;
    await pass(process, isLate ? LANE_TIMEOUT_MS - half : half);
    if (isLate || random() < (slow ? ANSWER_LOST.slow : ANSWER_LOST.usual)) fail();
    return value;
  };

  const read = (mailId: string): LedgerEntry | undefined => {
    const entry = kept.get(mailId);
    if (entry === undefined) return undefined;
    const row = JSON.parse(entry.json ?? shelf.read(entry.place)) as LedgerRow;
    return { row, etag: String(entry.version) };
  };

  const write = <Its extends LedgerRow>(row: Its): LedgerEntry<Its> => {
    const { mailId } = row.facts;
    version += 1;
    if (version % LOOKED_AT === 0) look(row, read(mailId)?.row);
    const json = JSON.stringify(row);
    const hasEnded = isFinal(row);
    if (hasEnded) open.delete(mailId);
    else open.add(mailId);
    kept.set(
      mailId,
      hasEnded ? { version, json: undefined, place: shelf.put(json) } : { version, json, place: 0 },
    );
    return { row, etag: String(version) };
  };

  /** How many entities a write has: the row, where it is filed, and by what it is found. */
  const look = (row: LedgerRow, before: LedgerRow | undefined): void => {
    entities.writes += 1;
    const prefixes = prefixesOf(row);
    if (before === undefined) {
      entities.written += 2 + prefixes.length;
      return;
    }
    if (before.fate.state === 'sent' && row.fate.state !== 'sent')
      problems.push(`${row.facts.mailId} was sent and is ${row.fate.state}`);
    const earlier = prefixesOf(before);
    const changed =
      prefixes.filter((prefix) => !earlier.includes(prefix)).length +
      earlier.filter((prefix) => !prefixes.includes(prefix)).length;
    entities.written += 1 + changed + (indexKeyOf(row) === indexKeyOf(before) ? 0 : 2);
  };

  const portsOf = (process: Process) => {
    const server = () => ({ at: new Date(time.now()), precisionMs: 1 });
    const ofLedger = <Value>(kind: 'ledgerReads' | 'ledgerWrites', mailId: string, happen: () => Value) => {
      requests[kind] += 1;
      return ask(process, 'ledger', partitionOf(mailId), happen);
    };
    const ofTable = <Value>(many: number, happen: () => Value): Promise<Value> => {
      requests.otherTable += many;
      return ask(process, 'ledger', PARTITIONS, happen);
    };
    const ofBlobs = <Value>(happen: () => Value): Promise<Value> => {
      requests.blobs += 1;
      return ask(process, 'blob', 0, happen);
    };
    const usages = new Map<string, Awaited<ReturnType<Ports['usages']['read']>>>();
    return {
      ledger: {
        find: (mailId) => ofLedger('ledgerReads', mailId, () => read(mailId)),
        create: (row) =>
          ofLedger('ledgerWrites', row.facts.mailId, () =>
            kept.has(row.facts.mailId) ? undefined : write(row),
          ),
        replace: (row, etag) =>
          ofLedger('ledgerWrites', row.facts.mailId, () =>
            String(kept.get(row.facts.mailId)?.version) === etag ? write(row) : undefined,
          ),
        listOpen: async function* (which, before) {
          const { from, to } = keysBefore(which, before);
          const due = await ofTable(PARTITIONS, () =>
            [...open].filter((mailId) => {
              const row = read(mailId)?.row;
              const key = row === undefined ? '' : indexKeyOf(row);
              return key >= from && key < to;
            }),
          );
          yield* due;
        },
        expire: () => ofTable(PARTITIONS, () => 0),
        forget: async () => false,
        fileEarlier: async () => 0,
      } satisfies Ports['ledger'],
      mailboxLanes: {
        read: (mailbox) => {
          requests.laneReads += 1;
          return ask(process, 'lanes', 0, () => ({
            ...(lanes.get(mailbox) ?? { lane: EMPTY_LANE }),
            server: server(),
          }));
        },
        write: async (mailbox, lane, etag) => {
          requests.laneWrites += 1;
          const own = await ask(process, 'lanes', 0, () => {
            if (lanes.get(mailbox)?.etag !== etag) return undefined;
            version += 1;
            const entry = { lane, etag: String(version) };
            lanes.set(mailbox, entry);
            return { entry, server: server() };
          });
          if (own !== undefined) return { isOwn: true, ...own };
          // Refused, and read again.
          requests.laneConflicts += 1;
          requests.laneReads += 1;
          return ask(process, 'lanes', 0, () => ({
            isOwn: false,
            entry: lanes.get(mailbox) ?? { lane: EMPTY_LANE },
            server: server(),
          }));
        },
        expire: async () => undefined,
      } satisfies Ports['mailboxLanes'],
      usages: {
        read: (day, caller) =>
          ofTable(
            1,
            () => usages.get(`${day} ${caller}`) ?? { taken: { mails: 0, recipients: 0 }, isTold: false },
          ),
        write: async () => {
          throw new Error('no caller of this day has a limit');
        },
        expire: () => ofTable(1, () => undefined),
      } satisfies Ports['usages'],
      recipientBudgets: {
        read: (tenant, kind) =>
          ofTable(1, () => budgets.get(`${tenant} ${kind}`) ?? { budget: EMPTY_BUDGET }),
        write: (tenant, kind, budget, etag) =>
          ofTable(1, () => {
            const key = `${tenant} ${kind}`;
            const there = budgets.get(key);
            if (there?.etag !== etag) return { isOwn: false, entry: there ?? { budget: EMPTY_BUDGET } };
            version += 1;
            const entry = { budget, etag: String(version) };
            budgets.set(key, entry);
            return { isOwn: true, entry };
          }),
      } satisfies Ports['recipientBudgets'],
      heartbeats: {
        read: async () => undefined,
        note: () => ofTable(1, () => undefined),
      } satisfies Ports['heartbeats'],
      // Every email of this day fits into a message.
      payloads: {
        put: async () => {
          throw new Error('an email of this day is never stored as a blob');
        },
        read: async () => undefined,
        sizeOf: async () => undefined,
        keep: async () => undefined,
        delete: async () => undefined,
        list: async function* () {
          yield* await ofBlobs(() => []);
        },
      } satisfies Ports['payloads'],
      records: {
        store: ({ mailId }) =>
          ofBlobs(() => {
            records.add(mailId);
            return `${mailId}.json`;
          }),
        list: () => ofBlobs(() => ({ records: [] })),
        read: async () => undefined,
        delete: async () => undefined,
      } satisfies Ports['records'],
      captured: {
        store: async () => undefined,
        list: async function* () {},
        read: async () => undefined,
        delete: async () => undefined,
        clear: async () => undefined,
        expire: () => ofBlobs(() => 0),
      } satisfies Ports['captured'],
      attachments: { find: async () => undefined, read: async () => undefined },
    };
  };

  return {
    portsOf,
    ask,
    requests,
    rates,
    problems,
    /** Entities in a write to the ledger, on average. */
    entitiesEach: () => entities.written / Math.max(1, entities.writes),
    read,
    hasRecord: (mailId: string) => records.has(mailId),
    openRows: () => open.size,
    rows: () => kept.size,
    bytes: shelf.bytes,
    stateOf: (mailId: string): MailState | undefined => read(mailId)?.row.fate.state,
  };
};

export type Storage = ReturnType<typeof makeStorage>;
