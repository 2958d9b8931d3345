import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { cutConnection, originOf } from '../http.ts';
import { messageOf } from '../message-of.ts';
import { findMailbox } from './access.ts';
import { findApplicationCall } from './applications.ts';
import { authenticate, type VerifyToken } from './authenticate.ts';
import type { GraphState } from './call.ts';
import { type GraphAnswer, toErrorAnswer, writeAnswer } from './graph-answer.ts';
import { GraphError, type RequestIds } from './graph-error.ts';
import { tooManyAtOnce } from './refusals.ts';
import type { RequestLog, SeenRequest } from './request-log.ts';
import { findRoute } from './routes.ts';
import { findTraceCall } from './trace-calls.ts';

export type GraphServerState = GraphState & {
  readonly verifyToken: VerifyToken;
  readonly audiences: readonly string[];
  readonly requests: RequestLog;
};

/** What is known of a request before anything of it is judged. */
export type Begun = {
  readonly ids: RequestIds;
  readonly at: Date;
  readonly seen: SeenRequest;
  readonly clientGone: AbortSignal;
};

/** Answers one request and lists what became of it. `path` is what the list shows. */
export const answerListed = async (
  request: IncomingMessage,
  response: ServerResponse,
  { graph, path }: { readonly graph: GraphServerState; readonly path: string },
  decide: (begun: Begun) => Promise<GraphAnswer>,
): Promise<void> => {
  const at = graph.now();
  const ids = readRequestIds(request);
  const seen = graph.requests.begin({ ...ids, time: at.toISOString(), method: request.method ?? '', path });

  const clientGone = new AbortController();
  response.once('close', () => clientGone.abort());

  const answer = await decide({ ids, at, seen, clientGone: clientGone.signal }).catch((error: unknown) =>
    answerToFailure(error, clientGone.signal, ids, at),
  );
  finish(seen, clientGone.signal.aborted ? { kind: 'client left' } : answer);
  if (answer.kind === 'reset') cutConnection(request);
  else if (answer.kind === 'answer') writeAnswer(response, answer, ids, at);
};

/** Answers one request to Graph. */
export const answerGraphCall = (
  request: IncomingMessage,
  response: ServerResponse,
  graph: GraphServerState,
): Promise<void> =>
  answerListed(request, response, { graph, path: request.url ?? '' }, (begun) =>
    decideAnswer(request, begun, graph),
  );

const decideAnswer = async (
  request: IncomingMessage,
  begun: Begun,
  graph: GraphServerState,
): Promise<GraphAnswer> => {
  const caller = await authenticate(request.headers.authorization, {
    verifyToken: graph.verifyToken,
    audiences: graph.audiences,
    directory: graph.directory(),
    now: begun.at,
  });
  const url = toUrl(request);
  const answerApplication = findApplicationCall(request.method ?? '', url.pathname);
  if (answerApplication !== undefined) return answerApplication({ ...begun, request, url, caller }, graph);
  const answerTraces = findTraceCall(request.method ?? '', url.pathname);
  if (answerTraces !== undefined) return answerTraces({ ...begun, request, url, caller }, graph);
  const { user, run } = findRoute(request.method ?? '', url.pathname);
  const mailbox = findMailbox(caller.tenant, user);
  begun.seen.mailbox = mailbox.address;

  const entrance = graph.limits.enter(`${caller.app.clientId} ${mailbox.address}`);
  begun.seen.concurrency = entrance.concurrent;
  try {
    if (entrance.tooMany) throw tooManyAtOnce();
    return await run({ ...begun, request, url, caller, mailbox }, graph);
  } finally {
    // Before the answer leaves: a client that keeps to the limit may send its next request the moment it reads this answer.
    entrance.leave();
  }
};

const answerToFailure = (error: unknown, clientGone: AbortSignal, ids: RequestIds, at: Date): GraphAnswer => {
  if (error instanceof GraphError) return toErrorAnswer(error, ids, at);
  if (clientGone.aborted) return { kind: 'client left' };
  const reason = messageOf(error);
  const failure = { status: 500, code: 'ErrorInternalServerError', headers: {} };
  return toErrorAnswer({ ...failure, message: `The Graph stand-in failed: ${reason}` }, ids, at);
};

const finish = (seen: SeenRequest, answer: GraphAnswer): void => {
  seen.outcome = answer.kind === 'answer' ? 'answered' : answer.kind;
  if (answer.kind !== 'answer') return;
  seen.status = answer.status;
  seen.code = answer.code ?? null;
};

/** Given back as it came when it fits into a header and a log; Graph's own otherwise. */
const readRequestIds = ({ headers }: IncomingMessage): RequestIds => {
  const requestId = randomUUID();
  const given = headers['client-request-id'];
  const usable = typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given);
  return { requestId, clientRequestId: usable ? given : requestId };
};

const toUrl = (request: IncomingMessage): URL => {
  const { url = '' } = request;
  const parsed = url.startsWith('/') ? URL.parse(`${originOf(request)}${url}`) : null;
  if (parsed === null) throw new GraphError(400, 'BadRequest', 'The request URL is not valid.');
  return parsed;
};
