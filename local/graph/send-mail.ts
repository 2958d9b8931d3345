import { v7 as timeOrderedId } from 'uuid';
import { acceptMail } from './accept-mail.ts';
import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import type { GraphAnswer } from './graph-answer.ts';
import { carryOutOrFail } from './perform-fault.ts';
import { readSendMail } from './read-received-mail.ts';
import { decideMessageId, mimeBytesOf } from './received-mail.ts';
import { tooManyMessages } from './refusals.ts';
import { requireSendable } from './send-mail-rules.ts';

/** POST /users/{user}/sendMail, JSON or MIME. */
export const sendMail = async (call: MailboxCall, graph: GraphState): Promise<GraphAnswer> => {
  const { mailbox, seen } = call;
  requireAccess('send', call.caller, mailbox);
  const received = await readSendMail(call, graph);
  requireSendable(received, mailbox);

  const room = graph.limits.takeRoomForMessage(mailbox.address, graph.now());
  if (!room.fits) throw tooManyMessages(room.retryAfterSeconds);

  const carryOut = async (): Promise<GraphAnswer> => {
    const { via, body, details } = received;
    const internetMessageId = decideMessageId(received, graph.settings(), call.caller.tenant.tenantDomain);
    await acceptMail(call, graph, { id: timeOrderedId(), via, internetMessageId, body, details });
    return { kind: 'answer', status: 202 };
  };
  try {
    return await carryOutOrFail('sendMail', { ...call, carryOut }, graph, mimeBytesOf(received));
  } finally {
    if (!seen.accepted) room.giveBack();
  }
};
