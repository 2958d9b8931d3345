import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AppSecret, contoso, LOCAL_CLIENT_ID, LOCAL_TENANT_ID } from '../../../local/directory.ts';
import { toAppOnlyClaims } from '../../../local/entra/app-only-claims.ts';
import { type Entra, startEntra } from '../../../local/entra/start-entra.ts';
import { makeTokenKeys } from '../../../local/entra/token-keys.ts';
import { openSecretStore } from '../../../local/key-vault/secret-store.ts';
import { startKeyVault, VAULT_RESOURCE } from '../../../local/key-vault/start-key-vault.ts';
import type { PassedOver } from '../../../src/lib/ports.ts';
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
const anInstance = (name: string, onPassedOver: (one: PassedOver) => void = () => {}) => {
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
    fetchWithVault(options, name, { vault: () => opened, readProof: readSecretProof, now, onPassedOver }),
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

const GUID = '0f8fad5b-d9cb-469f-a165-70867728950e';
const HOUR_MS = 3_600_000;

describe('a version that was pasted by mistake is about itself alone', () => {
  test.each([
    ['an empty one', [''], ['SECRET_NOT_FOUND']],
    ['a line end', ['\n'], ['SECRET_NOT_FOUND']],
    ['the id of the secret', [GUID], ['CLIENT_SECRET_IS_ID']],
    ['a file', ['MII'.repeat(700)], ['CLIENT_SECRET_WRONG']],
    [
      'its id, and then the secret in quotation marks',
      [GUID, '"good"'],
      ['CLIENT_SECRET_IS_ID', 'CLIENT_SECRET_WRONG'],
    ],
    [
      'four of them',
      [GUID, ' ', "'good'", 'good\ngood'],
      ['CLIENT_SECRET_IS_ID', 'CLIENT_SECRET_WRONG', 'CLIENT_SECRET_WRONG', 'SECRET_NOT_FOUND'],
    ],
    ['another secret', ['wrong'], ['CLIENT_SECRET_WRONG']],
  ] as const)(
    '%s: a new instance and one that runs send with the version before',
    async (what, pasted, codes) => {
      const name = `pasted-${what.replaceAll(/\W+/g, '-')}`;
      known = [{ value: 'good', expiresOn: FAR }];
      const { version } = await secrets.set(name, { value: 'good' }, new Date(Date.now() - 10 * HOUR_MS));
      const running = anInstance(name);
      await running.readToken();
      for (const [index, value] of pasted.entries())
        await secrets.set(name, { value }, new Date(Date.now() - (9 - index) * HOUR_MS));

      expect(await running.readToken()).toMatch(/^eyJ/);
      const told: PassedOver[] = [];
      const cold = anInstance(name, (one) => told.push(one));
      await cold.readToken();
      const proof = await cold.prove();
      expect(proof.version?.version).toBe(version);
      expect(told.map(({ code }) => code).toSorted()).toEqual(codes);
      expect(proof.passedOver?.length).toBe(codes.length);
    },
  );
});
