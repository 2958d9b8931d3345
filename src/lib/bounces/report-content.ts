import type { Attachment, Email } from 'postal-mime';
import { defined } from '../defined.ts';
import { isMailId } from '../ledger/mail-id.ts';
import { parseDeliveryStatus, type RecipientFields } from './delivery-status.ts';
import { codeIn } from './enhanced-code.ts';

/** What the MIME of a report says; `code` is of its text, in words that can be in any language. */
export type ReportContent = {
  readonly recipients: readonly RecipientFields[];
  /** Message-IDs of the email that it is about, as far as it returns it. */
  readonly messageIds: readonly string[];
  /** The id of the relay in a header of that email. */
  readonly mailId?: string;
  readonly code?: string;
};

/** Of a text, nothing behind this is looked at. */
const MOST_TEXT = 64 * 1024;
/** Exchange prints the original headers in its text, in HTML with escaped brackets. */
const MESSAGE_ID = /\bmessage-id:\s{0,20}(?:<|&lt;)([!-;=?-~]{1,900}?)(?:>|&gt;)/gi;
const RELAY_ID = /\bx-mailrelay-id:\s{0,20}([\da-f-]{36})\b/i;

/** Reads a report, also one that is cut at its end. What is not MIME says nothing; nothing is thrown. */
export const readReportContent = async (mime: string): Promise<ReportContent> => {
  const { default: PostalMime } = await import('postal-mime');
  let email: Email;
  try {
    email = await PostalMime.parse(mime, { forceRfc822Attachments: true, attachmentEncoding: 'utf8' });
  } catch {
    return { recipients: [], messageIds: [] };
  }
  const statuses = email.attachments.filter(
    ({ mimeType }) => mimeType.endsWith('/delivery-status') || mimeType.endsWith('/global-delivery-status'),
  );
  const returned = email.attachments.filter(({ mimeType }) => RETURNED.has(mimeType)).map(headersIn);
  const text = [email.text, email.html].map((one) => (one ?? '').slice(0, MOST_TEXT)).join('\n');
  const sources = [...returned, text];
  return {
    recipients: statuses.flatMap((status) => parseDeliveryStatus(textOf(status))),
    messageIds: [...new Set(sources.flatMap(messageIdsIn))].slice(0, 3),
    ...defined({
      mailId: sources
        .map((one) => RELAY_ID.exec(one)?.[1]?.toLowerCase())
        .find((id) => id !== undefined && isMailId(id)),
      code: codeIn(text),
    }),
  };
};

const RETURNED = new Set([
  'message/rfc822',
  'message/global',
  'text/rfc822-headers',
  'message/global-headers',
]);

const textOf = ({ content }: Attachment): string => (typeof content === 'string' ? content : '');

/** Headers end at the first empty line; what follows is the email itself, which is not looked at. */
const headersIn = (attachment: Attachment): string => {
  const text = textOf(attachment).slice(0, MOST_TEXT).replaceAll('\r\n', '\n');
  const end = text.indexOf('\n\n');
  return end < 0 ? text : text.slice(0, end);
};

const messageIdsIn = (text: string): readonly string[] =>
  [...text.matchAll(MESSAGE_ID)].map(([, id = '']) => `<${id}>`);
