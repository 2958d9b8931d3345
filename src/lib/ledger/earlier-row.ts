import { defined } from '../defined.ts';
import { type Reason, toReason } from '../errors.ts';
import type { Attempt, Fate, Held, LedgerRow, MailFacts, MailState, WhyHeld } from './ledger-row.ts';

/** A row of the first layout, in which all fields stood side by side. */
type FlatRow = MailFacts & {
  readonly replayedAt?: string;
  readonly updatedAt: string;
  readonly turn: number;
  readonly attempts: readonly Attempt[];
  readonly omittedAttempts?: number;
  /** The name of the count before. */
  readonly forgottenAttempts?: number;
  readonly inQueue: boolean;
  readonly resent: boolean;
  readonly state: string;
  readonly reason?: Reason;
  readonly until?: string;
  readonly verified?: boolean;
  readonly graphRequestId?: string;
  readonly record?: string;
  readonly note?: string;
};

/** States by the names they had before. */
const EARLIER_STATES: Readonly<Record<string, MailState>> = { waiting: 'deferred', 'set-aside': 'held' };

/** Why an email was held, which only the code said. */
const WHY: Readonly<Record<string, WhyHeld>> = {
  MAIL_LOST: 'lost-message',
  ATTEMPT_LOST: 'lost-attempt',
  OUTCOME_UNKNOWN: 'doubt',
};

/** The row that this JSON holds, also one of an earlier layout. Throws a SyntaxError for what is no JSON. */
export const readRow = (json: string): LedgerRow => {
  const row = JSON.parse(json) as LedgerRow | FlatRow;
  return 'facts' in row ? row : fromFlat(row);
};

const fromFlat = (row: FlatRow): LedgerRow => {
  const { mailId, caller, sender, recipients, recipientAddresses, tags, keyHash, bodyHash, leavesCopy } = row;
  const { acceptedAt, replayedAt, updatedAt, turn, attempts, inQueue, resent } = row;
  return {
    facts: {
      ...{ mailId, caller, sender, recipients, tags, bodyHash, leavesCopy, acceptedAt },
      ...defined({ recipientAddresses, keyHash }),
    },
    progress: {
      ...{ updatedAt, turn, attempts, inQueue, resent },
      omittedAttempts: row.omittedAttempts ?? row.forgottenAttempts ?? 0,
      ...defined({ replayedAt }),
    },
    fate: fateOf(row),
  } as LedgerRow;
};

const fateOf = (row: FlatRow): Fate => {
  const state = EARLIER_STATES[row.state] ?? row.state;
  const { until, verified, graphRequestId, record, note } = row;
  const reason = row.reason === undefined ? undefined : toReason(row.reason);
  const held = state === 'held' && reason !== undefined ? heldOf(row, reason) : {};
  return { state, ...defined({ reason, until, verified, graphRequestId, record, note }), ...held } as Fate;
};

/** Without a message and in doubt, or lost: then only the caller had had the content. */
const heldOf = ({ inQueue }: FlatRow, { code }: Reason): Pick<Held, 'why' | 'hasContent'> => ({
  why: WHY[code] ?? 'refused',
  hasContent: inQueue || (code !== 'MAIL_LOST' && code !== 'OUTCOME_UNKNOWN'),
});
