import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** Longer than a program waits in one run. */
const HOUR_S = 3600;

export type Answer = (response: ServerResponse) => void;
/** A response with these headers and this body. */
export const answer =
  (status: number, contentType: string | undefined, body: string, retryAfter?: string): Answer =>
  (response) =>
    response
      .writeHead(status, {
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
        ...(retryAfter === undefined ? {} : { 'retry-after': retryAfter }),
      })
      .end(body);
/** A problem, as the relay returns it. */
export const problem = (status: number, retryAfter?: string): Answer =>
  answer(
    status,
    'application/problem+json',
    JSON.stringify({ code: `CODE_${status}`, remedy: 'what to do' }),
    retryAfter,
  );
/** What the functions host says by itself. The time is there so that nobody has to wait for a test. */
export const bare = (status: number): Answer => answer(status, undefined, '', '0');
/** A connection that breaks before the response. */
export const reset: Answer = (response) => response.socket?.destroy();
/** What the relay returns for an email that was sent. */
export const sent = answer(200, 'application/json', '{"id":"the-id","state":"sent"}');
const dateIn = (seconds: number): string => new Date(Date.now() + seconds * 1000).toUTCString();

/** How a program for callers ends. */
type Ending = 'returned' | 'rejected' | 'uncertain';
export type Scenario = {
  readonly title: string;
  readonly answers: readonly Answer[];
  readonly ending: Ending;
  /** What the program says of it. */
  readonly says: readonly string[];
};

/** By the idempotency key of the email. All answers are given, and no request more is made. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  repeated: {
    title:
      'repeats the same email with the same key after a broken connection, a 409 and a 500 with an empty body',
    answers: [reset, problem(409, '0'), bare(500), sent],
    ending: 'returned',
    says: ['sent'],
  },
  proxy: {
    title: 'repeats after an error page of a proxy',
    answers: [answer(502, 'text/html', '<h1>Bad gateway</h1>', '0'), sent],
    ending: 'returned',
    says: ['sent'],
  },
  invalid: {
    title: 'reports a 422 of the relay, and does not repeat it',
    answers: [problem(422)],
    ending: 'rejected',
    says: ['422', 'CODE_422', 'what to do'],
  },
  broken: {
    title: 'reports a 500 of the relay, and does not repeat it',
    answers: [problem(500)],
    ending: 'rejected',
    says: ['500', 'CODE_500', 'what to do'],
  },
  'no-key': {
    title: 'says of a 401 without a body which key is wrong and in which header, and does not repeat it',
    answers: [answer(401, undefined, '')],
    ending: 'rejected',
    says: ['401', 'does not know the function key in MAIL_RELAY_KEY', 'x-functions-key'],
  },
  'wrong-key': {
    title: 'reports what the relay says of a key that it does not accept',
    answers: [problem(401)],
    ending: 'rejected',
    says: ['401', 'CODE_401', 'what to do'],
  },
  'gives-up': {
    title: 'gives up after four tries, and does not call it a rejection',
    answers: [problem(503, '0'), bare(500), problem(409, '0'), problem(503)],
    ending: 'uncertain',
    says: ['503', 'CODE_503'],
  },
  'far-away': {
    title: 'does not wait in the program for a daily limit that ends in an hour',
    answers: [problem(429, String(HOUR_S))],
    ending: 'uncertain',
    says: ['429', 'CODE_429'],
  },
  'date-ahead': {
    title: 'reads a Retry-After that is a date, and does not wait for one that is an hour ahead',
    answers: [problem(503, dateIn(HOUR_S))],
    ending: 'uncertain',
    says: ['503'],
  },
  'date-past': {
    title: 'repeats after a Retry-After with a date that has passed',
    answers: [problem(503, dateIn(-HOUR_S)), sent],
    ending: 'returned',
    says: ['sent'],
  },
  nonsense: {
    title: 'waits its own time for a Retry-After that it cannot read',
    answers: [problem(503, 'soon'), sent],
    ending: 'returned',
    says: ['sent'],
  },
};

export type Arrived = {
  readonly call: string;
  readonly functionKey: unknown;
  readonly contentType: unknown;
  readonly framing: string;
  readonly body: string;
};

const framingOf = ({ headers }: IncomingMessage): string =>
  headers['content-length'] === undefined ? String(headers['transfer-encoding']) : 'content-length';

/** Gives the requests of each idempotency key the answers of its scenario, one after the other, and 200 to everything else. */
export const startScenarios = async (answersOf: (key: string) => readonly Answer[]) => {
  const arrived = new Map<string, Arrived[]>();
  const server = createServer(async (request, response) => {
    const key = String(request.headers['idempotency-key'] ?? 'status');
    const body = await text(request);
    const all = arrived.get(key) ?? [];
    arrived.set(key, [
      ...all,
      {
        call: `${request.method} ${request.url}`,
        functionKey: request.headers['x-functions-key'],
        contentType: request.headers['content-type'],
        framing: framingOf(request),
        body,
      },
    ]);
    (answersOf(key)[all.length] ?? sent)(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    arrived,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};
