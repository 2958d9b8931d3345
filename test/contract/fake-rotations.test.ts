import { asRotations, makeFakeRotations } from '../support/fake-rotations.ts';
import { rotationsContract } from './rotations.contract.ts';

rotationsContract('the fake', () => {
  const fake = makeFakeRotations();
  return asRotations(fake);
});
