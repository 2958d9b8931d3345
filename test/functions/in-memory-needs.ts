import type { HeldRecord } from '../../src/lib/delivery/hold.ts';
import type { MailEvent } from '../../src/lib/delivery/mail-event.ts';
import type { Ledger } from '../../src/lib/ledger/ledger.ts';
import { newMailId } from '../../src/lib/ledger/mail-id.ts';
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

  const needs = {
    senderPolicy: { defaultSender: { address: 'noreply@contoso.example' }, allowedSenders: [] },
    ledgerRecipients: false,
    pacer: makePacer({ concurrent: 4, perMinute: 30, bookAheadMs: bookAheadFor(24 * 60 * MINUTE_MS) }),
    onUnknown: 'verify',
    verifyWindowMs: 15 * MINUTE_MS,
    sendingLimitMs: 6 * MINUTE_MS,
    giveUpAfterMs: 24 * 60 * MINUTE_MS,
    ledgerDays: 90,
    newMailId: () => newMailId(now),
    now: () => now,
    random: () => 0,
    sleep: async () => undefined,
    ledger: asLedger(fake),
    sendThroughGraph: async (plan: SendPlan) => {
      plans.push(plan);
      return answer;
    },
    findInMailbox: async (_mailbox: string, mailId: string) => {
      looked.push(mailId);
      return { kind: 'absent' } as const;
    },
    putMessage: async (text: string, delayMs: number) => void messages.push({ text, delayMs }),
    putPoison: async (text: string, delayMs: number) => void poison.push({ text, delayMs }),
    countPoison: async () => poison.length,
    readIdentity: async () => IDENTITY,
    putPayload: async (mailId: string, contentHash: string, json: string) =>
      void payloads.set(`${mailId} ${contentHash}`, { json, writtenAt: now }),
    readPayload: async (mailId: string, contentHash: string) =>
      payloads.get(`${mailId} ${contentHash}`)?.json,
    keepPayload: async (mailId: string, contentHash: string) => {
      const kept = payloads.get(`${mailId} ${contentHash}`);
      if (kept !== undefined) payloads.set(`${mailId} ${contentHash}`, { ...kept, writtenAt: now });
    },
    deletePayload: async (mailId: string, contentHash: string) =>
      void payloads.delete(`${mailId} ${contentHash}`),
    listPayloads: async function* (before: Date) {
      for (const [name, { writtenAt }] of payloads) {
        const [mailId = '', contentHash = ''] = name.split(' ');
        if (writtenAt < before) yield { mailId, contentHash };
      }
    },
    storeHeld: async (record: HeldRecord) => {
      records.set(record.mailId, record);
      return record.mailId;
    },
    listRecords: async () => ({
      records: [...records].map(([name, { mailId, heldAt }]) => ({
        name,
        mailId,
        writtenAt: new Date(heldAt),
      })),
    }),
    readRecord: async (name: string) => records.get(name),
    deleteRecord: async (name: string) => void records.delete(name),
    putEvent: async (event: MailEvent) => void announced.push(event),
  } as const;
  return {
    needs,
    ledger: fake,
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
