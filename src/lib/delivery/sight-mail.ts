import type { LedgerRow, Progress } from '../ledger/ledger-row.ts';
import type { MailMark, Ports } from '../ports.ts';
import type { Sighting } from '../sending/look-up-plan.ts';

/** What was a draft and has left Drafts. */
const OF_DRAFT = { by: 'property', inDrafts: false } as const;

export type SightNeeds = Pick<Ports, 'mailboxes'> & {
  readonly drafts: Pick<Ports['drafts'], 'look' | 'remove'>;
};

/** By what an email is known again in the mailbox, as its last attempt went. */
export const markOf = ({ way = 'json', madeDrafts }: Progress): MailMark =>
  way === 'draft' ? OF_DRAFT : { by: way === 'mime' ? 'header' : 'property', inDrafts: madeDrafts !== true };

/** Looks for an email as its last attempt went: a draft by its id, everything else by what it carries. */
export const sightMail = async (
  { mailboxes, drafts }: SightNeeds,
  { facts, progress }: LedgerRow,
): Promise<Sighting> => {
  const { sender, mailId } = facts;
  const { way, draft } = progress;
  if (way !== 'draft') return mailboxes.find(sender, mailId, markOf(progress), progress.route);
  if (draft?.isSubmitted !== true) return { kind: 'never-sent' };
  const { mailbox, id, route } = draft;
  const seen = await drafts.look(mailbox, id, route);
  // It has another id then, or is no longer there.
  return seen.kind === 'absent' ? mailboxes.find(mailbox, mailId, OF_DRAFT, route) : seen;
};

/**
 * Removes a draft that was not sent in all the time that it had. Removed while transport takes it, it could be the email
 * itself that is removed: so it is looked for on its way before, and at what was removed after. `never-sent` only where both
 * say so.
 */
export const removeUnsent = async (
  { mailboxes, drafts }: SightNeeds,
  { facts, progress }: LedgerRow,
): Promise<Sighting> => {
  const { mailId } = facts;
  const { draft } = progress;
  if (draft === undefined) return { kind: 'never-sent' };
  const { mailbox, id, route } = draft;
  const onItsWay = await mailboxes.find(mailbox, mailId, OF_DRAFT, route);
  if (onItsWay.kind !== 'absent') return onItsWay;
  const removed = await drafts.remove(mailbox, id, route);
  if (removed === 'failed') return { kind: 'not-now' };
  const after = await drafts.look(mailbox, id, route);
  // What nobody could look at may be the email itself.
  if (after.kind !== 'draft' && after.kind !== 'absent') return after;
  return removed === 'removed' ? { kind: 'never-sent' } : mailboxes.find(mailbox, mailId, OF_DRAFT, route);
};
