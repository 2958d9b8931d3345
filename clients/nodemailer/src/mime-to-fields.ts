import PostalMime, { type Address, decodeWords } from 'postal-mime';
import { addressKey } from '../../../src/lib/mail/address.ts';
import { readAddresses } from '../../../src/lib/mail/address-list.ts';
import { contentIdKey, referredContentIds } from '../../../src/lib/mail/content-ids.ts';
import { type HeaderField, keyOf } from './header-bytes.ts';
import { type Part, readParts } from './mime-parts.ts';
import { relayError } from './relay-error.ts';

/** Fields of a header that have a place of their own in the JSON of the relay, or that the relay writes. */
const HAS_ITS_PLACE =
  /^(?:from|sender|to|cc|bcc|reply-to|subject|message-id|in-reply-to|references|importance|priority|disposition-notification-to|return-receipt-to|date|mime-version|content-.*)$/;

const RECEIPTS = {
  'disposition-notification-to': 'readReceipt',
  'return-receipt-to': 'deliveryReceipt',
};

/** What nodemailer calls the parts that JSON cannot have. */
const OPTION_OF: Readonly<Record<string, string>> = {
  'text/x-amp-html': 'amp',
  'text/watch-html': 'watchHtml',
};

const cannot = (what: string, instead: string) =>
  relayError(
    `A message above 3,000,000 bytes goes to the relay as fields, which cannot have ${what}. ${instead} Nothing was sent.`,
    { code: 'EMESSAGE', responseCode: 552 },
  );
const SMALLER = 'Make the message smaller: send a link to a large file.';

type Person = { readonly name?: string; readonly address: string };

/**
 * The JSON of the relay for a message that is too large to be sent whole. It says the same to its recipients: what JSON cannot say is an
 * error. The Date is the time at which the relay receives it.
 */
export const mimeToFields = async (bytes: Buffer): Promise<Readonly<Record<string, unknown>>> => {
  const read = readParts(bytes);
  if ('expected' in read)
    throw relayError(`The message cannot be sent. Expected ${read.expected}. Nothing was sent.`, {
      code: 'EMESSAGE',
      responseCode: 554,
    });
  const { fields, parts } = read;
  const email = await PostalMime.parse(Buffer.concat([headOf(bytes, fields), Buffer.from('\r\n')]));
  const bodies = parts.filter((part, index) => isBody(part, index, parts.length));
  const files = parts.filter((part) => !bodies.includes(part));
  const sender = peopleOf(email.sender === undefined ? [] : [email.sender]);
  const from = peopleOf(email.from === undefined ? [] : [email.from]);
  if (from.length > 1) throw cannot('several addresses in From', 'Leave one.');
  if (sender[0] !== undefined && sender[0].address.toLowerCase() !== from[0]?.address.toLowerCase())
    throw cannot('another address in `sender` than in `from`', 'Leave out `sender`.');
  const found = bodiesOf(bodies);
  // The JSON of the relay has a text or html always; a message can have files alone.
  const body = 'text' in found || 'html' in found ? found : { ...found, text: '' };
  const isShown = shownIn(String(body.html ?? ''), files);
  return withoutEmpty({
    from: from[0],
    to: peopleOf(email.to),
    cc: peopleOf(email.cc),
    bcc: peopleOf(email.bcc),
    replyTo: peopleOf(email.replyTo),
    messageId: email.messageId,
    inReplyTo: email.inReplyTo,
    references: email.references?.split(/\s+/),
    importance: importanceOf(fields),
    ...receiptsOf(fields, from[0]?.address),
    headers: headersOf(fields),
    subject: email.subject ?? '',
    ...body,
    attachments: await Promise.all(files.map((part) => fileOf(part, isShown))),
  });
};

const headOf = (bytes: Buffer, fields: readonly HeaderField[]): Buffer =>
  Buffer.concat(
    fields
      .filter((field) => !/^(?:content-|mime-version)/.test(keyOf(field)))
      .map(({ start, end }) => bytes.subarray(start, end)),
  );

const isText = ({ type }: Part): boolean => type.startsWith('text/');

const isBody = (part: Part, index: number, count: number): boolean =>
  part.disposition === undefined &&
  part.contentId === undefined &&
  (isText(part) || (index === 0 && count === 1));

const textOf = ({ content, charset = 'utf-8' }: Part): string => {
  try {
    return new TextDecoder(charset).decode(content);
  } catch {
    throw cannot(`text in the character set ${charset.slice(0, 30)}`, 'Write it in UTF-8.');
  }
};

const bodiesOf = (bodies: readonly Part[]): Readonly<Record<string, unknown>> => {
  const found: Record<string, unknown> = {};
  for (const part of bodies) {
    const name = part.type === 'text/plain' ? 'text' : part.type === 'text/html' ? 'html' : 'calendar';
    const isKnown = /^text\/(?:plain|html|calendar)$/.test(part.type);
    if (!isKnown)
      throw cannot(
        `\`${OPTION_OF[part.type] ?? 'alternatives'}\` (a part of the type ${part.type})`,
        `Leave it out, or: ${SMALLER}`,
      );
    if (name in found) throw cannot(`several parts of the type ${part.type}`, `Leave one, or: ${SMALLER}`);
    found[name] = name === 'calendar' ? calendarOf(part) : textOf(part);
  }
  return found;
};

