import type { HttpRequest } from '@azure/functions';
import { AppError } from '../lib/errors.ts';
import { callerOfKey } from '../lib/ledger/identity.ts';

/**
 * Names who calls, so that each caller has idempotency keys and mails of their own: by the function key they present.
 * The host has checked the key before we see the request: the first of several, in the header before the query, and the
 * name `code` in any case (seen at host 4.1037). Throws CALLER_UNKNOWN where there is none, as with the host's own
 * tokens: everybody without a key would be one caller.
 */
export const callerOf = (request: HttpRequest): string => {
  const inQuery = [...request.query].find(([name]) => name.toLowerCase() === 'code')?.[1];
  const given = request.headers.get('x-functions-key') || inQuery || '';
  // Several values of one name reach the app joined by commas.
  const key = given.split(',')[0]?.trim() ?? '';
  if (key === '') throw new AppError('CALLER_UNKNOWN');
  return callerOfKey(key);
};
