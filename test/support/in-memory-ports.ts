import type { Route } from '../../src/lib/connections/route.ts';
import { makeAdmission } from '../../src/lib/delivery/admission.ts';
import { makeBudgets } from '../../src/lib/delivery/budgets.ts';
import { makePacer } from '../../src/lib/delivery/pacer.ts';
import { makeQuotas } from '../../src/lib/delivery/quotas.ts';
import { makeMessageIdMemory } from '../../src/lib/desk/message-id.ts';
import { AppError } from '../../src/lib/errors.ts';
import type { HeldRecord } from '../../src/lib/ledger/held-record.ts';
import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import { newMailId } from '../../src/lib/ledger/mail-id.ts';
import { readQueueMessage } from '../../src/lib/ledger/queue-message.ts';
import type { RelayEvent } from '../../src/lib/ledger/relay-event.ts';
import type { LogEvent } from '../../src/lib/log.ts';
import type {
  Drafts,
  Ledger,
  MailMark,
  MessageQueue,
  Ports,
  ReceivedMail,
  Usages,
  WatchedMailboxes,
} from '../../src/lib/ports.ts';
import type { Sighting } from '../../src/lib/sending/look-up-plan.ts';
import { agesAfter, bookAheadFor } from '../../src/lib/sending/pacing.ts';
import { NO_SAFETY } from '../../src/lib/sending/safety.ts';
import type { SendReport } from '../../src/lib/sending/send-outcome.ts';
import type { DirectPlan } from '../../src/lib/sending/send-plan.ts';
import { UNCOUNTED_RECIPIENTS } from './a-budget.ts';
import { knowing } from './a-caller.ts';
import { lanesIn } from './a-pacer.ts';
import { STANDARD } from './a-plan.ts';
import { makeFakeBudgets } from './fake-budgets.ts';
import { makeFakeCallerStore } from './fake-caller-store.ts';
import { makeFakeCaptured } from './fake-captured.ts';
import { makeFakeDrafts } from './fake-drafts.ts';
import { makeFakeHeartbeats } from './fake-heartbeats.ts';
import { makeFakeLanes } from './fake-lanes.ts';
import { asMailIndex, type FakeLedger, makeFakeLedger } from './fake-ledger.ts';
import { makeFakeOperatorTrail } from './fake-operator-trail.ts';
import { makeFakeReceivedMail } from './fake-received-mail.ts';
import { asTraceUses, makeFakeTraceUses } from './fake-trace-uses.ts';
import { type FakeUsages, makeFakeUsages } from './fake-usages.ts';
import { makeFakeWatchedMailboxes } from './fake-watched-mailboxes.ts';
import { IDENTITY } from './identity-for-tests.ts';
import { chunked, joined } from './json-chunks.ts';

/** The route of every attempt in these tests. */
const ROUTE: Route = { connection: 'main', cloud: 'global', tenantId: 'contoso.example' };
export const NOW = new Date('2026-03-02T08:00:00Z');
const MINUTE_MS = 60_000;

/** The fake ledger decides at once; the port promises. */
export const asLedger = (fake: FakeLedger): Ledger => ({
  find: async (mailId) => fake.find(mailId),
  create: async (row) => fake.create(row),
  replace: async (row, etag) => fake.replace(row, etag),
  listOpen: async function* (...which) {
    yield* fake.listOpen(...which);
  },
  expire: async (...which) => fake.expire(...which),
  forget: async (...which) => fake.forget(...which),
  fileEarlier: async (...which) => fake.fileEarlier(...which),
});

/** The same of usages. */
export const asUsages = (fake: FakeUsages): Usages => ({
  read: async (...which) => fake.read(...which),
  write: async (...which) => fake.write(...which),
  expire: async (...which) => fake.expire(...which),
});

/** A row as one record, to be compared in a line. */
const flat = ({ facts, progress, fate }: LedgerRow) => ({ ...facts, ...progress, ...fate });

