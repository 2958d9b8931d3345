import { RELAY } from '../../../src/lib/callers/known-callers.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { HeldRecord } from '../../../src/lib/ledger/held-record.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { DraftFound, LedgerEntry, Ports } from '../../../src/lib/ports.ts';
import type { Sighting } from '../../../src/lib/sending/look-up-plan.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { aDeclaredCaller, knowing } from '../../support/a-caller.ts';
import { makeFakeBudgets } from '../../support/fake-budgets.ts';
import { makeFakeCaptured } from '../../support/fake-captured.ts';
import { makeFakeHeartbeats } from '../../support/fake-heartbeats.ts';
import { makeFakeLanes } from '../../support/fake-lanes.ts';
import { makeFakeLedger } from '../../support/fake-ledger.ts';
import { makeFakeMailboxes } from '../../support/fake-mailboxes.ts';
import { makeFakeQueue } from '../../support/fake-queue.ts';
import { makeFakeUsages } from '../../support/fake-usages.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { chunked, joined } from '../../support/json-chunks.ts';
import { makeStepper } from '../../support/stepper.ts';
import { lawbreaks } from './lawbreaks.ts';

/** How Graph says no: each of these is certainly not sent, and ends by itself. */
const REFUSALS: readonly SendReport[] = [
  { kind: 'answered', status: 429 },
  { kind: 'answered', status: 429, retryAfter: '2.5' },
  { kind: 'answered', status: 503 },
  { kind: 'no-token', code: 'ENTRA_UNREACHABLE' },
  { kind: 'no-token', code: 'CLIENT_SECRET_EXPIRED' },
  { kind: 'not-connected' },
];
/** How Graph says nothing of use: sent or not, nobody knows. */
const DOUBTS: readonly SendReport[] = [
  { kind: 'lost', why: 'timeout' },
  { kind: 'lost', why: 'connection' },
  { kind: 'answered', status: 504 },
];

/** What Graph also says of the sending of a draft, whether it began or not. */
const SENDING_DOUBTS: readonly SendReport[] = [
  ...DOUBTS,
  { kind: 'answered', status: 429 },
  { kind: 'answered', status: 429, retryAfter: '2.5' },
  { kind: 'answered', status: 503 },
];

/** The files of each mail of the model. */
export const FILES = 2;

const START = Date.parse('2026-03-02T08:00:00Z');

