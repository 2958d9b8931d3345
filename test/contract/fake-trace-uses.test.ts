import { asTraceUses, makeFakeTraceUses } from '../support/fake-trace-uses.ts';
import { traceUsesContract } from './trace-uses.contract.ts';

traceUsesContract('the fake', () => asTraceUses(makeFakeTraceUses(() => new Date('2026-03-02T08:00:00Z'))));
