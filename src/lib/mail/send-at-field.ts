import * as z from 'zod';
import { report } from './schema-faults.ts';
import { readSendAt, SEND_AT_FORM } from './send-at.ts';

/** When an email is to be sent: read as a moment, and kept in UTC. */
export const sendAt = z.unknown().transform((written, context): string => {
  const read = typeof written === 'string' ? readSendAt(written) : { fault: undefined };
  if ('time' in read) return read.time.toISOString();
  report(context, { code: 'SEND_AT_INVALID', expected: SEND_AT_FORM }, written, [], read.fault);
  return z.NEVER;
});
