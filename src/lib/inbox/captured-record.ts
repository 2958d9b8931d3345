import type { CapturedMail, GraphFileAttachment, GraphMessage, GraphSendMailBody } from './captured-mail.ts';
import { parseMime } from './mime-message.ts';

/** What is kept of an email that was captured: what Graph would have received, and whose it is. */
export type CapturedRecord = {
  readonly mailId: string;
  readonly caller: string;
  readonly tags: readonly string[];
  /** Where it is listed: when it was received, or was to be sent. The same however often it is stored. */
  readonly dueFrom: string;
  readonly capturedAt: string;
  readonly mailbox: string;
  /** How it would have gone. */
  readonly way: 'json' | 'mime' | 'draft';
  /** The body of sendMail, or of the draft; MIME in base64. */
  readonly message:
    | { readonly contentType: 'application/json'; readonly body: unknown }
    | { readonly contentType: 'text/plain'; readonly body: string };
  /** Files that a draft would have got one by one. */
  readonly files: readonly CapturedFile[];
};

export type CapturedFile = {
  readonly filename: string;
  readonly contentType: string;
  readonly cid?: string;
  readonly bytes: number;
  /** In base64. Without `content` and `blob` the file was too large to be kept. */
  readonly content?: string;
  /** The name of the blob of the application that has it. */
  readonly blob?: string;
};

/** Places of files that are not in the record, as the inbox asks for them. */
export const BLOB_PLACE = 'blob:';
export const NOT_KEPT = 'not kept';

/** A captured email in the shape of the inbox. MIME that cannot be read is shown as text. */
export const toInboxMail = async (record: CapturedRecord): Promise<CapturedMail> => {
  const { mailId, caller, tags, capturedAt, mailbox, way, message, files } = record;
  const read = await readMessage(record);
  const attachments = [...(read.body.message.attachments ?? []), ...files.map(toAttachment)];
  return {
    id: mailId,
    acceptedAt: capturedAt,
    mailbox,
    graphRequestId: '',
    caller,
    tags,
    request: {
      method: 'POST',
      path: `/v1.0/users/${encodeURIComponent(mailbox)}/${way === 'draft' ? 'messages' : 'sendMail'}`,
      headers: { 'content-type': message.contentType },
      body: {
        ...read.body,
        message: { ...read.body.message, ...(attachments.length > 0 && { attachments }) },
      },
    },
    via: way,
    ...read.details,
  };
};

type ReadMessage = { readonly body: GraphSendMailBody; readonly details: Partial<CapturedMail> };

const readMessage = async ({ way, message }: CapturedRecord): Promise<ReadMessage> => {
  if (message.contentType === 'application/json') {
    const body =
      way === 'draft' ? { message: message.body as GraphMessage } : (message.body as GraphSendMailBody);
    return { body, details: {} };
  }
  const mime = Buffer.from(message.body, 'base64');
  try {
    const read = await parseMime(mime);
    const { messageId } = read.email;
    return {
      body: { message: read.message },
      details: { ...read.details, ...(messageId !== undefined && { internetMessageId: messageId }) },
    };
  } catch {
    return {
      body: { message: { body: { contentType: 'text', content: mime.toString('utf8') } } },
      details: { mime: message.body },
    };
  }
};

const toAttachment = ({
  filename,
  contentType,
  cid,
  bytes,
  content,
  blob,
}: CapturedFile): GraphFileAttachment => ({
  '@odata.type': '#microsoft.graph.fileAttachment',
  name: filename,
  contentType,
  ...(content === undefined
    ? { contentFile: blob === undefined ? NOT_KEPT : `${BLOB_PLACE}${blob}`, size: bytes }
    : { contentBytes: content }),
  ...(cid !== undefined && { isInline: true, contentId: cid }),
});
