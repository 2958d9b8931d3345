import { defined } from '../defined.ts';
import { announceDeliveries } from '../delivery/announce.ts';
import { AppError, type ErrorReport, type Reason, reasonOf, reportOf } from '../errors.ts';
import { type InState, isIn, isKeptFromRecipients, type RecipientDelivery } from '../ledger/ledger-row.ts';
import { recordTraced } from '../ledger/transitions.ts';
import { unexpected } from '../log.ts';
import type { LedgerEntry, Ports, TraceRow } from '../ports.ts';
import { describeRecipients, type RecipientStatus } from './delivery-words.ts';
import { findMail } from './mail-status.ts';
import { findMessageId, type MessageIdNeeds } from './message-id.ts';
import { decideByEvents } from './trace-decisive-event.ts';
import {
  isOverdueInTrace,
  isTooOldToTrace,
  mayChangeUntil,
  recipientsOf,
  sentTimesOf,
  traceDueAt,
  traceWindowOf,
} from './trace-due.ts';
import { type Match, matchRows, toDelivery } from './trace-match.ts';
import { askTrace, type NotAsked, type TraceAsker, type TraceRequestNeeds } from './trace-request.ts';

/** The part `delivery` of a status: what became of an email after Exchange took it, and how far that is known. */
export type DeliveryStatus = {
  readonly recipients: readonly RecipientStatus[];
  /** When the message trace was last asked. */
  readonly askedAt?: string;
  /** From when on asking again can tell more. */
  readonly askAgainAt?: string;
  /** Until then, what is known can still change. */
  readonly mayChangeUntil?: string;
  /** Why not more is known. */
  readonly reason?: ErrorReport;
};

export type TraceNeeds = MessageIdNeeds &
  TraceRequestNeeds &
  Pick<Ports, 'readIdentity' | 'log' | 'events'> & {
    /** Absent where MAIL_TRACE is off, or the settings to reach Graph are invalid. */
    readonly traces?: Ports['traces'];
  };

/** Pages of one question, of 5,000 rows each. */
const MOST_PAGES = 3;
/** Recipients of which a question asks for the reason. */
const MOST_DETAILS = 3;

/**
 * What became of an email that Exchange took, recipient by recipient; asks the message trace if it can say more than the ledger knows. Throws
 * MAIL_NOT_FOUND alone: whatever else fails is the reason why not more is known.
 */
export const traceMail = async (
  needs: TraceNeeds,
  mailId: string,
  asker: TraceAsker,
): Promise<DeliveryStatus> => {
  const found = await findMail(needs, mailId);
  if (!isIn(found.row, 'sent') || isKeptFromRecipients(found.row))
    return { recipients: [], reason: reportOf({ code: 'TRACE_NOT_SENT' }) };
  const entry: LedgerEntry<InState<'sent'>> = { row: found.row, etag: found.etag };
  try {
    return await askOrTell(needs, entry, asker);
  } catch (error) {
    if (error instanceof AppError) return describe(needs, entry.row, { reason: reasonOf(error) });
    needs.log(unexpected(error));
    return describe(needs, entry.row, { reason: { code: 'UNEXPECTED' } });
  }
};

const askOrTell = async (
  needs: TraceNeeds,
  entry: LedgerEntry<InState<'sent'>>,
  asker: TraceAsker,
): Promise<DeliveryStatus> => {
  const { row } = entry;
  const now = needs.clock.now();
  const { traces } = needs;
  if (traces === undefined) return describe(needs, row, { reason: { code: 'TRACE_OFF' } });
  const due = traceDueAt(row);
  if (due === undefined) return describe(needs, row);
  if (due > now)
    return describe(
      needs,
      row,
      row.fate.tracedAt === undefined ? { reason: { code: 'TRACE_TOO_EARLY' } } : {},
    );
  if (isTooOldToTrace(row, now)) return describe(needs, row, { reason: { code: 'TRACE_TOO_OLD' } });
  const reached = traces.reach(row.facts.sender, row.progress.route);
  if (reached.kind === 'failed') return describe(needs, row, { reason: reached.reason });
  const question = makeQuestion({ ...needs, traces }, row, reached.tenant, asker);
  const answer = await question.ask(await messageIdOf(needs, entry));
  const known = answer.isAsked ? await keep(needs, row, answer, now) : row;
  needs.log(tracedEvent(known, question.requests(), answer.failure?.reason ?? gapOf(known)));
  return describe(needs, known, answer.failure);
};

