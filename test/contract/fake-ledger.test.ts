import { asMailIndex, makeFakeLedger } from '../support/fake-ledger.ts';
import { asLedger } from '../support/in-memory-ports.ts';
import { ledgerContract } from './ledger.contract.ts';
import { mailIndexContract } from './mail-index.contract.ts';

ledgerContract('the ledger in memory', () => asLedger(makeFakeLedger()));
mailIndexContract('the ledger in memory', () => {
  const fake = makeFakeLedger();
  return { ledger: asLedger(fake), mailIndex: asMailIndex(fake) };
});
