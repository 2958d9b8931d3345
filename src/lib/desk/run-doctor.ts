import { type Connection, MAIN_CONNECTION } from '../connections/connection.ts';
import { defined } from '../defined.ts';
import { AppError, reasonOf } from '../errors.ts';
import { type Log, unexpected } from '../log.ts';
import { addressKey } from '../mail/address.ts';
import type { OpenConnection, Ports, Vault, WatchedQueue } from '../ports.ts';
import type {
  ConnectionFacts,
  DoctorFacts,
  DoctorSettings,
  HeartbeatFacts,
  LastRun,
  MailboxFacts,
  QueueFacts,
  Seen,
  TraceFacts,
} from './doctor-facts.ts';
import { decideFindings, worstOf } from './doctor-findings.ts';
import type { Finding, State } from './finding.ts';
import { listHeld } from './list-held.ts';
import { lookAtTrace } from './look-at-traces.ts';

/** What the doctor needs of a connection. */
export type ProvableConnection = Pick<OpenConnection, 'connection' | 'proveCredential'>;

export type DoctorNeeds = Pick<Ports, 'clock' | 'log'> & {
  readonly settings: DoctorSettings;
  readonly version: string;
  /** These throw where settings are invalid. */
  readonly storage: () => Pick<Ports, 'ledger' | 'records'>;
  readonly queues: () => Readonly<Record<string, WatchedQueue>>;
  readonly poisonQueues: () => Readonly<Record<string, WatchedQueue>>;
  readonly connections: () => readonly ProvableConnection[];
  readonly mailboxes: () => Pick<Ports['mailboxes'], 'find' | 'routeOf'>;
  /** Absent where MAIL_TRACE is off. */
  readonly tracing?: () => Pick<Ports, 'traces' | 'traceUses'>;
  /** Absent where no vault is set. */
  readonly vault?: () => Pick<Vault, 'listSecrets'>;
  /** The time by the clock of this connection's Entra. */
  readonly readServerTime: (connection: Connection) => Promise<Date>;
  readonly lastRuns: Readonly<Partial<Record<HeartbeatFacts['name'], () => Promise<LastRun | undefined>>>>;
};

export type DoctorReport = {
  /** That of the worst finding. */
  readonly state: State;
  readonly time: string;
  readonly version: string;
  readonly findings: readonly Finding[];
};

/** The whole takes 10 seconds at most; what is left is for the answer. */
const LIMIT_MS = 9000;
/** A message that has been there for so long is watched: it may be stuck, or only now be due. */
const LONG_THERE_MS = 15 * 60_000;
const WATCH_MS = 4000;
const MOST_MAILBOXES = 20;
/** Connections of which a message trace is asked: each costs one of the few requests that there are. */
const MOST_TRACED = 3;
/** Pages of held emails, of 50 each. */
const MOST_HELD_PAGES = 2;

/** The id of no email. */
const NO_MAIL = '00000000-0000-4000-8000-000000000000';

/** Looks at everything at the same time, and says what it found. Never throws for what it looks at. */
export const runDoctor = async (needs: DoctorNeeds): Promise<DoctorReport> => {
  const facts = await gather(needs);
  const findings = decideFindings(facts);
  return {
    state: worstOf(findings),
    time: facts.now.toISOString(),
    version: needs.version,
    findings,
  };
};

/** One run serves everyone who asks while it lasts. */
export const sharingRuns = (run: () => Promise<DoctorReport>): (() => Promise<DoctorReport>) => {
  let running: Promise<DoctorReport> | undefined;
  return () => {
    running ??= run().finally(() => {
      running = undefined;
    });
    return running;
  };
};

/** Gives the last report where it is young enough, for pages that are loaded again and again. */
export const keepingReports = (run: (log: Log) => Promise<DoctorReport>, now: () => Date) => {
  let kept: { readonly report: DoctorReport; readonly at: number } | undefined;
  return async (log: Log, mostMs: number): Promise<DoctorReport> => {
    const age = kept === undefined ? Number.NaN : now().getTime() - kept.at;
    if (kept !== undefined && age >= 0 && age < mostMs) return kept.report;
    const at = now().getTime();
    kept = { report: await run(log), at };
    return kept.report;
  };
};

