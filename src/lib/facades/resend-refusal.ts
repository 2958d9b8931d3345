import type { ErrorCode } from '../error-catalogue.ts';
import type { Problem } from '../errors.ts';
import type { FacadeAnswer } from './facade.ts';
import { isInDoubt } from './in-doubt.ts';
import { type Remedies, type RemedyFacts, referenceOf, remedyOf } from './remedies.ts';
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
  readonly problems?: unknown;
  readonly instance?: unknown;
  /** Of the email, where the ledger has it. */
  readonly id?: unknown;
} & RemedyFacts;

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
  MAILBOX_DAY_REACHED: [429, 'daily_quota_exceeded'],
  EXTERNAL_RECIPIENTS_REACHED: [429, 'daily_quota_exceeded'],
  ONMICROSOFT_RECIPIENTS_REACHED: [429, 'daily_quota_exceeded'],
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

const REMEDIES: Remedies = {
  CALLER_UNKNOWN:
    'Put a key of the relay (re_gmr_... or gmr_...) where the application has its API key: it goes in the header Authorization: Bearer. A token from Entra ID can take its place. An administrator makes a key: `npm run callers -- add NAME --sender ADDRESS`.',
  CREDENTIALS_AMBIGUOUS: 'Send exactly one key or token, in the header Authorization: Bearer.',
  FACADE_FIELD_NOT_CARRIED: 'Change the field as it says, or send this email with Resend. Nothing was sent.',
  BATCH_INVALID: 'Send a list of 1 to 100 emails. Nothing was sent.',
  SEND_AT_INVALID:
    'Write `scheduled_at` in ISO 8601 with its offset from UTC, such as 2026-12-01T09:00:00+01:00, or as in "in 1 min", at most 30 days ahead. To send immediately, omit it.',
  ADDRESS_INVALID:
    'Write `name@example.com` or `Name <name@example.com>`, and put a name that contains a comma in double quotes. The relay does not accept quoted local parts, IP addresses as domains, or characters that only look like @ or a dot.',
  CID_UNUSED:
    'Show the file in `html`, as in `<img src="cid:logo">` for the `content_id` logo, or omit its `content_id`. Mail clients hide a file that has a content id and is not shown.',
  CID_REPEATED:
    'Give each file its own `content_id`, or send the file once: `html` can show it several times.',
  IDEMPOTENCY_KEY_INVALID:
    'Use 1 to 255 printable ASCII characters in the header Idempotency-Key, at most 240 for a batch. Without a key, omit the header.',
  IDEMPOTENCY_KEY_REUSED:
    'Use a new Idempotency-Key for every request, and the same one only to repeat an unchanged request. Nothing of this request was accepted.',
  MAIL_NOT_SCHEDULED:
    'Only an email that waits for its `scheduled_at` can be moved. To send another email, send it with another Idempotency-Key.',
  MAIL_NOT_FOUND:
    'Use the ID that the relay returned to this key. The relay does not know the emails that Resend sent.',
};

/** What a developer reads: what is wrong, with the fields by their names, and what to do. */
export const messageOf = (problem: ToldProblem): string => {
  const problems = problemsOf(problem);
  const more = problems.length - MOST_TOLD;
  return [
    ...sentence(problem.title),
    ...problems.slice(0, MOST_TOLD).map(told),
    ...(more > 0 ? [`And ${more} more.`] : []),
    ...sentence(problem.detail),
    ...sentence(remedyOf(problem.code as ErrorCode, REMEDIES, problem)),
    referenceOf(problem.code, problem),
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
