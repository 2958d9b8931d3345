import { isSameSecret } from '../is-same-secret.ts';
import type { HttpTrigger } from './function-info.ts';

export type HostKeys = {
  /** Opens functions of authLevel `function`. */
  readonly functionKey: string;
  /** Opens everything, `/admin` included. */
  readonly masterKey: string;
};

type AuthLevel = HttpTrigger['authLevel'];

/** The header wins over `?code=`, as in Azure. */
export function authLevelOf(
  keyHeader: string | undefined,
  query: URLSearchParams,
  { functionKey, masterKey }: HostKeys,
): AuthLevel {
  const given = keyHeader ?? query.get('code');
  if (!given) return 'anonymous';
  if (sameKey(given, masterKey)) return 'admin';
  return sameKey(given, functionKey) ? 'function' : 'anonymous';
}

const RANK: Record<AuthLevel, number> = { anonymous: 0, function: 1, admin: 2 };

export const isAllowed = (given: AuthLevel, needed: AuthLevel) => RANK[given] >= RANK[needed];

/** A key that was left empty opens nothing. */
const sameKey = (given: string, expected: string) => expected !== '' && isSameSecret(given, expected);
