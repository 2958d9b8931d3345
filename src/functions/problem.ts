import type { HttpResponseInit, InvocationContext } from '@azure/functions';
import { defined } from '../lib/defined.ts';
import { catalogue } from '../lib/error-catalogue.ts';
import { AppError, reasonOf, reportOf } from '../lib/errors.ts';
import { type LogEvent, levelOf, storageFailed, unexpected } from '../lib/log.ts';

/** When callers may ask again, in seconds: soon where only another request is in the way. */
const RETRY_AFTER: Readonly<Record<number, string>> = { 409: '5', 503: '30' };

let count: (event: LogEvent) => void = () => undefined;

/** From now on every event of every invocation is also given to `counter`: what is counted is what is logged. */
export const countEvents = (counter: (event: LogEvent) => void): void => {
  count = counter;
};

/** Writes events to the log of an invocation, one JSON line each, and counts them. */
export const logTo =
  (context: InvocationContext) =>
  (event: LogEvent): void => {
    count(event);
    const level = levelOf(event);
    if (level !== 'counted') context[level](JSON.stringify(event));
  };

/** What a caller receives of an error. */
export type Refusal = {
  /** RFC 9457 problem details. `instance` is the invocation, to be quoted when asking for help. */
  readonly problem: { readonly status: number; readonly [field: string]: unknown };
  /** In seconds. */
  readonly retryAfter?: string;
};

const toRefusal = (error: AppError, invocationId: string): Refusal => {
  const { status, fixedBy } = catalogue[error.code];
  const usual = fixedBy === 'caller' ? undefined : RETRY_AFTER[status];
  const retryAfter = error.facts.retryAfterSeconds?.toString() ?? usual;
  const { code, title, detail, remedy, ...rest } = reportOf(reasonOf(error));
  return {
    ...defined({ retryAfter }),
    problem: {
      type: `urn:graph-mail-relay:error:${code}`,
      title,
      status,
      ...defined({ detail }),
      instance: `urn:uuid:${invocationId}`,
      code,
      remedy,
      fixedBy,
      ...rest,
      ...defined({ id: error.facts.mailId }),
    },
  };
};

/** The failure of storage behind an error, if there is one. */
const failureOfStorage = (error: AppError): AppError | undefined => {
  const failures = [error, error.facts.cause];
  return failures.find(
    (failure): failure is AppError => failure instanceof AppError && failure.code === 'STORAGE_UNAVAILABLE',
  );
};

/** A caller that may not know what is the matter with a mailbox is told another code than operators. */
const trueCodeOf = ({ code, facts: { cause } }: AppError): AppError['code'] =>
  code === 'SENDER_NOT_USABLE' && cause instanceof AppError ? cause.code : code;

/** Logs why a request, or one email of it, is refused: what is foreseen is in the catalogue, the rest UNEXPECTED. */
export const refusal = (context: InvocationContext, thrown: unknown): Refusal => {
  const log = logTo(context);
  if (!(thrown instanceof AppError)) log(unexpected(thrown));
  const error = thrown instanceof AppError ? thrown : new AppError('UNEXPECTED', { cause: thrown });
  const failure = failureOfStorage(error);
  if (failure !== undefined) log(storageFailed(failure));
  const { mailId } = error.facts;
  log({
    event: 'RequestRefused',
    ...defined({ mailId }),
    code: trueCodeOf(error),
    codes: [...new Set((error.facts.problems ?? []).map((problem) => problem.code))],
  });
  return toRefusal(error, context.invocationId);
};

/** Facts of emails and callers are for who asked, and stay in no cache; and a browser takes them for nothing but JSON. */
export const FOR_WHO_ASKED = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };

/** What a function of ours answers: with headers that can be added to. */
export type Answer = Omit<HttpResponseInit, 'headers'> & {
  readonly headers?: Readonly<Record<string, string>>;
};

/** The one catch of every HTTP function that has to do with emails or callers. */
export const answeringProblems = async (
  context: InvocationContext,
  answer: () => Promise<Answer>,
): Promise<HttpResponseInit> => {
  try {
    const { headers, ...rest } = await answer();
    return { ...rest, headers: { ...FOR_WHO_ASKED, ...headers } };
  } catch (thrown) {
    const { problem, retryAfter } = refusal(context, thrown);
    return {
      status: problem.status,
      headers: {
        ...FOR_WHO_ASKED,
        'content-type': 'application/problem+json',
        ...defined({ 'retry-after': retryAfter }),
        // RFC 9110, 11.6.1: every 401 says how to do better.
        ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      },
      body: JSON.stringify(problem),
    };
  }
};
