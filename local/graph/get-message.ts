import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { findItem } from './find-item.ts';
import { type GraphAnswer, toJsonAnswer } from './graph-answer.ts';
import { preferenceApplied, wantsImmutableIds } from './item-ids.ts';
import { parseMessageSelect } from './message-query.ts';
import { toSingleMessage } from './message-resource.ts';
import { carryOutOrFail } from './perform-fault.ts';

/** GET /users/{user}/messages/{id}: a draft, or the copy of what was sent. */
export const getMessage = async (call: MailboxCall, graph: GraphState, id: string): Promise<GraphAnswer> => {
  requireAccess('read', call.caller, call.mailbox);
  const select = parseMessageSelect(call.url.searchParams);
  const answer = () =>
    toJsonAnswer(
      200,
      toSingleMessage(findItem(call, graph, id), call, select),
      preferenceApplied(wantsImmutableIds(call.request)),
    );
  answer();
  return carryOutOrFail('getMessage', { ...call, carryOut: async () => answer() }, graph);
};
