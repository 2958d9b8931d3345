import { TableClient } from '@azure/data-tables';
import { expect, test } from 'vitest';
import { openLedgerTable } from '../../../src/lib/storage/ledger-table.ts';
import { openRelayKey } from '../../../src/lib/storage/relay-key.ts';
import { openWarningTable } from '../../../src/lib/storage/warning-table.ts';
import { startStorageProxy } from '../../chaos/storage-proxy.ts';
import { warningStateContract } from '../../contract/warning-state.contract.ts';
import { awayStorage, storageForTests } from './storage-for-tests.ts';

const { connection } = await storageForTests();
const table = TableClient.fromConnectionString(connection.connectionString, 'mailledger', {
  allowInsecureConnection: true,
});

const CLAIM = { id: 'one', startedAt: new Date('2027-05-01T07:00:00Z'), state: 'running' } as const;
const TOLD = {
  key: 'expiry!secret!a!1',
  mark: '2027-05-31T00:00:00.000Z',
  toldOn: new Date('2027-05-01T07:00:00Z'),
  daysLeft: 30,
  channels: ['log'],
  reached: ['log'],
  mails: [],
} as const;

const empty = async () => {
  for await (const { partitionKey = '', rowKey = '' } of table.listEntities())
    await table.deleteEntity(partitionKey, rowKey);
  return openWarningTable(connection);
};

warningStateContract('the table', empty);

test('a claim whose answer was lost is known as the own one when it is repeated', async () => {
  await empty();
  const endpoint = /TableEndpoint=([^;]+)/.exec(connection.connectionString)?.[1] ?? '';
  let requests = 0;
  const proxy = await startStorageProxy(endpoint, {
    decide: () => {
      requests += 1;
      return requests === 1 ? { after: 'cut' } : {};
    },
    carriedOut: () => undefined,
    answered: () => undefined,
    kill: () => undefined,
  });
  const connectionString = connection.connectionString.replace(endpoint, proxy.url);
  const lossy = openWarningTable({ kind: 'connection-string', connectionString });
  expect(await lossy.writeClaim(CLAIM, undefined)).toMatchObject({ isOwn: true, entry: { claim: CLAIM } });
  await proxy.close();
});

test('what it keeps is no email: the ledger does not list it, and its key is made as if there were none', async () => {
  const state = await empty();
  await state.write(TOLD);
  await state.writeClaim(CLAIM, undefined);
  const ledger = openLedgerTable(connection);
  const listed = [];
  for await (const mailId of ledger.listOpen('open', new Date(), 0, () => false)) listed.push(mailId);
  expect([listed, await ledger.expire(new Date(), 0, () => false)]).toEqual([[], 0]);
  expect((await openRelayKey(connection).readRelayKey()).hasEarlierRows).toBe(false);
});

const change = (rowKey: string, value: unknown) =>
  table.updateEntity({
    partitionKey: 'relay-warnings',
    rowKey,
    json: typeof value === 'string' ? value : JSON.stringify(value),
  });

test.each([
  ['no JSON', 'canary'],
  ['null', null],
  ['a list', []],
  ['nothing in it', {}],
  ['no date', { ...TOLD, toldOn: 'yesterday' }],
  ['a text for a list', { ...TOLD, reached: 'mail' }],
  ['emails without an id', { ...TOLD, mails: [{}] }],
  ['emails as an earlier version kept them', { ...TOLD, mails: undefined, mailIds: ['one'] }],
  ['another key', { ...TOLD, key: 'other' }],
])(
  'a warning that anyone has changed in the table to %s counts as not told, and hides no other',
  async (_, value) => {
    const state = await empty();
    await state.write(TOLD);
    await state.write({ ...TOLD, key: 'expiry!secret!b!1' });
    await change(`told!${TOLD.key}`, value);
    expect(await state.list()).toEqual([{ ...TOLD, key: 'expiry!secret!b!1' }]);
    await state.write(TOLD);
    expect(await state.list()).toHaveLength(2);
  },
);

test.each([
  ['no JSON', 'canary', undefined],
  ['nothing in it', {}, undefined],
  ['no date', { ...CLAIM, startedAt: null }, undefined],
  ['a last run with nothing in it', { ...CLAIM, lastRun: {} }, CLAIM],
])(
  'a claim that anyone has changed in the table to %s keeps no run from beginning',
  async (_, value, left) => {
    const state = await empty();
    await state.writeClaim(CLAIM, undefined);
    await change('run', value);
    const entry = await state.readClaim();
    expect(entry.claim).toEqual(left);
    expect(await state.writeClaim({ ...CLAIM, id: 'two' }, entry.etag)).toMatchObject({ isOwn: true });
  },
);

test('storage that cannot be reached is STORAGE_UNAVAILABLE', async () => {
  const away = openWarningTable(awayStorage(connection));
  await expect(away.list()).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
});
