import { defined } from './defined.ts';
import { catalogue, type ErrorCode } from './error-catalogue.ts';

/** One thing wrong with a request or a setting. Says what came by its shape only, never by its content. */
export type Problem = {
  readonly code: ErrorCode;
  /** JSON pointer (RFC 6901) of a field, or the name of a setting. */
  readonly pointer: string;
  readonly expected: string;
  readonly received: string;
};

/** What the other side said of itself: Graph's or Exchange's error code or an AADSTS number, and the request id. */
export type UpstreamFacts = { readonly upstreamCode?: string; readonly graphRequestId?: string };

export const upstreamFacts = ({ upstreamCode, graphRequestId }: UpstreamFacts): UpstreamFacts =>
  defined({ upstreamCode, graphRequestId });

/** What is known of one case of an error, beside its code. */
type CaseFacts = UpstreamFacts & {
  readonly detail?: string;
  readonly problems?: readonly Problem[];
};

export type ErrorFacts = CaseFacts & {
  /** The email it is about, where the ledger has one. */
  readonly mailId?: string;
  /** After which the same request can succeed, where that is known of this case. */
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
};

/** The one error class: a code of the catalogue and the facts of this case. Never holds mail content. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, facts: ErrorFacts = {}) {
    super(facts.detail ?? catalogue[code].title, defined({ cause: facts.cause }));
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

/** Why something happened to an email: a code and the facts of the case. Its words are in the catalogue. */
export type Reason = CaseFacts & { readonly code: ErrorCode };

/** A reason made of whatever holds one, such as an outcome or a row of an earlier version. */
export const toReason = ({ code, detail, problems, ...facts }: Reason): Reason => ({
  code,
  ...defined({ detail, problems }),
  ...upstreamFacts(facts),
});

export const reasonOf = ({ code, facts }: AppError): Reason => toReason({ code, ...facts });

export const errorOf = ({ code, ...facts }: Reason, mailId?: string): AppError =>
  new AppError(code, { ...facts, ...defined({ mailId }) });

/** A reason with the words of the catalogue, where people read it. */
export type ErrorReport = Reason & { readonly title: string; readonly remedy: string };

export const reportOf = ({ code, ...facts }: Reason): ErrorReport => ({
  code,
  title: catalogue[code].title,
  remedy: catalogue[code].remedy,
  ...facts,
});

/** A foreseen failure by its code, another by its kind: a message could quote content or an address. */
export const nameOfFailure = (failure: unknown): string =>
  failure instanceof AppError ? failure.code : failure instanceof Error ? failure.name : 'Error';
