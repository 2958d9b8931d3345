import type { IncomingHttpHeaders } from 'node:http';
import { v7 as timeOrderedId } from 'uuid';
import type { CapturedMail, GraphSendMailBody } from '../inbox/captured-mail.ts';
import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import type { GraphAnswer } from './graph-answer.ts';
import { performFault } from './perform-fault.ts';
import { readSendMail } from './read-send-mail.ts';
import { tooManyMessages } from './refusals.ts';
import { requireSendable } from './send-mail-rules.ts';

/** Faults come last: a rule counts mails that would have been accepted, whatever else arrives. */
export const sendMail = async (call: MailboxCall, graph: GraphState): Promise<GraphAnswer> => {
  const { mailbox, seen } = call;
  requireAccess('send', call.caller, mailbox);
  const body = await readSendMail(call.request);
  requireSendable(body.message, mailbox);

  const room = graph.limits.takeRoomForMessage(mailbox.address, graph.now());
  if (!room.fits) throw tooManyMessages(room.retryAfterSeconds);

  const carryOut = async (): Promise<GraphAnswer> => {
    await acceptMail(call, body, graph);
    return { kind: 'answer', status: 202 };
  };
  try {
    const taken = graph.faults.takeForCall('sendMail', mailbox.address);
    if (taken === undefined) return await carryOut();
    seen.fault = taken.id;
    return await performFault(taken.fault, { ...call, carryOut });
  } finally {
    if (!seen.accepted) room.giveBack();
  }
};

/** On disk before anything is answered. */
const acceptMail = async (call: MailboxCall, body: GraphSendMailBody, graph: GraphState): Promise<void> => {
  const mail: CapturedMail = {
    id: timeOrderedId(),
    acceptedAt: graph.now().toISOString(),
    mailbox: call.mailbox.address,
    graphRequestId: call.ids.requestId,
    request: {
      method: 'POST',
      path: call.url.pathname,
      headers: withoutSecrets(call.request.headers),
      body,
    },
  };
  await graph.capture(mail);
  call.seen.accepted = true;
  graph.sentItems.keep(mail);
};

const withoutSecrets = ({ authorization, ...headers }: IncomingHttpHeaders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]],
    ),
  );
