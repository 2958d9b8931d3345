import { AppError, type Problem, problemsError } from '../errors.ts';
import { keyFault } from '../mail/idempotency-key.ts';

/** Resend takes as many. */
const MAX_BATCH = 100;

/**
 * The idempotency key of a request, as the relay can keep it: Resend takes blanks in it. Throws IDEMPOTENCY_KEY_INVALID.
 */
export const readKey = (header: string | null): string | undefined => {
  if (header === null) return undefined;
  const key = header.trim().replace(/[ \t]/g, '%20');
  const fault = keyFault(key);
  if (fault === undefined) return key;
  throw new AppError('IDEMPOTENCY_KEY_INVALID', { detail: `The header Idempotency-Key has ${fault}.` });
};

/**
 * The key of one email of a batch: of the same batch sent again, each email has the same. The first has that of the request itself, which
 * so cannot be of a single email as well.
 */
export const keyOfItem = (key: string | undefined, index: number): string | undefined => {
  if (key === undefined || index === 0) return key;
  const own = `${key}#batch-${index}`;
  const fault = keyFault(own);
  if (fault === undefined) return own;
  throw new AppError('IDEMPOTENCY_KEY_INVALID', {
    detail: 'The header Idempotency-Key of a batch has more than 240 characters. Use a shorter key.',
  });
};

/** All keys that emails of a batch with this key can have. */
export const keysOfBatch = (key: string): readonly string[] =>
  Array.from({ length: MAX_BATCH }, (_, index) => keyOfItem(key, index) ?? key);

/** The emails of a batch. Throws BATCH_INVALID. */
export const readBatch = (body: unknown): readonly unknown[] => {
  if (!Array.isArray(body))
    throw new AppError('BATCH_INVALID', { detail: 'Expected a list of emails, received something else.' });
  if (body.length === 0 || body.length > MAX_BATCH)
    throw new AppError('BATCH_INVALID', {
      detail: `Expected 1 to ${MAX_BATCH} emails, received ${body.length}.`,
    });
  return body;
};

/** Whether each email of a batch is judged by itself. Throws FIELD_INVALID. */
export const readIsPermissive = (header: string | null): boolean => {
  const mode = header?.trim().toLowerCase() ?? '';
  if (mode === '' || mode === 'strict') return false;
  if (mode === 'permissive') return true;
  throw problemsError([
    {
      code: 'FIELD_INVALID',
      pointer: 'x-batch-validation',
      expected: 'strict or permissive',
      received: 'something else',
    },
  ]);
};

/** One error of all emails of a batch that are refused; their problems name their places. */
export const joinErrors = (
  refused: readonly { readonly index: number; readonly error: AppError }[],
): AppError => {
  const problems: Problem[] = [];
  for (const { index, error } of refused) {
    if (error.facts.problems === undefined)
      return new AppError(error.code, {
        ...error.facts,
        detail: `It is about email [${index}] of the batch. ${error.facts.detail ?? ''}`.trim(),
      });
    problems.push(...error.facts.problems);
  }
  return problemsError(problems);
};
