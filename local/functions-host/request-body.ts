import type http from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { BodyTooLargeError } from '../http.ts';
import type { Clock } from './clock.ts';

// FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: 100 MB unless changed.
export const REQUEST_BODY_LIMIT_BYTES = 104_857_600;

/** What the request says of its length; undefined where the body comes in chunks, or there is none. */
export const declaredLength = ({ headers }: http.IncomingMessage): number | undefined => {
  const text = headers['content-length'];
  return text === undefined ? undefined : Number(text);
};

// The host leaves MinRequestBodyDataRate of Kestrel as it is: 240 bytes a second on average, after a grace of 5 seconds.
const LEAST_BYTES_PER_SECOND = 240;
const GRACE_MS = 5000;
// ActivityTimeout in DefaultHttpProxyService.cs of azure-functions-host.
const LONGEST_PAUSE_MS = 240_000;
const TICK_MS = 1000;

export class BodyTooSlowError extends Error {
  override readonly name = 'BodyTooSlowError';

  constructor(receivedBytes: number, awaitedMs: number) {
    super(
      `The request body stopped or is too slow: ${receivedBytes} bytes were received in ${awaitedMs / 1000} s. ` +
        `Send at least ${LEAST_BYTES_PER_SECOND} bytes a second, with no pause of ${LONGEST_PAUSE_MS / 1000} s.`,
    );
  }
}

/** The body while it arrives. Fails if it breaks off, stops, or grows beyond the host's limit; leaves the connection open. */
export const receiveBody = (request: Readable, clock: Clock): Transform => {
  let seen = 0;
  let awaitedMs = 0;
  let pausedMs = 0;
  const body = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      seen += chunk.length;
      pausedMs = 0;
      if (seen > REQUEST_BODY_LIMIT_BYTES) done(new BodyTooLargeError(REQUEST_BODY_LIMIT_BYTES, seen));
      else done(null, chunk);
    },
  });
  const check = () => {
    // While the app is not reading, the client is not late.
    if (!body.writableNeedDrain) {
      awaitedMs += TICK_MS;
      pausedMs += TICK_MS;
    }
    const tooFew = awaitedMs > GRACE_MS && seen < (LEAST_BYTES_PER_SECOND * awaitedMs) / 1000;
    if (tooFew || pausedMs >= LONGEST_PAUSE_MS) body.destroy(new BodyTooSlowError(seen, awaitedMs));
    else callOff = clock.after(TICK_MS, check);
  };
  let callOff = clock.after(TICK_MS, check);
  const stopWatch = () => callOff();
  request.once('end', stopWatch);
  body.once('close', stopWatch);
  request.once('error', (error) => body.destroy(error));
  // Not by `pipeline`, which would destroy the request, and with it the connection on which to say so.
  request.pipe(body);
  return body;
};
