import { describe, expect, test } from 'vitest';
import { authoritiesOf, CLOUD_NAMES, CLOUDS, type CloudName } from '../src/lib/connections/cloud.ts';
import { uploadDomainsOf } from '../src/lib/graph/upload-address.ts';
import { issuersOf } from '../src/lib/vault/app-tokens.ts';
import { readDocument } from './support/documents.ts';
import {
  ACCOUNT,
  callEverything,
  openRelayIn,
  startBehindProxy,
  UPLOAD_HOSTS,
  VAULT,
} from './support/relay-behind-a-proxy.ts';

/** What the page says of a cloud: the cells of its column, by the first cell of their row. */
const columnOf = (cloud: CloudName): Readonly<Record<string, string>> => {
  const rows = readDocument('docs/national-clouds.md')
    .text.split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const at = rows[0]?.indexOf(`\`${cloud}\``) ?? -1;
  return Object.fromEntries(
    rows.filter(([, name = '']) => /^[A-Z]/.test(name)).map((cells) => [cells[1] ?? '', cells[at] ?? '']),
  );
};

const listed = (values: readonly string[]): string => values.map((value) => `\`${value}\``).join(', ');

describe.each(CLOUD_NAMES)('with GRAPH_CLOUD=%s the relay', (cloud) => {
  test('calls the hosts and asks for the tokens that the page lists, and no others', async () => {
    const world = await startBehindProxy(cloud);
    try {
      const called = await callEverything(openRelayIn(world.environment));
      expect(called).toMatchObject({
        small: { status: 200, body: { state: 'sent' } },
        large: { status: 200, body: { state: 'sent' } },
        later: { status: 202 },
        refused: 'TOKEN_NOT_ACCEPTED',
      });

      const { seen } = world.microsoft;
      const unique = (values: readonly (string | undefined)[]) =>
        [...new Set(values)].map((value = 'nothing') =>
          value.replace(`${VAULT}.`, '<vault>.').replace(`${ACCOUNT}.`, '<account>.'),
        );
      const hostOf = (path: RegExp) =>
        unique(seen.filter((one) => path.test(one.path)).map(({ host }) => host));
      const storage = (service: string) =>
        unique(seen.filter(({ host }) => host.startsWith(`${ACCOUNT}.${service}.`)).map(({ host }) => host));
      const tokenOf = (name: string) =>
        unique(seen.filter(({ host }) => host.startsWith(`${name}.`)).map(({ audience }) => audience));
      const column = columnOf(cloud);

      // Entra can name the other of its names in China (decision 29); the test of tokens shows that no third is taken.
      expect(listed([...hostOf(/\/oauth2\/|\/discovery\//), ...otherNames(cloud)])).toBe(column.Entra);
      expect(listed(hostOf(/\/sendMail$/))).toBe(column.Graph);
      expect(hostOf(/^\/upload$/)).toEqual([UPLOAD_HOSTS[cloud]]);
      expect(listed(hostOf(/^\/secrets\//))).toBe(column.Vault);
      expect(listed(storage('blob'))).toBe(column.Blobs);
      expect(listed(storage('queue'))).toBe(column.Queues);
      expect(listed(storage('table'))).toBe(column.Tables);
      expect(listed(unique(seen.flatMap(({ scope }) => scope ?? [])))).toBe(column['Token for Graph']);
      // A client asks the vault first without a token.
      expect(tokenOf(VAULT)).toEqual(['nothing', column['Token for the vault']?.replaceAll('`', '')]);
      expect(listed(tokenOf(ACCOUNT))).toBe(column['Token for storage']);
      expect(world.proxy.hosts()).toEqual(Object.values(world.hosts).sort());
    } finally {
      await world.close();
    }
  });

  test('gives files to the hosts, and accepts the issuers, that the page lists', () => {
    const { authority, graphEndpoint, exchangeAudience } = CLOUDS[cloud];
    const column = columnOf(cloud);
    expect(listed(uploadDomainsOf(graphEndpoint).map((domain) => `*.${domain}`))).toBe(
      column['Uploads of large files'],
    );
    const [first = '', ...second] = issuersOf(authority, '<tenant>');
    expect(listed([first])).toBe(column['Issuer of tokens of callers, version 1']);
    expect(listed(second)).toBe(column['Issuer of tokens of callers, version 2']);
    expect(listed([exchangeAudience])).toBe(column['Federated credential']);
  });
});

const otherNames = (cloud: CloudName): readonly string[] =>
  authoritiesOf(cloud)
    .slice(1)
    .map((url) => new URL(url).hostname);

test('storage is reached in global Azure while the settings to reach Graph are wrong', async () => {
  const world = await startBehindProxy('global');
  try {
    const relay = openRelayIn({
      ...world.environment,
      GRAPH_CLOUD: 'moon',
      ENTRA_AUTHORITY: 'x',
      GRAPH_ENDPOINT: 'y',
    });
    expect(await relay.forCallers(() => {}).callerStore.read()).toMatchObject({ callers: [] });
    expect(relay.reportSettings().settingsInvalid).toContain('GRAPH_CLOUD');
    expect(world.proxy.hosts()).toEqual([world.hosts.table]);
  } finally {
    await world.close();
  }
});

test('the addresses of storage in the settings take precedence over the cloud', async () => {
  const world = await startBehindProxy('usgov');
  try {
    const { AzureWebJobsStorage__accountName: _, ...rest } = world.environment;
    const relay = openRelayIn({
      ...rest,
      GRAPH_CLOUD: 'china',
      AzureWebJobsStorage__blobServiceUri: `https://${world.hosts.blob}`,
      AzureWebJobsStorage__queueServiceUri: `https://${world.hosts.queue}/`,
      AzureWebJobsStorage__tableServiceUri: `https://${world.hosts.table}`,
    });
    await relay.forCallers(() => {}).callerStore.read();
    expect(world.proxy.hosts()).toEqual([world.hosts.table]);
  } finally {
    await world.close();
  }
});
