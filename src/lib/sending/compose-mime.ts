import type MimeNode from 'nodemailer/lib/mime-node';
import type { Address } from '../mail/address.ts';
import { decodeRange } from '../mail/base64-text.ts';
import { textWithCrlf } from '../mail/line-breaks.ts';
import type { OutgoingFile, OutgoingMail } from './outgoing-mail.ts';

/**
 * The header by which an email that went as MIME is found again. Exchange may keep it as a named property of its copy
 * (PS_INTERNET_HEADERS), and may lose it.
 */
export const RELAY_ID_HEADER = 'X-MailRelay-Id';

/** A part with its content, or with the parts in it. */
type Part = {
  readonly type: string;
  readonly content?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly filename?: string;
  readonly parts?: readonly Part[];
};

type Node = InstanceType<typeof MimeNode>;

/** Loaded at the first email that needs it: most need none (decision 17). */
const loadComposer = async () => {
  const [node, words] = await Promise.all([
    import('nodemailer/lib/mime-node'),
    import('nodemailer/lib/mime-funcs'),
  ]);
  return { MimeNode: node.default, encodeWord: words.encodeWord };
};

type Composer = Awaited<ReturnType<typeof loadComposer>>;

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
  const { MimeNode, encodeWord } = await loadComposer();
  const boundary = id.replaceAll(/[^\w]/g, '');
  const outline = outlineOf(mail, files, boundary);
  const names = new Map(
    [RELAY_ID_HEADER, ...mail.headers.map(({ name }) => name)].map((name) => [name.toLowerCase(), name]),
  );
  const options = {
    keepBcc: true,
    baseBoundary: boundary,
    disableFileAccess: true,
    disableUrlAccess: true,
    normalizeHeaderKey: (key: string) => names.get(key.toLowerCase()) ?? key,
  };
  const root: Node = new MimeNode(outline.type, { ...options, ...nameOf(outline) });
  fill(root, outline);
  addHeaders(root, encodeWord, id, sender, mail, date);
  return root.build();
};

const nameOf = ({ filename }: Part) => (filename === undefined ? {} : { filename });

const fill = (node: Node, { content, headers = {}, parts = [] }: Part): void => {
  for (const [name, value] of Object.entries(headers)) node.setHeader(name, value);
  if (content !== undefined) node.setContent(content);
  for (const part of parts) fill(node.createChild(part.type, nameOf(part)), part);
};

const outlineOf = (mail: OutgoingMail, files: readonly OutgoingFile[], boundary: string): Part => {
  const inline = files.filter(({ cid }) => cid !== undefined);
  const attached = files.filter(({ cid }) => cid === undefined);
  const bodies: Part[] = [];
  if (mail.text !== undefined) bodies.push(textPart('text/plain', mail.text, boundary));
  if (mail.html !== undefined) {
    const html = textPart('text/html', mail.html, boundary);
    bodies.push(
      inline.length === 0
        ? html
        : { type: 'multipart/related; type="text/html"', parts: [html, ...inline.map(filePart)] },
    );
  }
  // As an alternative, and the last, which is the best (RFC 6047, 2.4): Outlook shows its buttons. An attachment beside it would
  // show the invitation twice.
  if (mail.calendar !== undefined)
    bodies.push(textPart(`text/calendar; method=${mail.calendar.method}`, mail.calendar.ics, boundary));
  const [only] = bodies;
  const body: Part =
    bodies.length === 1 && only !== undefined ? only : { type: 'multipart/alternative', parts: bodies };
  return attached.length === 0 ? body : { type: 'multipart/mixed', parts: [body, ...attached.map(filePart)] };
};

/** In base64 where it could hold a boundary line, which a caller who knows the id could write. */
const textPart = (type: string, text: string, boundary: string): Part => ({
  type: `${type}; charset=utf-8`,
  content: textWithCrlf(text),
  ...(text.includes(boundary) ? { headers: { 'Content-Transfer-Encoding': 'base64' } } : {}),
});

/** A message or multipart in base64 is against RFC 2046 (5.2.1), and parsers would open it: it arrives as the file it is. */
const fileType = (contentType: string): string =>
  /^(?:message|multipart)\//i.test(contentType) ? 'application/octet-stream' : contentType;

const filePart = ({ filename, contentType, cid, bytes, source }: OutgoingFile): Part => {
  if (source.kind === 'blob') throw new Error('a file that is in a blob cannot be composed into a message');
  return {
    type: fileType(contentType),
    filename,
    content: decodeRange(source.content, 0, bytes),
    headers: {
      'Content-Transfer-Encoding': 'base64',
      'Content-Disposition': cid === undefined ? 'attachment' : 'inline',
      ...(cid === undefined ? {} : { 'Content-ID': `<${cid}>` }),
    },
  };
};

/** RFC 2047, 2: an encoded word has at most 75 characters. */
const LONGEST_WORD = 75 - '=?UTF-8?B??='.length;

const addHeaders = (
  root: Node,
  encodeWord: Composer['encodeWord'],
  id: string,
  sender: Address,
  mail: OutgoingMail,
  date: Date,
): void => {
  // What looks like an encoded word as it is written is encoded, or it would be decoded.
  const plain = (value: string) =>
    value.includes('=?')
      ? { prepared: true, foldLines: true, value: encodeWord(value, 'B', LONGEST_WORD) }
      : value;
  for (const { name, value } of mail.headers) root.addHeader(name, plain(value));
  const addresses = (list: readonly Address[]) => list.map(({ name = '', address }) => ({ name, address }));
  const set = (name: string, value: string | { name: string; address: string }[]): void => {
    if (value.length > 0) root.setHeader(name, value);
  };
  set('Date', dateOf(date));
  set('From', addresses([sender]));
  set('To', addresses(mail.to));
  set('Cc', addresses(mail.cc));
  set('Bcc', addresses(mail.bcc));
  set('Reply-To', addresses(mail.replyTo));
  if (mail.subject !== '') root.setHeader('Subject', plain(mail.subject));
  set('Message-ID', mail.messageId ?? messageIdOf(id, sender));
  set('In-Reply-To', mail.inReplyTo ?? '');
  // RFC 5322, 3.6.4: what an answer refers to includes what it answers.
  set('References', (mail.references.length > 0 ? mail.references : [mail.inReplyTo ?? '']).join(' '));
  set('Importance', mail.importance === 'normal' ? '' : mail.importance);
  set('Disposition-Notification-To', mail.readReceipt ? sender.address : '');
  set('Return-Receipt-To', mail.deliveryReceipt ? sender.address : '');
  set(RELAY_ID_HEADER, id);
};
