import { makeFakeCallerStore } from '../support/fake-caller-store.ts';
import { callerStoreContract } from './caller-store.contract.ts';

callerStoreContract('the store in memory', async () => makeFakeCallerStore());
