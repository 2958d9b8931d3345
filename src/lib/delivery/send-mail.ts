import { catalogue } from '../error-catalogue.ts';
import { AppError, type ErrorReport, reportOf } from '../errors.ts';
import { earlierIdOfKey } from '../ledger/earlier-identity.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import {
  claim,
  claimNew,
  type LedgerRow,
  type QueuedRow,
  queueNew,
  requeue,
  type SendingRow,
  withdraw,
} from '../ledger/ledger-row.ts';
import type { Envelope } from '../ledger/queue-message.ts';
import { keyFault } from '../mail/idempotency-key.ts';
import { type AcceptableMail, type AcceptNeeds, judgeMail, planMail } from './accept-mail.ts';
import type { KnownIdentity } from './arrived-message.ts';
import { bringBackMail, isWithoutContent } from './bring-back-mail.ts';
import { type ConcludeNeeds, concludeAttempt } from './conclude-attempt.ts';
import { attemptInLane, enterLane, leaveLane, type PaceNeeds } from './pace-mail.ts';
import { queueMail } from './queue-mail.ts';

export type SendMailNeeds = AcceptNeeds &
  PaceNeeds &
  ConcludeNeeds & {
    readonly newMailId: () => string;
    readonly sendingLimitMs: number;
  };

export type SendMailRequest = {
  readonly input: unknown;
  readonly caller: string;
  /** From the header; a mail may carry it too. */
  readonly idempotencyKey?: string;
  readonly respondAsync: boolean;
};

/** What the caller is told: what the ledger says, and whether it said so before. */
export type SendMailAnswer = { readonly row: LedgerRow; readonly repeated: boolean };

/** Losing a race more often than this is another request with the same key, again and again. */
const MAX_RACES = 4;

/**
 * Takes a mail from a caller who waits: sends it at once, or queues it where the caller asks for that, the mailbox
 * has no room, or Graph cannot take it now. A request with a known idempotency key gets the first answer again.
 * Throws an AppError for everything else the caller has to know; then nothing was accepted.
 */
export const sendMail = async (needs: SendMailNeeds, request: SendMailRequest): Promise<SendMailAnswer> => {
  const key = decideKey(request);
  const input =
    key === undefined || !isObject(request.input) ? request.input : { ...request.input, idempotencyKey: key };
  // What is wrong with the mail itself costs no request to anybody.
  const judged = judgeMail(needs, input);
  const identity = await needs.readIdentity().catch(notStored);
  const mailId = key === undefined ? needs.newMailId() : await idOfKey(needs, identity, request.caller, key);
  const origin = { mailId, caller: request.caller, acceptedAt: needs.now() };
  const accepted = planMail(needs, identity, origin, input as object, judged);
  const contentHash = accepted.facts.bodyHash;
  const mail: IncomingMail = {
    accepted,
    input,
    isSame: (row) => row.caller === request.caller && identity.isContent(row.bodyHash, input),
    envelope: { ...origin, turn: 0, phase: 'send', lookUps: 0, contentHash, content: { mail: input } },
  };
  for (let race = 0; race < MAX_RACES; race += 1) {
    const known = race === 0 ? undefined : await needs.ledger.find(mailId);
    const answer = await (known === undefined
      ? takeNew(needs, mail, request.respondAsync)
      : answerKnown(needs, mail, known));
    if (answer !== undefined) return answer;
  }
  throw new AppError('MAIL_UNDER_WAY');
};

/** The id of the mail with this key: that of an earlier version of the relay, where the ledger has it from then. */
const idOfKey = async (
  { ledger }: SendMailNeeds,
  identity: KnownIdentity,
  caller: string,
  key: string,
): Promise<string> => {
  const earlier = identity.hasEarlierRows ? earlierIdOfKey(caller, key) : undefined;
  const known = earlier === undefined ? undefined : await ledger.find(earlier);
  return known === undefined ? identity.mailIdOfKey(caller, key) : known.row.mailId;
};