const calendarOf = (part: Part): Readonly<Record<string, string>> => {
  const ics = textOf(part);
  return { method: /^METHOD:([\w-]+)/im.exec(ics)?.[1]?.toUpperCase() ?? '', ics };
};

/**
 * Whether the html shows a file. Mail programs show the others as files, also those with a content id; and early versions of nodemailer
 * write that files in the html are attached.
 */
const shownIn = (html: string, files: readonly Part[]): ((contentId: string) => boolean) => {
  const asked = new Set(
    files.flatMap(({ contentId }) => (contentId === undefined ? [] : [contentIdKey(contentId)])),
  );
  const shown = asked.size === 0 ? asked : referredContentIds(html, asked);
  return (contentId) => shown.has(contentIdKey(contentId));
};

const fileOf = async (
  part: Part,
  isShown: (contentId: string) => boolean,
): Promise<Readonly<Record<string, unknown>>> => {
  const { header, type, charset, contentId, content } = part;
  // The names of files in all their encodings are the library's. It gives no file that is empty.
  const parsed = await PostalMime.parse(Buffer.concat([asFile(header), Buffer.from('x')]), {
    forceRfc822Attachments: true,
  });
  const [file] = parsed.attachments;
  const filename = file?.filename ?? undefined;
  if (filename === undefined)
    throw cannot(`a file without a name (a part of the type ${type})`, 'Give it a `filename`.');
  return withoutEmpty({
    filename,
    contentType: charset === undefined ? type : `${type}; charset=${charset}`,
    cid: contentId !== undefined && isShown(contentId) ? contentId : undefined,
    content: content.toString('base64'),
  });
};

/** Without the encoding, as the content is decoded; and never inline, as the parser takes inline text for the body. */
const asFile = (header: Buffer): Buffer =>
  Buffer.from(
    header
      .toString('latin1')
      .replace(/^content-transfer-encoding:.*\r?\n(?:[ \t].*\r?\n)*/im, '')
      .replace(/^(content-disposition:\s*)inline/im, '$1attachment'),
    'latin1',
  );

const peopleOf = (addresses: readonly Address[] = []): readonly Person[] =>
  addresses
    .flatMap((one) => one.group ?? [one])
    .map(({ name, address }) => (name === '' ? { address } : { name, address }));

/** The words of the header Priority (RFC 2156), which stands for Importance where that is absent. */
const PRIORITIES: Readonly<Record<string, string>> = {
  urgent: 'high',
  'non-urgent': 'low',
  normal: 'normal',
};

const importanceOf = (fields: readonly HeaderField[]): string | undefined => {
  const wordOf = (name: string) =>
    fields
      .find((field) => keyOf(field) === name)
      ?.value.trim()
      .toLowerCase();
  const priority = wordOf('priority');
  return wordOf('importance') ?? (priority === undefined ? undefined : (PRIORITIES[priority] ?? priority));
};

/** Receipts that a header requests. Those of the JSON go to the sender, as Exchange has it. */
const receiptsOf = (
  fields: readonly HeaderField[],
  sender: string | undefined,
): Readonly<Record<string, true>> => {
  const requested: Record<string, true> = {};
  for (const [name, receipt] of Object.entries(RECEIPTS)) {
    const field = fields.find((one) => keyOf(one) === name);
    if (field === undefined) continue;
    const { addresses, wrong } = readAddresses(field.value);
    const isOwn = addresses.every(({ address }) => addressKey(address) === addressKey(sender ?? ''));
    if (wrong.length > 0 || !isOwn)
      throw cannot(
        `another address in ${field.name} than in \`from\``,
        'Leave out the header, or write `from`.',
      );
    requested[receipt] = true;
  }
  return requested;
};

const headersOf = (fields: readonly HeaderField[]): Readonly<Record<string, string>> => {
  const others = fields.filter((field) => !HAS_ITS_PLACE.test(keyOf(field)));
  const envelope = others.find((field) => /^x-(?:sender|receiver)$/.test(keyOf(field)));
  if (envelope !== undefined)
    throw cannot(`the header ${envelope.name}, which names an envelope`, 'Use the option `envelope`.');
  const seen = new Set<string>();
  for (const field of others) {
    if (seen.has(keyOf(field))) throw cannot(`the header ${field.name} twice`, 'Leave one.');
    seen.add(keyOf(field));
  }
  return Object.fromEntries(others.map(({ name, value }) => [name, decodeWords(value)]));
};

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  (Array.isArray(value) && value.length === 0) ||
  (typeof value === 'object' && value !== null && Object.keys(value).length === 0);

const withoutEmpty = (value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(value).filter(([, one]) => !isEmpty(one)));
