import { catalogue, type ErrorCode } from '../error-catalogue.ts';
import { AppError, type Problem, problemsError } from '../errors.ts';
import type { FacadeAnswer } from './facade.ts';
import { withFields } from './field-rules.ts';
import { isInDoubt } from './in-doubt.ts';
import type { SendGridMail } from './sendgrid-request.ts';

/** What the relay says of an error, as a problem of its own API has it. */
export type RelayProblem = { readonly status: number; readonly [field: string]: unknown };

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

const toError = ({ code, pointer, expected, received }: Problem): SendGridError => ({
  message: `${sentences(catalogue[code].title, `Expected ${expected}, received ${received}`, catalogue[code].remedy)} (${code})`,
  field: pointer === '' ? null : pointer,
  help: null,
});

/** An error in the form of SendGrid: a list with one entry for each problem, and the id to quote when asking for help. */
export const toErrors = (problem: RelayProblem, isKnownPath = false): FacadeAnswer => {
  const { title, detail, remedy, code, instance } = problem;
  const problems = (problem.problems ?? []) as readonly Problem[];
  const errors =
    problems.length > 0
      ? problems.map(toError)
      : [{ message: `${sentences(title, detail, remedy)} (${code})`, field: null, help: null }];
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
