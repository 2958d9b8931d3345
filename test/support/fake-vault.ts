import type { SecretFacts, Vault } from '../../src/lib/ports.ts';

/** A version of a secret as the vault lists it. */
export const aSecret = (changes: Partial<SecretFacts> = {}): SecretFacts => ({
  name: 'graph-client-secret',
  kind: 'secret',
  version: 'v1',
  enabled: true,
  createdOn: new Date('2026-01-01T00:00:00Z'),
  tags: {},
  ...changes,
});

/** A vault in memory. What is stored becomes the current version. */
export const makeFakeVault = (
  now: () => Date,
  initial: readonly SecretFacts[] = [],
): Vault & {
  readonly valueOf: (version: string) => string | undefined;
  readonly set: (secrets: readonly SecretFacts[]) => void;
} => {
  let versions = [...initial];
  const values = new Map<string, string>();
  const newestFirst = (name: string) =>
    versions
      .filter((one) => one.name === name)
      .toSorted((one, other) => Number(other.createdOn ?? 0) - Number(one.createdOn ?? 0));
  return {
    listSecrets: async () =>
      [...new Set(versions.map(({ name }) => name))].flatMap((name) =>
        newestFirst(name)
          .slice(0, 1)
          .map((one) => ({ ...one, version: '' })),
      ),
    listVersions: async (name) => newestFirst(name),
    storeSecret: async (name, { value, expiresOn, tags }) => {
      const version = `v${versions.length + 1}`;
      const made = aSecret({ name, version, createdOn: now(), expiresOn, tags });
      values.set(version, value);
      versions = [...versions, made];
      return made;
    },
    valueOf: (version) => values.get(version),
    set: (secrets) => {
      versions = [...secrets];
    },
  };
};
