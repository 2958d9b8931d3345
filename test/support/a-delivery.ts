import type { InState } from '../../src/lib/ledger/ledger-row.ts';
import { type Envelope, newEnvelope } from '../../src/lib/ledger/queue-message.ts';
import {
  claimNew,
  holdNew,
  queueNew,
  recordDeferred,
  recordRejected,
  recordSent,
  recordUnknown,
} from '../../src/lib/ledger/transitions.ts';
import { aMail } from './a-mail.ts';
import { aNewMail } from './a-new-mail.ts';
import { IDENTITY } from './identity-for-tests.ts';
import { NOW } from './in-memory-ports.ts';

const AN_ATTEMPT = { at: NOW.toISOString(), outcome: 'not-sent', code: 'GRAPH_THROTTLED' } as const;

/** An email on its way: its content, its message, and the rows that the ledger may have of it. */
export const aDelivery = (content: Record<string, unknown> = aMail(), caller = 'queue') => {
  const contentHash = IDENTITY.hashOfContent(content);
  const leavesCopy = content.saveToSentItems !== false;
  const facts = aNewMail(NOW, { caller, bodyHash: contentHash, leavesCopy });
  const { mailId } = facts;
  const envelope = newEnvelope({ mailId, acceptedAt: NOW, caller, contentHash, content: { mail: content } });
  const sending = claimNew(facts, true, NOW);
  const reason = { code: 'GRAPH_THROTTLED' } as const;
  return {
    mailId,
    content,
    facts,
    envelope,
    stored: { ...envelope, content: 'stored' } satisfies Envelope,
    rows: {
      queued: queueNew(facts, NOW),
      sending,
      deferred: recordDeferred(sending, AN_ATTEMPT, { reason, until: NOW, isResend: false }, NOW),
      unknown: recordUnknown(sending, AN_ATTEMPT, { code: 'OUTCOME_UNKNOWN' }, NOW),
      sent: recordSent(sending, { at: NOW.toISOString(), outcome: 'accepted' }, NOW),
      rejected: recordRejected(sending, AN_ATTEMPT, { code: 'MAILBOX_NOT_FOUND' }, NOW),
      held: holdNew(
        facts,
        { why: 'refused', reason: { code: 'MAILBOX_NOT_FOUND' }, record: mailId, hasContent: true },
        NOW,
      ),
    },
  };
};

/** A held row with something else about it. */
export const heldAs = (row: InState<'held'>, fate: Partial<InState<'held'>['fate']>): InState<'held'> => ({
  ...row,
  fate: { ...row.fate, ...fate },
});
