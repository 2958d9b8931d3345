import type { SecretStore, SecretVersion } from './secret-store.ts';
import { secretDisabled, secretNotFound } from './vault-problem.ts';
import type { Page, VaultRequest } from './vault-request.ts';

/** What an Azure role of the vault allows: https://learn.microsoft.com/azure/key-vault/general/rbac-guide */
export type VaultAction = 'getSecret' | 'readMetadata' | 'setSecret' | 'update';

/** The action that a role must allow for this request. */
export const toAction = (request: VaultRequest): VaultAction => {
  switch (request.kind) {
    case 'get':
      return 'getSecret';
    case 'set':
      return 'setSecret';
    case 'update':
      return 'update';
    default:
      return 'readMetadata';
  }
};

/** Does what is asked; throws a VaultProblem where the vault would refuse. */
export const answerVault = async (store: SecretStore, request: VaultRequest, vault: URL, now: Date) => {
  switch (request.kind) {
    case 'list': {
      const current = store
        .names()
        .toSorted()
        .flatMap((name) => store.current(name) ?? []);
      return toPage(current, request.page, vault, (one) => toListed(one, vault, false));
    }
    case 'versions': {
      // Not by age, as in the real vault: whoever wants the newest has to look at `created`.
      const versions = store
        .versions(request.name)
        .toSorted((left, right) => (left.version < right.version ? -1 : 1));
      return toPage(versions, request.page, vault, (one) => toListed(one, vault, true));
    }
    case 'get': {
      const found = lookUp(store, request.name, request.version);
      if (!found.enabled) throw secretDisabled();
      return { value: found.value, ...toItem(found, vault) };
    }
    case 'set': {
      const made = await store.set(request.name, request.secret, now);
      return { value: made.value, ...toItem(made, vault) };
    }
    case 'update': {
      const { name, version } = lookUp(store, request.name, request.version);
      const changed = await store.update(name, version, request.changes, now);
      if (changed === undefined) throw secretNotFound(`${name}/${version}`);
      return toItem(changed, vault);
    }
  }
};

const lookUp = (store: SecretStore, name: string, version: string | undefined): SecretVersion => {
  const found = version === undefined ? store.current(name) : store.find(name, version);
  if (found === undefined) throw secretNotFound(version === undefined ? name : `${name}/${version}`);
  return found;
};

const toPage = <T>(
  all: readonly SecretVersion[],
  page: Page,
  vault: URL,
  toJson: (one: SecretVersion) => T,
): { readonly value: readonly T[]; readonly nextLink: string | null } => {
  const end = page.from + page.size;
  const next = new URL(vault);
  next.searchParams.set('$skiptoken', String(end));
  return {
    value: all.slice(page.from, end).map(toJson),
    nextLink: end < all.length ? next.href : null,
  };
};

/** One version by itself. Of a certificate it names the key (REST: SecretBundle). */
const toItem = (one: SecretVersion, vault: URL) => ({
  ...toListed(one, vault, true),
  ...(one.managed ? { kid: `${vault.origin}/keys/${one.name}/${one.version}` } : {}),
});

/** A list says that the vault manages it, and names no key (REST: SecretItem). */
const toListed = (one: SecretVersion, vault: URL, withVersion: boolean) => {
  const id = `${vault.origin}/secrets/${one.name}${withVersion ? `/${one.version}` : ''}`;
  return {
    contentType: one.contentType,
    id,
    attributes: {
      enabled: one.enabled,
      nbf: one.notBefore && toSeconds(one.notBefore),
      exp: one.expiresOn && toSeconds(one.expiresOn),
      created: toSeconds(one.createdOn),
      updated: toSeconds(one.updatedOn),
      recoveryLevel: 'Recoverable+Purgeable',
      recoverableDays: 90,
    },
    tags: one.tags,
    ...(one.managed ? { managed: true } : {}),
  };
};

const toSeconds = (date: Date) => Math.floor(date.getTime() / 1000);
