import { afterAll, describe, expect, test } from 'vitest';
import { CREDENTIAL_KINDS } from '../../src/lib/connections/connection.ts';
import { expectNoCanary } from './no-canary.ts';
import { canaryMail, newMarker, startRelay } from './relay-for-tests.ts';

const relay = await startRelay({ credential: 'certificate' });
afterAll(() => relay.close());

describe('each kind of credential sends an email through the bundle', () => {
  test.each(CREDENTIAL_KINDS)('%s', async (kind) => {
    await relay.restart({ GRAPH_CREDENTIAL: kind });
    const [vaultBefore, entraBefore, marker] = [
      relay.cloud.keyVault.requests().length,
      relay.cloud.entra.tokenRequests().length,
      newMarker(),
    ];
    const { status, body } = await relay.send(canaryMail(marker));
    expect([status, body.state], JSON.stringify(body)).toEqual([200, 'sent']);
    await relay.arrives(marker);
    const usesVault = kind === 'client-secret' || kind === 'certificate';
    expect(relay.cloud.keyVault.requests().length > vaultBefore).toBe(usesVault);
    expect(
      relay.cloud.entra
        .tokenRequests()
        .slice(entraBefore)
        .map(({ outcome }) => outcome),
    ).toEqual(kind === 'managed-identity' ? [] : ['issued']);
  });

  test('without a secret, the relay needs no vault', async () => {
    const marker = newMarker();
    await relay.restart({ GRAPH_CREDENTIAL: 'federated', KEY_VAULT_URL: '' });
    expect((await relay.send(canaryMail(marker))).status).toBe(200);
    await relay.arrives(marker);
  });
});

test('nothing of these mails, and no secret, stands in the log or in a problem answer', () =>
  expectNoCanary(relay));
