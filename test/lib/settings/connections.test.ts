import { describe, expect, test } from 'vitest';
import { connectionOf } from '../../../src/lib/connections/connection.ts';
import {
  authorityOf,
  cloudOf,
  problemsOfConnections,
  toBrokenConnections,
  toConnections,
  toSenderPolicy,
} from '../../../src/lib/settings/connections.ts';
import { type Environment, readSettings, strayNames } from '../../../src/lib/settings/settings.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const CLIENT_ID = '5a0c8b1d-47f0-4d0e-9a3b-2f6f0c1de871';
const enough = {
  ENTRA_TENANT_ID: '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812',
  ENTRA_CLIENT_ID: '7d1f8c1e-5d3b-4a43-9d8c-0d9f1f4b2c55',
  KEY_VAULT_URL: 'https://kv-relay.vault.azure.net',
  MAIL_DEFAULT_SENDER: 'noreply@contoso.example',
  AzureWebJobsStorage__accountName: 'stmailrelay',
};
const fabrikam = { senders: ['*@fabrikam.example'], tenantId: 'fabrikam.example', clientId: CLIENT_ID };
const listed = (...connections: readonly object[]) => ({ GRAPH_CONNECTIONS: JSON.stringify(connections) });
const connectionsOf = (environment: Environment) => {
  const [main, ...others] = toConnections(readSettings({ ...enough, ...environment }));
  return { main, others };
};

describe('a connection is declared', () => {
  const expected = {
    name: 'fabrikam',
    cloud: 'global',
    authority: 'https://login.microsoftonline.com',
    graphEndpoint: 'https://graph.microsoft.com',
    tenantId: 'fabrikam.example',
    clientId: CLIENT_ID,
    credential: { kind: 'client-secret', secretName: 'graph-client-secret-fabrikam' },
    senders: ['*@fabrikam.example'],
  };

  test.each<[string, Environment]>([
    ['in the list', listed({ ...fabrikam, name: 'fabrikam' })],
    ['in a setting of its own', { GRAPH_CONNECTION_FABRIKAM: JSON.stringify(fabrikam) }],
    ['in a setting of its own in lower case', { graph_connection_fabrikam: JSON.stringify(fabrikam) }],
    [
      'in a setting of its own, that repeats the name',
      { GRAPH_CONNECTION_FABRIKAM: JSON.stringify({ ...fabrikam, name: 'fabrikam' }) },
    ],
  ])('%s, with the same result', (_case, environment) => {
    expect(connectionsOf(environment).others).toEqual([expected]);
  });

  test('in a setting whose underscores are the dashes of its name', () => {
    const { others } = connectionsOf({ GRAPH_CONNECTION_HR_PRO: JSON.stringify(fabrikam) });
    expect(others.map(({ name }) => name)).toEqual(['hr-pro']);
  });

  test('not at all, and everything is as it was with one registration', () => {
    const { main, others } = connectionsOf({});
    expect(others).toEqual([]);
    expect(main).toMatchObject({
      name: 'main',
      tenantId: enough.ENTRA_TENANT_ID,
      clientId: enough.ENTRA_CLIENT_ID,
      credential: { kind: 'client-secret', secretName: 'graph-client-secret' },
      senders: [],
    });
  });

  test.each<[string, object, object]>([
    ['secret', { secretName: 'own-secret' }, { kind: 'client-secret', secretName: 'own-secret' }],
    [
      'certificate',
      { credential: 'certificate' },
      { kind: 'certificate', certificateName: 'graph-client-certificate-fabrikam' },
    ],
    ['managed identity', { credential: 'managed-identity' }, { kind: 'managed-identity' }],
    ['federated credential', { credential: 'federated' }, { kind: 'federated' }],
  ])('with a %s', (_case, more, credential) => {
    expect(connectionsOf(listed({ ...fabrikam, name: 'fabrikam', ...more })).others).toMatchObject([
      { credential },
    ]);
  });
});

