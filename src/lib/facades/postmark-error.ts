import type { ErrorCode } from '../error-catalogue.ts';
import type { Problem } from '../errors.ts';
import { isInDoubt } from './in-doubt.ts';
import { inTheirWords } from './postmark-fields.ts';

/** An error as a caller receives it (RFC 9457), of which Postmark's form has a number and a text. */
export type ProblemFacts = {
  readonly status: number;
  readonly code?: unknown;
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly remedy?: unknown;
  readonly problems?: unknown;
  readonly instance?: unknown;
  /** Of the email, where the ledger has it. */
  readonly id?: unknown;
};

export type PostmarkError = { readonly ErrorCode: number; readonly Message: string };

type Place = readonly [status: number, errorCode: number];

const BAD_TOKEN: Place = [401, 10];
const MAY_NOT_SEND: Place = [422, 413];
const NO_SENDER: Place = [422, 400];
const SENDER_NOT_CONFIRMED: Place = [422, 401];
const NOT_ALLOWED_TO_SEND: Place = [422, 405];
const IN_DOUBT: Place = [422, 300];

/**
 * Postmark's status and number, where the status of ours does not say it. Of 406, clients read addresses out of the text, and code reacts
 * to it by never writing to a recipient again; the relay has no list of such recipients and never answers it.
 * https://postmarkapp.com/developer/api/overview
 */
const PLACES: Readonly<Partial<Record<ErrorCode, Place>>> = {
  CALLER_UNKNOWN: BAD_TOKEN,
  CREDENTIALS_AMBIGUOUS: BAD_TOKEN,
  KEY_NOT_ACCEPTED: BAD_TOKEN,
  TOKEN_NOT_ACCEPTED: BAD_TOKEN,
  TOKEN_ROLE_MISSING: BAD_TOKEN,
  CALLER_NOT_DECLARED: BAD_TOKEN,
  CALLER_DISABLED: MAY_NOT_SEND,
  CALLER_REMOVED: MAY_NOT_SEND,
  DOOR_NOT_ALLOWED: MAY_NOT_SEND,
  SENDER_NOT_ALLOWED: NO_SENDER,
  SENDER_NOT_USABLE: NO_SENDER,
  MAILBOX_NOT_FOUND: NO_SENDER,
  MAILBOX_OUT_OF_SCOPE: SENDER_NOT_CONFIRMED,
  SEND_AS_DENIED: SENDER_NOT_CONFIRMED,
  MAILBOX_BLOCKED: SENDER_NOT_CONFIRMED,
  RECIPIENT_NOT_ALLOWED: NOT_ALLOWED_TO_SEND,
  RECIPIENT_OUTSIDE_DOMAINS: NOT_ALLOWED_TO_SEND,
  CALLER_LIMIT_TOO_LOW: NOT_ALLOWED_TO_SEND,
  JSON_UNREADABLE: [422, 402],
  FIELD_REPEATED: [422, 403],
  CONTENT_TYPE_UNSUPPORTED: [422, 409],
  CONTENT_ENCODING_UNSUPPORTED: [422, 409],
  BATCH_INVALID: [422, 410],
  FACADE_CALL_UNKNOWN: [404, 404],
  MAIL_NOT_FOUND: [404, 701],
  // Of an email with the same idempotency key: repeating it sends nothing twice.
  MAIL_UNDER_WAY: [429, 429],
};

/** Everything else by its status. Clients send again after 429 and 5xx: those say that nothing was sent. */
const placeOf = (code: string, status: number): Place => {
  const place = Object.hasOwn(PLACES, code) ? PLACES[code as ErrorCode] : undefined;
  if (place !== undefined) return place;
  if (isInDoubt(code)) return IN_DOUBT;
  if (status === 413) return [413, 300];
  if (status === 429) return [429, 429];
  if (status === 503) return [503, 100];
  return status >= 500 ? [500, 500] : [422, 300];
};

