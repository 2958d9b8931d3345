import { describe, expect, test } from 'vitest';
import { findWarnings } from '../../../src/lib/credentials/credential-warning.ts';
import {
  type CheckedConnection,
  matchRegistered,
  watchCredentials,
} from '../../../src/lib/credentials/watched-credentials.ts';
import type { RegisteredCredential, SecretFacts } from '../../../src/lib/ports.ts';
import { theMainConnection } from '../../support/a-connection.ts';
import { aSecret } from '../../support/fake-vault.ts';

const NOW = new Date('2026-03-02T07:00:00Z');
const on = (date: string): Date => new Date(`${date}T00:00:00Z`);
const use = { connection: theMainConnection(), senders: [], callers: [] };
const proven = (version?: SecretFacts, registered?: readonly RegisteredCredential[]): CheckedConnection => ({
  use,
  proof: { kind: 'accepted', ...(version === undefined ? {} : { version }) },
  ...(registered === undefined ? {} : { registered }),
});
const registered = (changes: Partial<RegisteredCredential> = {}): RegisteredCredential => ({
  keyId: 'AAAA',
  kind: 'secret',
  expiresOn: on('2026-08-01'),
  ...changes,
});

const shortly = (secrets: readonly SecretFacts[], connections: readonly CheckedConnection[] = []) =>
  watchCredentials(secrets, connections, NOW).map(
    ({ kind, name, version, uses }) => `${kind} ${name} ${version}${uses.length > 0 ? ' in use' : ''}`,
  );

describe('watched is', () => {
  test('every enabled secret and certificate of the vault', () => {
    expect(
      shortly([
        aSecret({ name: 'a' }),
        aSecret({ name: 'b', enabled: false }),
        aSecret({ name: 'c', kind: 'certificate' }),
      ]),
    ).toEqual(['secret a v1', 'certificate c v1']);
  });

  test('a certificate once, without the secret that the vault keeps of it', () => {
    expect(shortly([aSecret({ name: 'c' }), aSecret({ name: 'c', kind: 'certificate' })])).toEqual([
      'certificate c v1',
    ]);
  });

  test('the version that Entra accepts, beside a newer one that it does not know yet', () => {
    const connections = [proven(aSecret({ version: 'v1' }))];
    expect(shortly([aSecret({ version: 'v2' })], connections)).toEqual([
      'secret graph-client-secret v1 in use',
      'secret graph-client-secret v2',
    ]);
  });

  test('a version once, also where the list of the vault does not name it', () => {
    const version = aSecret({ version: 'v1' });
    const newer = { ...version, createdOn: on('2026-02-01'), version: '' };
    expect(shortly([{ ...version, version: '' }], [proven(version)])).toEqual([
      'secret graph-client-secret v1 in use',
    ]);
    expect(shortly([newer], [proven(version)])).toEqual([
      'secret graph-client-secret v1 in use',
      'secret graph-client-secret ',
    ]);
  });

  test('the version that is in use, also where it is disabled for everyone else', () => {
    const version = aSecret({ enabled: false });
    expect(shortly([version], [proven(version)])).toEqual(['secret graph-client-secret v1 in use']);
  });

  test('nothing for a credential that is not in the vault', () => {
    expect(shortly([], [proven()])).toEqual([]);
  });

  test('in use by name where nobody can say what Entra accepts', () => {
    const unproven: CheckedConnection = { use, proof: { kind: 'unproven' } };
    expect(shortly([aSecret({ name: 'Graph-Client-Secret' }), aSecret({ name: 'b' })], [unproven])).toEqual([
      'secret Graph-Client-Secret v1 in use',
      'secret b v1',
    ]);
  });
});

describe('a version in the vault is found in the registration', () => {
  const others = [registered({ keyId: 'B' }), registered({ keyId: 'C', expiresOn: on('2026-09-01') })];
  const find = (version: SecretFacts, all: readonly RegisteredCredential[]) =>
    matchRegistered(version, all, NOW)?.keyId;

  test('by the id in its tag, whatever its dates', () => {
    const version = aSecret({ tags: { 'entra-key-id': 'aaaa' } });
    expect(find(version, [...others, registered({ expiresOn: on('2026-01-01') })])).toBe('AAAA');
  });

  test('as the only one of its kind that is valid', () => {
    const expired = registered({ keyId: 'B', expiresOn: on('2026-03-01') });
    const certificate = registered({ keyId: 'C', kind: 'certificate' });
    expect(find(aSecret(), [expired, certificate, registered()])).toBe('AAAA');
  });

  test('by its expiry date, then by when it was made', () => {
    expect(find(aSecret({ expiresOn: on('2026-09-01') }), others)).toBe('C');
    const made = [
      registered({ keyId: 'B', startsOn: on('2025-12-01') }),
      registered({ keyId: 'C', startsOn: on('2026-01-01') }),
    ];
    expect(find(aSecret({ createdOn: new Date('2026-01-01T00:01:00Z') }), made)).toBe('C');
  });

  test('not where several could be it', () => {
    expect(find(aSecret(), [registered({ keyId: 'B' }), registered({ keyId: 'C' })])).toBeUndefined();
  });
});

const DOMAINS = new Set(['contoso.example']);

describe('what is said of a credential', () => {
  const statesOf = (version: SecretFacts, entra?: RegisteredCredential) => {
    const connections = [proven(version, entra && [entra])];
    return findWarnings(watchCredentials([version], connections, NOW), connections, {
      now: NOW,
      domains: DOMAINS,
    }).map((one) => [one.state, 'daysLeft' in one ? one.daysLeft : undefined]);
  };

  test('without a date that it has none', () => {
    expect(statesOf(aSecret())).toEqual([['no-expiry-date', undefined]]);
  });

  test('without a date in the vault, it counts by the date in Entra', () => {
    expect(statesOf(aSecret(), registered({ expiresOn: on('2026-03-12') }))).toEqual([
      ['expiring', 10],
      ['no-expiry-date', undefined],
    ]);
  });

  test.each([
    ['later in Entra', '2026-03-12', '2026-03-22', 10],
    ['earlier in Entra', '2026-03-22', '2026-03-12', 10],
  ])('with dates that differ, %s: that they do, and the earlier one counts', (_, vault, entra, daysLeft) => {
    expect(statesOf(aSecret({ expiresOn: on(vault) }), registered({ expiresOn: on(entra) }))).toEqual([
      ['expiring', daysLeft],
      ['dates-differ', undefined],
    ]);
  });

  test('dates within a day of each other are the same: people record days', () => {
    const entra = registered({ expiresOn: new Date('2026-03-12T23:00:00Z') });
    expect(statesOf(aSecret({ expiresOn: on('2026-03-12') }), entra)).toEqual([['expiring', 10]]);
  });

  test('expired is known by the minute', () => {
    expect(statesOf(aSecret({ expiresOn: new Date(NOW.getTime() - 1) }))).toEqual([['expired', 0]]);
    expect(statesOf(aSecret({ expiresOn: NOW }))).toEqual([['expired', 0]]);
    expect(statesOf(aSecret({ expiresOn: new Date(NOW.getTime() + 1) }))).toEqual([['expiring', 1]]);
  });

  test('an owner in the vault is told only if it is an address', () => {
    const secrets = [
      aSecret({ name: 'a', tags: { owner: 'erp@contoso.example' } }),
      aSecret({ name: 'b', tags: { owner: 'the ERP people' } }),
    ];
    const found = findWarnings(watchCredentials(secrets, [], NOW), [], { now: NOW, domains: DOMAINS });
    expect(found.map(({ owners }) => owners)).toEqual([['erp@contoso.example'], []]);
  });
});