type Look = <Value>(ask: () => Value | Promise<Value>) => Promise<Seen<Value>>;

/** Looks that all end at the same time. */
const makeLook = ({ clock, log }: Pick<DoctorNeeds, 'clock' | 'log'>): Look => {
  const end = clock.sleep(LIMIT_MS).then(() => ({ kind: 'late' }) as const);
  const settle = async <Value>(ask: () => Value | Promise<Value>): Promise<Seen<Value>> => {
    try {
      return { kind: 'seen', value: await ask() };
    } catch (error) {
      if (error instanceof AppError) return { kind: 'failed', reason: reasonOf(error), ...upstreamOf(error) };
      log(unexpected(error));
      return { kind: 'failed', reason: { code: 'UNEXPECTED' } };
    }
  };
  return (ask) => Promise.race([settle(ask), end]);
};

/** Why storage failed, such as AuthorizationFailure: a name, no text that could quote anything. */
const upstreamOf = ({ code: ours, facts: { cause } }: AppError): { readonly upstream?: string } => {
  if (ours !== 'STORAGE_UNAVAILABLE') return {};
  const { code } = (cause ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' && /^\w{1,60}$/.test(code) ? { upstream: code } : {};
};

const gather = async (needs: DoctorNeeds): Promise<DoctorFacts> => {
  const { settings, clock } = needs;
  const look = makeLook(needs);
  const now = clock.now();
  const opened = openOrNone(needs.connections);
  const main = opened[0]?.connection;
  const { vault } = needs;
  const named = [...new Map(settings.senders.map((one) => [addressKey(one), one])).values()].filter(
    (sender) => !sender.startsWith('*@'),
  );
  const [storage, queues, poisonQueues, held, listed, connections, mailboxes, skewMs, heartbeats, traces] =
    await Promise.all([
      lookAtStorage(needs, look),
      lookAtQueues(needs.queues, look, (queue) => lookAtQueue(needs, queue)),
      lookAtQueues(needs.poisonQueues, look, async ({ count }) => ({ messages: await count() })),
      look(() => countHeld(needs.storage())),
      vault === undefined ? undefined : look(async () => (await vault().listSecrets()).length),
      Promise.all(opened.map((one) => lookAtConnection(one, look))),
      opened.length === 0 ? [] : lookAtMailboxes(needs, look, opened, named.slice(0, MOST_MAILBOXES)),
      main === undefined ? undefined : look(() => skewOf(needs, main)),
      lookAtHeartbeats(needs, look),
      lookAtTraces(needs, look, opened.slice(0, MOST_TRACED)),
    ]);
  return {
    now,
    settings,
    storage,
    queues,
    poisonQueues,
    held,
    ...(listed === undefined ? {} : { vault: listed }),
    connections,
    mailboxes,
    mailboxesLeft: Math.max(0, named.length - MOST_MAILBOXES),
    ...(skewMs === undefined ? {} : { skewMs }),
    heartbeats,
    ...defined({ traces }),
  };
};

/** None where settings are invalid, which the findings of the settings say. */
const openOrNone = (open: DoctorNeeds['connections']): readonly ProvableConnection[] => {
  try {
    return open();
  } catch {
    return [];
  }
};

const lookAtStorage = async (needs: DoctorNeeds, look: Look): Promise<DoctorFacts['storage']> => {
  const [tables, queues, blobs] = await Promise.all([
    look(() => needs.storage().ledger.find(NO_MAIL)),
    look(() => Promise.all(Object.values(needs.queues()).map(({ count }) => count()))),
    look(() => needs.storage().records.list(1, undefined)),
  ]);
  return { tables, queues, blobs };
};

const lookAtQueues = async (
  open: () => Readonly<Record<string, WatchedQueue>>,
  look: Look,
  ask: (queue: WatchedQueue) => Promise<Omit<QueueFacts, 'name'>>,
): Promise<readonly Seen<QueueFacts>[]> => {
  const opened = await look(open);
  if (opened.kind !== 'seen') return [opened];
  return Promise.all(
    Object.entries(opened.value).map(([name, queue]) => look(async () => ({ name, ...(await ask(queue)) }))),
  );
};

const lookAtQueue = async (
  { clock }: Pick<DoctorNeeds, 'clock'>,
  { count, peek }: WatchedQueue,
): Promise<Omit<QueueFacts, 'name'>> => {
  const messages = await count();
  const next = messages ? await peek() : undefined;
  if (next === undefined || clock.now().getTime() - next.putAt.getTime() < LONG_THERE_MS) return { messages };
  await clock.sleep(WATCH_MS);
  const isStillThere = (await peek())?.id === next.id;
  return { messages, ...(isStillThere ? { stuckSince: next.putAt } : {}) };
};

const countHeld = async (storage: Pick<Ports, 'ledger' | 'records'>) => {
  let count = 0;
  let after: string | undefined;
  for (let page = 0; page < MOST_HELD_PAGES; page += 1) {
    const { mails, next } = await listHeld(storage, after);
    count += mails.length;
    after = next;
    if (after === undefined) break;
  }
  return { count, hasMore: after !== undefined };
};

const lookAtConnection = async (
  { connection, proveCredential }: ProvableConnection,
  look: Look,
): Promise<ConnectionFacts> => ({ connection, proof: await look(proveCredential) });

const lookAtMailboxes = (
  needs: DoctorNeeds,
  look: Look,
  opened: readonly ProvableConnection[],
  senders: readonly string[],
): Promise<readonly MailboxFacts[]> => {
  if (opened.length === 0) return Promise.resolve([]);
  return Promise.all(
    senders.map(async (mailbox) => ({
      mailbox,
      connection: connectionNameOf(needs, mailbox),
      sighting: await look(async () => {
        const { find, routeOf } = needs.mailboxes();
        const ask = () => find(mailbox, NO_MAIL, { by: 'property', inDrafts: false }, routeOf(mailbox));
        const first = await ask();
        // A connection that was kept can be closed at the moment of its next use; to look again does no harm.
        return first.kind === 'not-now' && first.status === undefined ? ask() : first;
      }),
    })),
  );
};

/** Also of one whose settings are wrong: its senders go by no other. */
const connectionNameOf = ({ mailboxes }: DoctorNeeds, mailbox: string): string => {
  try {
    return mailboxes().routeOf(mailbox).connection;
  } catch {
    // The look at the mailbox says why.
    return MAIN_CONNECTION;
  }
};

const lookAtTraces = (
  { tracing, clock }: DoctorNeeds,
  look: Look,
  opened: readonly ProvableConnection[],
): Promise<readonly TraceFacts[]> | undefined =>
  tracing &&
  Promise.all(
    opened.map(async (one) => ({
      connection: one.connection.name,
      answer: await look(() => lookAtTrace({ ...tracing(), clock }, one)),
    })),
  );

/** The header that has the time has whole seconds. */
const HALF_A_SECOND_MS = 500;

const skewOf = async ({ clock, readServerTime }: DoctorNeeds, connection: Connection): Promise<number> => {
  const before = clock.now().getTime();
  const theirs = await readServerTime(connection);
  const ours = (before + clock.now().getTime()) / 2;
  return theirs.getTime() + HALF_A_SECOND_MS - ours;
};

const NAMES: readonly HeartbeatFacts['name'][] = ['sweep', 'warnings', 'rotation'];

const lookAtHeartbeats = async (
  { lastRuns }: DoctorNeeds,
  look: Look,
): Promise<readonly HeartbeatFacts[]> => {
  const seen = await Promise.all(
    NAMES.map(async (name): Promise<HeartbeatFacts | undefined> => {
      const read = lastRuns[name];
      return read === undefined ? undefined : { name, lastRun: await look(read) };
    }),
  );
  return seen.filter((one) => one !== undefined);
};
