import type { Transform } from 'node:stream';
import { BodyTooLargeError } from '../http.ts';
import type { Clock } from './clock.ts';
import { forwardRequest, sendAnswerOn } from './forward-request.ts';
import type { HostLog } from './host-log.ts';
import { toHttpData, toRequestMetadata } from './http-request-data.ts';
import type { Invoke } from './invoker.ts';
import { BodyTooSlowError, declaredLength, receiveBody } from './request-body.ts';
import {
  API_REASON,
  type AskedFunction,
  answerEmpty,
  logUnsendable,
  readDeclaredBody,
  refuseBody,
  traceContextOf,
} from './serve-buffered.ts';
import type { WorkerProxy } from './worker-proxy.ts';

type Parts = {
  readonly invoke: Invoke;
  readonly newId: () => string;
  readonly log: HostLog;
  readonly clock: Clock;
  readonly workerProxy: WorkerProxy;
};

/**
 * Calls the function by message, and sends the request itself to the app's own HTTP server, whose answer it sends on. A
 * body of known length is read first, because the host looks for binding data in it; any other is streamed.
 */
export const serveStreamed = async (asked: AskedFunction, parts: Parts): Promise<void> => {
  const { request, response, fn } = asked;
  const { log, clock } = parts;
  const begun =
    declaredLength(request) === undefined
      ? begin(asked, parts, receiveBody(request, clock))
      : await readDeclaredBody(request, response, clock).then((body) => body && begin(asked, parts, body));
  if (begun === undefined) return;
  const { invocationId, forwarding, running, unanswered } = begun;

  try {
    const answer = await Promise.race([forwarding.answered, unanswered]);
    await Promise.all([sendAnswerOn(answer, response), running]);
  } catch (error) {
    forwarding.abort();
    if (error instanceof BodyTooLargeError || error instanceof BodyTooSlowError)
      refuseBody(request, response);
    else if (response.headersSent) response.destroy();
    const { succeeded } = await running;
    if (response.destroyed || response.headersSent) return;
    if (succeeded) logUnsendable(log, fn, error, invocationId);
    answerEmpty(response, 500);
  }
};

/** Sends the request on and calls the function. Nothing of this holds the body afterwards. */
const begin = (asked: AskedFunction, parts: Parts, body: Buffer | Transform) => {
  const { request, response, fn, triggerName } = asked;
  const { invoke, newId, workerProxy } = parts;
  const invocationId = newId();
  const known = { ...asked, body: Buffer.isBuffer(body) ? body : Buffer.alloc(0) };
  const forwarding = forwardRequest(request, body, {
    port: workerProxy.port,
    invocationId,
    received: workerProxy.received(invocationId),
  });
  response.once('close', forwarding.abort);
  const running = invoke(
    fn,
    {
      invocationId,
      inputData: [{ name: triggerName, data: { http: toHttpData({ ...known, body: Buffer.alloc(0) }) } }],
      triggerMetadata: toRequestMetadata(known),
      ...traceContextOf(request),
    },
    API_REASON,
  );
  const unanswered = running.then((result) => {
    if (!result.succeeded) throw result.error;
    if (workerProxy.hasAnswered(invocationId)) return new Promise<never>(() => {});
    throw new Error(
      'It returned nothing: with streaming on, the real host waits four minutes for a response.',
    );
  });
  return { invocationId, forwarding, running, unanswered };
};
