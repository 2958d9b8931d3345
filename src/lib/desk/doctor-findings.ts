import type { DoctorFacts } from './doctor-facts.ts';
import { type Finding, STATES, type State } from './finding.ts';
import { judgeConnections } from './judge-connections.ts';
import { judgeMailboxes } from './judge-mailboxes.ts';
import { judgeRuns } from './judge-runs.ts';
import { judgeSettings } from './judge-settings.ts';
import { judgeStorage } from './judge-storage.ts';
import { judgeTraces } from './judge-traces.ts';

/** Every finding, the worst first, and otherwise in the order in which an email meets them. */
export const decideFindings = (facts: DoctorFacts): readonly Finding[] =>
  [
    ...judgeSettings(facts.settings),
    ...judgeConnections(facts),
    ...judgeMailboxes(facts),
    ...judgeTraces(facts),
    ...judgeStorage(facts),
    ...judgeRuns(facts),
  ].toSorted((one, other) => STATES.indexOf(other.state) - STATES.indexOf(one.state));

/** The worst of all. */
export const worstOf = (findings: readonly Finding[]): State =>
  STATES.findLast((state) => findings.some((finding) => finding.state === state)) ?? 'ok';
