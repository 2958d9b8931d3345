import { makeFakeLedger } from '../support/fake-ledger.ts';
import { asLedger } from '../support/in-memory-ports.ts';
import { ledgerContract } from './ledger.contract.ts';

ledgerContract('the ledger in memory', () => asLedger(makeFakeLedger()));
