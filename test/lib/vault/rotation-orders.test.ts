import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AppSecret, contoso, LOCAL_CLIENT_ID, LOCAL_TENANT_ID } from '../../../local/directory.ts';
import { toAppOnlyClaims } from '../../../local/entra/app-only-claims.ts';
import { type Entra, startEntra } from '../../../local/entra/start-entra.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';
import { openSecretStore } from '../../../local/key-vault/secret-store.ts';
import { startKeyVault, VAULT_RESOURCE } from '../../../local/key-vault/start-key-vault.ts';
import { readSecretProof } from '../../../src/lib/vault/client-proof.ts';
import { makeTokenSource } from '../../../src/lib/vault/entra-token.ts';
import { fetchWithVault } from '../../../src/lib/vault/fetch-token.ts';
import { openKeyVault } from '../../../src/lib/vault/key-vault.ts';
import { trustedCertificate } from '../../local/certificate-for-tests.ts';
import { ROTATION_STEPS, type RotationStep, rotationOrders } from '../../support/rotation-orders.ts';

const GRAPH = 'https://graph.microsoft.com';
const FAR = new Date(Date.now() + 86_400_000);
/** Less than the relay wants left of a token: each reading asks for one. */
const LIFETIME_SECONDS = 240;

const keys = await makeTokenKeys();
const secrets = await openSecretStore();
let known: AppSecret[] = [];
let entra: Entra;
let vault: Awaited<ReturnType<typeof startKeyVault>>;

beforeAll(async () => {
  const tls = await trustedCertificate();
  const now = () => new Date();
  entra = await startEntra({
    tls,
    port: 0,
    directory: () => ({
      ...contoso('x', now()),
      apps: [{ ...contoso('x', now()).apps[0]!, secrets: known }],
    }),
    audiences: () => [GRAPH],
    keys,
    now,
    lifetimeSeconds: () => LIFETIME_SECONDS,
  });
  vault = await startKeyVault({
    tls,
    port: 0,
    secrets,
    tenantId: LOCAL_TENANT_ID,
    verifyToken: keys.verify,
    now,
  });
});
afterAll(() => Promise.all([entra.close(), vault.close()]));

/** What an instance keeps: its vault, and its token. */
const anInstance = (name: string) => {
  const now = () => new Date();
  const claims = toAppOnlyClaims({
    tenantId: LOCAL_TENANT_ID,
    clientId: LOCAL_CLIENT_ID,
    resource: VAULT_RESOURCE,
    roles: [],
    now: now(),
    lifetimeSeconds: 3600,
  });
  const credential = {
    getToken: async () => ({ token: await keys.sign(claims), expiresOnTimestamp: claims.exp * 1000 }),
  };
  const opened = openKeyVault({ vaultUrl: vault.url }, { credential, now });
  const options = {
    authority: entra.url,
    tenantId: LOCAL_TENANT_ID,
    clientId: LOCAL_CLIENT_ID,
    scope: `${GRAPH}/.default`,
  };
  return makeTokenSource(
    fetchWithVault(options, name, { vault: () => opened, readProof: readSecretProof, now }),
    { timeoutMs: 60_000, now },
  );
};

const told = (order: readonly RotationStep[]) => order.map((step) => ROTATION_STEPS[step]).join(', then ');

test.each(rotationOrders().map((order, index) => [told(order), order, `secret-${index}`] as const))(
  'a rotation in which %s: an instance that runs, and a new one at each moment, get a token',
  async (_told, order, name) => {
    known = [{ value: 'old', expiresOn: FAR }];
    const { version } = await secrets.set(name, { value: 'old' }, new Date(Date.now() - 3_600_000));
    const perform: Readonly<Record<RotationStep, () => unknown>> = {
      made: () => {
        known = [...known, { value: 'new', expiresOn: FAR, usableFrom: FAR }];
      },
      usable: () => {
        known = known.map(({ value, expiresOn }) => ({ value, expiresOn }));
      },
      stored: () => secrets.set(name, { value: 'new' }, new Date()),
      disabled: () => secrets.update(name, version, { enabled: false }, new Date()),
      removed: () => {
        known = known.filter(({ value }) => value !== 'old');
      },
    };
    const running = anInstance(name);
    expect(await running.readToken()).toMatch(/^eyJ/);
    for (const step of order) {
      await perform[step]();
      expect(await running.readToken(), step).toMatch(/^eyJ/);
      expect(await anInstance(name).readToken(), step).toMatch(/^eyJ/);
    }
  },
);
