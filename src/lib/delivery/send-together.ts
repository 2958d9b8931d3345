import type { Caller } from '../callers/caller.ts';
import { AppError } from '../errors.ts';
import { isIn } from '../ledger/ledger-row.ts';
import { type Countable, countTogether, type Shares } from './count-together.ts';
import { type DryRunNeeds, planAlone } from './dry-run.ts';
import type { KeyedInput } from './request-key.ts';
import { identityOfKey, type SendMailAnswer, type SendMailNeeds, sendMail } from './send-mail.ts';

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
 * Accepts several emails of one request whose answer is one for all: each is judged, and all are counted towards the limit of the caller,
 * before the first is accepted. All are queued.
 * Where storage fails between them, those that were accepted are canceled, so that repeating the request sends none twice; with keys of
 * the caller a repetition is safe anyway. With `whole`, the key of the first is the same in every request with this key. Throws what made it fail, or PARTLY_ACCEPTED where an email could not be canceled.
 */
export const sendTogether = async (
  needs: TogetherNeeds,
  caller: Caller,
  requests: readonly TogetherRequest[],
): Promise<RefusedTogether | { readonly answers: readonly SendMailAnswer[] }> => {
  const judged = await judgeAll(needs, caller, requests);
  const refused = await stillRefused(needs, caller, requests, judged.refused);
  if (refused.length > 0) return { refused };
  const countable = requests.map((request, index) =>
    countableOf(needs, caller, request, judged.recipients[index]),
  );
  const shares = await countTogether(needs, caller, countable);
  try {
    return { answers: await acceptAll(needs, caller, requests, shares) };
  } finally {
    shares.settle();
  }
};

/** What was judged to be wrong and is known all the same was accepted before. */
const countableOf = (
  needs: SendMailNeeds,
  caller: Caller,
  { idempotencyKey: key }: TogetherRequest,
  recipients: number | undefined,
): Countable => {
  if (recipients === undefined) return undefined;
  return key === undefined
    ? { recipients }
    : { recipients, isKnown: () => isAcceptedUnder(needs, caller, key) };
};

/** One that was rejected is tried afresh, and counts. */
const isAcceptedUnder = async (needs: SendMailNeeds, caller: Caller, key: string): Promise<boolean> => {
  const { mailId } = await identityOfKey(needs, await needs.readIdentity(), caller, key);
  const known = await needs.ledger.find(mailId);
  return known !== undefined && !isIn(known.row, 'rejected');
};

type Failure = { readonly index: number; readonly thrown: unknown };

const acceptAll = async (
  needs: TogetherNeeds,
  caller: Caller,
  requests: readonly TogetherRequest[],
  shares: Shares,
): Promise<readonly SendMailAnswer[]> => {
  const answers: SendMailAnswer[] = [];
  const failed: Failure[] = [];
  const accept = async (index: number, { mailId, ...request }: TogetherRequest): Promise<void> => {
    const counted = { ...needs, quotas: shares.quotasOf(index) };
    const own = mailId === undefined ? counted : { ...counted, newMailId: () => mailId };
    try {
      answers[index] = await sendMail(own, { ...request, caller, respondAsync: true });
    } catch (thrown) {
      failed.push({ index, thrown });
    }
  };
  const rest = requests.entries();
  const work = async (): Promise<void> => {
    for (const [index, request] of rest) {
      if (failed.length > 0) return;
      await accept(index, request);
    }
  };
  // Every request with the key has a first email: where the key is of another request, nothing of this one is accepted.
  const first = requests[0]?.whole === undefined ? undefined : rest.next().value;
  if (first !== undefined) await accept(...first);
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  const failures = failed.map(({ thrown }) => thrown);
  if (failures.length === 0) return answers;
  const isKeyed = requests.every(({ idempotencyKey }) => idempotencyKey !== undefined);
  if (isKeyed && !failures.some(isFinal)) throw repeatable(failures[0]);
  await cancelAll(needs, shares, answers, failed);
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
): Promise<RefusedTogether['refused']> => (await judgeAll(needs, caller, requests)).refused;

/** What is wrong with each that is refused, and how many recipients each of the others has, by their index. */
const judgeAll = async (
  needs: DryRunNeeds,
  caller: Caller,
  requests: readonly KeyedInput[],
): Promise<RefusedTogether & { readonly recipients: readonly number[] }> => {
  const refused: { index: number; error: AppError }[] = [];
  const recipients: number[] = [];
  for (const [index, request] of requests.entries())
    try {
      // Nothing here waits for anything, and a thousand emails take a second or more: other requests go on in between.
      await needs.clock.sleep(0);
      const { to, cc, bcc } = (await planAlone(needs, caller, request)).judged.mail;
      recipients[index] = to.length + cc.length + bcc.length;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      refused.push({ index, error });
    }
  return { refused, recipients };
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
  shares: Shares,
  answers: readonly SendMailAnswer[],
  failures: readonly Failure[],
): Promise<void> => {
  // Of a failure after the row was written, nobody knows whether the email is there.
  const doubtful = failures.flatMap(({ index, thrown }) =>
    thrown instanceof AppError && thrown.code === 'OUTCOME_UNKNOWN' && thrown.facts.mailId !== undefined
      ? [{ index, mailId: thrown.facts.mailId }]
      : [],
  );
  const accepted = answers.flatMap(({ repeated, row }, index) =>
    repeated ? [] : [{ index, mailId: row.facts.mailId }],
  );
  const left: string[] = [];
  for (const { index, mailId } of [...accepted, ...doubtful])
    await cancel(mailId).then(
      () => shares.free(index),
      () => left.push(mailId),
    );
  const [first] = left;
  if (first === undefined) return;
  throw new AppError('PARTLY_ACCEPTED', {
    mailId: first,
    detail: `Of ${answers.length + failures.length} emails, ${left.length} could not be canceled after storage failed. Their ids: ${left.slice(0, 20).join(', ')}${left.length > 20 ? ' and more' : ''}.`,
    cause: failures[0]?.thrown,
  });
};
