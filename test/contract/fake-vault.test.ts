import { makeFakeVault } from '../support/fake-vault.ts';
import { vaultContract } from './vault.contract.ts';

vaultContract('the fake', async () => makeFakeVault(() => new Date('2026-11-22T07:00:00Z')));
