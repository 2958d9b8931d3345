import type { CapturedMail, GraphFileAttachment } from './captured-mail.ts';

/** Reads the bytes of an attachment that are not in the email: from the place that `contentFile` names. */
export type ReadElsewhere = (place: string) => Promise<Buffer>;

/** The bytes of an attachment, from the request or, for a large one, from where they are kept. */
export const contentOfAttachment = async (
  mail: CapturedMail,
  attachment: GraphFileAttachment,
  readElsewhere: ReadElsewhere,
): Promise<Buffer> => {
  const { contentBytes, contentFile } = attachment;
  if (contentBytes !== undefined) return Buffer.from(contentBytes, 'base64');
  if (contentFile !== undefined) return readElsewhere(contentFile);
  const place = (mail.request.body.message.attachments ?? []).indexOf(attachment) + 1;
  throw new TypeError(
    `Attachment ${place} of the email ${mail.id} has neither contentBytes nor contentFile; expected one of them. Delete the email from the inbox.`,
  );
};

/** How many bytes an attachment has, without reading them. */
export const sizeOfAttachment = ({ contentBytes, size }: GraphFileAttachment): number =>
  contentBytes === undefined ? (size ?? 0) : Buffer.byteLength(contentBytes, 'base64');
