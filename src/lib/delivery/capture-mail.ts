import { defined } from '../defined.ts';
import type { CapturedFile, CapturedRecord } from '../inbox/captured-record.ts';
import { dueFrom, type InState, isIn, type MailFacts } from '../ledger/ledger-row.ts';
import { captureNew, recordCaptured } from '../ledger/transitions.ts';
import { writeBase64 } from '../mail/base64-text.ts';
import type { LedgerEntry, Ports } from '../ports.ts';
import type { OutgoingFile } from '../sending/outgoing-mail.ts';
import type { SendPlan } from '../sending/send-plan.ts';
import type { AcceptableMail } from './accept-mail.ts';
import { announce } from './announce.ts';

export type CaptureNeeds = Pick<Ports, 'captured' | 'ledger' | 'events' | 'clock' | 'log'>;

/** An email that is not in the ledger yet, or the row of one that was certainly not sent. */
export type CaptureSubject =
  | { readonly isInQueue: boolean }
  | LedgerEntry<InState<'queued' | 'deferred' | 'unknown' | 'rejected'>>;

/** Files of one email beside its message; what is larger is in the page by name and size alone. */
const MOST_FILE_BYTES = 10_000_000;

/**
 * Keeps an email for the inbox page in place of sending it: nothing is asked of Graph, Entra or the vault. What is kept first, the ledger
 * next, so that it never names what is not there; stored twice, it is the same blob. Undefined when somebody else wrote the row first.
 * Throws STORAGE_UNAVAILABLE.
 */
export const captureMail = async (
  needs: CaptureNeeds,
  { plan, facts: accepted }: Pick<AcceptableMail, 'plan' | 'facts'>,
  subject: CaptureSubject,
): Promise<InState<'captured'> | undefined> => {
  const now = needs.clock.now();
  const ended =
    'row' in subject ? recordCaptured(subject.row, now) : captureNew(accepted, subject.isInQueue, now);
  const record = toRecord(plan, ended.facts, dueFrom(ended), now);
  const { toBoundedSummary } = await import('../inbox/captured-summary.ts');
  await needs.captured.store(record, await toBoundedSummary(record));
  const row = await announce(needs, ended);
  const written =
    'row' in subject ? await needs.ledger.replace(row, subject.etag) : await needs.ledger.create(row);
  const { mailId, recipients, tags } = row.facts;
  if (written === undefined) {
    await removeStray(needs, record);
    needs.log({ event: 'LedgerBehind', mailId, state: 'captured' });
    return undefined;
  }
  needs.log({ event: 'MailCaptured', mailId, recipients, tags });
  return row;
};

/** What was kept here is not the email of the row where another attempt took it, or kept it under another time. */
const removeStray = async ({ ledger, captured }: CaptureNeeds, record: CapturedRecord): Promise<void> => {
  const row = (await ledger.find(record.mailId))?.row;
  const isOfRow = row !== undefined && isIn(row, 'captured') && dueFrom(row) === record.dueFrom;
  if (!isOfRow) await captured.delete(record);
};

const toRecord = (plan: SendPlan, facts: MailFacts, from: string, now: Date): CapturedRecord => {
  const { mailId, caller, tags } = facts;
  const { contentType, body } = plan.kind === 'draft' ? plan.message : plan;
  return {
    ...{ mailId, caller, tags },
    dueFrom: from,
    capturedAt: now.toISOString(),
    mailbox: plan.mailbox,
    way: plan.kind,
    message:
      contentType === 'application/json'
        ? { contentType, body: JSON.parse(body.toString()) }
        : { contentType, body: body.toString('latin1') },
    files: plan.kind === 'draft' ? toFiles(plan.files) : [],
  };
};

const toFiles = (files: readonly OutgoingFile[]): readonly CapturedFile[] => {
  let room = MOST_FILE_BYTES;
  return files.map(({ filename, contentType, cid, bytes, source }) => {
    const known = { filename, contentType, ...defined({ cid }), bytes };
    if (source.kind === 'blob') return { ...known, blob: source.name };
    if (bytes > room) return known;
    room -= bytes;
    const content = Buffer.alloc(source.content.length);
    writeBase64(source.content, content, 0);
    return { ...known, content: content.toString('latin1') };
  });
};