/** A call of a port that can be made to fail. */
export type PortCall =
  | `ledger.${'find' | 'create' | 'replace' | 'listOpen' | 'expire' | 'forget' | 'fileEarlier'}`
  | `payloads.${'put' | 'read' | 'sizeOf' | 'keep' | 'delete' | 'list'}`
  | `records.${'store' | 'list' | 'read' | 'delete'}`
  | `${'mailQueue' | 'poisonQueue'}.${'put' | 'count'}`
  | `mailboxes.${'send' | 'find'}`
  | `drafts.${keyof Drafts}`
  | 'upload.put'
  | 'upload.ask'
  | 'captured.store'
  | `attachments.${'find' | 'read'}`
  | `usages.${'read' | 'write' | 'expire'}`
  | `recipientBudgets.${'read' | 'write'}`
  | `receivedMail.${keyof ReceivedMail}`
  | `watchedMailboxes.${keyof WatchedMailboxes}`
  | 'events.put'
  | 'readIdentity';

/** What goes wrong with a call: it does not happen, or it happens and its answer is lost. */
type Trouble = { readonly error: Error; readonly happens: boolean };

/** Everything the relay needs, in memory, and what it did with it in which order. */
export const inMemoryPorts = (answer: SendReport = { kind: 'answered', status: 202 }) => {
  let now = NOW;
  let report = answer;
  let sighting: Sighting = { kind: 'absent' };
  const fake = makeFakeLedger();
  const ledger = asLedger(fake);
  const usages = makeFakeUsages();
  const lanes = makeFakeLanes();
  const budgets = makeFakeBudgets();
  const plans: DirectPlan[] = [];
  const marks: MailMark[] = [];
  const exchange = makeFakeDrafts();
  const received = makeFakeReceivedMail();
  const watched = makeFakeWatchedMailboxes();
  const blobs = new Map<string, { readonly content: Buffer; readonly etag: string }>();
  const messages: { readonly text: string; readonly delayMs: number }[] = [];
  const poison: { readonly text: string; readonly delayMs: number }[] = [];
  const payloads = new Map<string, { readonly json: string; readonly writtenAt: Date }>();
  const records = new Map<string, HeldRecord>();
  const versions = new WeakMap<HeldRecord, string>();
  let storedRecords = 0;
  const versionOf = (record: HeldRecord | undefined): string =>
    (record === undefined ? undefined : versions.get(record)) ?? '';
  const captured = makeFakeCaptured();
  const announced: RelayEvent[] = [];
  const looked: string[] = [];
  const logged: LogEvent[] = [];
  const effects: string[] = [];
  const troubles = new Map<PortCall, Trouble>();
  const interludes = new Map<PortCall, () => unknown>();

  const asked = async <Value>(call: PortCall, act: () => Value): Promise<Awaited<Value>> => {
    const first = interludes.get(call);
    interludes.delete(call);
    await first?.();
    const trouble = troubles.get(call);
    if (trouble?.happens === false) throw trouble.error;
    const value = await act();
    if (trouble !== undefined) throw trouble.error;
    return value;
  };
  /** As `asked`, for what changes the world. */
  const done = <Value>(call: PortCall, act: () => Value, what = ''): Promise<Awaited<Value>> =>
    asked(call, () => {
      effects.push(`${call} ${what}`.trim());
      return act();
    });
  async function* listed<Item>(call: PortCall, list: () => AsyncIterable<Item>): AsyncIterable<Item> {
    await asked(call, () => undefined);
    yield* list();
  }
  const queueOf = (name: 'mailQueue' | 'poisonQueue', held: typeof messages): MessageQueue => ({
    put: (text, delayMs) => done(`${name}.put`, () => void held.push({ text, delayMs })),
    count: () => asked(`${name}.count`, () => held.length),
  });

  const ports = {
    clock: { now: () => now, sleep: async () => undefined },
    random: () => 0,
    ledger: {
      find: (mailId) => asked('ledger.find', () => ledger.find(mailId)),
      create: (row) => done('ledger.create', () => ledger.create(row), row.fate.state),
      replace: (row, etag) => done('ledger.replace', () => ledger.replace(row, etag), row.fate.state),
      listOpen: (...which) => listed('ledger.listOpen', () => ledger.listOpen(...which)),
      expire: (...which) => asked('ledger.expire', () => ledger.expire(...which)),
      forget: (...which) => done('ledger.forget', () => ledger.forget(...which)),
      fileEarlier: (...which) => asked('ledger.fileEarlier', () => ledger.fileEarlier(...which)),
    },
    mailboxes: {
      routeOf: () => ROUTE,
      send: (plan) =>
        done('mailboxes.send', () => {
          plans.push(plan);
          return report;
        }),
      find: (_mailbox, mailId, mark) =>
        done('mailboxes.find', () => {
          looked.push(mailId);
          marks.push(mark);
          return sighting;
        }),
    },
    drafts: exchange.portOf((call, act) => done(call, act)),
    receivedMail: {
      list: (...which) => done('receivedMail.list', () => received.port.list(...which)),
      readMime: (...which) => done('receivedMail.readMime', () => received.port.readMime(...which)),
      findSent: (...which) => done('receivedMail.findSent', () => received.port.findSent(...which)),
    },
    watchedMailboxes: {
      note: (mailbox) => done('watchedMailboxes.note', () => watched.note(mailbox)),
      list: () => asked('watchedMailboxes.list', () => watched.list()),
      write: (...which) => done('watchedMailboxes.write', () => watched.write(...which)),
      forget: (mailbox) => done('watchedMailboxes.forget', () => watched.forget(mailbox)),
    },
    mailQueue: queueOf('mailQueue', messages),
    arrivalQueue: queueOf('mailQueue', messages),
    poisonQueue: queueOf('poisonQueue', poison),
    poisonQueues: { 'mail-poison': queueOf('poisonQueue', poison) },
    readIdentity: () => asked('readIdentity', () => IDENTITY),
    payloads: {
      put: (mailId, contentHash, json) =>
        done(
          'payloads.put',
          () => void payloads.set(`${mailId} ${contentHash}`, { json: joined(json), writtenAt: now }),
        ),
      read: (mailId, contentHash) =>
        asked('payloads.read', () => {
          const kept = payloads.get(`${mailId} ${contentHash}`);
          return kept && chunked(kept.json);
        }),
      sizeOf: (mailId, contentHash) =>
        asked('payloads.sizeOf', () => {
          const kept = payloads.get(`${mailId} ${contentHash}`);
          return kept && Buffer.byteLength(kept.json);
        }),
      keep: (mailId, contentHash) =>
        done('payloads.keep', () => {
          const kept = payloads.get(`${mailId} ${contentHash}`);
          if (kept !== undefined) payloads.set(`${mailId} ${contentHash}`, { ...kept, writtenAt: now });
        }),
      delete: (mailId, contentHash) =>
        done('payloads.delete', () => void payloads.delete(`${mailId} ${contentHash}`)),
      list: (before) =>
        listed('payloads.list', async function* () {
          for (const [name, { writtenAt }] of payloads) {
            const [mailId = '', contentHash = ''] = name.split(' ');
            if (writtenAt < before) yield { mailId, contentHash, writtenAt };
          }
        }),
    },
    records: {
      store: (record) =>
        done('records.store', () => {
          storedRecords += 1;
          versions.set(record, String(storedRecords));
          records.set(record.mailId, record);
          return record.mailId;
        }),
      list: () =>
        asked('records.list', () => ({
          records: [...records].map(([name, { mailId, heldAt }]) => ({
            name,
            mailId,
            writtenAt: new Date(heldAt),
          })),
        })),
      read: (name) =>
        asked('records.read', () => {
          const found = records.get(name);
          return found && { ...found, version: versionOf(found) };
        }),
      delete: (name, version) =>
        done('records.delete', () => {
          if (version === undefined || version === versionOf(records.get(name))) records.delete(name);
        }),
    },
    captured: {
      ...captured.port,
      store: (record, summary) => done('captured.store', () => captured.port.store(record, summary)),
    },
    attachments: {
      find: (name) =>
        asked('attachments.find', () => {
          const found = blobs.get(name);
          return found && { bytes: found.content.length, etag: found.etag };
        }),
      read: (name, etag, start, count) =>
        asked('attachments.read', () => {
          const found = blobs.get(name);
          return found?.etag === etag ? found.content.subarray(start, start + count) : undefined;
        }),
    },
    callers: knowing(),
    callerStore: makeFakeCallerStore(),
    operatorTrail: makeFakeOperatorTrail(),
    usages: {
      read: (...which) => asked('usages.read', () => usages.read(...which)),
      write: (...which) => asked('usages.write', () => usages.write(...which)),
      expire: (...which) => asked('usages.expire', () => usages.expire(...which)),
    },
    mailboxLanes: lanesIn(lanes, () => now),
    recipientBudgets: {
      read: (...which) => asked('recipientBudgets.read', () => budgets.read(...which)),
      write: (...which) => asked('recipientBudgets.write', () => budgets.write(...which)),
    },
    mailIndex: asMailIndex(fake),
    heartbeats: makeFakeHeartbeats(),
    events: { put: (event) => done('events.put', () => void announced.push(event)) },
    log: (event) => {
      effects.push(`log ${event.event}`);
      logged.push(event);
    },
    traceUses: asTraceUses(makeFakeTraceUses(() => now)),
  } satisfies Omit<
    Ports,
    | 'vault'
    | 'appTokens'
    | 'connections'
    | 'warnings'
    | 'rotations'
    | 'traces'
    | 'counts'
    | 'samples'
    | 'webhookQueue'
    | 'eventWebhooks'
    | 'signingKeys'
  >;

  const needs = {
    ...ports,
    admission: makeAdmission(16_000_000),
    maxRequestBytes: 8_000_000,
    accept: {
      senderPolicy: { defaultSender: { address: 'noreply@contoso.example' }, allowedSenders: [] },
      ledgerRecipients: false,
      plan: STANDARD,
      safety: NO_SAFETY,
      limitsOf: UNCOUNTED_RECIPIENTS,
    },
    budgets: makeBudgets(ports, UNCOUNTED_RECIPIENTS),
    quotas: makeQuotas(ports.usages),
    pacer: makePacer(
      ports,
      {
        concurrent: 4,
        perMinute: 30,
        recipientsPerDay: 10_000,
        bookAheadMs: bookAheadFor(24 * 60 * MINUTE_MS),
        agesAfterMs: agesAfter(24 * 60 * MINUTE_MS),
      },
      'one',
    ),
    policy: {
      onUnknown: 'verify',
      verifyWindowMs: 15 * MINUTE_MS,
      sendingLimitMs: 6 * MINUTE_MS,
      giveUpAfterMs: 24 * 60 * MINUTE_MS,
      ledgerDays: 90,
      filesWithinMs: { caller: MINUTE_MS, queue: 2 * MINUTE_MS },
    },
    language: 'en',
    draftMailboxes: ['noreply@contoso.example'],
    newMailId: () => newMailId(now),
    messageIds: makeMessageIdMemory(),
  } as const;
  return {
    needs,
    ledger: fake,
    usages,
    rows: () => fake.rows().map(flat),
    row: (mailId: string) => {
      const row = fake.find(mailId)?.row;
      return row === undefined ? undefined : flat(row);
    },
    plans,
    /** By what mails were looked for. */
    marks,
    /** The drafts, and what becomes of requests about them. */
    exchange,
    /** What mailboxes received, and which of them are watched. */
    received,
    watched,
    messages,
    /** The messages on the queue `mail`, as the relay reads them. */
    queued: () => messages.map(({ text, delayMs }) => ({ delayMs, ...readQueueMessage(text, IDENTITY) })),
    poison,
    payloads,
    records,
    /** What was kept for the inbox page. */
    captured: () => [...captured.kept.values()],
    blobs,
    announced,
    looked,
    logged,
    /** What changed something or asked Exchange, and what was logged, in this order. */
    effects,
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms);
    },
    /** What Graph answers, and what its mailboxes show, from now on. */
    answer: (next: SendReport) => {
      report = next;
    },
    show: (next: Sighting) => {
      sighting = next;
    },
    /** From now on this call fails, and does not happen. */
    fail: (call: PortCall, error: Error = new AppError('STORAGE_UNAVAILABLE')) =>
      void troubles.set(call, { error, happens: false }),
    /** From now on this call happens, and its answer is lost. */
    loseAnswer: (call: PortCall, error: Error = new AppError('STORAGE_UNAVAILABLE')) =>
      void troubles.set(call, { error, happens: true }),
    mend: () => troubles.clear(),
    /** What another invocation does just before the next call of this kind. */
    meanwhile: (call: PortCall, what: () => unknown) => void interludes.set(call, what),
  };
};

export type World = ReturnType<typeof inMemoryPorts>;
