import type { Connection } from '../connections/connection.ts';
import { AppError, type Reason, reasonOf } from '../errors.ts';
import { unexpected } from '../log.ts';
import type { HeartbeatName, Ports, Vault, WatchedQueue } from '../ports.ts';
import type { LastRun } from './doctor-facts.ts';
import { listHeld } from './list-held.ts';
import { type CredentialView, readCredentials } from './read-credentials.ts';
import type { DoctorReport } from './run-doctor.ts';

/** What could be found out, or why not: one part that fails hides no other. */
export type Looked<Value> =
  | { readonly kind: 'seen'; readonly value: Value }
  | { readonly kind: 'failed'; readonly reason: Reason };

type QueueNow = {
  readonly name: string;
  /** Undefined where there is no such queue. */
  readonly messages: number | undefined;
  /** How long the message that is due next has been there, in milliseconds. */
  readonly oldestMs?: number;
};

export type Overview = {
  readonly now: Date;
  readonly doctor: Looked<DoctorReport>;
  readonly held: Looked<{ readonly count: number; readonly hasMore: boolean }>;
  readonly queues: Looked<readonly QueueNow[]>;
  /** Absent where no vault is set. */
  readonly credentials?: Looked<readonly CredentialView[]>;
  readonly heartbeats: readonly {
    readonly name: HeartbeatName | 'warnings';
    readonly lastRun: Looked<LastRun | undefined>;
  }[];
};

export type OverviewNeeds = Pick<Ports, 'clock' | 'log'> & {
  /** At most so old; a run of its own takes seconds. */
  readonly recentDoctor: (mostMs: number) => Promise<DoctorReport>;
  readonly storage: () => Pick<Ports, 'ledger' | 'records'>;
  readonly queues: () => Readonly<Record<string, WatchedQueue>>;
  readonly connections: () => readonly Connection[];
  readonly vault?: () => Pick<Vault, 'listSecrets'>;
  readonly lastRuns: Readonly<
    Partial<Record<HeartbeatName | 'warnings', () => Promise<LastRun | undefined>>>
  >;
};

/** Whoever looks again within a minute sees the same checks. */
const DOCTOR_AGE_MS = 60_000;

/** Everything that an operator wants to see first. Never throws for what it looks at. */
export const readOverview = async (needs: OverviewNeeds, checkNow: boolean): Promise<Overview> => {
  const now = needs.clock.now();
  const { vault } = needs;
  const [doctor, held, queues, credentials, heartbeats] = await Promise.all([
    lookedAt(needs, () => needs.recentDoctor(checkNow ? 0 : DOCTOR_AGE_MS)),
    lookedAt(needs, () => countHeld(needs.storage())),
    lookedAt(needs, () => readQueues(needs.queues(), now)),
    vault === undefined
      ? undefined
      : lookedAt(needs, () => readCredentials({ vault: vault(), connections: namedConnections(needs) }, now)),
    Promise.all(
      Object.entries(needs.lastRuns).map(async ([name, read]) => ({
        name: name as HeartbeatName | 'warnings',
        lastRun: await lookedAt(needs, read),
      })),
    ),
  ]);
  return { now, doctor, held, queues, ...(credentials === undefined ? {} : { credentials }), heartbeats };
};

const lookedAt = async <Value>(
  { log }: Pick<Ports, 'log'>,
  ask: () => Promise<Value>,
): Promise<Looked<Value>> => {
  try {
    return { kind: 'seen', value: await ask() };
  } catch (error) {
    if (error instanceof AppError) return { kind: 'failed', reason: reasonOf(error) };
    log(unexpected(error));
    return { kind: 'failed', reason: { code: 'UNEXPECTED' } };
  }
};

/** None where settings are invalid, which the doctor says. */
const namedConnections = ({ connections }: OverviewNeeds): readonly Connection[] => {
  try {
    return connections();
  } catch {
    return [];
  }
};

const countHeld = async (storage: Pick<Ports, 'ledger' | 'records'>) => {
  const { mails, next } = await listHeld(storage, undefined);
  return { count: mails.length, hasMore: next !== undefined };
};

const readQueues = (
  queues: Readonly<Record<string, WatchedQueue>>,
  now: Date,
): Promise<readonly QueueNow[]> =>
  Promise.all(
    Object.entries(queues).map(async ([name, { count, peek }]): Promise<QueueNow> => {
      const messages = await count();
      const next = messages ? await peek() : undefined;
      return {
        name,
        messages,
        ...(next ? { oldestMs: Math.max(0, now.getTime() - next.putAt.getTime()) } : {}),
      };
    }),
  );
