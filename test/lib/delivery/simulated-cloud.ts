import { hash } from 'node:crypto';
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
import { type Asker, makeProcesses, makeReplayableProcesses } from '../../support/processes.ts';
import { saveMap, saveSet } from '../../support/save.ts';
import type { Fate } from '../../support/stepper.ts';
import { lawbreaks } from './lawbreaks.ts';
import type { StepName } from './protocol.ts';

/** How Graph says no: each of these is certainly not sent, and ends by itself. */
const REFUSALS: readonly SendReport[] = [
  { kind: 'answered', status: 429 },
  { kind: 'answered', status: 429, retryAfter: '2.5' },
  { kind: 'answered', status: 503 },
  { kind: 'no-token', code: 'ENTRA_UNREACHABLE' },
  { kind: 'no-token', code: 'CLIENT_SECRET_EXPIRED' },
  { kind: 'not-connected' },
];
/** How Graph says no for good, in a way that only an administrator can mend. */
const REJECTION: SendReport = { kind: 'answered', status: 403, upstreamCode: 'ErrorAccessDenied' };
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

/** Ways in which Graph says no that the relay takes differently, for a `refused` step: busy, no token, and never. */
export const REFUSAL_VARIANTS = [0, REFUSALS.length - 2, REFUSALS.length] as const;

/** The files of each mail of the model. */
export const FILES = 2;

/** The file that an application has put into storage. */
export const BLOB = { name: 'invoices/2026-03.pdf', bytes: 5, etag: '"blob"', content: Buffer.from('%PDF-') };

const START = Date.parse('2026-03-02T08:00:00Z');

