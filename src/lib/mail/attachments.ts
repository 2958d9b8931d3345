import mime from 'mime';
import * as z from 'zod';
import { isAbsent, isObject, withoutAbsent } from './absent.ts';
import { base64Fault, encodedTwiceFault, inOneLine } from './base64.ts';
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

const file = z
  .object({
    filename: text(filenameFault),
    contentType: text(contentTypeFault).optional(),
    content: text(base64Fault).transform(inOneLine),
    cid: text(cidFault).optional(),
  })
  .check(({ value: { filename, content }, issues }) => {
    const fault = encodedTwiceFault(filename, content);
    if (fault !== undefined) report({ issues }, fault, content, ['content']);
  })
  .transform(({ contentType, ...rest }) => ({
    ...rest,
    contentType: contentType ?? mime.getType(rest.filename) ?? 'application/octet-stream',
  }));

const FIELDS = Object.keys(file.in.shape);

const attachment = z.preprocess((written, context) => {
  if (isAbsent(written)) return undefined;
  if (!isObject(written)) return written;
  const { known, unknown } = sortFields(written, FIELDS);
  for (const { name, received, ...fault } of unknownFields(unknown, ATTACHMENT_PLACE, FIELDS))
    report(context, fault, written, name === undefined ? [] : [name], received, true);
  return withoutAbsent(known, ['contentType', 'cid']);
}, file.optional());

/** The files of a mail. */
export const attachments = list(MAX_ATTACHMENTS, attachment).transform((read) =>
  read.filter((one) => one !== undefined),
);