const messageIdOf = async (
  needs: MessageIdNeeds,
  entry: LedgerEntry<InState<'sent'>>,
): Promise<string | undefined> => {
  const found = await findMessageId(needs, entry);
  return found !== undefined && 'internetMessageId' in found ? found.internetMessageId : undefined;
};

/** What a question has found out. */
type Answer = {
  /** The list was read, so that its silence says something too. */
  readonly isAsked: boolean;
  readonly news: readonly RecipientDelivery[];
  readonly gap?: InState<'sent'>['fate']['traceGap'];
  readonly failure?: Pick<NotAsked, 'reason' | 'until'>;
};

const NOTHING_ASKED = { isAsked: false, news: [] } as const;

/** One question about one email: so many requests, each counted before it is made. */
const makeQuestion = (
  needs: TraceNeeds & Pick<Ports, 'traces'>,
  row: InState<'sent'>,
  tenant: string,
  asker: TraceAsker,
) => {
  const { traces, clock } = needs;
  const { sender } = row.facts;
  const { route } = row.progress;
  let requests = 0;

  const listAll = async (messageId: string | undefined) => {
    const { from, to, isWide } = traceWindowOf(row, clock.now());
    // Where the trace lists the sender under another address, the Message-ID still finds the email.
    const query =
      isWide && messageId !== undefined
        ? ({ by: 'message-id', messageId, from, to } as const)
        : ({ by: 'sender', sender, from, to } as const);
    const rows: TraceRow[] = [];
    let after: string | undefined;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const answer = await askTrace(needs, tenant, asker, () => {
        requests += 1;
        return traces.list(query, sender, route, after);
      });
      if (answer.kind === 'not-asked') return { rows, isWhole: false, failure: answer };
      rows.push(...answer.rows);
      after = answer.next;
      if (after === undefined) return { rows, isWhole: true };
    }
    return { rows, isWhole: false };
  };

  /** A failure or a delay with its code; of what is only on its way, what the events say. */
  const withReason = async (match: Match, at: Date): Promise<RecipientDelivery | NotAsked> => {
    const delivery = toDelivery(match, at);
    const answer = await askTrace(needs, tenant, asker, () => {
      requests += 1;
      return traces.details(match.row, sender, route);
    });
    if (answer.kind === 'not-asked') return answer;
    const { status, code } = decideByEvents(answer.events);
    // The list says what failed; events can be those of another copy.
    return {
      ...delivery,
      ...defined({ code }),
      ...(delivery.status === 'pending' ? defined({ status }) : {}),
    };
  };

  const withReasons = async (matches: readonly Match[], at: Date): Promise<Answer> => {
    const news: RecipientDelivery[] = [];
    let left = MOST_DETAILS;
    let failure: NotAsked | undefined;
    for (const match of matches) {
      const delivery = toDelivery(match, at);
      if (!wantsReason(row, delivery) || left === 0) {
        news.push(delivery);
        continue;
      }
      left -= 1;
      const told = failure ?? (await withReason(match, at));
      if ('kind' in told) {
        failure = told;
        news.push(delivery);
      } else news.push(told);
    }
    return { isAsked: true, news, ...defined({ failure }) };
  };

  return {
    requests: () => requests,
    ask: async (messageId: string | undefined): Promise<Answer> => {
      const { rows, isWhole, failure } = await listAll(messageId);
      if (failure !== undefined && rows.length === 0) return { ...NOTHING_ASKED, failure };
      const { hashOfAddress } = await needs.readIdentity();
      const at = clock.now();
      const isOverdue = isOverdueInTrace(row, at);
      const traced = {
        messageId,
        sender,
        recipients: recipientsOf(row),
        ...sentTimesOf(row),
        isComplete: isWhole && isOverdue,
      };
      const matched = matchRows(rows, traced, hashOfAddress);
      if (matched.kind === 'matched') {
        const answer = await withReasons(matched.matches, at);
        return isWhole
          ? answer
          : { ...answer, gap: 'TRACE_INCOMPLETE', ...defined({ failure: answer.failure ?? failure }) };
      }
      if (failure !== undefined) return { ...NOTHING_ASKED, failure };
      if (matched.kind === 'doubtful') return { isAsked: true, news: [], gap: 'TRACE_MESSAGE_ID_UNKNOWN' };
      return isWhole ? { isAsked: true, news: [] } : { isAsked: true, news: [], gap: 'TRACE_INCOMPLETE' };
    },
  };
};

