import type MimeNode from 'nodemailer/lib/mime-node';
import type { MimeNodePreparedHeaderValue } from 'nodemailer/lib/mime-node';
import type { Address } from '../mail/address.ts';
import { decodeRange } from '../mail/base64-text.ts';
import { textWithCrlf } from '../mail/line-breaks.ts';
import { addressHeader, fileHeaders, headerValue, subjectValue, type WordTools } from './mime-words.ts';
import type { OutgoingFile, OutgoingMail } from './outgoing-mail.ts';

/**
 * The header by which an email that went as MIME is found again. Exchange may keep it as a named property of its copy
 * (PS_INTERNET_HEADERS), and may lose it.
 */
export const RELAY_ID_HEADER = 'X-MailRelay-Id';

/** A part with its content, or with the parts in it. */
type Part = {
  readonly type?: string;
  readonly content?: string | Buffer;
  readonly headers?: Readonly<Record<string, string | MimeNodePreparedHeaderValue>>;
  readonly parts?: readonly Part[];
};

type Node = InstanceType<typeof MimeNode>;

/** Loaded at the first email that needs it: most need none (decision 17). */
const loadComposer = async () => {
  const [node, words] = await Promise.all([
    import('nodemailer/lib/mime-node'),
    import('nodemailer/lib/mime-funcs'),
  ]);
  const tools: WordTools = words;
  return { MimeNode: node.default, tools };
};

/** The id of a message that names none: the same at every attempt. */
export const messageIdOf = (id: string, sender: Address): string =>
  `<${id}@${asciiDomain(sender.address.slice(sender.address.lastIndexOf('@') + 1))}>`;

/** A message id is ASCII; a domain in another script has a form that is. */
const asciiDomain = (domain: string): string => {
  try {
    return new URL(`http://${domain}`).hostname;
  } catch {
    return 'localhost';
  }
};

/** RFC 5322, 3.3. */
export const dateOf = (date: Date): string => date.toUTCString().replace('GMT', '+0000');

/** The message that says all of an email, with the files given. The same email and date give the same bytes. */
export const composeMime = async (
  id: string,
  sender: Address,
  mail: OutgoingMail,
  files: readonly OutgoingFile[],
  date: Date,
): Promise<Buffer> => {
  const { MimeNode, tools } = await loadComposer();
  const boundary = id.replaceAll(/[^\w]/g, '');
  const outline = outlineOf(
    mail,
    files.map((file) => ({ part: filePart(tools, file), file })),
    boundary,
  );
  const names = new Map(
    [RELAY_ID_HEADER, ...mail.headers.map(({ name }) => name)].map((name) => [name.toLowerCase(), name]),
  );
  const options = {
    baseBoundary: boundary,
    disableFileAccess: true,
    disableUrlAccess: true,
    normalizeHeaderKey: (key: string) => names.get(key.toLowerCase()) ?? key,
  };
  const root: Node = new MimeNode(outline.type, options);
  fill(root, outline);
  addHeaders(root, tools, id, sender, mail, date);
  const people = [
    addressHeader(tools, 'From', [sender]),
    addressHeader(tools, 'To', mail.to),
    addressHeader(tools, 'Cc', mail.cc),
    addressHeader(tools, 'Bcc', mail.bcc),
    addressHeader(tools, 'Reply-To', mail.replyTo),
  ];
  return Buffer.concat([Buffer.from(people.join('')), await root.build()]);
};

const fill = (node: Node, { content, headers = {}, parts = [] }: Part): void => {
  for (const [name, value] of Object.entries(headers)) node.setHeader(name, value);
  if (content !== undefined) node.setContent(content);
  for (const part of parts) fill(node.createChild(part.type), part);
};

type Named = { readonly part: Part; readonly file: OutgoingFile };

const outlineOf = (mail: OutgoingMail, files: readonly Named[], boundary: string): Part => {
  const partsWhere = (isInline: boolean) =>
    files.filter(({ file }) => (file.cid !== undefined) === isInline).map(({ part }) => part);
  const [inline, attached] = [partsWhere(true), partsWhere(false)];
  const bodies: Part[] = [];
  if (mail.text !== undefined) bodies.push(textPart('text/plain', mail.text, boundary));
  if (mail.html !== undefined) {
    const html = textPart('text/html', mail.html, boundary);
    bodies.push(
      inline.length === 0 ? html : { type: 'multipart/related; type="text/html"', parts: [html, ...inline] },
    );
  }
  // As an alternative, and the last, which is the best (RFC 6047, 2.4): Outlook shows its buttons. An attachment beside it would
  // show the invitation twice.
  if (mail.calendar !== undefined)
    bodies.push(
      textPart(`text/calendar; method=${mail.calendar.method}`, withoutBom(mail.calendar.ics), boundary),
    );
  const [only] = bodies;
  const body: Part =
    bodies.length === 1 && only !== undefined ? only : { type: 'multipart/alternative', parts: bodies };
  return attached.length === 0 ? body : { type: 'multipart/mixed', parts: [body, ...attached] };
};

/** RFC 5545 knows no mark of the byte order, and some readers of calendars stop at it. */
const withoutBom = (text: string): string => text.replace(/^\ufeff/, '');

/** In base64 where it could hold a boundary line, which a caller who knows the id could write. */
const textPart = (type: string, text: string, boundary: string): Part => ({
  type: `${type}; charset=utf-8`,
  content: textWithCrlf(text),
  ...(text.includes(boundary) ? { headers: { 'Content-Transfer-Encoding': 'base64' } } : {}),
});

/**
 * True for a message or a multipart, which a composed message has as application/octet-stream: in base64 it is against RFC 2046
 * (5.2.1), and parsers would open it. So it arrives as the file it is.
 */
export const losesItsType = (contentType: string): boolean => /^(?:message|multipart)\//i.test(contentType);

const filePart = (tools: WordTools, { filename, contentType, cid, bytes, source }: OutgoingFile): Part => {
  if (source.kind === 'blob') throw new Error('a file that is in a blob cannot be composed into a message');
  return {
    content: decodeRange(source.content, 0, bytes),
    headers: {
      ...fileHeaders(tools, {
        filename,
        contentType: losesItsType(contentType) ? 'application/octet-stream' : contentType,
        disposition: cid === undefined ? 'attachment' : 'inline',
      }),
      'Content-Transfer-Encoding': 'base64',
      ...(cid === undefined ? {} : { 'Content-ID': `<${cid}>` }),
    },
  };
};

const addHeaders = (
  root: Node,
  tools: WordTools,
  id: string,
  sender: Address,
  mail: OutgoingMail,
  date: Date,
): void => {
  for (const { name, value } of mail.headers) root.addHeader(name, headerValue(tools, name, value));
  const set = (name: string, value: string): void => {
    if (value !== '') root.setHeader(name, value);
  };
  set('Date', dateOf(date));
  if (mail.subject !== '') root.setHeader('Subject', subjectValue(tools, mail.subject));
  set('Message-ID', mail.messageId ?? messageIdOf(id, sender));
  set('In-Reply-To', mail.inReplyTo ?? '');
  // RFC 5322, 3.6.4: what an answer refers to includes what it answers.
  set('References', (mail.references.length > 0 ? mail.references : [mail.inReplyTo ?? '']).join(' '));
  set('Importance', mail.importance === 'normal' ? '' : mail.importance);
  set('Disposition-Notification-To', mail.readReceipt ? sender.address : '');
  set('Return-Receipt-To', mail.deliveryReceipt ? sender.address : '');
  set(RELAY_ID_HEADER, id);
};
