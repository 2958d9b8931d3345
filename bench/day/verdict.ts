import type { LedgerRow } from '../../src/lib/ledger/ledger-row.ts';
import { isFinal } from '../../src/lib/ledger/ledger-row.ts';
import { MINUTE_MS } from './day-plan.ts';
import type { Day } from './run-day.ts';

const PER_MINUTE = 30;
const RECIPIENTS_A_DAY = 10_000;
const MOST_EXAMPLES = 10;

type Kept = {
  readonly what: string;
  readonly broken: number;
  readonly examples: readonly string[];
};

export type Verdict = {
  readonly promises: readonly Kept[];
  readonly isKept: boolean;
  readonly states: Readonly<Record<string, number>>;
  readonly heldFor: Readonly<Record<string, number>>;
  readonly mostInAnyMinute: number;
  readonly mailboxesOverMinute: number;
};

/** The most in any minute. Times oldest first. */
export const mostInAnyMinute = (times: readonly number[]): number => {
  let most = 0;
  let first = 0;
  times.forEach((at, index) => {
    while (at - (times[first] ?? at) >= MINUTE_MS) first += 1;
    most = Math.max(most, index - first + 1);
  });
  return most;
};

/** What is wrong with the fate of an email, if anything. */
const faultOf = (answer: number, copies: number, row: LedgerRow | undefined): string | undefined => {
  if (copies > 1) return 'sent more than once';
  const state = row?.fate.state;
  if (answer === 2) {
    if (copies > 0 || state === 'sent') return 'sent although the relay refused it';
    return state === undefined || state === 'rejected' ? undefined : 'in the ledger although it was refused';
  }
  if (answer === 0) return 'its application never got an answer';
  if (row === undefined) return 'not in the ledger';
  if (!isFinal(row)) return 'its fate is open';
  if (state === 'sent') return copies === 1 ? undefined : 'sent in the ledger, and not at Exchange';
  if (row.fate.state !== 'held') return 'accepted, and ended as neither sent nor held';
  if (copies === 0) return undefined;
  return row.fate.why === 'doubt' ? undefined : 'held as not sent, and sent at Exchange';
};

/** Whether the day kept what the relay promises: to applications, and to Exchange. */
export const toVerdict = (day: Day): Verdict => {
  const { emails, storage, exchange, options } = day;
  const states: Record<string, number> = {};
  const heldFor: Record<string, number> = {};
  const faults = new Map<string, string[]>();
  for (let number = 0; number < emails.count; number += 1) {
    const mailId = emails.idOf(number);
    const row = storage.read(mailId)?.row;
    const state = row?.fate.state ?? 'none';
    states[state] = (states[state] ?? 0) + 1;
    if (row?.fate.state === 'held') {
      const why = `${row.fate.why}: ${row.fate.reason.code}`;
      heldFor[why] = (heldFor[why] ?? 0) + 1;
      if (!storage.hasRecord(mailId)) note(faults, 'held without a record', mailId);
    }
    const fault = faultOf(emails.answerOf(number), emails.copiesOf(number), row);
    if (fault !== undefined) note(faults, fault, mailId);
  }
  const mosts = Array.from({ length: options.mailboxes }, (_, mailbox) =>
    mostInAnyMinute(exchange.arrivalsOf(mailbox)),
  );
  const over = mosts.filter((most) => most > PER_MINUTE).length;
  const strays = storage.rows() - (emails.count - (states.none ?? 0));
  const overDay = exchange.mostRecipientsOfADay() > RECIPIENTS_A_DAY ? 1 : 0;
  const of = (what: string, broken: number, examples: readonly string[] = []): Kept => ({
    what,
    broken,
    examples,
  });
  const wrong = [...faults.entries()];
  const promises = [
    of(
      'the fate of every email is known, and none is sent twice',
      wrong.reduce((sum, [, ids]) => sum + ids.length, 0),
      wrong.map(([fault, ids]) => `${ids.length} ${fault}, such as ${ids.slice(0, 3).join(', ')}`),
    ),
    of('no email is in the ledger twice', strays),
    of(`no mailbox gets more than ${PER_MINUTE} requests in any minute`, over),
    of(`no mailbox has more than ${RECIPIENTS_A_DAY} recipients in 24 hours`, overDay),
    of(
      'no email is refused, as none is wrong',
      Object.values(day.refusals).reduce((sum, count) => sum + count, 0),
      Object.entries(day.refusals).map(([code, count]) => `${count} ${code}`),
    ),
    of('nothing unexpected happened', day.problems.length, day.problems.slice(0, MOST_EXAMPLES)),
  ];
  return {
    promises,
    isKept: promises.every(({ broken }) => broken === 0),
    states,
    heldFor,
    mostInAnyMinute: Math.max(...mosts),
    mailboxesOverMinute: over,
  };
};

const note = (faults: Map<string, string[]>, fault: string, mailId: string): void => {
  faults.set(fault, [...(faults.get(fault) ?? []), mailId]);
};
