import { makeFakeOperatorTrail } from '../support/fake-operator-trail.ts';
import { operatorTrailContract } from './operator-trail.contract.ts';

const trail = makeFakeOperatorTrail();
operatorTrailContract('the fake', () => trail);
