import { catalogue } from '../error-catalogue.ts';
import type { DoctorFacts, TraceFacts } from './doctor-facts.ts';
import { type Finding, judged, ok, unknown, warning, wordsOf } from './finding.ts';

/** Nothing of sending depends on it: the worst is a warning. */
export const judgeTraces = ({ traces = [] }: DoctorFacts): readonly Finding[] => traces.map(judgeTrace);

/** They end by themselves. */
const PASSING: ReadonlySet<string> = new Set(['TRACE_LIMIT_REACHED', 'TRACE_THROTTLED', 'TRACE_UNAVAILABLE']);

const judgeTrace = ({ connection, answer }: TraceFacts): Finding => {
  const check = { check: 'message-trace', subject: connection };
  return judged(check, answer, (reason) => {
    if (reason === undefined) return ok(check, 'The relay can read message traces.');
    const { remedy } = catalogue[reason.code];
    return PASSING.has(reason.code)
      ? unknown(check, wordsOf(reason), 'Run the doctor again in a few minutes.')
      : { ...warning(check, wordsOf(reason), remedy), code: reason.code };
  });
};
