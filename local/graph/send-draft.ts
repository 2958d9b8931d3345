import { acceptMail } from './accept-mail.ts';
import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { messageOfDraft } from './drafts.ts';
import { findDraft } from './find-item.ts';
import type { GraphAnswer } from './graph-answer.ts';
import { carryOutOrFail } from './perform-fault.ts';
import { bodyUnexpected, itemNotFound, lengthRequired, tooManyMessages } from './refusals.ts';
import { requireSubmittable } from './send-mail-rules.ts';

/**
 * POST /users/{user}/messages/{id}/send. As real Graph does, it sends what the draft has: a file whose upload is not complete
 * is missing from the email, and nobody says so.
 */
export const sendDraft = async (call: MailboxCall, graph: GraphState, id: string): Promise<GraphAnswer> => {
  const { mailbox, seen, request } = call;
  requireAccess('send', call.caller, mailbox);
  requireNoBody(request.headers);
  requireSubmittable(findDraft(call, graph, id).received, mailbox);

  const room = graph.limits.takeRoomForMessage(mailbox.address, graph.now());
  if (!room.fits) throw tooManyMessages(room.retryAfterSeconds);
  try {
    const carryOut = () => submit(call, graph, id);
    return await carryOutOrFail('sendDraft', { ...call, carryOut }, graph);
  } finally {
    if (!seen.accepted) room.giveBack();
  }
};

/** Of two that send the same draft, one succeeds. */
const submit = async (call: MailboxCall, graph: GraphState, id: string): Promise<GraphAnswer> => {
  const draft = findDraft(call, graph, id);
  requireSubmittable(draft.received, call.mailbox);
  if (!graph.drafts.take(draft.key)) throw itemNotFound();
  const { key, internetMessageId, received } = draft;
  try {
    await acceptMail(call, graph, {
      id: key,
      via: 'draft',
      internetMessageId,
      body: { message: messageOfDraft(draft) },
      details: received.details,
    });
  } catch (error) {
    graph.drafts.put(draft);
    throw error;
  }
  await graph.uploads.forgetDraft(key);
  return { kind: 'answer', status: 202 };
};

/** https://learn.microsoft.com/graph/api/message-send */
const requireNoBody = (headers: MailboxCall['request']['headers']): void => {
  if (headers['content-length'] === '0') return;
  throw headers['content-length'] === undefined && headers['transfer-encoding'] === undefined
    ? lengthRequired()
    : bodyUnexpected();
};
