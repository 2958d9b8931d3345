import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openSecretStore } from '../../../local/key-vault/secret-store.ts';
import { inFolder } from '../certificate-for-tests.ts';

const NOW = new Date('2026-11-21T08:00:00Z');

test('with a file, secrets survive a restart and only the owner can read them', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'secrets.json');
    const before = await openSecretStore(file);
    const first = await before.set('mail', { value: 'one', expiresOn: NOW, tags: { a: 'b' } }, NOW);
    await before.set('mail', { value: 'two', contentType: 'text/plain' }, NOW);
    await before.update('mail', first.version, { enabled: false }, NOW);

    const after = await openSecretStore(file);
    expect(after.versions('mail')).toEqual(before.versions('mail'));
    expect(after.current('mail')?.value).toBe('two');
    expect(after.find('mail', first.version)).toMatchObject({ enabled: false, expiresOn: NOW });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  }));

test('secrets that are set at the same time are all kept', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'secrets.json');
    const store = await openSecretStore(file);
    const names = Array.from({ length: 20 }, (_, index) => `secret-${index}`);
    await Promise.all(names.map((name) => store.set(name, { value: name }, NOW)));
    expect((await openSecretStore(file)).names()).toEqual(names);
  }));

test('a file that is not ours is an error that names it and quotes none of it', () =>
  inFolder(async (folder) => {
    const file = path.join(folder, 'secrets.json');
    for (const text of ['{"secrets":[{"value":"canary"}]}', 'canary']) {
      await writeFile(file, text);
      const error = await openSecretStore(file).catch((caught: unknown) => caught);
      expect(String(error)).toContain(`${file} is not a file that the Key Vault stand-in wrote`);
      expect(String(error)).not.toContain('canary');
    }
    expect(await readFile(file, 'utf8')).toBe('canary');
  }));

test('names are the same in any case', async () => {
  const store = await openSecretStore();
  await store.set('Mail', { value: 'one' }, NOW);
  await store.set('mail', { value: 'two' }, NOW);
  expect(store.names()).toEqual(['Mail']);
  expect(store.current('MAIL')?.value).toBe('two');
});
