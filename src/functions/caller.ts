import type { HttpRequest } from '@azure/functions';
import type { Caller } from '../lib/callers/caller.ts';
import { requireDoor } from '../lib/callers/caller-policy.ts';
import { AppError } from '../lib/errors.ts';
import { callerOfKey } from '../lib/ledger/identity.ts';
import type { Ports } from '../lib/ports.ts';

/**
 * Finds out who calls, by the function key that is presented. The host has checked the key before we see the request: the first of
 * several, in the header before the query, and the name `code` in any case (seen at host 4.1037). Throws CALLER_UNKNOWN where there is
 * none, as with the host's own tokens: everybody without a key would be one caller. Throws CALLER_DISABLED, DOOR_NOT_ALLOWED.
 */
export const callerOf = async (
  { callers }: Pick<Ports, 'callers'>,
  request: HttpRequest,
): Promise<Caller> => {
  const inQuery = [...request.query].find(([name]) => name.toLowerCase() === 'code')?.[1];
  const given = request.headers.get('x-functions-key') || inQuery || '';
  // Several values of one name reach the app joined by commas.
  const key = given.split(',')[0]?.trim() ?? '';
  if (key === '') throw new AppError('CALLER_UNKNOWN');
  const caller = (await callers.known()).withFunctionKey(callerOfKey(key));
  requireDoor(caller, 'http');
  return caller;
};