/** Storage and Graph as the processes of the relay meet them: one step at a time, each with a fate of its own. */
export const makeSimulatedCloud = (
  sentItemsDelayMs: number,
  {
    mailsPerDay,
    isReplayable = false,
  }: { readonly mailsPerDay?: number; readonly isReplayable?: boolean } = {},
) => {
  let now = new Date(START);
  let made = 0;
  const newId = (): string => {
    made += 1;
    return toId(made.toString(16));
  };
  const texts = new Map<string, number>();
  /** By its text and not by when it came, so that the same messages in another order are the same. */
  const idOf = (text: string): string => {
    const before = texts.get(text) ?? 0;
    texts.set(text, before + 1);
    return toId(hash('sha1', `${before} ${text}`).slice(0, 12));
  };
  const problems: string[] = [];
  const history: string[] = [];
  /** When emails began to go to Graph by sendMail, by its clock, and how often an instance said that it paces alone. */
  const starts: number[] = [];
  let alone = 0;
  /** From which state to which rows went. */
  const moves = new Set<string>();
  /** Mails of which at some moment nobody could know whether they were sent. */
  const doubted = new Set<string>();
  /** When mails are to be sent that wait for their time. */
  const notBefore = new Map<string, Date>();

  const processes = (isReplayable ? makeReplayableProcesses : makeProcesses)(() => now);
  const ledger = makeFakeLedger((row, before) => {
    const [from, to] = [before?.fate.state ?? 'new', row.fate.state];
    history.push(`${row.facts.mailId} ${from} -> ${to} (turn ${row.progress.turn})`);
    moves.add(`${from} -> ${to}`);
    problems.push(...lawbreaks(row, before));
  });
  const queue = makeFakeQueue(idOf);
  const poison = makeFakeQueue(idOf);
  const mailboxes = makeFakeMailboxes(sentItemsDelayMs);
  const usages = makeFakeUsages();
  const lanes = makeFakeLanes();
  const budgets = makeFakeBudgets();
  const rules = mailsPerDay === undefined ? {} : { mailsPerDay, owner: 'owner@contoso.example' };
  const callers = knowing(aDeclaredCaller('queue', { rules }), aDeclaredCaller('function-keys', { rules }));
  const payloads = new Map<string, { readonly json: string; readonly writtenAt: Date }>();
  const records = new Map<string, HeldRecord & { readonly version: string }>();
  const captured = makeFakeCaptured();
  /** The ids of events that other systems were given. */
  const announced = new Set<string>();

  const unavailable = (): never => {
    throw new AppError('STORAGE_UNAVAILABLE');
  };

  /** The relay warns of limits by email. */
  const ofRelay = (mailId: string): boolean => ledger.find(mailId)?.row.facts.caller === RELAY;

  const ask = <Value>(
    asker: Asker,
    step: StepName,
    happen: () => Value,
    otherwise: (fate: 'refused' | 'lost' | 'dropped', variant?: number) => Value,
  ): Promise<Value> => asker.ask(step, happen, otherwise);

  /** Without a choice, one after the other; the doubts of both kinds go into 12. */
  const anyOf = (fate: Fate): number => history.length % (fate === 'refused' ? REFUSALS.length : 12);

  /** The ports as one asker is given them. */
  const portsOf = (asker: Asker, touch: (mailId: string) => void = nothing) => {
    const storage = <Value>(step: StepName, happen: () => Value): Promise<Value> =>
      ask(asker, step, happen, unavailable);
    const write = <Its extends LedgerRow>(
      step: StepName,
      row: Its,
      happen: () => LedgerEntry<Its> | undefined,
    ) => {
      const { mailId } = row.facts;
      touch(mailId);
      return ask(asker, step, happen, () => {
        doubted.add(mailId);
        return unavailable();
      });
    };
    const log: Log = ({ event, ...facts }) => {
      if (event === 'PacingAlone')
        asker.effect(() => {
          alone += 1;
        });
      history.push(`  [${asker.process}] ${event} ${'mailId' in facts ? facts.mailId : ''}`);
    };
    const queueOf = (name: 'mailQueue' | 'arrivalQueue' | 'poisonQueue', held: typeof queue) => ({
      put: (text: string, delayMs: number) => storage(`${name}.put`, () => void held.put(text, delayMs, now)),
      count: async () => held.size(),
    });
    return {
      clock: {
        now: asker.now,
        sleep: (_milliseconds: number) => ask<void>(asker, 'clock.sleep', nothing, nothing),
      },
      random: () => 0.5,
      log,
      readIdentity: async () => IDENTITY,
      callers,
      usages: {
        read: (...which) => storage('usages.read', () => usages.read(...which)),
        write: (...which) => storage('usages.write', () => usages.write(...which)),
        expire: (...which) => storage('usages.expire', () => usages.expire(...which)),
      },
      mailboxLanes: {
        read: (mailbox) =>
          storage('mailboxLanes.read', () => ({
            ...lanes.read(mailbox),
            server: { at: now, precisionMs: 1 },
          })),
        write: (mailbox, lane, etag) =>
          storage('mailboxLanes.write', () => ({
            ...lanes.write(mailbox, lane, etag, now),
            server: { at: now, precisionMs: 1 },
          })),
        expire: (before) => storage('mailboxLanes.expire', () => lanes.expire(before)),
      },
      recipientBudgets: {
        read: (...which) => storage('recipientBudgets.read', () => budgets.read(...which)),
        write: (...which) => storage('recipientBudgets.write', () => budgets.write(...which)),
      },
      heartbeats: makeFakeHeartbeats(),
      events: { put: (event) => storage('events.put', () => void announced.add(event.id)) },
      ledger: {
        find: (mailId) => storage('ledger.find', () => ledger.find(mailId)),
        create: (row) => write('ledger.create', row, () => ledger.create(row)),
        replace: (row, etag) => write('ledger.replace', row, () => ledger.replace(row, etag)),
        listOpen: async function* (...which) {
          yield* await storage('ledger.listOpen', () => ledger.listOpen(...which));
        },
        expire: (...which) => storage('ledger.expire', () => ledger.expire(...which)),
        forget: async (...which) => ledger.forget(...which),
        fileEarlier: (...which) => storage('ledger.fileEarlier', () => ledger.fileEarlier(...which)),
      },
      mailQueue: queueOf('mailQueue', queue),
      arrivalQueue: queueOf('arrivalQueue', queue),
      poisonQueue: queueOf('poisonQueue', poison),
      poisonQueues: { 'mail-poison': queueOf('poisonQueue', poison) },
      payloads: {
        put: (mailId, contentHash, json) =>
          storage(
            'payloads.put',
            () => void payloads.set(`${mailId} ${contentHash}`, { json: joined(json), writtenAt: now }),
          ),
        read: (mailId, contentHash) =>
          storage('payloads.read', () => {
            const kept = payloads.get(`${mailId} ${contentHash}`);
            // To be read more than once, where what was answered is answered again.
            return kept && { [Symbol.asyncIterator]: () => chunked(kept.json) };
          }),
        sizeOf: (mailId, contentHash) =>
          storage('payloads.sizeOf', () => {
            const kept = payloads.get(`${mailId} ${contentHash}`);
            return kept && Buffer.byteLength(kept.json);
          }),
        keep: (mailId, contentHash) =>
          storage('payloads.keep', () => {
            const kept = payloads.get(`${mailId} ${contentHash}`);
            if (kept !== undefined) payloads.set(`${mailId} ${contentHash}`, { ...kept, writtenAt: now });
          }),
        delete: (mailId, contentHash) =>
          storage('payloads.delete', () => void payloads.delete(`${mailId} ${contentHash}`)),
        list: async function* (before) {
          yield* await storage('payloads.list', () =>
            [...payloads].flatMap(([name, { writtenAt }]) => {
              const [mailId = '', contentHash = ''] = name.split(' ');
              return writtenAt < before ? [{ mailId, contentHash, writtenAt }] : [];
            }),
          );
        },
      },
      records: {
        store: (record) =>
          storage('records.store', () => {
            const name = `${record.heldAt.slice(0, 10)}/${record.mailId}.json`;
            // As the real one: a record without the mail never takes the place of one that has it.
            if (record.original === undefined && records.has(name)) return name;
            const version = String(Number(records.get(name)?.version ?? 0) + 1);
            records.set(name, { ...(JSON.parse(JSON.stringify(record)) as HeldRecord), version });
            return name;
          }),
        list: () =>
          storage('records.list', () => ({
            records: [...records].map(([name, { mailId, heldAt }]) => ({
              name,
              mailId,
              writtenAt: new Date(heldAt),
            })),
          })),
        read: (name) =>
          storage('records.read', () => {
            return records.get(name);
          }),
        delete: (name, version) =>
          storage('records.delete', () => {
            if (version === undefined || version === records.get(name)?.version) records.delete(name);
          }),
      },
      captured: {
        ...captured.port,
        store: (...what) => storage('captured.store', () => void captured.port.store(...what)),
        delete: (place) => storage('captured.delete', () => void captured.port.delete(place)),
        expire: (...which) =>
          storage('captured.expire', () => {
            const { size } = captured.kept;
            void captured.port.expire(which[0]);
            return size - captured.kept.size;
          }),
      },
      attachments: {
        find: (name) => storage('attachments.find', () => (name === BLOB.name ? BLOB : undefined)),
        read: (name, etag, start, count) =>
          storage('attachments.read', () =>
            name === BLOB.name && etag === BLOB.etag
              ? BLOB.content.subarray(start, start + count)
              : undefined,
          ),
      },
      mailboxes: {
        routeOf: () => ({ connection: 'main', cloud: 'global', tenantId: 'contoso.example' }),
        send: ({ body: bytes }) => {
          const body = bytes.toString();
          const mailId = mailIdOf(body);
          return ask<SendReport>(
            asker,
            'mailboxes.send',
            () => {
              starts.push(now.getTime());
              mailboxes.accept(body, now);
              if (now < (notBefore.get(mailId) ?? now)) problems.push(`${mailId} was sent before its time`);
              history.push(`${mailId} ACCEPTED by Graph`);
              return { kind: 'answered', status: 202 };
            },
            (fate, variant = anyOf(fate)) => {
              if (fate === 'refused') starts.push(now.getTime());
              else doubted.add(mailId);
              history.push(`${mailId} attempt ${fate}`);
              return reportOf(fate, variant, DOUBTS);
            },
          );
        },
        find: (_mailbox, mailId, mark) =>
          ask<Sighting>(
            asker,
            'mailboxes.find',
            () => ({ kind: mailboxes.shows(mailId, now, mark) ? 'found' : 'absent' }),
            () => ({ kind: 'not-now' }),
          ),
      },
      drafts: draftsOf(asker),
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

  const askGraph = (asker: Asker, step: StepName, happen: () => SendReport): Promise<SendReport> =>
    ask<SendReport>(asker, step, happen, (fate, variant = anyOf(fate)) => reportOf(fate, variant, DOUBTS));
  const answered = (status: number): SendReport => ({ kind: 'answered', status });

  const draftsOf = (asker: Asker): Ports['drafts'] => ({
    create: async (_mailbox, { body }) => {
      return ask<Awaited<ReturnType<Ports['drafts']['create']>>>(
        asker,
        'drafts.create',
        () => {
          const id = mailboxes.createDraft(body.toString(), now);
          history.push(`${mailboxes.mailOf(id)} made as ${id}`);
          return { report: answered(201), draft: { id } };
        },
        (fate, variant = anyOf(fate)) => ({ report: reportOf(fate, variant, DOUBTS) }),
      );
    },
    mark: () => askGraph(asker, 'drafts.mark', () => answered(200)),
    attach: (_mailbox, id, body) =>
      askGraph(asker, 'drafts.attach', () => {
        const { name } = JSON.parse(body.toString()) as { readonly name: string };
        return answered(mailboxes.attach(id, name, body.length) ? 201 : 404);
      }),
    openUpload: () => {
      throw new Error('the mails of this model are small');
    },
    send: (_mailbox, id) => {
      const mailId = mailboxes.mailOf(id);
      return ask<SendReport>(
        asker,
        'drafts.send',
        () => {
          const { size } = mailboxes.filesOf(id);
          if (!mailboxes.sendDraft(id, now)) return answered(404);
          if (size !== (ofRelay(mailId) ? 0 : FILES))
            problems.push(`${mailId} was sent with ${size} of ${FILES} files`);
          history.push(`${mailId} ACCEPTED by Graph as ${id}`);
          return answered(202);
        },
        (fate, variant = anyOf(fate)) => {
          history.push(`${mailId} sending ${id} ${fate}`);
          const report = reportOf(fate, variant, SENDING_DOUBTS);
          if (fate !== 'refused' || report.kind === 'answered') doubted.add(mailId);
          return report;
        },
      );
    },
    look: (_mailbox, id) =>
      ask<Sighting>(
        asker,
        'drafts.look',
        () => mailboxes.look(id, now),
        () => ({ kind: 'not-now' }),
      ),
    remove: (_mailbox, id) =>
      ask<'removed' | 'gone' | 'failed'>(
        asker,
        'drafts.remove',
        () => {
          history.push(`  [${asker.process}] ${id} removed`);
          return mailboxes.remove(id, now);
        },
        () => 'failed',
      ),
    listOf: (_mailbox, mailId) => listDrafts(asker, 'drafts.listOf', (draft) => draft.mailId === mailId),
    listBefore: (_mailbox, before) =>
      listDrafts(asker, 'drafts.listBefore', ({ createdAt }) => createdAt < before),
  });

  const listDrafts = (asker: Asker, step: StepName, isWanted: (draft: DraftFound) => boolean) =>
    ask<readonly DraftFound[] | undefined>(
      asker,
      step,
      () => mailboxes.listDrafts(now).filter(isWanted),
      () => undefined,
    );

  return {
    processes,
    ask,
    ledger,
    queue,
    poison,
    mailboxes,
    usages,
    callers,
    payloads,
    records,
    captured,
    announced,
    problems,
    history,
    moves,
    doubted,
    notBefore,
    newId,
    portsOf,
    now: () => now,
    starts: (): readonly number[] => starts,
    alone: () => alone,
    /** Remembers everything as it is, and gives what brings that back. */
    save: (): (() => void) => {
      const before = [now, alone] as const;
      const [lines, begun] = [history.length, starts.length];
      const back = [
        ...[ledger, queue, poison, mailboxes, usages, lanes, budgets, processes].map((part) => part.save()),
        ...[payloads, records, captured.kept, notBefore, texts].map((map) => saveMap<string, unknown>(map)),
        ...[doubted, announced, moves].map(saveSet),
      ];
      return () => {
        [now, alone] = before;
        history.splice(lines);
        starts.splice(begun);
        problems.splice(0);
        for (const restore of back) restore();
      };
    },
    /** Everything that anybody can still find here. */
    state: (): unknown => ({
      now: now.getTime(),
      starts: starts.toSorted((one, other) => one - other),
      alone,
      rows: ledger.entries(),
      queues: [queue, poison].map((held) =>
        held
          .messages()
          .map(({ receipt: _, ...message }) => JSON.stringify(message))
          .toSorted(),
      ),
      mailboxes: mailboxes.state(),
      usages: [...usages.all()],
      lanes: [...lanes.all()],
      budgets: [...budgets.all()],
      payloads: sorted(payloads),
      records: sorted(records),
      captured: sorted(captured.kept),
      announced: [...announced].toSorted(),
      doubted: [...doubted].toSorted(),
      notBefore: sorted(notBefore),
      problems,
    }),
    advanceTo: (time: Date) => {
      if (time > now) now = time;
    },
  };
};

export type SimulatedCloud = ReturnType<typeof makeSimulatedCloud>;

const sorted = (map: ReadonlyMap<string, unknown>): unknown =>
  [...map].toSorted(([one], [other]) => (one < other ? -1 : 1));

const nothing = (): void => undefined;

const toId = (end: string): string => `00000000-0000-4000-8000-${end.padStart(12, '0')}`;

const reportOf = (fate: Fate, variant: number, doubts: readonly SendReport[]): SendReport =>
  pick(fate === 'refused' ? [...REFUSALS, REJECTION] : doubts, variant);

const pick = <Value>(values: readonly Value[], index: number): Value =>
  values[index % values.length] as Value;

const mailIdOf = (body: string): string =>
  (
    JSON.parse(body) as {
      readonly message: { readonly singleValueExtendedProperties: readonly { readonly value: string }[] };
    }
  ).message.singleValueExtendedProperties[0]?.value ?? '';
