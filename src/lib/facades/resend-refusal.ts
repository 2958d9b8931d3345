import type { ErrorCode } from '../error-catalogue.ts';
import type { Problem } from '../errors.ts';
import type { FacadeAnswer } from './facade.ts';
import { isInDoubt } from './in-doubt.ts';
import { inTheirWords, theirField } from './resend-fields.ts';

/*
 * Errors as Resend writes them: `{ statusCode, name, message }` (resend.com/docs/api-reference/errors). Its .NET client cannot read a
 * name that it does not know, so that of two that fit the older one is taken.
 */

/** What the relay says of an error, as far as it is told here. */
export type ToldProblem = {
  readonly status: number;
  readonly code?: unknown;
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly remedy?: unknown;
  readonly problems?: unknown;
};

type Kind = readonly [status: number, name: string];

const INVALID: Kind = [400, 'validation_error'];
const KEY_INVALID: Kind = [401, 'validation_error'];
const BUSY: Kind = [429, 'rate_limit_exceeded'];
/** No status that a client takes for an invitation to repeat the request. */
const DOUBT: Kind = [409, 'application_error'];
/** The same key for another email. */
const OTHER_REQUEST: Kind = [409, 'invalid_idempotent_request'];

/** Errors for which Resend has a name of their own, or another status than the relay. */
const KINDS: Partial<Record<ErrorCode, Kind>> = {
  CALLER_UNKNOWN: [401, 'missing_api_key'],
  CREDENTIALS_AMBIGUOUS: KEY_INVALID,
  KEY_NOT_ACCEPTED: KEY_INVALID,
  TOKEN_NOT_ACCEPTED: KEY_INVALID,
  IDEMPOTENCY_KEY_INVALID: [400, 'invalid_idempotency_key'],
  IDEMPOTENCY_KEY_REUSED: OTHER_REQUEST,
  MAIL_CANCELED: OTHER_REQUEST,
  MAIL_UNDER_WAY: [409, 'concurrent_idempotent_requests'],
  MAIL_NOT_WAITING: INVALID,
  MAIL_NOT_SCHEDULED: INVALID,
  CALLER_LIMIT_REACHED: [429, 'daily_quota_exceeded'],
  MAILBOX_BOOKED_UP: BUSY,
  MAILBOX_QUOTA_REACHED: BUSY,
  GRAPH_THROTTLED: BUSY,
  RELAY_BUSY: BUSY,
  MAILBOX_NOT_FOUND: [422, 'invalid_from_address'],
  ATTACHMENT_NOT_FOUND: [422, 'invalid_attachment'],
  ATTACHMENT_CHANGED: [422, 'invalid_attachment'],
};

const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' && value !== null && 'pointer' in value && 'expected' in value;

/** Problems with the fields of Resend; of a text that is no proper JSON they have places in it. */
const problemsOf = ({ problems }: ToldProblem): readonly Problem[] =>
  (Array.isArray(problems) ? problems.filter(isProblem) : []).map((problem) =>
    problem.pointer.startsWith('/')
      ? { ...problem, pointer: theirField(problem.pointer, new Map()) }
      : problem,
  );

/** The field without its place in a batch. */
const fieldOf = ({ pointer }: Problem): string => pointer.replace(/^\[\d+\]\.?/, '');

const isMissing = (problem: Problem): boolean =>
  problem.code === 'RECIPIENT_MISSING' ||
  problem.code === 'BODY_MISSING' ||
  (['from', 'subject'].includes(fieldOf(problem)) &&
    ['nothing', 'null', 'empty text'].includes(problem.received));

/** What all problems of an email have in common, where Resend has a name for it. */
const kindOfFields = (problems: readonly Problem[]): Kind => {
  if (problems.length === 0) return INVALID;
  if (problems.every(isMissing)) return [422, 'missing_required_field'];
  const fields = problems.map(fieldOf);
  if (fields.every((field) => field.startsWith('attachments'))) return [422, 'invalid_attachment'];
  if (problems.every(({ code }) => code === 'ADDRESS_INVALID') && fields.every((field) => field === 'from'))
    return [422, 'invalid_from_address'];
  return INVALID;
};

const kindOf = (problem: ToldProblem): Kind => {
  const { status, code } = problem;
  if (isInDoubt(code)) return DOUBT;
  const known = Object.hasOwn(KINDS, String(code)) ? KINDS[code as ErrorCode] : undefined;
  if (known !== undefined) return known;
  if (status === 400) return kindOfFields(problemsOf(problem));
  if (status === 403) return [403, 'validation_error'];
  if (status === 404) return [404, 'not_found'];
  if (status === 408 || status === 429) return BUSY;
  if (status === 503) return [503, 'application_error'];
  return status >= 500 ? [500, 'application_error'] : INVALID;
};

/** Nobody reads more in one line. */
const MOST_TOLD = 10;

const sentence = (text: unknown): readonly string[] =>
  typeof text !== 'string' || text === '' ? [] : [/[.!?]$/.test(text) ? text : `${text}.`];

const told = ({ pointer, expected, received }: Problem): string =>
  `${pointer === '' ? 'The request' : `\`${pointer}\``}: expected ${inTheirWords(expected)}; received ${received}.`;

/** What a developer reads: what is wrong, with the fields by their names, and what to do. */
export const messageOf = (problem: ToldProblem): string => {
  const problems = problemsOf(problem);
  const more = problems.length - MOST_TOLD;
  return [
    ...sentence(problem.title),
    ...problems.slice(0, MOST_TOLD).map(told),
    ...(more > 0 ? [`And ${more} more.`] : []),
    ...sentence(problem.detail),
    ...sentence(
      typeof problem.remedy === 'string'
        ? problem.remedy
            .replace(/(?:listed in|that) `problems`(?: counts)?/, 'named here')
            .replace('what `problems` lists', 'what is named here')
        : undefined,
    ),
  ].join(' ');
};

/** Paths of Resend that the relay has, with their methods. */
const CALLS: readonly (readonly [path: RegExp, methods: readonly string[]])[] = [
  [/^emails$/, ['POST']],
  [/^emails\/batch$/, ['POST']],
  [/^emails\/[^/]+\/cancel$/, ['POST']],
  [/^emails\/[^/]+$/, ['GET', 'PATCH']],
];

/** What Resend keeps from a key that may only send, as keys of the relay are. */
const FOR_FULL_ACCESS =
  /^(?:domains|api-keys|audiences|segments|contacts|contact-properties|broadcasts|templates|topics|webhooks|logs|events|automations|suppressions|usage|inboxes|oauth)(?:\/|$)/;

const kindOfUnknown = ({ method, path }: { readonly method: string; readonly path: string }): Kind => {
  if (FOR_FULL_ACCESS.test(path)) return [401, 'restricted_api_key'];
  const methods = CALLS.find(([form]) => form.test(path))?.[1];
  // Resend has the list of emails, which belongs to operators here.
  const isList = method === 'GET' && path === 'emails';
  return methods === undefined || methods.includes(method) || isList
    ? [404, 'not_found']
    : [405, 'method_not_allowed'];
};

/** The answer to a call that is refused. */
export const toRefusal = (
  problem: ToldProblem,
  asked: { readonly method: string; readonly path: string },
): FacadeAnswer => {
  const [status, name] = problem.code === 'FACADE_CALL_UNKNOWN' ? kindOfUnknown(asked) : kindOf(problem);
  return { status, json: { statusCode: status, name, message: messageOf(problem) } };
};
