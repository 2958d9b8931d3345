import { catalogue, type ErrorCode } from './error-catalogue.ts';

/** One thing wrong with a request or a setting. Says what came by its shape only, never by its content. */
export type Problem = {
  readonly code: ErrorCode;
  /** JSON pointer (RFC 6901) of a field, or the name of a setting. */
  readonly pointer: string;
  readonly expected: string;
  readonly received: string;
};

export type ErrorFacts = {
  readonly detail?: string;
  readonly problems?: readonly Problem[];
  readonly upstreamCode?: string;
  readonly graphRequestId?: string;
  readonly cause?: unknown;
};

/** The one error class: a code of the catalogue and the facts of this case. Never holds mail content. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, facts: ErrorFacts = {}) {
    super(
      facts.detail ?? catalogue[code].title,
      facts.cause === undefined ? undefined : { cause: facts.cause },
    );
    this.code = code;
    this.facts = facts;
  }
}

/** Nobody reads more, and an answer must not be larger than its request. */
const MAX_PROBLEMS = 100;

/** Joins several problems into one error: its code is theirs when they all have the same, else MAIL_INVALID. */
export const problemsError = (found: Iterable<Problem>): AppError => {
  const problems: Problem[] = [];
  const codes = new Set<ErrorCode>();
  let count = 0;
  for (const problem of found) {
    count += 1;
    codes.add(problem.code);
    if (problems.length < MAX_PROBLEMS) problems.push(problem);
  }
  const [only] = codes;
  return new AppError(codes.size === 1 && only !== undefined ? only : 'MAIL_INVALID', {
    problems,
    ...(count > MAX_PROBLEMS
      ? { detail: `There are ${count} problems; the first ${MAX_PROBLEMS} are listed.` }
      : {}),
  });
};

/** What is stored and answered about an error: the same words everywhere. */
export type ErrorReport = {
  readonly code: ErrorCode;
  readonly title: string;
  readonly remedy: string;
  readonly detail?: string;
  readonly problems?: readonly Problem[];
  readonly upstreamCode?: string;
  readonly graphRequestId?: string;
};

export const reportOf = ({ code, facts }: AppError): ErrorReport => ({
  code,
  title: catalogue[code].title,
  remedy: catalogue[code].remedy,
  ...(facts.detail === undefined ? {} : { detail: facts.detail }),
  ...(facts.problems === undefined ? {} : { problems: facts.problems }),
  ...(facts.upstreamCode === undefined ? {} : { upstreamCode: facts.upstreamCode }),
  ...(facts.graphRequestId === undefined ? {} : { graphRequestId: facts.graphRequestId }),
});
