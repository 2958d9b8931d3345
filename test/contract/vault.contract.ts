import { expect, test } from 'vitest';
import type { Vault } from '../../src/lib/ports.ts';

/** What every vault says of its secrets, whatever it is made of, and no more. Each `open` begins with nothing. */
export const vaultContract = (name: string, open: () => Promise<Vault>): void => {
  test(`${name} lists each secret once, with the facts of its newest version and without the version's name`, async () => {
    const vault = await open();
    const first = await vault.storeSecret('erp-key', {
      value: 'one',
      expiresOn: new Date('2027-01-31T00:00:00Z'),
      tags: { owner: 'erp@contoso.example' },
    });
    expect(first.version).not.toBe('');
    expect(await vault.listSecrets()).toEqual([{ ...first, version: '' }]);
    expect(await vault.listVersions('erp-key')).toEqual([first]);
    expect(await vault.listVersions('other')).toEqual([]);
  });
};
