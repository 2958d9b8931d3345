import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { AppError } from '../errors.ts';

/** Entra replaces its keys without notice in an emergency: a key that is no longer published is not trusted longer than this. */
const TRUSTED_FOR_MS = 24 * 3_600_000;
/** When they are looked at again; Entra recommends to do so at least once a day. */
const FRESH_FOR_MS = 3_600_000;
/** Anybody can invent a key id: so many tokens with one cost Entra one request. */
const ASK_AGAIN_MS = 30_000;
/** As long as the first back-off of the queue: while Entra is down, requests do not wait for it one after another. */
const FAILED_FOR_MS = 5000;

/**
 * The keys that Entra signs with, as it published them at most an hour ago, or a day where it cannot be reached. Throws
 * ENTRA_KEYS_UNREACHABLE where there are none.
 */
export const makeEntraKeys = (
  fetchKeys: () => Promise<JSONWebKeySet>,
  now: () => number,
): JWTVerifyGetKey => {
  let known: { readonly keyOf: JWTVerifyGetKey; readonly readAt: number } | undefined;
  let failed: { readonly cause: unknown; readonly at: number } | undefined;
  let underWay: Promise<void> | undefined;

  const read = async (): Promise<void> => {
    try {
      const keyOf = createLocalJWKSet(await fetchKeys());
      known = { keyOf, readAt: now() };
      failed = undefined;
    } catch (cause) {
      failed = { cause, at: now() };
    }
  };
  /** Several requests wait for one answer. What failed is known by `failed`. */
  const refresh = (): Promise<void> => {
    if (failed !== undefined && now() - failed.at < FAILED_FOR_MS) return Promise.resolve();
    underWay ??= read().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
  const ageOf = (keys: typeof known): number =>
    keys === undefined ? Number.POSITIVE_INFINITY : now() - keys.readAt;
  const unreachable = (): AppError => new AppError('ENTRA_KEYS_UNREACHABLE', { cause: failed?.cause });

  return async (header, token) => {
    if (ageOf(known) > FRESH_FOR_MS) await refresh();
    if (known === undefined || ageOf(known) > TRUSTED_FOR_MS) throw unreachable();
    try {
      return await known.keyOf(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || ageOf(known) < ASK_AGAIN_MS) throw error;
    }
    await refresh();
    // The token may be signed with a key that is newer than those known: nobody can say that it is wrong.
    if (failed !== undefined) throw unreachable();
    return known.keyOf(header, token);
  };
};
