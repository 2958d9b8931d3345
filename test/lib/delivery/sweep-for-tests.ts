import type { Run } from '../../../src/lib/delivery/sweep-run.ts';
import type { MailFacts } from '../../../src/lib/ledger/ledger-row.ts';
import { newMailId } from '../../../src/lib/ledger/mail-id.ts';
import { claim, claimNew, queueNew, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { NOW } from '../../support/in-memory-ports.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** A sweep that has counted nothing yet, and has all the time it needs. */
export const aRun = (isOver: () => boolean = () => false, turn = 0): Run => ({
  counts: {
    lost: 0,
    overdue: 0,
    payloads: 0,
    records: 0,
    expired: 0,
    failed: 0,
    filed: 0,
    drafts: 0,
    captured: 0,
    unfinished: 0,
  },
  turn,
  isOver,
});

/** Each a mail of its own. */
export const newMail = (override: Partial<MailFacts> = {}) =>
  aNewMail(NOW, { mailId: newMailId(NOW), ...override });
export const queued = () => queueNew(newMail(), NOW);
export const sent = () =>
  recordSent(claim(queued(), NOW), { at: NOW.toISOString(), outcome: 'accepted' }, NOW);
/** An attempt of which only the caller who waits has the email. */
export const awaited = (override: Partial<MailFacts> = {}) => claimNew(newMail(override), false, NOW);
