import { expect, test } from 'vitest';
import { type Directory, LOCAL_CLIENT_ID, mayRenewItsSecret } from '../../../local/directory.ts';
import { decideToken } from '../../../local/entra/decide-token.ts';
import { contosoForTests, graphForTests, refusalOf, tokenWith } from './graph-for-tests.ts';

const PATH = `/v1.0/applications(appId='${LOCAL_CLIENT_ID}')`;
const SELECT = '?$select=id,passwordCredentials,keyCredentials';

const cloud = async () => {
  let directory = mayRenewItsSecret(contosoForTests());
  const graph = await graphForTests({
    directory: () => directory,
    changeDirectory: (change) => {
      directory = change(directory);
    },
  });
  const ask = async (method: string, path: string, json?: unknown) =>
    fetch(`${graph.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await tokenWith({ roles: ['Application.ReadWrite.OwnedBy'] })}`,
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
  return { ask, directory: () => directory };
};

/** Whether Entra gives a token for this secret at a time. */
const isAccepted = async (directory: Directory, clientSecret: string, now: Date): Promise<boolean> =>
  'claims' in
  (await decideToken(
    {
      tenant: directory.tenantId,
      grantType: 'client_credentials',
      clientId: LOCAL_CLIENT_ID,
      clientSecret,
      scope: 'https://graph.microsoft.com/.default',
    } as Parameters<typeof decideToken>[0],
    {
      directory,
      audiences: ['https://graph.microsoft.com'],
      authority: 'https://login.example',
      tokenEndpoint: 'https://login.example/token',
      verifyOwn: () => expect.unreachable(),
      lifetimeSeconds: 3600,
      now,
    },
  ));

test('a new secret is shown once, is valid for two years by default, and is known to Entra some seconds later', async () => {
  const { ask, directory } = await cloud();
  const response = await ask('POST', `${PATH}/addPassword`, { passwordCredential: { displayName: 'New' } });
  const made = (await response.json()) as Record<string, string>;
  expect([response.status, made.displayName, made.hint]).toEqual([200, 'New', made.secretText?.slice(0, 3)]);
  const [starts, ends] = [new Date(made.startDateTime ?? ''), new Date(made.endDateTime ?? '')];
  expect(ends.getTime() - starts.getTime()).toBe(730 * 86_400_000);

  const later = (ms: number) => new Date(starts.getTime() + ms);
  const { secretText = '' } = made;
  expect(await isAccepted(directory(), secretText, later(3999))).toBe(false);
  expect(await isAccepted(directory(), secretText, later(4000))).toBe(true);

  const read = (await (await ask('GET', `${PATH}${SELECT}`)).json()) as {
    readonly passwordCredentials: readonly Record<string, unknown>[];
  };
  expect(read.passwordCredentials.map(({ keyId, secretText: shown }) => [keyId, shown])).toEqual([
    [expect.any(String), null],
    [made.keyId, null],
  ]);
  await ask('POST', `${PATH}/removePassword`, { keyId: made.keyId });
  expect(await isAccepted(directory(), secretText, later(4000))).toBe(false);
});

test.each<[string, string, string, unknown, number, string]>([
  ['another way to name the application', 'GET', '/v1.0/applications/1', undefined, 400, 'BadRequest'],
  ['another action', 'POST', `${PATH}/addKey`, {}, 400, 'BadRequest'],
  ['another method', 'DELETE', PATH, undefined, 405, 'Request_BadRequest'],
  ['no selection of fields', 'GET', PATH, undefined, 400, 'BadRequest'],
  [
    'an unknown application',
    'GET',
    `/v1.0/applications(appId='00000000-1111-2222-3333-444444444444')${SELECT}`,
    undefined,
    404,
    'Request_ResourceNotFound',
  ],
  [
    'a field that is none',
    'POST',
    `${PATH}/addPassword`,
    { passwordCredential: { secretText: 'mine' } },
    400,
    'RequestBodyRead',
  ],
  [
    'an end in the past',
    'POST',
    `${PATH}/addPassword`,
    { passwordCredential: { endDateTime: '2020-01-01T00:00:00Z' } },
    400,
    'InvalidKeyEndDate',
  ],
  [
    'a key id that nothing has',
    'POST',
    `${PATH}/removePassword`,
    { keyId: 'f0b0b335-1d71-4883-8f98-567911bfdca6' },
    400,
    'Request_BadRequest',
  ],
])('is refused: %s', async (_case, method, path, json, status, code) => {
  const { ask } = await cloud();
  expect(await refusalOf(await ask(method, path, json))).toEqual([status, code]);
});
