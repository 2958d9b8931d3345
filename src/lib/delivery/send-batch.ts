import type { Caller } from '../callers/caller.ts';
import { AppError } from '../errors.ts';
import { keyInMail } from './request-key.ts';
import { type SendMailAnswer, type SendMailNeeds, sendMail } from './send-mail.ts';

export const MAX_BATCH = 100;

/** As many as Exchange lets into one mailbox at a time (graph: throttling limits, Outlook service). */
const AT_A_TIME = 4;

/**
 * Azure ends a request after 230 s, and an attempt that begins now can take 150 s with the default settings: two tokens and two
 * requests. What has not begun by then is queued.
 */
const BUDGET_MS = 75_000;

export type BatchRequest = {
  readonly inputs: readonly unknown[];
  readonly caller: Caller;
  readonly respondAsync: boolean;
  /** Stands for the request, where the keys of the emails come from one key for all. */
  readonly whole?: string;
};

/** What came of one email: the answer that it would have had by itself, or what was thrown. */
export type BatchResult = SendMailAnswer | { readonly thrown: unknown };

/**
 * Sends emails as that many requests would, a few at a time, and gives what came of each in their order. Never throws: an email
 * that is refused says nothing of the others. Two emails with one key follow each other.
 */
export const sendBatch = async (
  needs: SendMailNeeds,
  { inputs, caller, respondAsync, ...ofWhole }: BatchRequest,
): Promise<readonly BatchResult[]> => {
  const startedAt = needs.clock.now().getTime();
  const isLate = () => needs.clock.now().getTime() - startedAt >= BUDGET_MS;
  const results: BatchResult[] = [];
  const latestOfKey = new Map<string, Promise<unknown>>();
  const sendOne = async (input: unknown): Promise<BatchResult> => {
    try {
      return await sendMail(needs, { ...ofWhole, input, caller, respondAsync: respondAsync || isLate() });
    } catch (thrown) {
      return { thrown };
    }
  };
  const inTurn = (input: unknown): Promise<BatchResult> => {
    const key = keyInMail(input);
    const before = key === undefined ? undefined : latestOfKey.get(key);
    const sent = before === undefined ? sendOne(input) : before.then(() => sendOne(input));
    if (key !== undefined) latestOfKey.set(key, sent);
    return sent;
  };
  // Each takes the next from the one list.
  const rest = inputs.entries();
  const work = async (): Promise<void> => {
    for (const [index, input] of rest) results[index] = await inTurn(input);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
  return results;
};

/** The same error of an email that is part of a larger request, with pointers that lead to it from there. */
export const inBatch = (error: AppError, pointer: string): AppError => {
  const { problems } = error.facts;
  if (problems === undefined) return error;
  return new AppError(error.code, {
    ...error.facts,
    problems: problems.map((problem) => ({ ...problem, pointer: pointer + problem.pointer })),
  });
};
