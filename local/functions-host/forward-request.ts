import http from 'node:http';
import { pipeline, type Transform } from 'node:stream';
import { assertSendable, isHopByHop } from './http-response.ts';
import { INVOCATION_ID_HEADER } from './worker-proxy.ts';

export type Forwarding = {
  /** Resolves when the app's answer has begun; nothing of it was sent on yet. */
  readonly answered: Promise<http.IncomingMessage>;
  /** Takes the request back, once the app has received its head: an invocation waits for that without an end. */
  readonly abort: () => void;
};

type Destination = {
  readonly port: number;
  readonly invocationId: string;
  /** Resolves when the app has received the head of this request. */
  readonly received: Promise<void>;
};

/** Sends a request on to the app's own HTTP server. A body that was read already comes along; another is streamed. */
export const forwardRequest = (
  request: http.IncomingMessage,
  body: Buffer | Transform,
  { port, invocationId, received }: Destination,
): Forwarding => {
  // Without keep-alive the server would close on an answer that comes before the body's end, and the answer be lost.
  const agent = new http.Agent({ keepAlive: true });
  const onward = http.request({
    host: '127.0.0.1',
    port,
    agent,
    method: request.method,
    path: request.url,
    headers: onwardHeaders(request, invocationId),
  });
  const streamed = Buffer.isBuffer(body) ? undefined : body;
  const abort = () => void received.then(() => onward.destroy());
  const answered = new Promise<http.IncomingMessage>((resolve, reject) => {
    onward.once('response', resolve);
    onward.on('error', reject);
    if (streamed === undefined) return;
    onward.flushHeaders();
    streamed.pipe(onward);
    streamed.once('error', (error) => {
      reject(error);
      abort();
    });
  });
  // Not in a function of its own, which would hold the body until the app answers; the real host holds it in a file.
  if (streamed === undefined) onward.end(body);
  onward.once('close', () => agent.destroy());
  // Whoever waits hears of it; nobody has to.
  answered.catch(() => {});
  return { answered, abort };
};

/** Sends the app's answer on as it comes. Throws before the first byte where the host could not send it. */
export const sendAnswerOn = (answer: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
  const headers = new Map<string, string[]>();
  for (let index = 0; index < answer.rawHeaders.length; index += 2) {
    const [name, value] = [answer.rawHeaders[index]!, answer.rawHeaders[index + 1]!];
    if (isHopByHop(name)) continue;
    assertSendable(name, value);
    headers.set(name, [...(headers.get(name) ?? []), value]);
  }
  for (const [name, values] of headers) response.setHeader(name, values.length === 1 ? values[0]! : values);
  response.writeHead(answer.statusCode ?? 200);
  return new Promise((resolve) => pipeline(answer, response, () => resolve()));
};

const onwardHeaders = (request: http.IncomingMessage, invocationId: string): string[] => {
  const { rawHeaders } = request;
  const headers: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!;
    if (!isHopByHop(name) && !REPLACED.has(name.toLowerCase())) headers.push(name, rawHeaders[index + 1]!);
  }
  if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked');
  return [
    ...headers,
    ...['Host', request.headers.host ?? ''],
    ...['X-Forwarded-Host', request.headers.host ?? ''],
    ...['X-Forwarded-Proto', 'http'],
    ...[INVOCATION_ID_HEADER, invocationId],
  ];
};

const REPLACED = new Set(['host', 'expect', 'x-forwarded-host', 'x-forwarded-proto', INVOCATION_ID_HEADER]);
