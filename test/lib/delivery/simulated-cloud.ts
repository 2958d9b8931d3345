import type { HeldRecord } from '../../../src/lib/delivery/hold.ts';
import type { Sighting } from '../../../src/lib/delivery/look-up-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import type { Log } from '../../../src/lib/log.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { makeFakeLedger } from '../../support/fake-ledger.ts';
import { makeFakeMailboxes } from '../../support/fake-mailboxes.ts';
import { makeFakeQueue } from '../../support/fake-queue.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
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

const START = Date.parse('2026-03-02T08:00:00Z');

/** Storage and Graph as the processes of the relay meet them: one step at a time, each with a fate of its own. */
export const makeSimulatedCloud = (sentItemsDelayMs: number) => {
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

  const stepper = makeStepper();
  const ledger = makeFakeLedger((row, before) => {
    history.push(`${row.mailId} ${before?.state ?? 'new'} -> ${row.state} (turn ${row.turn})`);
    problems.push(...lawbreaks(row, before));
  });
  const queue = makeFakeQueue(newId);
  const poison = makeFakeQueue(newId);
  const mailboxes = makeFakeMailboxes(sentItemsDelayMs);
  const payloads = new Map<string, { readonly json: string; readonly writtenAt: Date }>();
  const records = new Map<string, HeldRecord>();

  const unavailable = (): never => {
    throw new AppError('STORAGE_UNAVAILABLE');
  };

  /** The adapters of one process; `touch` learns which mails it handles. */
  const adaptersOf = (process: number, touch: (mailId: string) => void) => {
    const storage = <Value>(what: string, happen: () => Value): Promise<Value> =>
      stepper.ask(process, what, happen, unavailable);
    const write = (what: string, row: LedgerRow, happen: () => ReturnType<typeof ledger.create>) => {
      touch(row.mailId);
      return stepper.ask(process, `${what} ${row.state}`, happen, () => {
        doubted.add(row.mailId);
        return unavailable();
      });
    };
    const log: Log = ({ event, ...facts }) => {
      history.push(`  [${process}] ${event} ${'mailId' in facts ? facts.mailId : ''}`);
    };
    return {
      now: () => now,
      random: () => 0.5,
      sleep: (_milliseconds: number) => stepper.ask<void>(process, 'sleep', nothing, nothing),
      log,
      ledger: {
        find: (mailId: string) => storage('find', () => ledger.find(mailId)),
        create: (row: LedgerRow) => write('create', row, () => ledger.create(row)),
        replace: (row: LedgerRow, etag: string) => write('replace', row, () => ledger.replace(row, etag)),
        listOpen: async function* (...which: Parameters<typeof ledger.listOpen>) {
          yield* await storage('list', () => ledger.listOpen(...which));
        },
        expire: (...which: Parameters<typeof ledger.expire>) =>
          storage('expire', () => ledger.expire(...which)),
        fileEarlier: (...which: Parameters<typeof ledger.fileEarlier>) =>
          storage('file', () => ledger.fileEarlier(...which)),
      },
      putMessage: (text: string, delayMs: number) =>
        storage('put message', () => void queue.put(text, delayMs, now)),
      putPoison: (text: string, delayMs: number) =>
        storage('put poison', () => void poison.put(text, delayMs, now)),
      countPoison: () => storage('count poison', () => poison.size()),
      readIdentity: async () => IDENTITY,
      putPayload: (mailId: string, contentHash: string, json: string) =>
        storage('put payload', () => void payloads.set(`${mailId} ${contentHash}`, { json, writtenAt: now })),
      readPayload: (mailId: string, contentHash: string) =>
        storage('read payload', () => payloads.get(`${mailId} ${contentHash}`)?.json),
      keepPayload: (mailId: string, contentHash: string) =>
        storage('keep payload', () => {
          const kept = payloads.get(`${mailId} ${contentHash}`);
          if (kept !== undefined) payloads.set(`${mailId} ${contentHash}`, { ...kept, writtenAt: now });
        }),
      deletePayload: (mailId: string, contentHash: string) =>
        storage('delete payload', () => void payloads.delete(`${mailId} ${contentHash}`)),
      listPayloads: async function* (before: Date) {
        yield* await storage('list payloads', () =>
          [...payloads].flatMap(([name, { writtenAt }]) => {
            const [mailId = '', contentHash = ''] = name.split(' ');
            return writtenAt < before ? [{ mailId, contentHash }] : [];
          }),
        );
      },
      storeHeld: (record: HeldRecord) =>
        storage('store record', () => {
          const name = `${record.heldAt.slice(0, 10)}/${record.mailId}.json`;
          // As the real one: a record without the mail never takes the place of one that has it.
          if (record.original === undefined && records.has(name)) return name;
          records.set(name, JSON.parse(JSON.stringify(record)) as HeldRecord);
          return name;
        }),
      listRecords: () =>
        storage('list records', () => ({
          records: [...records].map(([name, { mailId, heldAt }]) => ({
            name,
            mailId,
            writtenAt: new Date(heldAt),
          })),
        })),
      readRecord: (name: string) => storage('read record', () => records.get(name)),
      deleteRecord: (name: string) => storage('delete record', () => void records.delete(name)),
      sendThroughGraph: ({ body }: { readonly body: string }) => {
        const mailId = mailIdOf(body);
        return stepper.ask<SendReport>(
          process,
          'send',
          () => {
            mailboxes.accept(body, now);
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
      findInMailbox: (_mailbox: string, mailId: string) =>
        stepper.ask<Sighting>(
          process,
          'look up',
          () => ({ kind: mailboxes.shows(mailId, now) ? 'found' : 'absent' }),
          () => ({ kind: 'not-now' }),
        ),
    };
  };

  return {
    stepper,
    ledger,
    queue,
    poison,
    mailboxes,
    payloads,
    records,
    problems,
    history,
    doubted,
    newId,
    adaptersOf,
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
