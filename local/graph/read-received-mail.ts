import type { GraphMessage, GraphSendMailBody } from '../../src/lib/inbox/captured-mail.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { assertMessage, assertSendMailBody } from './message-schema.ts';
import { readMime } from './mime/read-mime.ts';
import { isMimeRequest, readJsonRequest, readMimeRequest } from './read-request.ts';
import { detailsOfJson, type ReceivedMail } from './received-mail.ts';

const EITHER = "'application/json', or 'text/plain' for MIME in base64";

/** Reads the body of sendMail, JSON or MIME. Throws the refusal of Graph. */
export const readSendMail = (call: MailboxCall, graph: GraphState): Promise<ReceivedMail> =>
  readReceivedMail(call, graph, (value): GraphSendMailBody => {
    assertSendMailBody(value);
    return value;
  });

/** Reads the body of a new draft: MIME, or a message without a wrapper. */
export const readDraft = (call: MailboxCall, graph: GraphState): Promise<ReceivedMail> =>
  readReceivedMail(call, graph, (value): GraphSendMailBody => {
    assertMessage(value);
    return { message: value satisfies GraphMessage };
  });

const readReceivedMail = async (
  call: MailboxCall,
  graph: GraphState,
  toBody: (value: unknown) => GraphSendMailBody,
): Promise<ReceivedMail> => {
  if (isMimeRequest(call.request)) {
    const mime = await readMimeRequest(call, graph);
    return readMime(mime, { headersAreProperties: graph.settings().mimeHeadersAreProperties });
  }
  const body = toBody(await readJsonRequest(call, graph, { expected: EITHER }));
  const messageId = body.message.internetMessageId;
  return {
    via: 'json',
    body,
    senders: [],
    details: detailsOfJson(body),
    ...(messageId !== undefined && { messageId }),
  };
};
