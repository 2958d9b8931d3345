import { OPERATOR } from '../callers/known-callers.ts';
import { connectionOf } from '../connections/connection.ts';
import { defined } from '../defined.ts';
import { type SendMailNeeds, sendMail } from '../delivery/send-mail.ts';
import { markOf } from '../delivery/sight-mail.ts';
import { AppError, type ErrorReport, reportOf } from '../errors.ts';
import { isIn, type LedgerRow } from '../ledger/ledger-row.ts';
import type { CredentialProof, Ports } from '../ports.ts';
import { type Measures, measured } from './measured.ts';
import type { ProvableConnection } from './run-doctor.ts';
import { type MailLanguage, toTestMail } from './test-mail-words.ts';

export type TestMailNeeds = SendMailNeeds &
  Pick<Ports, 'callers'> & {
    readonly connections: readonly ProvableConnection[];
    readonly language: MailLanguage;
    /** What the email calls the relay. */
    readonly app: string;
  };

export type TestMailRequest = {
  readonly to: string;
  readonly from?: string;
  readonly idempotencyKey?: string;
};

/** What came of a test email, step by step. */
export type TestMailReport = {
  readonly id: string;
  readonly state: string;
  /** `sent-items`: as the copy in Sent Items has it. `settings`: as the relay asked for it. */
  readonly from: { readonly address: string; readonly seenIn: 'sent-items' | 'settings' };
  readonly connection: string;
  readonly credential: {
    readonly kind: string;
    readonly name?: string;
    readonly version?: string;
    readonly expiresOn?: string;
  };
  /** What Graph returned; absent where it was not asked. */
  readonly graph?: { readonly status?: number; readonly requestId?: string };
  readonly steps: {
    readonly tokenMs: number;
    readonly ledgerMs: number;
    readonly graphMs: number;
    readonly totalMs: number;
  };
  readonly repeated?: true;
  readonly redirected?: true;
  readonly captured?: true;
  /** Why the email was not sent yet. */
  readonly reason?: ErrorReport;
};

/** The copy can be late (graph: outlook-immutable-id); an operator waits for it. */
const LOOKS = 3;
const BETWEEN_LOOKS_MS = 1000;

/**
 * Sends a real email in the way of every other one, and says how each step went. Throws what a caller would hear, and what keeps the
 * relay from getting a token: then nothing was sent.
 */
export const sendTestMail = async (
  needs: TestMailNeeds,
  { to, from, idempotencyKey }: TestMailRequest,
): Promise<TestMailReport> => {
  const { clock, language, app, accept } = needs;
  const caller = (await needs.callers.known()).named(OPERATOR);
  if (caller === undefined) throw new AppError('CALLER_REMOVED');
  const startedAt = clock.now();
  const sender = from ?? accept.senderPolicy.defaultSender.address;
  const { connection, proveCredential } = openedFor(needs.connections, sender);
  const proof = accept.safety.capture ? undefined : await proveCredential();
  const tokenMs = clock.now().getTime() - startedAt.getTime();

  const measures: Measures = { ledgerMs: 0, graphMs: 0 };
  const { row, repeated } = await sendMail(
    { ...needs, ...measured(needs, clock.now, measures) },
    {
      caller,
      input: { to, ...defined({ from }), ...toTestMail(language, { app, at: startedAt }) },
      respondAsync: false,
      ...defined({ idempotencyKey }),
    },
  ).catch((error: unknown) => {
    throw inFull(error);
  });
  const totalMs = clock.now().getTime() - startedAt.getTime();
  return {
    id: row.facts.mailId,
    state: row.fate.state,
    from: await fromOf(needs, row),
    connection: connection.name,
    credential: { kind: connection.credential.kind, ...versionOf(proof) },
    ...graphOf(measures, row),
    steps: { tokenMs, ledgerMs: measures.ledgerMs, graphMs: measures.graphMs, totalMs },
    ...(repeated ? { repeated } : {}),
    ...defined({ redirected: row.progress.redirected, captured: row.progress.captured }),
    ...('reason' in row.fate && row.fate.reason !== undefined ? { reason: reportOf(row.fate.reason) } : {}),
  };
};

/** Whoever may send test emails may know of the sender what callers are not told. */
const inFull = (error: unknown): unknown => {
  if (!(error instanceof AppError) || !(error.cause instanceof AppError)) return error;
  const { cause } = error;
  const wasShortened = error.code === 'SENDER_NOT_USABLE' || error.code === cause.code;
  return wasShortened
    ? new AppError(cause.code, { ...cause.facts, ...defined({ mailId: error.facts.mailId }) })
    : error;
};

const openedFor = (opened: readonly ProvableConnection[], sender: string): ProvableConnection => {
  const [main, ...others] = opened;
  if (main === undefined) throw new Error('there is always a main connection');
  const { name } = connectionOf([main.connection, ...others.map(({ connection }) => connection)], sender);
  return opened.find(({ connection }) => connection.name === name) ?? main;
};

const versionOf = (proof: CredentialProof | undefined) => {
  if (proof?.version === undefined) return {};
  const { name, version, expiresOn } = proof.version;
  return { name, version, ...defined({ expiresOn: expiresOn?.toISOString() }) };
};

const graphOf = ({ report }: Measures, { fate }: LedgerRow): Pick<TestMailReport, 'graph'> => {
  if (report === undefined) return {};
  const requestId = fate.state === 'sent' ? fate.graphRequestId : undefined;
  const seen =
    report.kind === 'answered'
      ? { status: report.status, requestId: report.graphRequestId ?? requestId }
      : {};
  return { graph: defined(seen) };
};

/** The sender as the copy in Sent Items has it, where the relay may look and the copy is there. */
const fromOf = async (
  { mailboxes, clock }: Pick<Ports, 'mailboxes' | 'clock'>,
  row: LedgerRow,
): Promise<TestMailReport['from']> => {
  const asked = { address: row.facts.sender, seenIn: 'settings' } as const;
  if (!isIn(row, 'sent')) return asked;
  for (let look = 0; look < LOOKS; look += 1) {
    if (look > 0) await clock.sleep(BETWEEN_LOOKS_MS);
    const mark = { ...markOf(row.progress), inDrafts: false };
    const sighting = await mailboxes.find(row.facts.sender, row.facts.mailId, mark, row.progress.route);
    if (sighting.kind === 'found')
      return sighting.from === undefined ? asked : { address: sighting.from, seenIn: 'sent-items' };
    if (sighting.kind !== 'absent') return asked;
  }
  return asked;
};
