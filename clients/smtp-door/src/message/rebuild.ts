import PostalMime, { type Attachment, type Email } from 'postal-mime';
import { readHeaderBlock } from './header-block.ts';
import { jsonFiles } from './json-files.ts';
import { jsonHeaders } from './json-headers.ts';
import { type Leaf, leavesOf, readParts } from './mime-parts.ts';
import { isGivenTo, parserInput } from './parser-input.ts';
import { contentOf } from './part-content.ts';
import { type Refusal, refuse } from './refusal.ts';

/** What is more than text, files and an invitation: in JSON it would arrive as something else. */
const NOT_IN_JSON: readonly (readonly [RegExp, string])[] = [
  [/^application\/(?:x-)?pkcs7-(?:mime|signature)$/, 'an S/MIME signature or encryption'],
  [/^application\/pgp-(?:encrypted|signature)$/, 'a PGP signature or encryption'],
  [/^message\/(?:delivery-status|disposition-notification)$/, 'a delivery report'],
  [/^text\/x-amp-html$/, 'an AMP part'],
];

/** Page breaks of printers, and characters that no mail program shows (the relay rejects them). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
const CONTROLS = /[\x00-\x08\x0b\x0e-\x1f\ufffe\uffff]/g;
const FORM_FEED = /\f/g;

const shown = (text: string): string =>
  text.replaceAll('\r\n', '\n').replaceAll(FORM_FEED, '\n').replaceAll(CONTROLS, '').toWellFormed();

const isInvitation = ({ mimeType, disposition, method }: Attachment): boolean =>
  mimeType === 'text/calendar' && disposition !== 'attachment' && method !== undefined;

/** An attachment with the bytes that were sent: the parser makes others of some, such as calendars. */
type FileOfMessage = Attachment & { readonly bytes: Buffer };

type Contents = ReadonlyMap<Leaf, Buffer>;

/** Every part decoded, in their order; or why one of them cannot be. */
const decodeAll = (bytes: Buffer, leaves: readonly Leaf[]): Contents | string => {
  const contents = new Map<Leaf, Buffer>();
  for (const [index, leaf] of leaves.entries()) {
    const content = contentOf(bytes, leaf, index + 1);
    if (typeof content === 'string') return content;
    contents.set(leaf, content);
  }
  return contents;
};

const NOT_READ = 'The message cannot be read: its headers are too large.';

const read = async (
  bytes: Buffer,
): Promise<{ readonly email: Email; readonly attachments: readonly FileOfMessage[] } | string> => {
  const parts = readParts(bytes);
  if (typeof parts === 'string') return parts;
  const leaves = leavesOf(parts);
  const contents = decodeAll(bytes, leaves);
  if (typeof contents === 'string') return contents;
  const email = await PostalMime.parse(parserInput(parts, contents), { forceRfc822Attachments: true }).catch(
    () => undefined,
  );
  if (email === undefined) return NOT_READ;
  const attachments = email.attachments.map((attachment) => {
    const leaf = leaves[Number(attachment.description)];
    return { ...attachment, leaf, bytes: (leaf && contents.get(leaf)) ?? Buffer.alloc(0) };
  });
  const found = new Set(attachments.map(({ leaf }) => leaf));
  // No file is lost, whatever the parser takes it for.
  return leaves.every((leaf) => isGivenTo(leaf) || found.has(leaf)) ? { email, attachments } : NOT_READ;
};

/** The message as the JSON email of the relay: same people, same texts, same files, in a new MIME structure. `why` it is needed. */
export const rebuild = async (bytes: Buffer, why: string): Promise<Record<string, unknown> | Refusal> => {
  const message = await read(bytes);
  if (typeof message === 'string') return refuse(`${why} ${message}`);
  const { email, attachments } = message;
  const { fields } = readHeaderBlock(bytes);
  const topType =
    fields
      .find(({ key }) => key === 'content-type')
      ?.value.split(';')[0]
      ?.trim()
      .toLowerCase() ?? '';
  const types = [topType, ...attachments.map(({ mimeType }) => mimeType)];
  const [, what] = NOT_IN_JSON.find(([pattern]) => types.some((type) => pattern.test(type))) ?? [];
  if (what !== undefined)
    return refuse(
      `${why} The message has ${what}, so that it cannot be changed. Send it smaller or well-formed.`,
      '5.6.3',
    );
  const invitation = attachments.find(isInvitation);
  const files = attachments.filter((file) => file !== invitation);
  const html = email.html === undefined ? undefined : shown(email.html);
  const text = email.text === undefined && html !== undefined ? undefined : shown(email.text ?? '');
  if (`${text ?? ''}${html ?? ''}`.includes('\ufffd'))
    return refuse(
      `${why} The text has bytes that are not of its charset. Set the charset in this device, such as UTF-8.`,
    );
  return {
    ...jsonHeaders(fields),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    attachments: jsonFiles(files, html ?? ''),
    ...(invitation === undefined
      ? {}
      : {
          calendar: {
            method: invitation.method,
            // In UTF-8, whatever its charset was.
            ics: Buffer.from(invitation.content as Uint8Array).toString('utf8'),
          },
        }),
  };
};
