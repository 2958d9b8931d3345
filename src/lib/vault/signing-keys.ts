import { AppError } from '../errors.ts';
import { readSigningSecret } from '../events/webhook-signature.ts';
import type { SigningKeys } from '../ports.ts';
import type { SecretSource } from './secret-source.ts';

/** So long after a rotation the new secret signs too, and a version that was disabled signs no more. */
const KEPT_MS = 5 * 60_000;
/** A vault that fails is not asked for each event. */
const FAILURE_KEPT_MS = 30_000;

type Kept = { readonly keys: Promise<readonly Uint8Array[]>; until: number };

/** Reads signing secrets from the vault: of each, the newest two versions that are valid and well formed. */
export const openSigningKeys = (
  vault: () => Pick<SecretSource, 'readValidVersions'>,
  now: () => Date,
): SigningKeys => {
  const kept = new Map<string, Kept>();

  const readNow = async (name: string): Promise<readonly Uint8Array[]> => {
    const versions = await vault()
      .readValidVersions(name, { isWellFormed: async ({ value }) => readSigningSecret(value) !== undefined })
      .catch((failure: unknown) => {
        // Its remedy is about the client secret.
        if (failure instanceof AppError && failure.code === 'SECRET_NOT_FOUND') return [];
        throw failure;
      });
    const keys = versions.flatMap(({ value }) => readSigningSecret(value) ?? []);
    if (keys.length === 0) throw new AppError('WEBHOOK_SECRET_INVALID');
    return keys;
  };

  return {
    read: (name) => {
      const time = now().getTime();
      const known = kept.get(name);
      if (known !== undefined && time < known.until) return known.keys;
      const entry: Kept = { keys: readNow(name), until: time + KEPT_MS };
      entry.keys.catch(() => {
        entry.until = now().getTime() + FAILURE_KEPT_MS;
      });
      kept.set(name, entry);
      return entry.keys;
    },
  };
};
