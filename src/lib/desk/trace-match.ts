import type { RecipientDelivery } from '../ledger/ledger-row.ts';
import type { TraceRow } from '../ports.ts';

/** What is known of the email that rows are looked through for. */
export type Traced = {
  readonly messageId?: string | undefined;
  readonly sender: string;
  /** Keyed hashes, each once; empty where the ledger has none. */
  readonly recipients: readonly string[];
  /** Between which times Exchange can have received it: by these a guess is made. */
  readonly from: Date;
  readonly sentAt: Date;
  /** There are no more rows, and by now the email must be among them: only then can the only one that fits be the one. */
  readonly isComplete: boolean;
};

/** A recipient of the email, by its hash, with the row that says what became of it. */
export type Match = { readonly recipient: string; readonly row: TraceRow; readonly isGuess: boolean };

/** What the rows of a trace say of one email. */
export type Matched =
  | {
      readonly kind: 'matched';
      readonly matches: readonly Match[];
      /** Rows of the email that are of none of its recipients: members of a group, mostly. */
      readonly others: number;
    }
  | { readonly kind: 'absent' }
  /** The Message-ID is not known, and not exactly one email fits. */
  | { readonly kind: 'doubtful' };

type HashOf = (address: string) => string;

const sameMessage = (one: string, other: string): boolean => nakedId(one) === nakedId(other);
const nakedId = (messageId: string): string =>
  messageId
    .trim()
    .replace(/^<(.*)>$/, '$1')
    .toLowerCase();

/** Finds an email by its Message-ID. Where that is unknown, it is the one email that goes to just its recipients, if there is only one. */
export const matchRows = (rows: readonly TraceRow[], traced: Traced, hashOf: HashOf): Matched => {
  const { messageId } = traced;
  if (messageId === undefined) return guess(rows, traced, hashOf);
  const own = rows.filter((row) => sameMessage(row.messageId, messageId));
  return own.length === 0 ? { kind: 'absent' } : matchRecipients(own, traced, hashOf, false);
};

const CLOCKS_MS = 60_000;

const guess = (rows: readonly TraceRow[], traced: Traced, hashOf: HashOf): Matched => {
  const { recipients, isComplete, sender, from, sentAt } = traced;
  if (!isComplete || recipients.length === 0) return { kind: 'doubtful' };
  const near = rows.filter(
    (row) =>
      row.sender.toLowerCase() === sender.toLowerCase() &&
      row.receivedAt.getTime() >= from.getTime() - CLOCKS_MS &&
      row.receivedAt.getTime() <= sentAt.getTime() + CLOCKS_MS,
  );
  const fitting = [...Map.groupBy(near, ({ traceId }) => traceId).values()].filter((email) =>
    goesTo(email, recipients, hashOf),
  );
  const [only, ...more] = fitting;
  return only === undefined || more.length > 0
    ? { kind: 'doubtful' }
    : matchRecipients(only, traced, hashOf, true);
};

/** To all of them, and to nobody else but members of a group. */
const goesTo = (email: readonly TraceRow[], recipients: readonly string[], hashOf: HashOf): boolean => {
  const to = new Set(email.map(({ recipient }) => hashOf(recipient)));
  const hasGroup = email.some(({ status }) => status === 'expanded');
  return recipients.every((one) => to.has(one)) && (hasGroup || to.size === recipients.length);
};

const matchRecipients = (
  own: readonly TraceRow[],
  { recipients }: Traced,
  hashOf: HashOf,
  isGuess: boolean,
): Matched => {
  const byRecipient = new Map<string, TraceRow>();
  for (const row of own)
    byRecipient.set(hashOf(row.recipient), better(row, byRecipient.get(hashOf(row.recipient))));
  const isKnown = (hash: string) => recipients.length === 0 || recipients.includes(hash);
  const found = [...byRecipient].filter(([hash]) => isKnown(hash));
  const others = [...byRecipient].filter(([hash]) => !isKnown(hash)).map(([, row]) => row);
  const matches = found.map(([recipient, row]) => ({ recipient, row, isGuess }));
  const left = recipients.filter((one) => !byRecipient.has(one));
  const [onlyLeft] = left;
  const [onlyOther] = others;
  // Exchange lists a mailbox under its main address, whichever of its addresses the email names.
  const isSameOne =
    left.length === 1 && others.length === 1 && own.every(({ status }) => status !== 'expanded');
  return isSameOne && onlyLeft !== undefined && onlyOther !== undefined
    ? {
        kind: 'matched',
        matches: [...matches, { recipient: onlyLeft, row: onlyOther, isGuess: true }],
        others: 0,
      }
    : { kind: 'matched', matches, others: others.length };
};

/** A recipient has one row; should there be more, one that is not pending says more. */
const better = (row: TraceRow, before: TraceRow | undefined): TraceRow =>
  before === undefined || before.status === 'pending' ? row : before;

/** What the ledger keeps of a match. */
export const toDelivery = ({ recipient, row: { status }, isGuess }: Match, at: Date): RecipientDelivery => ({
  recipient,
  status,
  source: 'trace',
  at: at.toISOString(),
  ...(isGuess ? { isGuess: true as const } : {}),
});
