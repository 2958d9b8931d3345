import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { openSecretStore } from '../../local/key-vault/secret-store.ts';
import { readRealTenant } from '../../local/real-tenant.ts';
import type { AppError } from '../../src/lib/errors.ts';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'real-tenant-'));
  vi.stubEnv('GRAPH_CLIENT_SECRET', 'the-secret');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true });
});

const settings = {
  ENTRA_TENANT_ID: '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812',
  ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  MAIL_DEFAULT_SENDER: 'noreply@contoso.example',
};

const withSettings = async (values: Record<string, string>) => {
  await writeFile(join(root, 'local.settings.json'), JSON.stringify({ Values: values }));
  return readRealTenant(root);
};

describe('npm start -- --real-tenant', () => {
  test('sends through Microsoft with the tenant, the app and the sender of local.settings.json', async () => {
    expect((await withSettings(settings)).environment).toEqual({
      ...settings,
      MAIL_ALLOWED_SENDERS: '',
      ENTRA_AUTHORITY: 'https://login.microsoftonline.com',
      GRAPH_ENDPOINT: 'https://graph.microsoft.com',
    });
  });

  test('puts the secret into the local vault and nowhere else', async () => {
    const tenant = await withSettings(settings);
    const secrets = await openSecretStore();
    await tenant.storeSecret(secrets);
    expect(secrets.current('graph-client-secret')?.value).toBe('the-secret');
    expect(JSON.stringify(tenant.environment)).not.toContain('the-secret');
  });

  test('says what to copy when there is no local.settings.json', async () => {
    await expect(readRealTenant(root)).rejects.toThrow('Copy local.settings.example.json');
  });

  test('names every setting that is missing, and asks for no other', async () => {
    const error = await withSettings({}).catch((thrown: AppError) => thrown);
    expect((error as AppError).facts.problems?.map(({ pointer }) => pointer)).toEqual(Object.keys(settings));
  });
});
