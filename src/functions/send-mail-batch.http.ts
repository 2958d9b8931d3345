import type { HttpHandler, HttpRequest, InvocationContext } from '@azure/functions';
import { type BatchResult, inBatch, MAX_BATCH, sendBatch } from '../lib/delivery/send-batch.ts';
import type { SendMailNeeds } from '../lib/delivery/send-mail.ts';
import { describe } from '../lib/describe.ts';
import { AppError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { byFunctionKey, type Identify } from './caller.ts';
import { readDryRun } from './dry-run-query.ts';
import { mailLimit, readJsonBody } from './json-body.ts';
import { mailsUrl, prefersAsync, toMailAnswer } from './mail-answer.ts';
import { answeringProblems, logTo, refusal } from './problem.ts';
import type { MailDoor } from './send-mail.http.ts';

/** POST /api/mail/batch and /api/v1/mail/batch: up to a hundred emails, each with an outcome of its own */
export const sendMailBatchHttp =
  (needs: (log: Log) => SendMailNeeds & MailDoor, identify: Identify = byFunctionKey(needs)): HttpHandler =>
  (request, context) =>
    answeringProblems(context, async () => {
      const caller = await identify(request, logTo(context));
      const ready = needs(logTo(context));
      requireNoDryRun(request);
      requireNoKey(request);
      const room = ready.admission.open();
      try {
        const limit = { ...mailLimit(ready.maxRequestBytes), code: 'REQUEST_TOO_LARGE' as const, room };
        const { inputs, pointer } = readBatch(await readJsonBody(request, limit));
        const results = await sendBatch(
          { ...ready, room },
          { inputs, caller, respondAsync: prefersAsync(request) },
        );
        return toBatchAnswer(
          results.map((result, index) => toResult(context, request, result, `${pointer}/${index}`)),
        );
      } finally {
        room.close();
      }
    });

type Result = { readonly status: number; readonly [fact: string]: unknown };

/** 207 (RFC 4918, 11.1) says that the results have to be read. */
const toBatchAnswer = (results: readonly Result[]) => ({
  status: results.every(({ status }) => status < 300) ? 200 : 207,
  jsonBody: { results },
});

const toResult = (
  context: InvocationContext,
  request: HttpRequest,
  result: BatchResult,
  pointer: string,
): Result => {
  if ('row' in result) {
    const warnings = result.warnings.map((one) => ({ ...one, pointer: pointer + one.pointer }));
    const url = `${mailsUrl(request)}/${result.row.facts.mailId}`;
    const { status, body } = toMailAnswer({ ...result, warnings }, url);
    return { status, ...body, ...(result.repeated ? { repeated: true } : {}) };
  }
  const { thrown } = result;
  const { problem, retryAfter } = refusal(
    context,
    thrown instanceof AppError ? inBatch(thrown, pointer) : thrown,
  );
  return {
    status: problem.status,
    ...(retryAfter === undefined ? {} : { retryAfter: Number(retryAfter) }),
    error: problem,
  };
};

const invalid = (detail: string): AppError => new AppError('BATCH_INVALID', { detail });

/** The emails of a batch, and the pointer to their list. */
const readBatch = (body: unknown): { readonly inputs: readonly unknown[]; readonly pointer: string } => {
  const isList = Array.isArray(body);
  if (!isList && (typeof body !== 'object' || body === null))
    throw invalid(`Expected an object with the field \`mails\`, received ${describe(body)}.`);
  const { mails, ...unknown } = isList ? { mails: body } : (body as { readonly mails?: unknown });
  if (!Array.isArray(mails)) throw invalid(`Expected a list in \`mails\`, received ${describe(mails)}.`);
  if (Object.keys(unknown).length > 0)
    throw invalid('Expected no field other than `mails`; fields of an email belong inside the list.');
  if (mails.length === 0 || mails.length > MAX_BATCH)
    throw invalid(`Expected 1 to ${MAX_BATCH} emails, received ${mails.length}.`);
  return { inputs: mails, pointer: isList ? '' : '/mails' };
};

/** One key for several emails would be the key of the first. */
const requireNoKey = ({ headers }: HttpRequest): void => {
  if (headers.has('idempotency-key'))
    throw new AppError('IDEMPOTENCY_KEY_INVALID', {
      detail:
        'A batch does not take the header Idempotency-Key, because each email needs a key of its own. Write it in the field `idempotencyKey` of each email.',
    });
};

const requireNoDryRun = ({ query }: HttpRequest): void => {
  if (readDryRun(query))
    throw new AppError('QUERY_INVALID', {
      detail: 'A batch has no dry run. Send each email to POST /api/mail?dryRun=true. Nothing was sent.',
    });
};
