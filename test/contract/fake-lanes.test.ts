import { lanesIn } from '../support/a-pacer.ts';
import { makeFakeLanes } from '../support/fake-lanes.ts';
import { mailboxLanesContract } from './mailbox-lanes.contract.ts';

mailboxLanesContract('the fake', () => lanesIn(makeFakeLanes(), () => new Date()));
