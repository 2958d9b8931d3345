import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { findItem } from './find-item.ts';
import type { GraphAnswer } from './graph-answer.ts';
import { carryOutOrFail } from './perform-fault.ts';

/** DELETE /users/{user}/messages/{id}: a draft with its files, a copy in Sent Items, or what was received. */
export const deleteMessage = async (
  call: MailboxCall,
  graph: GraphState,
  id: string,
): Promise<GraphAnswer> => {
  requireAccess('write', call.caller, call.mailbox);
  findItem(call, graph, id);
  const carryOut = async (): Promise<GraphAnswer> => {
    const { key } = findItem(call, graph, id);
    const draft = graph.drafts.get(key);
    graph.drafts.take(key);
    graph.sentItems.remove(key);
    graph.received.remove(key);
    await graph.uploads.forgetDraft(key);
    await graph.uploads.deleteFiles(draft?.attachments.map(({ file }) => file) ?? []);
    return { kind: 'answer', status: 204 };
  };
  return carryOutOrFail('deleteMessage', { ...call, carryOut }, graph);
};