/** Remedies that name fields, headers or calls of our own API, in the words of Postmark. */
const REMEDIES: Readonly<Partial<Record<ErrorCode, string>>> = {
  CALLER_UNKNOWN:
    'Put a key of the relay (gmr_...) where the application has its server token. An administrator makes one: `npm run callers -- add NAME --sender ADDRESS`.',
  CREDENTIALS_AMBIGUOUS:
    'Send exactly one key, in the header X-Postmark-Server-Token and in no other header.',
  FACADE_FIELD_NOT_CARRIED: 'Change what is listed, or send this email with Postmark. Nothing was sent.',
  FACADE_CALL_UNKNOWN: 'The calls that the relay has are listed in docs/migrate/postmark.md.',
  CONTENT_TYPE_UNSUPPORTED:
    'Send JSON in UTF-8 with the header Content-Type: application/json. Nothing was sent.',
  CALLER_LIMIT_REACHED:
    'Nothing was accepted. Send the email again after the seconds in the header Retry-After: the limit counts from midnight to midnight UTC. An administrator can raise it: `npm run callers -- limit NAME --mails-per-day NUMBER` or `--recipients-per-day NUMBER`.',
  FIELD_UNKNOWN:
    'Remove the field or correct its name. The relay rejects unknown fields so that it never drops one silently.',
  FIELD_INVALID: 'Change the field. Nothing was sent.',
  MAIL_INVALID: 'Correct every field that is listed. Nothing was sent.',
  RECIPIENT_MISSING: 'Give at least one recipient in To, Cc or Bcc.',
  ADDRESS_INVALID:
    'Write name@example.com or Name <name@example.com>, separate several addresses with commas, and put a name that contains a comma in double quotes.',
  BODY_MISSING: 'Give the body as TextBody, as HtmlBody or as both.',
  BASE64_INVALID:
    'Encode the bytes of the file once, as standard base64 with padding. Line breaks are allowed.',
  CID_REPEATED:
    'Give each file its own ContentID, or send the file once: HtmlBody can show it several times.',
  HEADER_NOT_CARRIED:
    'Use the field that is named, or remove the header. The relay and mail servers write From, Date, Content-Type, Received and similar headers themselves.',
  IDEMPOTENCY_KEY_INVALID:
    'Use 1 to 255 printable ASCII characters without blanks as the Value of the header X-Idempotency-Key in Headers, another one for each email.',
  IDEMPOTENCY_KEY_REUSED:
    'Use a new X-Idempotency-Key for each email, and the same one only to repeat the same email.',
  MAIL_TOO_LARGE: 'Make the files smaller, or send a batch as several requests. Nothing was sent.',
  BATCH_INVALID: 'Send a list of 1 to 500 emails. Nothing was sent.',
  SENDER_NOT_ALLOWED:
    'Ask an administrator to add the address in From (or *@domain) to the setting MAIL_ALLOWED_SENDERS and to the senders of the caller: `npm run callers -- limit NAME --add-sender ADDRESS`. Nothing was sent.',
  MAIL_UNDER_WAY:
    'Repeat the request after some seconds, with the same X-Idempotency-Key: it then has the result of the first one, and sends nothing twice.',
  MAIL_NOT_FOUND:
    'Use the MessageID that the relay returned to this key. The relay does not know the emails that Postmark sent.',
};

/** Nobody reads more in one line. */
const MOST_PROBLEMS = 10;

/** The status, number and text of Postmark for an error of ours. */
export const toPostmarkError = (
  problem: ProblemFacts,
): { readonly status: number; readonly error: PostmarkError } => {
  const code = String(problem.code);
  const [status, ErrorCode] = placeOf(code, problem.status);
  return { status, error: { ErrorCode, Message: messageOf(code, problem) } };
};

const messageOf = (code: string, { title, detail, remedy, problems, instance, id }: ProblemFacts): string => {
  const found = (Array.isArray(problems) ? problems : []) as readonly Problem[];
  const own = Object.hasOwn(REMEDIES, code) ? REMEDIES[code as ErrorCode] : undefined;
  const request = /[\da-f]{8}-[\da-f-]{27}/i.exec(String(instance))?.[0];
  return [
    `${inTheirWords(String(title))}.`,
    ...(typeof detail === 'string' ? [inTheirWords(detail)] : []),
    ...found.slice(0, MOST_PROBLEMS).map(sentenceOf),
    ...(found.length > MOST_PROBLEMS ? [`There are ${found.length - MOST_PROBLEMS} more problems.`] : []),
    own ?? String(remedy),
    `(${[code, ...(typeof id === 'string' ? [`email ${id}`] : []), ...(request === undefined ? [] : [`request ${request}`])].join(', ')})`,
  ].join(' ');
};

const sentenceOf = ({ pointer, expected, received }: Problem): string =>
  `${pointer === '' ? 'Expected' : `${pointer}: expected`} ${expected} (received ${received}).`;
