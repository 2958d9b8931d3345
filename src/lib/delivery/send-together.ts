import type { Caller } from '../callers/caller.ts';
import { AppError } from '../errors.ts';
import { type DryRunNeeds, planAlone } from './dry-run.ts';
import type { KeyedInput } from './request-key.ts';
import { type SendMailAnswer, type SendMailNeeds, sendMail } from './send-mail.ts';

/** Each is two writes to storage. */
const AT_A_TIME = 8;

/** An email of the request; without a key of the caller, it can have an id that was made before. */
export type TogetherRequest = KeyedInput & { readonly mailId?: string };

export type TogetherNeeds = SendMailNeeds & {
  /** Cancels an email of the caller that waits. Throws where it can no longer be canceled. */
  readonly cancel: (mailId: string) => Promise<unknown>;
};

/** Which of the emails are refused, and why; then none was accepted. */
export type RefusedTogether = {
  readonly refused: readonly { readonly index: number; readonly error: AppError }[];
};

/**
 * Accepts several emails of one request whose answer is one for all: each is judged before the first is accepted, and all are queued.
 * Where storage fails between them, those that were accepted are canceled, so that repeating the request sends none twice; with keys of
 * the caller a repetition is safe anyway. Throws what made it fail, or PARTLY_ACCEPTED where an email could not be canceled.
 */
export const sendTogether = async (
  needs: TogetherNeeds,
  caller: Caller,
  requests: readonly TogetherRequest[],
): Promise<RefusedTogether | { readonly answers: readonly SendMailAnswer[] }> => {
  const refused = await stillRefused(needs, caller, requests, await refusalsOf(needs, caller, requests));
  if (refused.length > 0) return { refused };
  const answers: SendMailAnswer[] = [];
  const failures: unknown[] = [];
  const rest = requests.entries();
  const work = async (): Promise<void> => {
    for (const [index, { mailId, ...request }] of rest) {
      if (failures.length > 0) return;
      const own = mailId === undefined ? needs : { ...needs, newMailId: () => mailId };
      try {
        answers[index] = await sendMail(own, { ...request, caller, respondAsync: true });
      } catch (thrown) {
        failures.push(thrown);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  if (failures.length === 0) return { answers };
  const isKeyed = requests.every(({ idempotencyKey }) => idempotencyKey !== undefined);
  if (isKeyed && !failures.some(isFinal)) throw repeatable(failures[0]);
  await cancelAll(needs, answers, failures);
  const [failure] = failures;
  // All of them are canceled: what was in doubt no longer is.
  throw failure instanceof AppError && failure.code === 'OUTCOME_UNKNOWN'
    ? new AppError('MAIL_NOT_STORED', { cause: failure })
    : failure;
};

/** Some may be accepted, and repeating the request under its keys sends none twice and completes the others. */
const repeatable = (failure: unknown): unknown =>
  failure instanceof AppError && ['OUTCOME_UNKNOWN', 'MAIL_NOT_STORED'].includes(failure.code)
    ? new AppError('STORAGE_UNAVAILABLE', { cause: failure })
    : failure;

/** What repeating the request under its keys does not change. */
const isFinal = (failure: unknown): boolean =>
  failure instanceof AppError && ['IDEMPOTENCY_KEY_REUSED', 'MAIL_CANCELED'].includes(failure.code);

/** What is wrong with each, in their order. Throws what is not about one email. */
export const refusalsOf = async (
  needs: DryRunNeeds,
  caller: Caller,
  requests: readonly KeyedInput[],
): Promise<RefusedTogether['refused']> => {
  const refused: { index: number; error: AppError }[] = [];
  for (const [index, request] of requests.entries())
    try {
      // Nothing here waits for anything, and a thousand emails take a second or more: other requests go on in between.
      await needs.clock.sleep(0);
      await planAlone(needs, caller, request);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refused.push({ index, error });
    }
  return refused;
};

/** Without those that were accepted before under their key: what has become of the settings since does not refuse them. */
const stillRefused = async (
  needs: SendMailNeeds,
  caller: Caller,
  requests: readonly KeyedInput[],
  refused: RefusedTogether['refused'],
): Promise<RefusedTogether['refused']> => {
  const still: { index: number; error: AppError }[] = [];
  for (const one of refused) {
    const request = requests[one.index];
    const isKnown =
      request?.idempotencyKey !== undefined &&
      (await sendMail(needs, { ...request, caller, respondAsync: true }).then(
        () => true,
        () => false,
      ));
    if (!isKnown) still.push(one);
  }
  return still;
};

const cancelAll = async (
  { cancel }: TogetherNeeds,
  answers: readonly SendMailAnswer[],
  failures: readonly unknown[],
): Promise<void> => {
  // Of a failure after the row was written, nobody knows whether the email is there.
  const doubtful = failures.flatMap((one) =>
    one instanceof AppError && one.code === 'OUTCOME_UNKNOWN' && one.facts.mailId !== undefined
      ? [one.facts.mailId]
      : [],
  );
  const accepted = answers.filter((one) => !one.repeated).map(({ row }) => row.facts.mailId);
  const left: string[] = [];
  for (const mailId of [...accepted, ...doubtful]) await cancel(mailId).catch(() => left.push(mailId));
  const [first] = left;
  if (first === undefined) return;
  throw new AppError('PARTLY_ACCEPTED', {
    mailId: first,
    detail: `Of ${answers.length + failures.length} emails, ${left.length} could not be canceled after storage failed. Their ids: ${left.slice(0, 20).join(', ')}${left.length > 20 ? ' and more' : ''}.`,
    cause: failures[0],
  });
};
