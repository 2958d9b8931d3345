import mime from 'mime';
import { defined } from '../defined.ts';
import { isObject } from '../mail/absent.ts';
import { isBase64Text } from '../mail/base64-text.ts';
import { fieldProblems } from './field-rules.ts';
import { ATTACHMENT } from './sendgrid-fields.ts';
import { type Findings, isNothing, listIn, tell } from './sendgrid-findings.ts';
import { contentIdOf } from './shown-files.ts';

export type Files = {
  /** As our email has them; shared by all emails of a request, with the base64 as it was received. */
  readonly files: readonly unknown[];
  /** Of their base64. */
  readonly length: number;
};

/** The name of a file that has none: clients send an empty text for it. */
const nameFor = (type: unknown, index: number): string => {
  const extension = typeof type === 'string' ? mime.getExtension(type) : null;
  return `attachment-${index + 1}.${extension ?? 'bin'}`;
};

/** Reads `attachments`, with the content ids that they have. */
export const readFiles = (findings: Findings, value: unknown): Files => {
  const list = listIn(findings, value, 'attachments');
  findings.places.set('/attachments', 'attachments');
  let length = 0;
  const files = list.map((one, index) => {
    if (!isObject(one)) return isNothing(one) ? null : one;
    findings.problems.push(...fieldProblems(one, ATTACHMENT, `attachments.${index}.`));
    if (isBase64Text(one.content)) length += one.content.length;
    requireDisposition(findings, one.disposition, index);
    const cid = contentIdOf(one.content_id);
    return defined({
      filename: isNothing(one.filename) ? nameFor(one.type, index) : one.filename,
      contentType: one.type,
      content: one.content,
      cid: isNothing(cid) ? undefined : cid,
    });
  });
  return { files, length };
};

/** The html decides which files are shown in it. */
const requireDisposition = (findings: Findings, written: unknown, index: number): void => {
  const disposition = typeof written === 'string' ? written.toLowerCase() : written;
  if (!isNothing(disposition) && disposition !== 'inline' && disposition !== 'attachment')
    tell(findings, `attachments.${index}.disposition`, 'attachment or inline', written);
};
