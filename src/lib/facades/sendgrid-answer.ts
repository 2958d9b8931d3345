import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import { AppError, type Problem, problemsError } from '../errors.ts';
import type { FacadeAnswer } from './facade.ts';
import { withFields } from './field-rules.ts';
import { isInDoubt } from './in-doubt.ts';
import { type Remedies, type RemedyFacts, referenceOf, remedyOf } from './remedies.ts';
import type { SendGridMail } from './sendgrid-request.ts';

/** What the relay says of an error, as a problem of its own API has it. */
export type RelayProblem = RemedyFacts & { readonly status: number; readonly [field: string]: unknown };

/**
 * The statuses of SendGrid (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors) for those of the relay that it does
 * not have. Clients repeat a request by themselves after 429, 500, 502, 503 and 504: only where nothing was sent, or where the same
 * request sends nothing twice.
 */
const STATUSES = new Set([400, 401, 403, 404, 405, 406, 413, 415, 429, 500, 503]);
const STATUS_OF: ReadonlyMap<string, number> = new Map([
  // Under way is a request with the same idempotency key.
  ['MAIL_UNDER_WAY', 429],
]);

const toStatus = ({ status, code }: RelayProblem): number => {
  if (isInDoubt(code)) return 400;
  const own = STATUS_OF.get(String(code));
  if (own !== undefined) return own;
  if (STATUSES.has(status)) return status;
  return status >= 500 ? 500 : 400;
};

type SendGridError = { readonly message: string; readonly field: string | null; readonly help: null };

const sentences = (...parts: readonly unknown[]): string =>
  parts
    .filter((part): part is string => typeof part === 'string' && part !== '')
    .map((part) => (/[.!?]$/.test(part) ? part : `${part}.`))
    .join(' ');

const REMEDIES: Remedies = {
  CALLER_UNKNOWN:
    'Put a key of the relay, with `SG.` before it (SG.gmr_...), where the application has its API key: it goes in the header Authorization: Bearer. A token from Entra ID can take its place. An administrator makes a key: `npm run callers -- add NAME --sender ADDRESS`.',
  CREDENTIALS_AMBIGUOUS: 'Send exactly one key or token, in the header Authorization: Bearer.',
  FACADE_FIELD_NOT_CARRIED:
    'Change the field as it says, or send this email with SendGrid. Nothing was sent.',
  SEND_AT_INVALID:
    'Write the time in whole seconds since 1970, at most 30 days ahead. To send immediately, omit `send_at`. Nothing was sent.',
  BATCH_INVALID: 'Divide the personalizations into several requests. Nothing was sent.',
  RECIPIENT_MISSING: 'Give each personalization at least one recipient in `to`, `cc` or `bcc`.',
  ADDRESS_INVALID:
    'Write `{ "email": "name@example.com", "name": "Name" }`, with one address in each. The relay does not accept quoted local parts, IP addresses as domains, or characters that only look like @ or a dot.',
  BODY_MISSING: 'Give a content of the type `text/plain`, of `text/html`, or both.',
  CID_UNUSED:
    'Show the file in the HTML, as in `<img src="cid:logo">` for the `content_id` logo, or send it with the disposition `attachment`. Mail clients hide a file that has a content id and is not shown.',
  CID_REPEATED:
    'Give each file its own `content_id`, or send the file once: the HTML can show it several times.',
  IDEMPOTENCY_KEY_INVALID:
    'Use 1 to 255 printable ASCII characters without blanks in the header X-Idempotency-Key, in `headers` once for the whole request, or a different one in each personalization.',
  IDEMPOTENCY_KEY_REUSED:
    'Use a new X-Idempotency-Key for every request, and the same one only to repeat an unchanged request. Nothing of this request was accepted.',
  MAIL_NOT_SCHEDULED: 'Only an email that waits for its `send_at` can be moved.',
};

const toError =
  ({ id }: RelayProblem) =>
  ({ code, pointer, expected, received }: Problem): SendGridError => ({
    message: `${sentences(catalogue[code].title, `Expected ${expected}, received ${received}`, remedyOf(code, REMEDIES))} ${referenceOf(code, { id })}`,
    field: pointer === '' ? null : pointer,
    help: null,
  });

/** An error in the form of SendGrid: a list with one entry for each problem, and the id to quote when asking for help. */
export const toErrors = (problem: RelayProblem, isKnownPath = false): FacadeAnswer => {
  const { title, detail, code, instance, id } = problem;
  const problems = (problem.problems ?? []) as readonly Problem[];
  const errors =
    problems.length > 0
      ? problems.map(toError(problem))
      : [
          {
            message: `${sentences(title, detail, remedyOf(code as ErrorCode, REMEDIES, problem))} ${referenceOf(code, { id })}`,
            field: null,
            help: null,
          },
        ];
  return {
    status: isKnownPath && code === 'FACADE_CALL_UNKNOWN' ? 405 : toStatus(problem),
    // RFC 9110, 11.6.1.
    ...(problem.status === 401 ? { headers: { 'www-authenticate': 'Bearer' } } : {}),
    json: { errors, id: instance },
  };
};

/** An email, or several under the id of the first, was accepted. */
export const accepted = (mailId: string): FacadeAnswer => ({
  status: 202,
  headers: { 'x-message-id': mailId },
});

/** The tag of every email of a request that has several, with the X-Message-Id of its answer. */
export const requestTag = (mailId: string): string => `sendgrid-${mailId}`;

const isOfFields = (error: AppError): boolean => (error.facts.problems ?? []).length > 0;

/** One error for those of several emails. */
export const refusedTogether = (
  refused: readonly { readonly index: number; readonly error: AppError }[],
  mails: readonly SendGridMail[],
): AppError => {
  const whole = refused.find(({ error }) => !isOfFields(error));
  if (whole !== undefined) {
    const { code, facts } = whole.error;
    const where = mails.length === 1 ? undefined : `This is about \`personalizations.${whole.index}\`.`;
    return new AppError(code as ErrorCode, { ...facts, detail: sentences(where, facts.detail) });
  }
  const found = new Map<string, Problem>();
  for (const { index, error } of refused) {
    const { fieldOf = () => '' } = mails[index] ?? {};
    for (const problem of withFields(error, fieldOf).facts.problems ?? [])
      found.set(`${problem.code} ${problem.pointer}`, problem);
  }
  return problemsError(found.values());
};
