import type { HttpResponseInit, InvocationContext } from '@azure/functions';
import { defined } from '../lib/defined.ts';
import { catalogue } from '../lib/error-catalogue.ts';
import { AppError, reasonOf, reportOf } from '../lib/errors.ts';
import { type LogEvent, levelOf, storageFailed, unexpected } from '../lib/log.ts';

/** When callers may ask again, in seconds: soon where only another request is in the way. */
const RETRY_AFTER: Readonly<Record<number, string>> = { 409: '5', 503: '30' };

/** Writes events to the log of an invocation, one JSON line each. */
export const logTo =
  (context: InvocationContext) =>
  (event: LogEvent): void =>
    context[levelOf(event)](JSON.stringify(event));

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
    code: error.code,
    codes: [...new Set((error.facts.problems ?? []).map((problem) => problem.code))],
  });
  return toRefusal(error, context.invocationId);
};

/** The one catch of every HTTP function. */
export const answeringProblems = async (
  context: InvocationContext,
  answer: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> => {
  try {
    return await answer();
  } catch (thrown) {
    const { problem, retryAfter } = refusal(context, thrown);
    return {
      status: problem.status,
      headers: { 'content-type': 'application/problem+json', ...defined({ 'retry-after': retryAfter }) },
      body: JSON.stringify(problem),
    };
  }
};