/** Storage failed before anything of this request was written, or what was written was taken back. */
const notStored = (cause: unknown): never => {
  if (cause instanceof AppError && cause.code === 'STORAGE_UNAVAILABLE')
    throw new AppError('MAIL_NOT_STORED', { cause });
  throw cause;
};

const isObject = (input: unknown): input is object =>
  typeof input === 'object' && input !== null && !Array.isArray(input);

type IncomingMail = {
  readonly accepted: AcceptableMail;
  readonly input: unknown;
  readonly envelope: Envelope;
  /** Whether the row is of this mail, and not of another one with its key. */
  readonly isSame: (row: LedgerRow) => boolean;
};

const decideKey = ({ input, idempotencyKey: header }: SendMailRequest): string | undefined => {
  const { idempotencyKey: field } = (input ?? {}) as { readonly idempotencyKey?: unknown };
  const key = typeof field === 'string' && field !== '' ? field : undefined;
  const fault = header === undefined ? undefined : faultOfHeader(header, key);
  if (fault !== undefined) throw new AppError('IDEMPOTENCY_KEY_INVALID', { detail: fault });
  return header ?? key;
};

const faultOfHeader = (header: string, field: string | undefined): string | undefined => {
  if (header === '')
    return 'The header Idempotency-Key is empty. Omit it, or use a different key for each email.';
  const fault = keyFault(header);
  if (fault !== undefined) return `The header Idempotency-Key has ${fault}.`;
  if (field !== undefined && field !== header)
    return 'The header Idempotency-Key and the field `idempotencyKey` differ.';
  return undefined;
};

/** Undefined when the ledger has a row for this mail already. */
const takeNew = async (
  needs: SendMailNeeds,
  mail: IncomingMail,
  respondAsync: boolean,
): Promise<SendMailAnswer | undefined> => {
  const { accepted, envelope } = mail;
  const pace = respondAsync ? undefined : await enterLane(needs, accepted.plan, envelope);
  if (pace?.kind === 'full') throw new AppError('MAILBOX_BOOKED_UP');
  if (pace?.kind !== 'go') {
    const row = queueNew(accepted.facts, needs.now());
    const created = await needs.ledger.create(row).catch(notStored);
    if (created === undefined) return undefined;
    const waitMs = pace?.waitMs ?? 0;
    const dueAt = new Date(needs.now().getTime() + waitMs);
    await queueMail(needs, { ...envelope, dueAt }, waitMs).catch((error: unknown) =>
      takeBack(needs, { row, etag: created.etag }, error),
    );
    needs.log({ event: 'MailQueued', mailId: row.mailId, attempts: 0, waitMs });
    return { row, repeated: false };
  }
  const row = claimNew(accepted.facts, false, needs.now());
  const written = await needs.ledger.create(row).catch((error: unknown) => {
    leaveLane(needs, accepted.plan);
    return notStored(error);
  });
  if (written === undefined) {
    leaveLane(needs, accepted.plan);
    return undefined;
  }
  return { row: await attempt(needs, mail, { row, etag: written.etag }), repeated: false };
};

const attempt = async (
  needs: SendMailNeeds,
  { accepted, input, envelope }: IncomingMail,
  claimed: { readonly row: SendingRow; readonly etag: string },
): Promise<LedgerRow> => {
  const outcome = await attemptInLane(needs, accepted.plan);
  const ended = { ...claimed, outcome, mail: accepted.mail, envelope, original: input, callerWaits: true };
  try {
    return refuseRejected(await concludeAttempt(needs, ended));
  } catch (error) {
    if (error instanceof AppError && error.code !== 'STORAGE_UNAVAILABLE') throw error;
    const { kind: _kind, ...facts } = outcome;
    // The reason is worth more to the caller than that it could not be written down.
    if (outcome.kind === 'rejected') throw new AppError(outcome.code, facts);
    if (outcome.kind === 'not-sent') {
      await takeBack(needs, claimed, error);
      return claimed.row;
    }
    throw new AppError('OUTCOME_UNKNOWN', {
      cause: error,
      detail:
        outcome.kind === 'accepted'
          ? 'Graph accepted the email, but the relay could not record that. Do not send it again.'
          : 'Graph may have sent the email, and the relay could not record its state. Check Sent Items before you send it again.',
    });
  }
};

