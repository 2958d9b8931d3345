import type { CALLER_FIELDS } from '../../src/lib/callers/caller-definition.ts';
import type { Fate, LedgerRow, MailFacts, MailState, Progress } from '../../src/lib/ledger/ledger-row.ts';
import type { Envelope } from '../../src/lib/ledger/queue-message.ts';
import type { Mail } from '../../src/lib/mail/mail-schema.ts';
import { aFile, aMail } from './a-mail.ts';
import { anInvitation } from './an-invitation.ts';

/*
 * One value for each field that anything of the relay can have. A field that is new does not compile until it is here, and is then
 * given to the last release.
 */

type EveryField<Shape> = { readonly [Field in keyof Required<Shape>]: NonNullable<Shape[Field]> };

const TIME = '2026-03-02T08:00:00.000Z';
const RAW =
  'From: noreply@contoso.example\r\nTo: chan@contoso.example\r\nSubject: Pay slip\r\n\r\nReady.\r\n';

/** An email that uses the field, beside what every email has. */
export const MAILS_WITH: Readonly<Record<Exclude<keyof Mail, 'raw'> | 'mime', object>> = {
  from: aMail({ from: 'hr@contoso.example' }),
  to: aMail(),
  cc: aMail({ cc: 'lee@contoso.example' }),
  bcc: aMail({ bcc: ['lee@contoso.example'] }),
  replyTo: aMail({ replyTo: 'hr@contoso.example' }),
  subject: aMail({ subject: '薪資單' }),
  text: aMail({ text: 'Ready.' }),
  html: aMail({ text: undefined, html: '<p>Ready.</p>' }),
  attachments: aMail({ attachments: [aFile()] }),
  headers: aMail({ headers: { 'X-Batch': '7' } }),
  inReplyTo: aMail({ inReplyTo: '<1@contoso.example>' }),
  references: aMail({ references: ['<1@contoso.example>'] }),
  messageId: aMail({ messageId: '<2@contoso.example>' }),
  calendar: aMail({ calendar: { method: 'REQUEST', ics: anInvitation() } }),
  importance: aMail({ importance: 'high' }),
  priority: aMail({ priority: 'bulk' }),
  saveToSentItems: aMail({ saveToSentItems: false }),
  readReceipt: aMail({ readReceipt: true }),
  deliveryReceipt: aMail({ deliveryReceipt: true }),
  idempotencyKey: aMail({ idempotencyKey: 'pay-slip-7' }),
  onUnknown: aMail({ onUnknown: 'hold' }),
  sendAt: aMail({ sendAt: TIME }),
  tags: aMail({ tags: ['pay-slip'] }),
  mime: { mime: Buffer.from(RAW).toString('base64') },
};

/** The parts of an envelope that are not its content. */
export const ENVELOPE: Omit<EveryField<Envelope>, 'content' | 'contentHash'> = {
  mailId: '01a20556-8aab-77d5-aa30-5d8c2af8cc9f',
  acceptedAt: new Date(TIME),
  caller: 'payroll',
  turn: 3,
  phase: 'look-up',
  lookUps: 2,
  resent: true,
  unjudged: true,
  priority: 'bulk',
  dueAt: new Date('2026-03-02T08:05:00.000Z'),
};

const FACTS: EveryField<MailFacts> = {
  mailId: ENVELOPE.mailId,
  caller: 'payroll',
  sender: 'noreply@contoso.example',
  recipients: 2,
  recipientAddresses: ['chan@contoso.example', 'lee@contoso.example'],
  recipientHashes: ['aaaaaaaaaaaa', 'bbbbbbbbbbbb'],
  tags: ['pay-slip'],
  keyHash: 'k1.cccccccccccccccc',
  bodyHash: 'k2.dddddddddddddddd',
  leavesCopy: true,
  priority: 'bulk',
  acceptedAt: TIME,
  sendAt: '2026-03-03T08:00:00.000Z',
};

const REASON = { code: 'GRAPH_THROTTLED', detail: 'Graph is busy.' } as const;

const PROGRESS: EveryField<Progress> = {
  way: 'draft',
  route: { connection: 'main', cloud: 'global', tenantId: 'contoso.example' },
  redirected: true,
  captured: true,
  madeDrafts: true,
  draft: { mailbox: 'noreply@contoso.example', id: 'AAMk1', isSubmitted: false },
  replayedAt: TIME,
  replayedBy: 'operator',
  heldBefore: { at: TIME, code: 'GRAPH_THROTTLED', times: 1 },
  countedAt: TIME,
  updatedAt: TIME,
  turn: 3,
  attempts: [
    { at: TIME, outcome: 'not-sent', code: 'GRAPH_THROTTLED', waitMs: 7000, graphRequestId: 'request-1' },
  ],
  omittedAttempts: 1,
  lookedFor: [{ at: TIME, times: 1, seen: 'absent' }],
  untold: true,
  inQueue: true,
  hasMessage: true,
  resent: true,
  soughtAt: TIME,
};

const FATES: { readonly [State in MailState]: EveryField<Extract<Fate, { readonly state: State }>> } = {
  queued: { state: 'queued', limited: { reason: REASON, until: '2026-03-04T00:00:00.000Z' } },
  sending: { state: 'sending' },
  deferred: { state: 'deferred', reason: REASON, until: '2026-03-02T08:05:00.000Z' },
  unknown: { state: 'unknown', reason: REASON },
  sent: {
    state: 'sent',
    graphRequestId: 'request-2',
    verified: true,
    internetMessageId: '<2@contoso.example>',
    deliveries: [{ recipient: 'aaaaaaaaaaaa', status: 'failed', source: 'report', at: TIME, code: '5.1.1' }],
    tracedAt: TIME,
    traceGap: 'TRACE_INCOMPLETE',
  },
  rejected: { state: 'rejected', reason: REASON },
  held: { state: 'held', why: 'doubt', reason: REASON, record: '2026-03-02/record.json', hasContent: true },
  closed: { state: 'closed', reason: REASON, note: 'Sent by hand.' },
  canceled: { state: 'canceled' },
  captured: { state: 'captured' },
};

/** A row in each state, told and untold. */
export const ROWS: readonly LedgerRow[] = Object.values(FATES).flatMap((fate) => {
  const { untold: _, ...told } = PROGRESS;
  return [PROGRESS, told].map((progress) => ({ facts: FACTS, progress, fate }) as LedgerRow);
});

/** What a caller can have, as it is kept. */
export const CALLER: Readonly<Record<(typeof CALLER_FIELDS)[number], unknown>> = {
  name: 'payroll',
  senders: ['noreply@contoso.example'],
  defaultSender: 'noreply@contoso.example',
  recipients: ['*@contoso.example'],
  mailsPerDay: 100,
  recipientsPerDay: 1000,
  maxMailBytes: 1_000_000,
  doors: ['http'],
  reads: 'all',
  onUnknown: 'hold',
  tags: ['pay-slip'],
  priority: 'bulk',
  owner: 'owner@contoso.example',
  disabled: true,
  apps: ['0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee'],
  functionKeys: ['key:Zk3fT0a9Qe'],
};