/** Storage and Graph as the processes of the relay meet them: one step at a time, each with a fate of its own. */
export const makeSimulatedCloud = (sentItemsDelayMs: number, mailsPerDay?: number) => {
  let now = new Date(START);
  let made = 0;
  const newId = (): string => {
    made += 1;
    return `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}`;
  };
  const problems: string[] = [];
  const history: string[] = [];
  /** Mails of which at some moment nobody could know whether they were sent. */
  const doubted = new Set<string>();
  /** When mails are to be sent that wait for their time. */
  const notBefore = new Map<string, Date>();

  const stepper = makeStepper();
  const ledger = makeFakeLedger((row, before) => {
    const [from, to] = [before?.fate.state ?? 'new', row.fate.state];
    history.push(`${row.facts.mailId} ${from} -> ${to} (turn ${row.progress.turn})`);
    problems.push(...lawbreaks(row, before));
  });
  const queue = makeFakeQueue(newId);
  const poison = makeFakeQueue(newId);
  const mailboxes = makeFakeMailboxes(sentItemsDelayMs);
  const usages = makeFakeUsages();
  const lanes = makeFakeLanes();
  const budgets = makeFakeBudgets();
  const rules = mailsPerDay === undefined ? {} : { mailsPerDay, owner: 'owner@contoso.example' };
  const callers = knowing(aDeclaredCaller('queue', { rules }), aDeclaredCaller('function-keys', { rules }));
  const payloads = new Map<string, { readonly json: string; readonly writtenAt: Date }>();
  const records = new Map<string, HeldRecord>();
  const captured = makeFakeCaptured();
  /** The ids of events that other systems were given. */
  const announced = new Set<string>();

  const unavailable = (): never => {
    throw new AppError('STORAGE_UNAVAILABLE');
  };

  /** The relay warns of limits by email. */
  const ofRelay = (mailId: string): boolean => ledger.find(mailId)?.row.facts.caller === RELAY;

  /** The ports of one process; `touch` learns which mails it handles. */
  const portsOf = (process: number, touch: (mailId: string) => void) => {
    const storage = <Value>(what: string, happen: () => Value): Promise<Value> =>
      stepper.ask(process, what, happen, unavailable);
    const write = <Its extends LedgerRow>(
      what: string,
      row: Its,
      happen: () => LedgerEntry<Its> | undefined,
    ) => {
      const { mailId } = row.facts;
      touch(mailId);
      return stepper.ask(process, `${what} ${row.fate.state}`, happen, () => {
        doubted.add(mailId);
        return unavailable();
      });
    };
    const log: Log = ({ event, ...facts }) => {
      history.push(`  [${process}] ${event} ${'mailId' in facts ? facts.mailId : ''}`);
    };
    const queueOf = (name: string, held: typeof queue) => ({
      put: (text: string, delayMs: number) => storage(`put ${name}`, () => void held.put(text, delayMs, now)),
      count: () => storage(`count ${name}`, () => held.size()),
    });
    return {
      clock: {
        now: () => now,
        sleep: (_milliseconds: number) => stepper.ask<void>(process, 'sleep', nothing, nothing),
      },
      random: () => 0.5,
      log,
      readIdentity: async () => IDENTITY,
      callers,
      usages: {
        read: (...which) => storage('read usage', () => usages.read(...which)),
        write: (...which) => storage('write usage', () => usages.write(...which)),
        expire: (...which) => storage('expire usages', () => usages.expire(...which)),
      },
      mailboxLanes: {
        read: (mailbox) =>
          storage('read lane', () => ({ ...lanes.read(mailbox), server: { at: now, precisionMs: 1 } })),
        write: (mailbox, lane, etag) =>
          storage('write lane', () => ({
            ...lanes.write(mailbox, lane, etag, now),
            server: { at: now, precisionMs: 1 },
          })),
        expire: (before) => storage('expire lanes', () => lanes.expire(before)),
      },
      recipientBudgets: {
        read: (...which) => storage('read recipients', () => budgets.read(...which)),
        write: (...which) => storage('write recipients', () => budgets.write(...which)),
      },
      heartbeats: makeFakeHeartbeats(),
      events: { put: (event) => storage('put event', () => void announced.add(event.id)) },
      ledger: {
        find: (mailId) => storage('find', () => ledger.find(mailId)),
        create: (row) => write('create', row, () => ledger.create(row)),
        replace: (row, etag) => write('replace', row, () => ledger.replace(row, etag)),
        listOpen: async function* (...which) {
          yield* await storage('list', () => ledger.listOpen(...which));
        },
        expire: (...which) => storage('expire', () => ledger.expire(...which)),
        forget: (...which) => storage('forget', () => ledger.forget(...which)),
        fileEarlier: (...which) => storage('file', () => ledger.fileEarlier(...which)),
      },
      mailQueue: queueOf('message', queue),
      arrivalQueue: queueOf('message', queue),
      poisonQueue: queueOf('poison', poison),
      poisonQueues: { 'mail-poison': queueOf('poison', poison) },
      payloads: {
        put: (mailId, contentHash, json) =>
          storage(
            'put payload',
            () => void payloads.set(`${mailId} ${contentHash}`, { json: joined(json), writtenAt: now }),
          ),
        read: (mailId, contentHash) =>
          storage('read payload', () => {
            const kept = payloads.get(`${mailId} ${contentHash}`);
            return kept && chunked(kept.json);
          }),
        sizeOf: (mailId, contentHash) =>
          storage('size payload', () => {
            const kept = payloads.get(`${mailId} ${contentHash}`);
            return kept && Buffer.byteLength(kept.json);
          }),
        keep: (mailId, contentHash) =>
          storage('keep payload', () => {
            const kept = payloads.get(`${mailId} ${contentHash}`);
            if (kept !== undefined) payloads.set(`${mailId} ${contentHash}`, { ...kept, writtenAt: now });
          }),
        delete: (mailId, contentHash) =>
          storage('delete payload', () => void payloads.delete(`${mailId} ${contentHash}`)),
        list: async function* (before) {
          yield* await storage('list payloads', () =>
            [...payloads].flatMap(([name, { writtenAt }]) => {
              const [mailId = '', contentHash = ''] = name.split(' ');
              return writtenAt < before ? [{ mailId, contentHash, writtenAt }] : [];
            }),
          );
        },
      },
      records: {
        store: (record) =>
          storage('store record', () => {
            const name = `${record.heldAt.slice(0, 10)}/${record.mailId}.json`;
            // As the real one: a record without the mail never takes the place of one that has it.
            if (record.original === undefined && records.has(name)) return name;
            records.set(name, JSON.parse(JSON.stringify(record)) as HeldRecord);
            return name;
          }),
        list: () =>
          storage('list records', () => ({
            records: [...records].map(([name, { mailId, heldAt }]) => ({
              name,
              mailId,
              writtenAt: new Date(heldAt),
            })),
          })),
        read: (name) => storage('read record', () => records.get(name)),
        delete: (name) => storage('delete record', () => void records.delete(name)),
      },
      captured: {
        ...captured.port,
        store: (record, summary) =>
          storage('store captured', () => void captured.kept.set(record.mailId, { record, summary })),
      },
      attachments: { find: async () => undefined, read: async () => undefined },
      mailboxes: {
        routeOf: () => ({ connection: 'main', cloud: 'global', tenantId: 'contoso.example' }),
        send: ({ body: bytes }) => {
          const body = bytes.toString();
          const mailId = mailIdOf(body);
          return stepper.ask<SendReport>(
            process,
            'send',
            () => {
              mailboxes.accept(body, now);
              if (now < (notBefore.get(mailId) ?? now)) problems.push(`${mailId} was sent before its time`);
              history.push(`${mailId} ACCEPTED by Graph`);
              return { kind: 'answered', status: 202 };
            },
            (fate) => {
              if (fate !== 'refused') doubted.add(mailId);
              history.push(`${mailId} attempt ${fate}`);
              return pick(fate === 'refused' ? REFUSALS : DOUBTS, history.length);
            },
          );
        },
        find: (_mailbox, mailId, mark) =>
          stepper.ask<Sighting>(
            process,
            'look up',
            () => ({ kind: mailboxes.shows(mailId, now, mark) ? 'found' : 'absent' }),
            () => ({ kind: 'not-now' }),
          ),
      },
      drafts: draftsOf(process),
    } satisfies Omit<
      Ports,
      | 'vault'
      | 'callerStore'
      | 'operatorTrail'
      | 'appTokens'
      | 'connections'
      | 'warnings'
      | 'rotations'
      | 'traces'
      | 'traceUses'
      | 'mailIndex'
      | 'counts'
      | 'samples'
      | 'webhookQueue'
      | 'eventWebhooks'
      | 'signingKeys'
      | 'receivedMail'
      | 'watchedMailboxes'
    >;
  };

  const askGraph = (process: number, what: string, happen: () => SendReport): Promise<SendReport> =>
    stepper.ask<SendReport>(process, what, happen, (fate) =>
      pick(fate === 'refused' ? REFUSALS : DOUBTS, history.length),
    );
  const answered = (status: number): SendReport => ({ kind: 'answered', status });

  const draftsOf = (process: number): Ports['drafts'] => ({
    create: async (_mailbox, { body }) => {
      let id = '';
      const report = await askGraph(process, 'create draft', () => {
        id = mailboxes.createDraft(body.toString(), now);
        history.push(`${mailboxes.mailOf(id)} made as ${id}`);
        return answered(201);
      });
      const isKnown = report.kind === 'answered' && report.status === 201;
      return { report, ...(isKnown ? { draft: { id } } : {}) };
    },
    mark: () => askGraph(process, 'mark draft', () => answered(200)),
    attach: (_mailbox, id, body) =>
      askGraph(process, 'attach', () => {
        const { name } = JSON.parse(body.toString()) as { readonly name: string };
        return answered(mailboxes.attach(id, name, body.length) ? 201 : 404);
      }),
    openUpload: () => {
      throw new Error('the mails of this model are small');
    },
    send: (_mailbox, id) => {
      const mailId = mailboxes.mailOf(id);
      return stepper.ask<SendReport>(
        process,
        'send draft',
        () => {
          const { size } = mailboxes.filesOf(id);
          if (!mailboxes.sendDraft(id, now)) return answered(404);
          if (size !== (ofRelay(mailId) ? 0 : FILES))
            problems.push(`${mailId} was sent with ${size} of ${FILES} files`);
          history.push(`${mailId} ACCEPTED by Graph as ${id}`);
          return answered(202);
        },
        (fate) => {
          history.push(`${mailId} sending ${id} ${fate}`);
          const report = pick(fate === 'refused' ? REFUSALS : SENDING_DOUBTS, history.length);
          if (fate !== 'refused' || report.kind === 'answered') doubted.add(mailId);
          return report;
        },
      );
    },
    look: (_mailbox, id) =>
      stepper.ask<Sighting>(
        process,
        'look at draft',
        () => mailboxes.look(id, now),
        () => ({ kind: 'not-now' }),
      ),
    remove: (_mailbox, id) =>
      stepper.ask<'removed' | 'gone' | 'failed'>(
        process,
        'remove draft',
        () => {
          history.push(`  [${process}] ${id} removed`);
          return mailboxes.remove(id, now);
        },
        () => 'failed',
      ),
    listOf: (_mailbox, mailId) => listDrafts(process, (draft) => draft.mailId === mailId),
    listBefore: (_mailbox, before) => listDrafts(process, ({ createdAt }) => createdAt < before),
  });

  const listDrafts = (process: number, isWanted: (draft: DraftFound) => boolean) =>
    stepper.ask<readonly DraftFound[] | undefined>(
      process,
      'list drafts',
      () => mailboxes.listDrafts(now).filter(isWanted),
      () => undefined,
    );

  return {
    stepper,
    ledger,
    queue,
    poison,
    mailboxes,
    usages,
    callers,
    payloads,
    records,
    announced,
    problems,
    history,
    doubted,
    notBefore,
    newId,
    portsOf,
    now: () => now,
    advanceTo: (time: Date) => {
      if (time > now) now = time;
    },
  };
};

export type SimulatedCloud = ReturnType<typeof makeSimulatedCloud>;

const nothing = (): void => undefined;

const pick = <Value>(values: readonly Value[], index: number): Value =>
  values[index % values.length] as Value;

const mailIdOf = (body: string): string =>
  (
    JSON.parse(body) as {
      readonly message: { readonly singleValueExtendedProperties: readonly { readonly value: string }[] };
    }
  ).message.singleValueExtendedProperties[0]?.value ?? '';
