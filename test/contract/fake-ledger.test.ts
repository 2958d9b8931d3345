import { asLedger } from '../functions/in-memory-needs.ts';
import { makeFakeLedger } from '../support/fake-ledger.ts';
import { ledgerContract } from './ledger.contract.ts';

ledgerContract('the ledger in memory', () => asLedger(makeFakeLedger()));
