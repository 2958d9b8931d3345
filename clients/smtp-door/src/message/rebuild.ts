import type { Attachment } from 'postal-mime';
import { readHeaderBlock } from './header-block.ts';
import { contentOf, jsonFiles } from './json-files.ts';
import { jsonHeaders } from './json-headers.ts';
import { parseMime } from './parse-mime.ts';
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
  text.replaceAll(FORM_FEED, '\n').replaceAll(CONTROLS, '').toWellFormed();

const isInvitation = ({ mimeType, disposition, method }: Attachment): boolean =>
  mimeType === 'text/calendar' && disposition !== 'attachment' && method !== undefined;

/** The message as the JSON email of the relay: same people, same texts, same files, in a new MIME structure. `why` it is needed. */
export const rebuild = async (bytes: Buffer, why: string): Promise<Record<string, unknown> | Refusal> => {
  const email = await parseMime(bytes);
  if (email === undefined)
    return refuse(`${why} The message cannot be read: its MIME parts are too many or too deep.`);
  const { fields } = readHeaderBlock(bytes);
  const topType =
    fields
      .find(({ key }) => key === 'content-type')
      ?.value.split(';')[0]
      ?.trim()
      .toLowerCase() ?? '';
  const types = [topType, ...email.attachments.map(({ mimeType }) => mimeType)];
  const [, what] = NOT_IN_JSON.find(([pattern]) => types.some((type) => pattern.test(type))) ?? [];
  if (what !== undefined)
    return refuse(
      `${why} The message has ${what}, so that it cannot be changed. Send it smaller or well-formed.`,
      '5.6.3',
    );
  const invitation = email.attachments.find(isInvitation);
  const files = email.attachments.filter((file) => file !== invitation);
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
            ics: contentOf(invitation).toString('utf8'),
          },
        }),
  };
};
