import { makeFakeUsages } from '../support/fake-usages.ts';
import { asUsages } from '../support/in-memory-ports.ts';
import { usagesContract } from './usages.contract.ts';

usagesContract('the fake', () => asUsages(makeFakeUsages()));
