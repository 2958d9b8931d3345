import { sizeOfAttachment } from '../../src/lib/inbox/attachment-content.ts';
import type { GraphFileAttachment } from '../../src/lib/inbox/captured-mail.ts';
import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { toDraftAttachment } from './create-draft.ts';
import { changeDraft, type Draft, type DraftAttachment } from './drafts.ts';
import { findDraft } from './find-item.ts';
import { type GraphAnswer, toJsonAnswer } from './graph-answer.ts';
import { GraphError } from './graph-error.ts';
import { preferenceApplied, wantsImmutableIds } from './item-ids.ts';
import { contextOf } from './message-resource.ts';
import { assertFileAttachment, assertUploadRequest, type UploadRequest } from './message-schema.ts';
import { carryOutOrFail } from './perform-fault.ts';
import { ATTACHMENT_LIMIT_BYTES, readJsonRequest } from './read-request.ts';
import { messageTooLarge } from './refusals.ts';
import { requireAttachment } from './send-mail-rules.ts';

/**
 * Up to here in one request, from here in a session: https://learn.microsoft.com/graph/outlook-large-attachments says 3 MB.
 * (People measured 3,145,611 bytes and 2,097,152: https://github.com/microsoftgraph/msgraph-sdk-java/pull/52.)
 */
const SESSION_FROM_BYTES = 3_000_000;
const LARGEST_FILE_BYTES = 150_000_000;
/** What is kept in a file rather than in memory and in the captured JSON. */
const LARGE_BYTES = 1_000_000;

/** POST /users/{user}/messages/{id}/attachments: a file below 3 MB. */
export const addAttachment = async (
  call: MailboxCall,
  graph: GraphState,
  id: string,
): Promise<GraphAnswer> => {
  requireAccess('write', call.caller, call.mailbox);
  findDraft(call, graph, id);
  const file = await readJsonRequest(call, graph, { limitBytes: ATTACHMENT_LIMIT_BYTES });
  assertFileAttachment(file);
  requireAttachment(file);
  if (sizeOfAttachment(file) >= SESSION_FROM_BYTES)
    throw new GraphError(
      400,
      'ErrorAttachmentSizeLimitExceeded',
      `The attachment has ${sizeOfAttachment(file)} bytes; expected fewer than ${SESSION_FROM_BYTES} in one request. Use an upload session.`,
    );
  requireRoomInMessage(findDraft(call, graph, id), sizeOfAttachment(file), graph);
  const carryOut = async () => {
    const attachment = toDraftAttachment(await keepOutOfMemory(file, graph));
    try {
      graph.drafts.put(changeDraft(findDraft(call, graph, id), { attachment }));
    } catch (error) {
      await graph.uploads.deleteFiles([attachment.file]);
      throw error;
    }
    const body = { ...toResource(attachment, call), contentBytes: file.contentBytes };
    return toJsonAnswer(201, body, preferenceApplied(wantsImmutableIds(call.request)));
  };
  return carryOutOrFail('addAttachment', { ...call, carryOut }, graph);
};

/** GET /users/{user}/messages/{id}/attachments, without the bytes: which files the draft has by now. */
export const listAttachments = async (
  call: MailboxCall,
  graph: GraphState,
  id: string,
): Promise<GraphAnswer> => {
  requireAccess('read', call.caller, call.mailbox);
  findDraft(call, graph, id);
  const carryOut = async () => {
    const { attachments } = findDraft(call, graph, id);
    const value = attachments.map((attachment) => toResource(attachment, call));
    return toJsonAnswer(
      200,
      { '@odata.context': `${contextOf(call)}/attachments`, value },
      preferenceApplied(wantsImmutableIds(call.request)),
    );
  };
  return carryOutOrFail('listAttachments', { ...call, carryOut }, graph);
};

/** POST /users/{user}/messages/{id}/attachments/createUploadSession: a file of 3 MB to 150 MB. */
export const createUploadSession = async (
  call: MailboxCall,
  graph: GraphState,
  id: string,
): Promise<GraphAnswer> => {
  requireAccess('write', call.caller, call.mailbox);
  findDraft(call, graph, id);
  const body = await readJsonRequest(call, graph);
  assertUploadRequest(body);
  requireUploadable(body);
  const carryOut = async () => {
    const session = await graph.uploads.open({
      draft: findDraft(call, graph, id),
      messageId: id,
      clientId: call.caller.app.clientId,
      item: body.AttachmentItem,
      expiresAt: new Date(graph.now().getTime() + graph.settings().uploadSessionMs),
    });
    return toJsonAnswer(201, {
      '@odata.context': `${call.url.origin}/v1.0/$metadata#microsoft.graph.uploadSession`,
      uploadUrl: session.url,
      expirationDateTime: session.expiresAt.toISOString(),
      nextExpectedRanges: ['0-'],
    });
  };
  return carryOutOrFail('createUploadSession', { ...call, carryOut }, graph);
};

/** The mailbox's limit for a whole message, here for its files. */
export const requireRoomInMessage = (
  { attachments }: Draft,
  bytes: number,
  { settings }: Pick<GraphState, 'settings'>,
): void => {
  const { on, messageBytes } = settings().limits;
  const total = attachments.reduce((sum, { file }) => sum + sizeOfAttachment(file), bytes);
  if (on && total > messageBytes) throw messageTooLarge(messageBytes);
};

const requireUploadable = ({ AttachmentItem: { name, size } }: UploadRequest): void => {
  if (name === '')
    throw new GraphError(400, 'ErrorInvalidRequest', "An attachment needs a 'name' that is not empty.");
  if (size < SESSION_FROM_BYTES)
    throw new GraphError(
      400,
      'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize',
      `Attachment size should not be less than the minimum size: expected at least ${SESSION_FROM_BYTES} bytes, received ${size}.`,
    );
  if (size > LARGEST_FILE_BYTES)
    throw new GraphError(
      400,
      'ErrorAttachmentSizeLimitExceeded',
      `The attachment exceeds the maximum size: expected at most ${LARGEST_FILE_BYTES} bytes, received ${size}.`,
    );
};

const keepOutOfMemory = async (
  file: GraphFileAttachment,
  { uploads }: GraphState,
): Promise<GraphFileAttachment> => {
  const { contentBytes = '', ...rest } = file;
  const bytes = Buffer.from(contentBytes, 'base64');
  if (bytes.length < LARGE_BYTES) return file;
  return { ...rest, contentFile: await uploads.keepFile(bytes), size: bytes.length };
};

const toResource = ({ id, file }: DraftAttachment, call: MailboxCall) => ({
  '@odata.type': file['@odata.type'],
  '@odata.mediaContentType': file.contentType ?? null,
  id,
  lastModifiedDateTime: `${call.at.toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}Z`,
  name: file.name,
  contentType: file.contentType ?? null,
  size: sizeOfAttachment(file),
  isInline: file.isInline ?? false,
  contentId: file.contentId ?? null,
  contentLocation: null,
});
