import { randomBytes } from 'node:crypto';
import { readSetting } from '../src/lib/settings/settings.ts';
import type { SecretStore } from './key-vault/secret-store.ts';

const YEAR_MS = 365 * 86_400_000;

/** The signing secret of each receiver that the settings name; made in the vault where it has none. */
export const obtainWebhookSecrets = async (
  secrets: Pick<SecretStore, 'current' | 'set'>,
  settings: Readonly<Record<string, string | undefined>>,
  now: Date,
): Promise<readonly { readonly name: string; readonly secret: string }[]> => {
  const receivers = readSetting(settings, 'MAIL_WEBHOOKS') ?? [];
  const found: { readonly name: string; readonly secret: string }[] = [];
  // One after another: two receivers can share a secret.
  for (const { name, secretName } of receivers) {
    const value = `whsec_${randomBytes(32).toString('base64')}`;
    const expiresOn = new Date(now.getTime() + YEAR_MS);
    const { value: secret } =
      secrets.current(secretName) ?? (await secrets.set(secretName, { value, expiresOn }, now));
    found.push({ name, secret });
  }
  return found;
};
