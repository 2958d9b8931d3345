import { expect, test } from 'vitest';
import type { NewSecret, SecretVersion } from '../../local/key-vault/secret-store.ts';
import { obtainWebhookSecrets } from '../../local/webhook-secrets.ts';
import { readSigningSecret } from '../../src/lib/events/webhook-signature.ts';
import { NOW } from '../support/in-memory-ports.ts';

const aStore = () => {
  const held = new Map<string, SecretVersion>();
  return {
    current: (name: string) => held.get(name),
    set: async (name: string, { value, expiresOn }: NewSecret) => {
      const made = { name, value, expiresOn, version: 'v1', tags: {}, enabled: true, createdOn: NOW };
      const version = { ...made, updatedOn: NOW } as SecretVersion;
      held.set(name, version);
      return version;
    },
  };
};

const MAIL_WEBHOOKS = JSON.stringify([
  { name: 'dev', url: 'http://localhost:3000/' },
  { name: 'other', url: 'http://localhost:3001/', secretName: 'webhook-secret-dev' },
]);

test('each receiver has a signing secret in the local vault, the same at the next start', async () => {
  const store = aStore();
  const [dev, other] = await obtainWebhookSecrets(store, { MAIL_WEBHOOKS }, NOW);
  expect(dev?.name).toBe('dev');
  expect(readSigningSecret(dev?.secret ?? '')).toHaveLength(32);
  expect(other?.secret).toBe(dev?.secret);
  expect(store.current('webhook-secret-dev')?.expiresOn?.getTime()).toBeGreaterThan(NOW.getTime());
  expect((await obtainWebhookSecrets(store, { MAIL_WEBHOOKS }, NOW))[0]).toEqual(dev);
});

test('without webhooks there is none', async () => {
  expect(await obtainWebhookSecrets(aStore(), {}, NOW)).toEqual([]);
});
