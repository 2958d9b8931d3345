import mime from 'mime';
import * as z from 'zod';
import { isAbsent, isObject, withoutAbsent } from './absent.ts';
import { base64Fault, encodedTwiceFault, inOneLine } from './base64.ts';
import { type Base64Text, isBase64Text } from './base64-text.ts';
import { blobNameFault, lastPartOf } from './blob-name.ts';
import { ATTACHMENT_PLACE, sortFields, unknownFields } from './field-names.ts';
import { list, report, text } from './schema-faults.ts';
import { type Fault, fileNameFault, lineFault } from './text-rules.ts';

/** Exchange Online limits: 250 files in a message. */
const MAX_ATTACHMENTS = 250;
/** What file systems, and so people who save the file, can do with a name. */
const MAX_FILENAME = 255;
const MAX_CONTENT_TYPE = 255;
const MAX_CID = 255;

const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+(\s*;.*)?$/;

const invalid = (expected: string): Fault => ({ code: 'FIELD_INVALID', expected });

const filenameFault = (name: string): Fault | undefined => {
  if (/^[\s.]*$/.test(name) && name.length <= MAX_FILENAME)
    return invalid('the name of a file, such as report.pdf');
  const fault = fileNameFault(name, MAX_FILENAME);
  if (fault !== undefined) return fault;
  if (/[/\\]/.test(name)) return invalid('a file name without slashes');
  // Windows drops them, so that the file saved has another name than the one read.
  return /^\s|[\s.]$/.test(name)
    ? invalid('a file name without blanks at its ends and without a dot at its end')
    : undefined;
};

/** It may have a `name`, which some mail clients take for that of the file. */
const contentTypeFault = (type: string): Fault | undefined =>
  fileNameFault(type, MAX_CONTENT_TYPE) ??
  (MEDIA_TYPE.test(type) ? undefined : invalid('a media type such as application/pdf'));

/** The fault of a content id by itself. */
export const cidFault = (cid: string): Fault | undefined =>
  lineFault(cid, MAX_CID) ??
  (/^[^\s<>]+$/.test(cid) ? undefined : invalid('a content id without spaces or angle brackets'));

/** Base64, long or not; Graph takes it in one line. */
const base64 = z
  .custom<Base64Text>()
  .superRefine((value, context) => {
    const fault = isBase64Text(value) ? base64Fault(value) : invalid('text');
    if (fault !== undefined) report(context, fault, value);
  })
  .transform(inOneLine);

const file = z
  .object({
    filename: text(filenameFault).optional(),
    contentType: text(contentTypeFault).optional(),
    content: base64.optional(),
    blob: text(blobNameFault).optional(),
    cid: text(cidFault).optional(),
  })
  .superRefine(
    (value, context) => {
      if (!isObject(value)) return;
      const { filename, content, blob } = value;
      if (blob !== undefined && content !== undefined)
        report(context, invalid('content or blob, not both'), blob, ['blob']);
      if (blob === undefined && filename === undefined)
        report(context, invalid('text'), filename, ['filename']);
      if (blob === undefined && content === undefined)
        report(context, invalid('the file in base64, or its name in blob'), content, ['content']);
      const fault = faultBetween(value);
      if (fault !== undefined) report(context, ...fault);
    },
    { when: () => true },
  )
  .transform(({ filename, contentType, content, blob, cid }) => {
    const name = filename ?? lastPartOf(blob ?? '');
    return {
      filename: name,
      contentType: contentType ?? mime.getType(name) ?? 'application/octet-stream',
      ...(cid === undefined ? {} : { cid }),
      ...(blob === undefined ? { content: content ?? '' } : { blob }),
    };
  });

/** A field that is fine by itself and not beside the others; each may be of any type. */
const faultBetween = ({
  filename,
  content,
  blob,
}: Partial<Record<'filename' | 'content' | 'blob', unknown>>): [Fault, unknown, [string]] | undefined => {
  if (typeof blob === 'string' && filename === undefined && blobNameFault(blob) === undefined) {
    return filenameFault(lastPartOf(blob)) === undefined
      ? undefined
      : [
          invalid('the name of a file, as the last part of the name of the blob is none'),
          filename,
          ['filename'],
        ];
  }
  if (typeof filename !== 'string' || !isBase64Text(content) || base64Fault(content) !== undefined)
    return undefined;
  const fault = encodedTwiceFault(filename, content);
  return fault === undefined ? undefined : [fault, content, ['content']];
};

const FIELDS = Object.keys(file.in.shape);

const attachment = z.preprocess((written, context) => {
  if (isAbsent(written)) return undefined;
  if (!isObject(written)) return written;
  const { known, unknown } = sortFields(written, FIELDS);
  for (const { name, received, ...fault } of unknownFields(unknown, ATTACHMENT_PLACE, FIELDS))
    report(context, fault, written, name === undefined ? [] : [name], received, true);
  return withoutAbsent(known, absentIn(known));
}, file.optional());

/** An empty content is an empty file, and an empty name a mistake, but not beside a blob. */
const absentIn = ({ blob }: Readonly<Record<string, unknown>>): readonly string[] =>
  isAbsent(blob ?? '') ? ['contentType', 'cid', 'blob'] : ['contentType', 'cid', 'filename', 'content'];

/** The files of a mail. */
export const attachments = list(MAX_ATTACHMENTS, attachment).transform((read) =>
  read.filter((one) => one !== undefined),
);
