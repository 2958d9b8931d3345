import { InboxProblem } from '../../src/lib/inbox/inbox-problem.ts';
import { messageOf } from '../message-of.ts';

/** The relay beside the inbox, with the keys of the machine it runs on. */
export type LocalRelay = {
  readonly url: string;
  readonly functionKey: string;
  readonly masterKey: string;
};

type Call = {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly key: 'functionKey' | 'masterKey';
  readonly body?: string;
};

const TIMEOUT_MS = 60_000;

/** Calls the relay; gives the body of its response. Throws an InboxProblem with the words of the relay. */
export const callRelay = async (
  relay: LocalRelay | undefined,
  { method, path, key, body }: Call,
): Promise<unknown> => {
  if (relay === undefined)
    throw new InboxProblem(
      501,
      'This inbox passes nothing on to the relay, because its emails are real. Send to the relay itself, with its key.',
    );
  const response = await fetch(`${relay.url}${path}`, {
    method,
    headers: { 'x-functions-key': relay[key], 'content-type': 'application/json' },
    ...(body !== undefined && { body }),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new InboxProblem(
      503,
      `The relay did not respond: ${messageOf(error)}. Is npm start still running?`,
    );
  });
  const value: unknown = await response.json().catch(() => undefined);
  if (response.ok) return value;
  throw new InboxProblem(response.status, wordsOf(value) ?? `The relay returned ${response.status}.`);
};

type ProblemDetails = {
  readonly title?: string;
  readonly detail?: string;
  readonly remedy?: string;
  readonly problems?: readonly {
    readonly pointer?: string;
    readonly expected?: string;
    readonly received?: string;
  }[];
};

/** Of problem details (RFC 9457): what is wrong, all of it, and what to do. */
const wordsOf = (value: unknown): string | undefined => {
  const { title, detail, remedy, problems = [] } = (value ?? {}) as ProblemDetails;
  const lines = problems.map(
    ({ pointer = '', expected = '', received = '' }) =>
      `${pointer}: expected ${expected}, received ${received}.`,
  );
  const words = [title, detail, ...lines, remedy].filter((line) => line !== undefined && line !== '');
  return words.length === 0 ? undefined : words.join('\n');
};
