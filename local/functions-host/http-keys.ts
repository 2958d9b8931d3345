import type http from 'node:http';
import { isSameSecret } from '../is-same-secret.ts';
import type { HttpTrigger } from './function-info.ts';
import { headerPairs } from './http-request-data.ts';

export type HostKeys = {
  /** Opens functions of authLevel `function`. */
  readonly functionKey: string;
  /** Opens everything, `/admin` included. */
  readonly masterKey: string;
};

type AuthLevel = HttpTrigger['authLevel'];

/** The header wins over `?code=`, whose name may be in any case; of several the host takes the first, as in Azure. */
export const authLevelOf = (
  request: http.IncomingMessage,
  query: URLSearchParams,
  { functionKey, masterKey }: HostKeys,
): AuthLevel => {
  const given = findFirst(headerPairs(request), KEY_HEADER) ?? findFirst(query, 'code');
  if (!given) return 'anonymous';
  if (sameKey(given, masterKey)) return 'admin';
  return sameKey(given, functionKey) ? 'function' : 'anonymous';
};

const KEY_HEADER = 'x-functions-key';

const findFirst = (pairs: Iterable<[string, string]>, name: string): string | undefined => {
  for (const [one, value] of pairs) if (one.toLowerCase() === name) return value;
  return undefined;
};

const RANK: Record<AuthLevel, number> = { anonymous: 0, function: 1, admin: 2 };

/** Whether a key of one level opens a function of another. */
export const isAllowed = (given: AuthLevel, needed: AuthLevel) => RANK[given] >= RANK[needed];

/** A key that was left empty opens nothing. */
const sameKey = (given: string, expected: string) => expected !== '' && isSameSecret(given, expected);