/** What failed says why, once; what is late, each time. */
const wantsReason = ({ fate }: InState<'sent'>, { recipient, status }: RecipientDelivery): boolean => {
  if (status === 'pending') return true;
  const before = fate.deliveries?.find((one) => one.recipient === recipient);
  return status === 'failed' && !(before?.status === 'failed' && before.code !== undefined);
};

const TRIES = 3;

/** Writes what was learned, onto what others have written since. What cannot be written is told all the same, and learned anew. */
const keep = async (
  needs: TraceNeeds,
  row: InState<'sent'>,
  { news, gap }: Answer,
  at: Date,
): Promise<InState<'sent'>> => {
  let known = recordTraced(row, news, at, gap);
  try {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const entry = await needs.ledger.find(row.facts.mailId);
      if (entry === undefined || !isIn(entry.row, 'sent')) return known;
      known = recordTraced(entry.row, news, at, gap);
      await announceDeliveries(needs, entry.row, newsOf(entry.row, known));
      if ((await needs.ledger.replace(known, entry.etag)) !== undefined) return known;
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
  }
  return known;
};

/** Of whom the trace says something else than was known. */
const newsOf = (before: InState<'sent'>, after: InState<'sent'>): readonly RecipientDelivery[] => {
  const known = new Map((before.fate.deliveries ?? []).map(({ recipient, status }) => [recipient, status]));
  return (after.fate.deliveries ?? []).filter(({ recipient, status }) => known.get(recipient) !== status);
};

const tracedEvent = (row: InState<'sent'>, requests: number, reason: Reason | undefined) => {
  const deliveries = row.fate.deliveries ?? [];
  const count = (status: RecipientDelivery['status']) =>
    deliveries.filter((one) => one.status === status).length;
  const seen = new Set(deliveries.map(({ recipient }) => recipient));
  return {
    event: 'MailTraced',
    mailId: row.facts.mailId,
    requests,
    delivered: count('delivered'),
    pending: count('pending'),
    failed: count('failed'),
    quarantined: count('quarantined'),
    spam: count('spam'),
    expanded: count('expanded'),
    unseen: recipientsOf(row).filter((one) => !seen.has(one)).length,
    ...defined({
      code: reason?.code,
      upstreamCode: reason?.upstreamCode,
      graphRequestId: reason?.graphRequestId,
    }),
  } as const;
};

/** Why the last answer was not all about the email. It is told as long as that answer is. */
const gapOf = ({ fate: { traceGap } }: InState<'sent'>): Reason | undefined =>
  traceGap === undefined ? undefined : { code: traceGap };

const later = (one: Date | undefined, other: Date | undefined): Date | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one;

const describe = async (
  { clock, readIdentity }: TraceNeeds,
  row: InState<'sent'>,
  { reason, until }: { readonly reason?: Reason; readonly until?: Date } = {},
): Promise<DeliveryStatus> => {
  const now = clock.now();
  const hashOf =
    row.facts.recipientAddresses === undefined ? undefined : (await readIdentity()).hashOfAddress;
  const recipients = describeRecipients(row, hashOf ?? (() => ''));
  const told = reason ?? (recipients.some(({ status }) => status === 'unseen') ? gapOf(row) : undefined);
  const due = later(traceDueAt(row), until);
  const changes = mayChangeUntil(row);
  return {
    recipients,
    ...defined({
      askedAt: row.fate.tracedAt,
      askAgainAt: due?.toISOString(),
      mayChangeUntil: changes > now ? changes.toISOString() : undefined,
      reason: told && reportOf(told),
    }),
  };
};
