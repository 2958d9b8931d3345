import mime from 'mime';
import { defined } from '../defined.ts';
import { isObject } from '../mail/absent.ts';
import { isBase64Text } from '../mail/base64-text.ts';
import { contentIdKey, referredContentIds } from '../mail/content-ids.ts';
import { fieldProblems } from './field-rules.ts';
import { ATTACHMENT } from './sendgrid-fields.ts';
import { type Findings, isNothing, listIn, tell } from './sendgrid-findings.ts';

export type Files = {
  /** As our email has them; shared by all emails of a request, with the base64 as it was received. */
  readonly files: readonly unknown[];
  /** Of their base64. */
  readonly length: number;
};

/** SendGrid writes the angle brackets itself, and some callers do too. */
const contentIdOf = (written: unknown): unknown =>
  typeof written === 'string' ? written.trim().replace(/^<(.*)>$/s, '$1') : written;

/** The name of a file that has none: clients send an empty text for it. */
const nameFor = (type: unknown, index: number): string => {
  const extension = typeof type === 'string' ? mime.getExtension(type) : null;
  return `attachment-${index + 1}.${extension ?? 'bin'}`;
};

/** Reads `attachments`. `html` decides whether a file with a content id is shown inside the email. */
export const readFiles = (findings: Findings, value: unknown, html: unknown): Files => {
  const list = listIn(findings, value, 'attachments');
  findings.places.set('/attachments', 'attachments');
  const ids = list.map((one) => (isObject(one) ? contentIdOf(one.content_id) : undefined));
  const asked = new Set(ids.flatMap((id) => (typeof id === 'string' && id !== '' ? [contentIdKey(id)] : [])));
  const referred =
    typeof html === 'string' && asked.size > 0 ? referredContentIds(html, asked) : new Set<string>();
  let length = 0;
  const files = list.map((one, index) => {
    if (!isObject(one)) return isNothing(one) ? null : one;
    findings.problems.push(...fieldProblems(one, ATTACHMENT, `attachments.${index}.`));
    if (isBase64Text(one.content)) length += one.content.length;
    const id = ids[index];
    const isInline = readDisposition(findings, one.disposition, index);
    if (isInline && isNothing(id))
      tell(
        findings,
        `attachments.${index}.disposition`,
        'attachment, or inline with a `content_id` that the html refers to with cid:',
        one.disposition,
        'FACADE_FIELD_NOT_CARRIED',
      );
    // A file that is not inline and that nothing refers to is a file like any other, whatever its id.
    const isShown = isInline || (typeof id === 'string' && referred.has(contentIdKey(id)));
    return defined({
      filename: isNothing(one.filename) ? nameFor(one.type, index) : one.filename,
      contentType: one.type,
      content: one.content,
      cid: isShown && !isNothing(id) ? id : undefined,
    });
  });
  return { files, length };
};

const readDisposition = (findings: Findings, written: unknown, index: number): boolean => {
  const disposition = typeof written === 'string' ? written.toLowerCase() : written;
  if (!isNothing(disposition) && disposition !== 'inline' && disposition !== 'attachment')
    tell(findings, `attachments.${index}.disposition`, 'attachment or inline', written);
  return disposition === 'inline';
};