/**
 * Storage failed while a mail was put on the queue, and its message may be there all the same. Only where the mail
 * can be taken back may the caller be told that sending again is safe. Returns when somebody has taken the message
 * already: then the mail is accepted.
 */
const takeBack = async (
  needs: SendMailNeeds,
  { row, etag }: { readonly row: QueuedRow | SendingRow; readonly etag: string },
  cause: unknown,
): Promise<void> => {
  const unavailable = new AppError('MAIL_NOT_STORED', { cause });
  const withdrawn = withdraw(row, reportOf(unavailable), needs.now());
  try {
    const written = await needs.ledger.replace(withdrawn, etag);
    const changed = written ?? (await needs.ledger.find(row.mailId));
    // Or it was written before, and only the answer to that was lost.
    if (changed?.row.state !== 'rejected') return;
  } catch {
    throw new AppError('OUTCOME_UNKNOWN', {
      cause,
      detail:
        'The relay may have stored the email and may send it later. Get its state before you send it again.',
    });
  }
  throw unavailable;
};

/** The answer for a mail the ledger knows: the first answer again, or the reason why not. */
const answerKnown = async (
  needs: SendMailNeeds,
  mail: IncomingMail,
  { row, etag }: LedgerEntry,
): Promise<SendMailAnswer | undefined> => {
  const { accepted } = mail;
  if (!mail.isSame(row)) throw new AppError('IDEMPOTENCY_KEY_REUSED');
  const envelope = { ...mail.envelope, contentHash: row.bodyHash };
  if (row.state === 'sending') {
    const age = needs.now().getTime() - Date.parse(row.updatedAt);
    if (age < needs.sendingLimitMs) throw new AppError('MAIL_UNDER_WAY');
    // Whoever was sending it has died; the caller has brought the mail back, so that it can be looked up and go on.
    const outcome = { kind: 'unknown', code: 'OUTCOME_UNKNOWN' } as const;
    const ended = {
      row,
      etag,
      outcome,
      mail: accepted.mail,
      envelope,
      original: mail.input,
      callerWaits: true,
    };
    return { row: await concludeAttempt(needs, ended), repeated: true };
  }
  if (row.state === 'rejected') {
    // What an administrator may have mended since is tried afresh: nothing was accepted the first time.
    if (catalogue[row.reason.code].fixedBy === 'caller') throw fromReport(row.reason);
    const pace = await enterLane(needs, accepted.plan, envelope);
    if (pace.kind === 'full') throw new AppError('MAILBOX_BOOKED_UP');
    if (pace.kind === 'wait') throw new AppError('MAIL_UNDER_WAY');
    const claimed = claim(row, needs.now());
    const written = await needs.ledger.replace(claimed, etag);
    if (written !== undefined)
      return { row: await attempt(needs, mail, { row: claimed, etag: written.etag }), repeated: false };
    leaveLane(needs, accepted.plan);
    return undefined;
  }
  if (isWithoutContent(row)) {
    const brought = { mail: accepted.mail, envelope, original: mail.input };
    return { row: await bringBackMail(needs, { row, etag }, brought), repeated: true };
  }
  if (row.state === 'queued') {
    // Perhaps without its message, as the first request died in between: the message again does no harm.
    await queueMail(needs, { ...envelope, turn: row.turn }, 0);
    const again = await needs.ledger.replace(requeue(row, needs.now()), etag);
    return again === undefined ? undefined : { row: again.row, repeated: true };
  }
  return { row, repeated: true };
};

const refuseRejected = (row: LedgerRow): LedgerRow => {
  if (row.state === 'rejected') throw fromReport(row.reason);
  return row;
};

const fromReport = ({ code, title: _title, remedy: _remedy, ...facts }: ErrorReport): AppError =>
  new AppError(code, facts);
