import { makeAdmission } from '../../src/lib/delivery/admission.ts';
import type { HeldRecord } from '../../src/lib/ledger/held-record.ts';
import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import type { MailEvent } from '../../src/lib/ledger/mail-event.ts';
import { newMailId } from '../../src/lib/ledger/mail-id.ts';
import type { Ledger, Ports } from '../../src/lib/ports.ts';
import { bookAheadFor, makePacer } from '../../src/lib/sending/pacing.ts';
import type { SendReport } from '../../src/lib/sending/send-outcome.ts';
import type { SendPlan } from '../../src/lib/sending/send-plan.ts';
import { type FakeLedger, makeFakeLedger } from '../support/fake-ledger.ts';
import { IDENTITY } from '../support/identity-for-tests.ts';

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
  fileEarlier: async (...which) => fake.fileEarlier(...which),
});

/** A row as one record, to be compared in a line. */
const flat = ({ facts, progress, fate }: LedgerRow) => ({ ...facts, ...progress, ...fate });

/** What every function of the relay needs, in memory, and what it did with it. */
export const inMemoryNeeds = (answer: SendReport = { kind: 'answered', status: 202 }) => {
  let now = NOW;
  const fake = makeFakeLedger();
  const plans: SendPlan[] = [];
  const messages: { readonly text: string; readonly delayMs: number }[] = [];
  const poison: { readonly text: string; readonly delayMs: number }[] = [];
  const payloads = new Map<string, { readonly json: string; readonly writtenAt: Date }>();
  const records = new Map<string, HeldRecord>();
  const announced: MailEvent[] = [];
  const looked: string[] = [];
  const queueOf = (held: typeof messages) => ({
    put: async (text: string, delayMs: number) => void held.push({ text, delayMs }),
    count: async () => held.length,
  });

  const ports = {
    clock: { now: () => now, sleep: async () => undefined },
    random: () => 0,
    ledger: asLedger(fake),
    mailboxes: {
      send: async (plan) => {
        plans.push(plan);
        return answer;
      },
      find: async (_mailbox, mailId) => {
        looked.push(mailId);
        return { kind: 'absent' } as const;
      },
    },
    mailQueue: queueOf(messages),
    poisonQueue: queueOf(poison),
    readIdentity: async () => IDENTITY,
    payloads: {
      put: async (mailId, contentHash, json) =>
        void payloads.set(`${mailId} ${contentHash}`, { json, writtenAt: now }),
      read: async (mailId, contentHash) => payloads.get(`${mailId} ${contentHash}`)?.json,
      keep: async (mailId, contentHash) => {
        const kept = payloads.get(`${mailId} ${contentHash}`);
        if (kept !== undefined) payloads.set(`${mailId} ${contentHash}`, { ...kept, writtenAt: now });
      },
      delete: async (mailId, contentHash) => void payloads.delete(`${mailId} ${contentHash}`),
      list: async function* (before) {
        for (const [name, { writtenAt }] of payloads) {
          const [mailId = '', contentHash = ''] = name.split(' ');
          if (writtenAt < before) yield { mailId, contentHash };
        }
      },
    },
    records: {
      store: async (record) => {
        records.set(record.mailId, record);
        return record.mailId;
      },
      list: async () => ({
        records: [...records].map(([name, { mailId, heldAt }]) => ({
          name,
          mailId,
          writtenAt: new Date(heldAt),
        })),
      }),
      read: async (name) => records.get(name),
      delete: async (name) => void records.delete(name),
    },
    events: { put: async (event) => void announced.push(event) },
  } satisfies Omit<Ports, 'log' | 'vault'>;

  const needs = {
    ...ports,
    admission: makeAdmission(16_000_000),
    accept: {
      senderPolicy: { defaultSender: { address: 'noreply@contoso.example' }, allowedSenders: [] },
      ledgerRecipients: false,
    },
    pacer: makePacer({ concurrent: 4, perMinute: 30, bookAheadMs: bookAheadFor(24 * 60 * MINUTE_MS) }),
    policy: {
      onUnknown: 'verify',
      verifyWindowMs: 15 * MINUTE_MS,
      sendingLimitMs: 6 * MINUTE_MS,
      giveUpAfterMs: 24 * 60 * MINUTE_MS,
      ledgerDays: 90,
    },
    newMailId: () => newMailId(now),
  } as const;
  return {
    needs,
    ledger: fake,
    rows: () => fake.rows().map(flat),
    row: (mailId: string) => {
      const row = fake.find(mailId)?.row;
      return row === undefined ? undefined : flat(row);
    },
    plans,
    messages,
    poison,
    payloads,
    records,
    announced,
    looked,
    pass: (ms: number) => {
      now = new Date(now.getTime() + ms);
    },
  };
};
