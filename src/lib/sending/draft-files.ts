import { type Base64Text, encodedLength, writeBase64 } from '../mail/base64-text.ts';
import { toAttachment } from './json-message.ts';
import type { OutgoingFile } from './outgoing-mail.ts';
import type { SendReport } from './send-outcome.ts';
import { MAX_POSTED_BYTES } from './send-plan.ts';

/**
 * A range of an upload: less than 4 MB, which Graph advises (graph: outlook-large-attachments); a multiple of three bytes, so
 * that base64 is cut between its groups.
 */
export const RANGE_BYTES = 3_932_160;

/** Whether a file goes by an upload session, and not in one request. */
export const isUploaded = ({ bytes }: OutgoingFile): boolean => bytes > MAX_POSTED_BYTES;

/** The request that adds a small file to a draft (graph: message-post-attachments). */
export const toAttachmentBody = (file: OutgoingFile, content: Base64Text): Buffer => {
  const start = `${JSON.stringify(toAttachment(file)).slice(0, -1)},"contentBytes":"`;
  const end = '"}';
  const body = Buffer.allocUnsafe(Buffer.byteLength(start) + encodedLength(content) + end.length);
  const at = writeBase64(content, body, body.write(start));
  body.write(end, at);
  return body;
};

/** A file as an upload session names it (graph: attachmentItem). */
export const toUploadItem = ({ filename, contentType, cid, bytes }: OutgoingFile) => ({
  attachmentType: 'file' as const,
  name: filename,
  size: bytes,
  contentType,
  ...(cid === undefined ? {} : { isInline: true, contentId: cid }),
});

/** What one answer to a range means for the next. */
export type UploadStep =
  | { readonly kind: 'go-on'; readonly start: number }
  | { readonly kind: 'complete' }
  /** What is there is not known. */
  | { readonly kind: 'unclear' };

/**
 * Decides where an upload goes on after a range was taken. It is complete where Graph says 201 after the last byte, and only
 * there: an attachment that is short of bytes would go out.
 */
export const decideAfterRange = (
  report: SendReport & { readonly nextStart?: number },
  end: number,
  total: number,
): UploadStep => {
  if (report.kind !== 'answered') return { kind: 'unclear' };
  const { status, nextStart } = report;
  if (status === 201) return end === total ? { kind: 'complete' } : { kind: 'unclear' };
  const start = nextStart ?? end;
  return start < total ? { kind: 'go-on', start } : { kind: 'unclear' };
};