describe('the cloud of a connection', () => {
  const cloudsOf = (environment: Environment, cloud?: string) => {
    const { main, others } = connectionsOf({
      ...environment,
      ...listed({ ...fabrikam, name: 'fabrikam', ...(cloud === undefined ? {} : { cloud }) }),
    });
    return [main, ...others].map((one) => [one.cloud, one.authority, one.graphEndpoint]);
  };
  const GLOBAL = ['global', 'https://login.microsoftonline.com', 'https://graph.microsoft.com'];
  const CHINA = ['china', 'https://login.chinacloudapi.cn', 'https://microsoftgraph.chinacloudapi.cn'];

  test('is that of the relay unless it names another', () => {
    expect(cloudsOf({})).toEqual([GLOBAL, GLOBAL]);
    expect(cloudsOf({ GRAPH_CLOUD: 'china' })).toEqual([CHINA, CHINA]);
    expect(cloudsOf({ GRAPH_CLOUD: 'china' }, 'global')).toEqual([CHINA, GLOBAL]);
  });

  test('is known from the addresses, where settings name them instead', () => {
    const china = {
      ENTRA_AUTHORITY: 'https://login.partner.microsoftonline.cn',
      GRAPH_ENDPOINT: 'https://microsoftgraph.chinacloudapi.cn',
    };
    expect(cloudsOf(china)).toEqual(Array(2).fill(['china', china.ENTRA_AUTHORITY, china.GRAPH_ENDPOINT]));
  });

  test.each<[Parameters<typeof cloudOf>[0], ReturnType<typeof cloudOf>, string]>([
    [
      { GRAPH_CLOUD: undefined, ENTRA_AUTHORITY: undefined, GRAPH_ENDPOINT: undefined },
      'global',
      'https://login.microsoftonline.com',
    ],
    [
      { GRAPH_CLOUD: 'dod', ENTRA_AUTHORITY: undefined, GRAPH_ENDPOINT: undefined },
      'dod',
      'https://login.microsoftonline.us',
    ],
    // Entra of US Government is that of DoD too; Graph tells them apart.
    [
      {
        GRAPH_CLOUD: undefined,
        ENTRA_AUTHORITY: 'https://login.microsoftonline.us',
        GRAPH_ENDPOINT: 'https://dod-graph.microsoft.us',
      },
      'dod',
      'https://login.microsoftonline.us',
    ],
    [
      {
        GRAPH_CLOUD: undefined,
        ENTRA_AUTHORITY: 'https://login.microsoftonline.us',
        GRAPH_ENDPOINT: 'https://graph.microsoft.com',
      },
      undefined,
      'https://login.microsoftonline.us',
    ],
  ])('of %o is %s', (settings, cloud, authority) => {
    expect(cloudOf(settings)).toBe(cloud);
    expect(authorityOf(settings)).toBe(authority);
  });
});

describe('the relay can send', () => {
  const policyOf = (environment: Environment) => toSenderPolicy(readSettings({ ...enough, ...environment }));

  test('as the senders of a connection, which need not be allowed once more', () => {
    expect(
      policyOf({ MAIL_ALLOWED_SENDERS: 'hr@contoso.example', ...listed({ ...fabrikam, name: 'fabrikam' }) })
        .allowedSenders,
    ).toEqual(['hr@contoso.example', '*@fabrikam.example']);
  });

  test('by default as the sender of a connection', () => {
    const settings = readSettings({
      ...enough,
      MAIL_DEFAULT_SENDER: 'noreply@fabrikam.example',
      ...listed({ ...fabrikam, name: 'fabrikam' }),
    });
    expect(connectionOf(toConnections(settings), settings.MAIL_DEFAULT_SENDER.address).name).toBe('fabrikam');
  });

  test('also as the senders of a broken connection: they are refused because of it, not as strangers', () => {
    expect(policyOf(listed({ ...fabrikam, name: 'fabrikam', clientId: 'x' })).allowedSenders).toEqual(
      fabrikam.senders,
    );
  });
});

