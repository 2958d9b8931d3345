import { contentOfAttachment, type ReadElsewhere, sizeOfAttachment } from './attachment-content.ts';
import type { CapturedMail, GraphFileAttachment } from './captured-mail.ts';

/** An attachment under the number by which it is asked for: its place in the Graph request, from 1. */
export type MailPart = {
  readonly partId: string;
  readonly fileName: string;
  readonly contentType: string;
  /** Without the angle brackets that a MIME header puts around it. */
  readonly contentId: string;
  readonly isInline: boolean;
  readonly sizeBytes: number;
};

const UNKNOWN_TYPE = 'application/octet-stream';
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+$/;

/** The attachments of an email, numbered. */
export const partsOf = (mail: CapturedMail): MailPart[] =>
  attachmentsOf(mail).map((attachment, index) => ({
    partId: String(index + 1),
    fileName: attachment.name ?? '',
    contentType: mediaTypeOf(attachment.contentType),
    contentId: (attachment.contentId ?? '').replace(/^<|>$/g, ''),
    isInline: attachment.isInline === true,
    sizeBytes: sizeOfAttachment(attachment),
  }));

/** The bytes of an attachment; undefined where there is none with that number. */
export const contentOfPart = async (
  mail: CapturedMail,
  partId: string,
  readElsewhere: ReadElsewhere,
): Promise<Buffer | undefined> => {
  const attachment = /^[1-9]\d{0,4}$/.test(partId) ? attachmentsOf(mail)[Number(partId) - 1] : undefined;
  return attachment && contentOfAttachment(mail, attachment, readElsewhere);
};

/** RFC 6266 and RFC 8187: the real name in `filename*`, for everyone else the nearest ASCII. */
export const downloadAs = (fileName: string): string => {
  const name = fileName.toWellFormed() || 'attachment';
  const ascii = name.replace(/[^\x20-\x7e]|["\\%/]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
};

const attachmentsOf = (mail: CapturedMail): readonly GraphFileAttachment[] =>
  mail.request.body.message.attachments ?? [];

/** What the mail declares, unless that could not stand in a response header. */
const mediaTypeOf = (declared: string | undefined): string => {
  const bare = (declared ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return MEDIA_TYPE.test(bare) ? bare : UNKNOWN_TYPE;
};
