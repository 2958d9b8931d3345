import { makeFakeWarningState } from '../support/fake-warning-state.ts';
import { warningStateContract } from './warning-state.contract.ts';

warningStateContract('the fake', async () => makeFakeWarningState());
