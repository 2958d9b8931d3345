import { ClientSecretCredential } from '@azure/identity';
import { decodeJwt } from 'jose';
import { expect, onTestFinished, test } from 'vitest';
import {
  contoso,
  type Directory,
  FABRIKAM_CLIENT_ID,
  FABRIKAM_TENANT_ID,
  fabrikam,
  LOCAL_CLIENT_ID,
  LOCAL_TENANT_ID,
} from '../../local/directory.ts';
import { startEntra } from '../../local/entra/start-entra.ts';
import { makeTokenKeys } from '../../local/entra/token-keys.ts';
import { startGraph } from '../../local/graph/graph-server.ts';
import { trustedCertificate } from './certificate-for-tests.ts';

const SECRETS = { contoso: 'secret-of-contoso', fabrikam: 'secret-of-fabrikam' };
const NOW = new Date();
const both: Directory = {
  ...contoso(SECRETS.contoso, NOW),
  furtherTenants: [fabrikam(SECRETS.fabrikam, NOW)],
};

/** One Entra and one Graph for both organisations, as Microsoft has them. */
const startBoth = async () => {
  const [keys, tls] = await Promise.all([makeTokenKeys(), trustedCertificate()]);
  const directory = () => both;
  const now = () => new Date();
  const graph = await startGraph({
    tls,
    port: 0,
    directory,
    verifyToken: keys.verify,
    capture: async () => undefined,
    now,
  });
  const entra = await startEntra({ tls, port: 0, directory, audiences: () => [graph.url], keys, now });
  onTestFinished(async () => {
    await Promise.all([graph.close(), entra.close()]);
  });
  const getToken = async (tenant: string, client: string, secret: string) => {
    const credential = new ClientSecretCredential(tenant, client, secret, {
      authorityHost: entra.url,
      disableInstanceDiscovery: true,
      retryOptions: { maxRetries: 0 },
    });
    return (await credential.getToken(`${graph.url}/.default`)).token;
  };
  const send = async (token: string, mailbox: string) =>
    (
      await fetch(`${graph.url}/v1.0/users/${mailbox}/sendMail`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          message: {
            subject: 'Hello',
            body: { contentType: 'text', content: 'Hello' },
            toRecipients: [{ emailAddress: { address: 'a@contoso.example' } }],
          },
        }),
      })
    ).status;
  return { getToken, send };
};

test('each tenant issues tokens to its own applications alone, which reach its own mailboxes alone', async () => {
  const { getToken, send } = await startBoth();
  const ofContoso = await getToken(LOCAL_TENANT_ID, LOCAL_CLIENT_ID, SECRETS.contoso);
  const ofFabrikam = await getToken('fabrikam.example', FABRIKAM_CLIENT_ID, SECRETS.fabrikam);
  expect([ofContoso, ofFabrikam].map((token) => decodeJwt(token).tid)).toEqual([
    LOCAL_TENANT_ID,
    FABRIKAM_TENANT_ID,
  ]);
  expect(await send(ofContoso, 'noreply@contoso.example')).toBe(202);
  expect(await send(ofFabrikam, 'invoices@fabrikam.example')).toBe(202);
  expect(await send(ofContoso, 'invoices@fabrikam.example')).toBe(404);
  expect(await send(ofFabrikam, 'noreply@contoso.example')).toBe(404);
});

test.each([
  ['an application of another tenant', 'fabrikam.example', LOCAL_CLIENT_ID, SECRETS.contoso, /AADSTS700016/],
  [
    'the secret of another application',
    'fabrikam.example',
    FABRIKAM_CLIENT_ID,
    SECRETS.contoso,
    /AADSTS7000215/,
  ],
  [
    'a tenant that is not there',
    'gone.example',
    FABRIKAM_CLIENT_ID,
    SECRETS.fabrikam,
    /endpoints_resolution_error/,
  ],
])('no token is issued to %s', async (_case, tenant, client, secret, said) => {
  const { getToken } = await startBoth();
  await expect(getToken(tenant, client, secret)).rejects.toThrow(said);
});
