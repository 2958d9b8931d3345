import { describe, expect, test } from 'vitest';
import {
  type DeclaredConnection,
  findClaimedTwice,
  isUsable,
  readConnection,
  readConnections,
} from '../../../src/lib/connections/connection-definition.ts';

const SECRET_VALUE = 'Zq~8Q~hush-hush';
const good = {
  name: 'fabrikam',
  senders: ['*@fabrikam.example', 'billing@contoso.example'],
  tenantId: 'fabrikam.example',
  clientId: '5A0C8B1D-47F0-4D0E-9A3B-2F6F0C1DE871',
};
const read = (more: object = {}, without: readonly string[] = []) => {
  const input = Object.fromEntries(
    Object.entries({ ...good, ...more }).filter(([field]) => !without.includes(field)),
  );
  return readConnection(input, 'PLACE');
};
const problemsIn = ({ connections, problems }: ReturnType<typeof readConnection>) => [
  ...problems,
  ...connections.flatMap((one) => (isUsable(one) ? [] : one.problems)),
];

describe('a connection', () => {
  test('needs a name, senders, a tenant and an application; its credential is a client secret unless it says so', () => {
    const { connections, problems } = read();
    expect(problems).toEqual([]);
    expect(connections).toEqual([
      { ...good, clientId: good.clientId.toLowerCase(), credential: 'client-secret', place: 'PLACE' },
    ]);
  });

  test.each([
    [{ tenantId: '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812' }],
    [{ credential: 'certificate', certificateName: 'mail-relay' }],
    [{ credential: 'managed-identity' }],
    [{ credential: 'federated', cloud: 'usgov' }],
    [{ secretName: 'secret-of-fabrikam', owner: 'it@fabrikam.example' }],
    [{ senders: ['\u6536\u4ef6@\u4f8b\u5b50.example'] }],
  ])('can have %o', (more) => {
    const [connection] = read(more).connections;
    expect(connection).toMatchObject(more);
    expect(isUsable(connection!)).toBe(true);
  });

  test.each<[string, object]>([
    ['/tenantId', { tenantId: 'the tenant' }],
    ['/tenantId', { tenantId: undefined }],
    ['/tenantId', { tenantId: 'https://login.microsoftonline.com/fabrikam.example' }],
    ['/clientId', { clientId: 'mail-relay' }],
    ['/clientId', { clientId: 5 }],
    ['/credential', { credential: 'secret' }],
    ['/secretName', { secretName: 'secret of fabrikam' }],
    ['/certificateName', { credential: 'certificate', certificateName: '' }],
    ['/cloud', { cloud: 'germany' }],
    ['/owner', { owner: 'IT department' }],
    ['/secretName', { credential: 'certificate', secretName: 'a' }],
    ['/certificateName', { certificateName: 'a' }],
    ['/tennantId', { tennantId: 'fabrikam.example' }],
    ['/clientSecret', { clientSecret: SECRET_VALUE }],
    // What is not like the name of a field can be a value in a wrong place.
    ['', { [SECRET_VALUE]: 'x' }],
  ])('that is wrong at %s is broken by %o: its senders are known, and nobody else is touched', (at, more) => {
    const outcome = read(more);
    expect(outcome.problems).toEqual([]);
    expect(outcome.connections).toMatchObject([{ name: 'fabrikam', senders: good.senders }]);
    const found = problemsIn(outcome);
    expect(found.map(({ pointer }) => pointer)).toEqual([`PLACE${at}`]);
    expect(JSON.stringify(found)).not.toContain(SECRET_VALUE);
  });

  test.each<[string, object]>([
    ['/name', { name: 'main' }],
    ['/name', { name: 'Fabrikam' }],
    ['/name', { name: 'f\u0430brikam' }],
    ['/name', { name: '-a' }],
    ['/name', { name: 'a'.repeat(100_000) }],
    ['/name', { name: undefined }],
    ['/senders', { senders: [] }],
    ['/senders', { senders: '*@fabrikam.example' }],
    ['/senders', { senders: undefined }],
    ['/senders', { senders: Array.from({ length: 101 }, (_, at) => `a${at}@fabrikam.example`) }],
    ['/senders/1', { senders: ['a@fabrikam.example', '*@*'] }],
    ['/senders/0', { senders: ['@fabrikam.example'] }],
    ['/senders/0', { senders: [`${SECRET_VALUE} `] }],
    ['/senders/0', { senders: [null] }],
    ['/senders/0', { senders: ['a\u200b@fabrikam.example'] }],
  ])('whose %s cannot be read stops all, as nobody knows who its senders are', (at, more) => {
    const { connections, problems } = read(more);
    expect(connections).toEqual([]);
    expect(problems.map(({ pointer }) => pointer)).toEqual([`PLACE${at}`]);
    expect(JSON.stringify(problems)).not.toContain(SECRET_VALUE);
  });

  test('is told of every field that is wrong together', () => {
    const wrong = {
      tenantId: '',
      clientId: '',
      credential: '',
      secretName: '',
      cloud: '',
      owner: '',
      extra: 1,
    };
    expect(
      problemsIn(read(wrong))
        .map(({ pointer }) => pointer)
        .sort(),
    ).toEqual(
      Object.keys(wrong)
        .map((field) => `PLACE/${field}`)
        .sort(),
    );
  });

  test.each([['text'], [5], [null], [[]], [undefined]])('is an object, and not %o', (input) => {
    expect(readConnection(input, 'PLACE')).toMatchObject({
      connections: [],
      problems: [{ pointer: 'PLACE', expected: 'an object' }],
    });
  });

  test('with fields of the prototype has other fields, and changes nothing of others', () => {
    const hostile = JSON.parse(
      JSON.stringify(good).replace('{', '{"__proto__":{"cloud":"dod"},"constructor":{"prototype":{}},'),
    );
    const { connections } = readConnection(hostile, 'PLACE');
    expect(connections.every(isUsable)).toBe(false);
    expect(({} as Record<string, unknown>).cloud).toBeUndefined();
  });

  test('of a hundred thousand faults has few problems: they are logged', () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`field${at}`, at]));
    expect(problemsIn(read(many)).length).toBeLessThanOrEqual(20);
  });
});

