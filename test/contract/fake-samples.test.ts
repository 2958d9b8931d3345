import { makeFakeSamples } from '../support/fake-samples.ts';
import { samplesContract } from './samples.contract.ts';

samplesContract('the fake', async () => makeFakeSamples());
