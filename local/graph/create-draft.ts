import { v7 as timeOrderedId } from 'uuid';
import type { GraphFileAttachment } from '../../src/lib/inbox/captured-mail.ts';
import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { type Draft, type DraftAttachment, toDraftItem } from './drafts.ts';
import { type GraphAnswer, toJsonAnswer } from './graph-answer.ts';
import { idOf, preferenceApplied, wantsImmutableIds } from './item-ids.ts';
import { toSingleMessage } from './message-resource.ts';
import { carryOutOrFail } from './perform-fault.ts';
import { readDraft } from './read-received-mail.ts';
import { decideMessageId, mimeBytesOf, type ReceivedMail } from './received-mail.ts';
import { requireCreatable } from './send-mail-rules.ts';

/** POST /users/{user}/messages: a draft, from JSON or MIME. */
export const createDraft = async (call: MailboxCall, graph: GraphState): Promise<GraphAnswer> => {
  requireAccess('write', call.caller, call.mailbox);
  const received = await readDraft(call, graph);
  requireCreatable(received);
  const carryOut = async () => {
    const draft = toDraft(received, call, graph);
    graph.drafts.put(draft);
    return toJsonAnswer(
      201,
      toSingleMessage(toDraftItem(draft), call),
      preferenceApplied(wantsImmutableIds(call.request)),
    );
  };
  return carryOutOrFail('createDraft', { ...call, carryOut }, graph, mimeBytesOf(received));
};

const toDraft = (received: ReceivedMail, { mailbox, caller }: MailboxCall, graph: GraphState): Draft => {
  const { attachments = [], ...message } = received.body.message;
  return {
    key: timeOrderedId(),
    mailbox: mailbox.address,
    createdAt: graph.now(),
    version: 1,
    internetMessageId: decideMessageId(received, graph.settings(), caller.tenant.tenantDomain),
    received: { ...received, body: { message } },
    attachments: attachments.map(toDraftAttachment),
  };
};

/** A file with the id under which the draft has it. */
export const toDraftAttachment = (file: GraphFileAttachment): DraftAttachment => ({
  id: idOf('attachment', timeOrderedId()),
  file,
});