describe('a list of connections', () => {
  test('is read one by one: what is wrong with one says which', () => {
    const { connections, problems } = readConnections(
      [good, { ...good, name: 'hr', clientId: 'x' }, { name: 'it' }],
      'GRAPH_CONNECTIONS',
    );
    expect(connections.map((one) => [one.name, one.place, isUsable(one)])).toEqual([
      ['fabrikam', 'GRAPH_CONNECTIONS/0', true],
      ['hr', 'GRAPH_CONNECTIONS/1', false],
    ]);
    expect(new Set(problems.map(({ pointer }) => pointer.slice(0, 19)))).toEqual(
      new Set(['GRAPH_CONNECTIONS/2']),
    );
  });

  test.each([
    [{ fabrikam: good }, 'a list of connections'],
    [undefined, 'a list of connections'],
    [Array.from({ length: 51 }, () => good), 'at most 50 connections'],
  ])('is a list and has an end', (input, expected) => {
    expect(readConnections(input, 'GRAPH_CONNECTIONS').problems).toMatchObject([{ expected }]);
  });
});

describe('no two connections claim the same', () => {
  const claims = (...given: readonly { name: string; senders: readonly string[] }[]) =>
    findClaimedTwice(
      given.map(
        (one, at): DeclaredConnection => ({
          ...one,
          senders: [...one.senders],
          place: `P${at}`,
          problems: [],
        }),
      ),
    ).map(({ pointer, received }) => [pointer, received]);

  test('address, however it is spelled', () => {
    expect(
      claims(
        { name: 'a', senders: ['HR@contoso.example'] },
        { name: 'b', senders: ['x@y.example', 'hr@Contoso.example'] },
      ),
    ).toEqual([['P1/senders/1', 'the same as at P0']]);
  });

  test('domain, and no connection names one twice', () => {
    expect(claims({ name: 'a', senders: ['*@contoso.example', '*@CONTOSO.example'] })).toEqual([
      ['P0/senders/1', 'the same as at P0'],
    ]);
  });

  test('domain, in letters of its language or in ASCII', () => {
    expect(
      claims(
        { name: 'a', senders: ['*@münchen.example', 'hr@münchen.example'] },
        { name: 'b', senders: ['*@xn--mnchen-3ya.example', 'hr@XN--mnchen-3ya.example'] },
      ),
    ).toEqual([
      ['P1/senders/0', 'the same as at P0'],
      ['P1/senders/1', 'the same as at P0'],
    ]);
  });

  test('name, which is what logs and the ledger call it', () => {
    expect(claims({ name: 'a', senders: ['a@b.example'] }, { name: 'a', senders: ['c@b.example'] })).toEqual([
      ['P1/name', 'the same as at P0'],
    ]);
  });

  test('but an address and its domain can be of two: the address decides', () => {
    expect(
      claims({ name: 'a', senders: ['hr@contoso.example'] }, { name: 'b', senders: ['*@contoso.example'] }),
    ).toEqual([]);
  });
});
