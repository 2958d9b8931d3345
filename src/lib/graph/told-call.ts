import type { GraphAnswerKind, Log } from '../log.ts';
import type { GraphAnswer, GraphCall } from './graph-call.ts';

const kindOf = (answer: GraphAnswer): GraphAnswerKind => {
  if (answer.kind !== 'answered') return answer.kind;
  const { status } = answer;
  if (status < 300) return 'accepted';
  if (status === 429) return 'throttled';
  if (status === 503 || status === 509) return 'unavailable';
  return status < 500 ? 'refused' : 'failed';
};

/** The same call, which also tells what came of each request. Without a token there was none. */
export const toldCall =
  (call: GraphCall, connection: string, log: Log): GraphCall =>
  async (request) => {
    const answer = await call(request);
    log({ event: 'GraphAnswered', connection, answer: kindOf(answer) });
    return answer;
  };
