import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Begun } from '../answer-graph-call.ts';
import type { GraphState } from '../call.ts';
import { toDraftAttachment } from '../create-draft.ts';
import { requireRoomInMessage } from '../draft-attachments.ts';
import { changeDraft } from '../drafts.ts';
import { type GraphAnswer, toJsonAnswer } from '../graph-answer.ts';
import { carryOutOrFail } from '../perform-fault.ts';
import { contentTypeUnsupported, methodNotAllowed, tooManyBytes } from '../refusals.ts';
import { readRange } from './content-range.ts';
import { authorizationUnexpected, invalidRange, sessionNotFound } from './upload-refusals.ts';
import type { UploadSession } from './upload-sessions.ts';

/** Decides the answer to one request to the upload host. */
export const answerUpload = async (
  request: IncomingMessage,
  begun: Begun,
  graph: GraphState,
): Promise<GraphAnswer> => {
  if (request.headers.authorization !== undefined) throw authorizationUnexpected();
  const session = findSession(request, graph);
  begun.seen.mailbox = session.mailbox;
  switch (request.method) {
    case 'PUT':
      return putRange(request, session, begun, graph);
    case 'GET':
      return progressOf(session);
    case 'DELETE':
      await graph.uploads.cancel(session);
      return { kind: 'answer', status: 204 };
    default:
      throw methodNotAllowed('GET, PUT, DELETE');
  }
};

const findSession = ({ url = '' }: IncomingMessage, { uploads, now }: GraphState): UploadSession => {
  const session = uploads.find(url);
  if (session === undefined || session.expiresAt <= now()) throw sessionNotFound();
  return session;
};

/** The bytes are written first and count when the call is carried out: a fault before that leaves the session as it was. */
const putRange = async (
  request: IncomingMessage,
  session: UploadSession,
  begun: Begun,
  graph: GraphState,
): Promise<GraphAnswer> => {
  const { size } = session.item;
  if (request.headers['content-type'] !== 'application/octet-stream')
    throw contentTypeUnsupported(request.headers['content-type'], "'application/octet-stream'");
  if (session.busy)
    throw invalidRange(409, 'another range of this session is arriving; send them one after another');
  const { start, bytes } = readRange(request.headers, { received: session.received, size });
  const draft = graph.drafts.get(session.draftKey);
  if (draft === undefined) throw sessionNotFound();
  requireRoomInMessage(draft, start + bytes, graph);
  const room = graph.limits.takeRoomForBytes(`${session.clientId} ${session.mailbox}`, bytes, graph.now());
  if (!room.fits) throw tooManyBytes(room.retryAfterSeconds);

  session.busy = true;
  try {
    await pipeline(request, createWriteStream(session.file, { flags: 'r+', start }));
    const carryOut = async () => commit(session, start + bytes, graph);
    const mailbox = { address: session.mailbox };
    return await carryOutOrFail('uploadRange', { ...begun, mailbox, carryOut }, graph);
  } finally {
    session.busy = false;
  }
};

const commit = (session: UploadSession, received: number, graph: GraphState): GraphAnswer => {
  const draft = graph.drafts.get(session.draftKey);
  if (draft === undefined || graph.uploads.find(session.path) === undefined) throw sessionNotFound();
  session.received = received;
  const { attachmentType, size, ...item } = session.item;
  if (received < size) return progressOf(session);
  const attachment = toDraftAttachment({
    '@odata.type': '#microsoft.graph.fileAttachment',
    ...item,
    contentFile: session.file,
    size,
  });
  graph.drafts.put(changeDraft(draft, { attachment }));
  graph.uploads.complete(session);
  const place = session.url.slice(0, session.url.indexOf('/AttachmentSessions('));
  return {
    kind: 'answer',
    status: 201,
    headers: { 'Content-Length': '0', Location: `${place}/Attachments('${attachment.id}')` },
  };
};

/** As Outlook writes it: PascalCase in the first name, and a bare offset once something has arrived. */
const progressOf = ({ url, expiresAt, received }: UploadSession): GraphAnswer => {
  const [origin = '', place = ''] = url.split('/AttachmentSessions(', 1)[0]?.split(/(?=\/Users)/) ?? [];
  return toJsonAnswer(200, {
    '@odata.context': `${origin}/$metadata#${place.slice(1)}/AttachmentSessions/$entity`,
    ExpirationDateTime: expiresAt.toISOString(),
    nextExpectedRanges: [received === 0 ? '0-' : String(received)],
  });
};
