import type { HttpRequest } from '@azure/functions';
import { callerOfKey } from '../lib/ledger/idempotency.ts';

/**
 * Names who calls, so that each caller has idempotency keys and mails of his own: by the function key he presents.
 * The host has checked the key before we see the request.
 */
export const callerOf = (request: HttpRequest): string =>
  callerOfKey(request.headers.get('x-functions-key') ?? request.query.get('code') ?? '');
