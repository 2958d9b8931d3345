import { makeFakeCounts } from '../support/fake-counts.ts';
import { countsContract } from './counts.contract.ts';

countsContract('the fake', async () => makeFakeCounts(() => new Date('2026-03-02T08:00:00Z')));