describe('what is wrong with connections', () => {
  const read = (environment: Environment) => () => readSettings({ ...enough, ...environment });

  test.each<[string, Environment, readonly string[]]>([
    ['no JSON', { GRAPH_CONNECTIONS: 'fabrikam' }, ['GRAPH_CONNECTIONS']],
    [
      'an object in place of the list',
      { GRAPH_CONNECTIONS: JSON.stringify(fabrikam) },
      ['GRAPH_CONNECTIONS'],
    ],
    ['an empty setting', { GRAPH_CONNECTION_FABRIKAM: ' ' }, ['GRAPH_CONNECTION_FABRIKAM']],
    ['a list in place of an object', { GRAPH_CONNECTION_FABRIKAM: '[]' }, ['GRAPH_CONNECTION_FABRIKAM']],
    [
      'another name than the setting',
      { GRAPH_CONNECTION_FABRIKAM: JSON.stringify({ ...fabrikam, name: 'hr' }) },
      ['GRAPH_CONNECTION_FABRIKAM/name'],
    ],
    [
      'a name that the setting cannot have',
      { GRAPH_CONNECTION__FABRIKAM: JSON.stringify(fabrikam) },
      ['GRAPH_CONNECTION__FABRIKAM'],
    ],
    ['a digit in front', { GRAPH_CONNECTION_1ST: JSON.stringify(fabrikam) }, ['GRAPH_CONNECTION_1ST/name']],
    [
      'the name of the main connection',
      { GRAPH_CONNECTION_MAIN: JSON.stringify(fabrikam) },
      ['GRAPH_CONNECTION_MAIN'],
    ],
    [
      'the same in list and setting',
      { ...listed({ ...fabrikam, name: 'fabrikam' }), GRAPH_CONNECTION_FABRIKAM: JSON.stringify(fabrikam) },
      ['GRAPH_CONNECTION_FABRIKAM/name', 'GRAPH_CONNECTION_FABRIKAM/senders/0'],
    ],
    [
      'the same name in another case',
      {
        GRAPH_CONNECTION_FABRIKAM: JSON.stringify(fabrikam),
        GRAPH_CONNECTION_Fabrikam: JSON.stringify({ ...fabrikam, senders: ['a@b.example'] }),
      },
      ['GRAPH_CONNECTION_Fabrikam/name'],
    ],
    [
      'the sender of another connection, which is broken',
      listed({ ...fabrikam, name: 'a', clientId: 'x' }, { ...fabrikam, name: 'b' }),
      ['GRAPH_CONNECTIONS/1/senders/0'],
    ],
    [
      'the secret of another registration',
      listed({ ...fabrikam, name: 'fabrikam', secretName: 'Graph-Client-Secret' }),
      ['GRAPH_CONNECTIONS/0/secretName'],
    ],
  ])('%s stops the relay, and names the place', (_case, environment, pointers) => {
    expect(problemsOf(read(environment))).toEqual(pointers.map((pointer) => `SETTINGS_INVALID ${pointer}`));
  });

  test('the secret of the same registration in another tenant is no fault', () => {
    const { others } = connectionsOf(
      listed({
        ...fabrikam,
        name: 'fabrikam',
        clientId: enough.ENTRA_CLIENT_ID,
        secretName: 'graph-client-secret',
      }),
    );
    expect(others).toHaveLength(1);
  });

  test.each([
    ['{"senders":["*@hush.example"],}', 'a comma before a ] or }, which JSON does not allow'],
    [
      "{'senders':['*@hush.example']}",
      'text of 30 characters that is not JSON. It begins as Python prints a dict, with single quotes: write it with json.dumps',
    ],
    ['{"senders":["*@hush.example"]', 'text of 29 characters that is not JSON, from line 1, column 30 on'],
    [
      '{"senders":["*@hush.example"] hush}',
      'text of 35 characters that is not JSON, from line 1, column 31 on',
    ],
    ['"*@hush.example"', 'text of 14 characters'],
  ])('JSON that is not right is described without showing it: %#', (text, received) => {
    const problems = errorOf(read({ GRAPH_CONNECTION_FABRIKAM: text })).facts.problems ?? [];
    expect(problems).toMatchObject([{ pointer: 'GRAPH_CONNECTION_FABRIKAM', received }]);
    expect(JSON.stringify(problems)).not.toContain('hush');
  });

  test('where only one cannot be used, it is named and the others are read', () => {
    const settings = read({
      ...listed(
        { ...fabrikam, name: 'fabrikam' },
        { ...fabrikam, name: 'hr', senders: ['hr@contoso.example'], tenantId: '' },
      ),
      GRAPH_CONNECTION_IT: JSON.stringify({ senders: ['it@contoso.example'] }),
    })();
    expect(toConnections(settings).map(({ name }) => name)).toEqual(['main', 'fabrikam']);
    expect(toBrokenConnections(settings).map(({ name }) => name)).toEqual(['hr', 'it']);
    expect(problemsOfConnections(settings).map(({ pointer }) => pointer)).toEqual([
      'GRAPH_CONNECTIONS/1/tenantId',
      'GRAPH_CONNECTION_IT/tenantId',
      'GRAPH_CONNECTION_IT/clientId',
    ]);
  });

  test('no setting of a connection counts as an unknown name', () => {
    expect(
      strayNames({ GRAPH_CONNECTION_FABRIKAM: '{}', graph_connection_it: '{}', GRAPH_OTHER: '' }),
    ).toEqual(['GRAPH_OTHER']);
  });
});
