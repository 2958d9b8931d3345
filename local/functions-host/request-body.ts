import type http from 'node:http';
import { Transform } from 'node:stream';
import { BodyTooLargeError } from '../http.ts';

// FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: 100 MB unless changed.
export const REQUEST_BODY_LIMIT_BYTES = 104_857_600;

/** What the request says of its length; undefined where the body comes in chunks, or there is none. */
export const declaredLength = ({ headers }: http.IncomingMessage): number | undefined => {
  const text = headers['content-length'];
  return text === undefined ? undefined : Number(text);
};

/** Lets a body through up to the host's limit, and fails then. */
export const limitBody = (): Transform => {
  let seen = 0;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      seen += chunk.length;
      if (seen > REQUEST_BODY_LIMIT_BYTES) done(new BodyTooLargeError(REQUEST_BODY_LIMIT_BYTES, seen));
      else done(null, chunk);
    },
  });
};
