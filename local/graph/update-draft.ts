import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { changeDraft, toDraftItem } from './drafts.ts';
import { findDraft, findItem } from './find-item.ts';
import { type GraphAnswer, toJsonAnswer } from './graph-answer.ts';
import { preferenceApplied, wantsImmutableIds } from './item-ids.ts';
import { toSingleMessage } from './message-resource.ts';
import { assertMessageChange } from './message-schema.ts';
import { carryOutOrFail } from './perform-fault.ts';
import { readJsonRequest } from './read-request.ts';
import { bodyUnreadable, sentItemFixed } from './refusals.ts';
import { requireCreatable } from './send-mail-rules.ts';

/** PATCH /users/{user}/messages/{id}: of a draft only. */
export const updateDraft = async (call: MailboxCall, graph: GraphState, id: string): Promise<GraphAnswer> => {
  requireAccess('write', call.caller, call.mailbox);
  if (graph.drafts.get(findItem(call, graph, id).key) === undefined) throw sentItemFixed();
  const change = await readJsonRequest(call, graph);
  assertMessageChange(change);
  requireChangeable();
  const carryOut = async () => {
    const draft = requireChangeable();
    const keepsMessageId = graph.settings().callerMessageId === 'keep';
    const { internetMessageId } = change;
    const changed = changeDraft(draft, {
      message: change,
      ...(keepsMessageId && internetMessageId !== undefined && { internetMessageId }),
    });
    requireCreatable(changed.received);
    graph.drafts.put(changed);
    return toJsonAnswer(
      200,
      toSingleMessage(toDraftItem(changed), call),
      preferenceApplied(wantsImmutableIds(call.request)),
    );
  };
  return carryOutOrFail('updateDraft', { ...call, carryOut }, graph);

  /** The captured email shows MIME as it came: a change beside it would be seen nowhere, but a property is no part of MIME. */
  function requireChangeable() {
    const draft = findDraft(call, graph, id);
    const isOfProperties = Object.keys(change as object).every(
      (name) => name === 'singleValueExtendedProperties',
    );
    if (draft.received.via === 'mime' && !isOfProperties)
      throw bodyUnreadable(
        "Of a draft that was made from MIME this stand-in changes only 'singleValueExtendedProperties'; make a new one.",
      );
    return draft;
  }
};
