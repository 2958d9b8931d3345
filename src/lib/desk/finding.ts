import { defined } from '../defined.ts';
import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import type { Reason } from '../errors.ts';
import type { Seen } from './doctor-facts.ts';

/** From the best to the worst. `unknown`: the doctor could not find out, or it cannot be found out in this way. */
export const STATES = ['ok', 'unknown', 'warning', 'failed'] as const;
export type State = (typeof STATES)[number];

/** What one check found. */
export type Finding = {
  readonly check: string;
  /** Of which mailbox, queue, connection or setting. */
  readonly subject?: string;
  readonly state: State;
  readonly seen: string;
  /** What to do, where something is to be done. */
  readonly remedy?: string;
  /** Of the catalogue, where the finding is one of its errors. */
  readonly code?: ErrorCode;
};

type Check = Pick<Finding, 'check' | 'subject'>;

export const ok = (check: Check, seen: string): Finding => ({ ...check, state: 'ok', seen });

export const warning = (check: Check, seen: string, remedy: string): Finding => ({
  ...check,
  state: 'warning',
  seen,
  remedy,
});

export const failed = (check: Check, seen: string, remedy: string): Finding => ({
  ...check,
  state: 'failed',
  seen,
  remedy,
});

export const unknown = (check: Check, seen: string, remedy?: string): Finding => ({
  ...check,
  state: 'unknown',
  seen,
  ...defined({ remedy }),
});

export const late = (check: Check): Finding =>
  unknown(check, 'No result within the time that the doctor has.', 'Run the doctor again.');

/** What an email needs did not answer, which the doctor cannot tell from a failure, and an email neither. */
export const silent = (check: Check, code: ErrorCode, remedy?: string): Finding => ({
  ...failed(
    check,
    `No answer within the time that the doctor has. ${catalogue[code].title}.`,
    remedy ?? remedyOf(code),
  ),
  code,
});

/** The finding for an error of the catalogue, with its remedy unless there is a better one. */
export const failedFor = (check: Check, reason: Reason, remedy?: string, upstream?: string): Finding => ({
  ...failed(check, wordsOf(reason, upstream), remedy ?? remedyOf(reason.code)),
  code: reason.code,
});

/** Findings that say the same of several subjects are one. */
export const grouped = (findings: readonly Finding[]): readonly Finding[] => {
  const groups = Map.groupBy(findings, ({ check, state, seen }) => `${check} ${state} ${seen}`);
  return [...groups.values()].flatMap(([first, ...more]) =>
    first === undefined
      ? []
      : [{ ...first, subject: [first, ...more].map(({ subject }) => subject).join(', ') }],
  );
};

/** Of a response, that remedy speaks of an invocation, which the finding does not name. */
const remedyOf = (code: ErrorCode): string =>
  code === 'UNEXPECTED'
    ? 'Find the event Unexpected in the log of the app, and report it with its stack.'
    : catalogue[code].remedy;

/** The title of an error with what the other side said of it, which is a name and quotes nothing. */
export const wordsOf = ({ code, detail, upstreamCode }: Reason, upstream?: string): string => {
  const name = upstreamCode ?? upstream;
  const title = `${catalogue[code].title}${name === undefined ? '' : ` (${name})`}.`;
  return detail === undefined ? title : `${title} ${detail}`;
};

/** The finding for what was seen, or why nothing was. */
export const judged = <Value>(
  check: Check,
  seen: Seen<Value>,
  judge: (value: Value) => Finding,
  remedy?: string,
): Finding => {
  switch (seen.kind) {
    case 'seen':
      return judge(seen.value);
    case 'failed':
      return failedFor(check, seen.reason, remedy, seen.upstream);
    case 'late':
      return late(check);
  }
};
