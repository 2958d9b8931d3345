import { addressKey } from '../mail/address.ts';
import { matchesAny } from '../mail/address-pattern.ts';
import { decodedLength, decodeRange } from '../mail/base64-text.ts';
import { decodedForms } from '../mail/decoded-forms.ts';
import { isSafeHeaderName } from '../mail/field-names.ts';
import type { MailHeader } from '../mail/mail-headers.ts';
import type { Mail } from '../mail/mail-schema.ts';
import { fieldValue, type HeaderField, readHeader } from '../mail/mime-header.ts';
import { structureFault } from '../mail/mime-structure.ts';
import type { RawMime } from '../mail/raw-mime.ts';
import { isCalendarFile, peopleIn } from './redirect-calendar.ts';
import { leadsToNobody } from './redirect-headers.ts';
import { isCalendarPart } from './redirect-whole-message.ts';

/** The field of an email that leads to somebody else than those who may be reached. */
export type LeadsOutside = { readonly pointer: string; readonly expected: string };

/** Those who may be reached: domains as `*@domain`, and addresses. */
type Within = readonly string[];

const ADDRESSES = 'addresses within MAIL_RECIPIENT_DOMAINS, or that of the sender';
const A_CALENDAR =
  'a calendar that the relay can read, in UTF-8 and in the email itself, in which all people are within MAIL_RECIPIENT_DOMAINS';

/** The recipients are judged as recipients. */
const JUDGED = /^(?:to|cc|bcc)$/i;

/**
 * Where an email leads an answer, a receipt or an invitation to somebody else, beside its recipients: the fields that name the
 * people of an answer, of an invitation, or that no program is known not to answer to.
 */
export const leadsOutside = (
  mail: Pick<Mail, 'raw' | 'replyTo' | 'headers' | 'calendar' | 'attachments'>,
  sender: string,
  recipientDomains: readonly string[],
): readonly LeadsOutside[] => {
  // Answers go to the sender in every email.
  const within = [...recipientDomains, addressKey(sender)];
  if (mail.raw !== undefined) return wholeMessageOutside(mail.raw, within);
  const { replyTo, headers, calendar, attachments } = mail;
  return [
    ...(replyTo.every(({ address }) => matchesAny(within, address))
      ? []
      : [{ pointer: '/replyTo', expected: ADDRESSES }]),
    ...headers
      .filter((header) => isHeaderOutside(header, within))
      .map(({ name }) => ({
        pointer: isSafeHeaderName(name) ? `/headers/${name}` : '/headers',
        expected: ADDRESSES,
      })),
    ...(calendar !== undefined && isCalendarOutside(calendar.ics, within)
      ? [{ pointer: '/calendar/ics', expected: A_CALENDAR }]
      : []),
    ...attachments.flatMap((file, index) => {
      if (!isCalendarFile(file.contentType, file.filename)) return [];
      const ics =
        'blob' in file ? undefined : decodeRange(file.content, 0, decodedLength(file.content)).toString();
      return isCalendarOutside(ics, within)
        ? [{ pointer: `/attachments/${index}`, expected: A_CALENDAR }]
        : [];
    }),
  ];
};

const isHeaderOutside = (header: MailHeader, within: Within): boolean =>
  !leadsToNobody(header) &&
  !JUDGED.test(header.name) &&
  !isTextWithin(`${header.name}: ${header.value}`, within, couldBeAddress);

const isCalendarOutside = (ics: string | undefined, within: Within): boolean => {
  const people = ics === undefined ? undefined : peopleIn(ics);
  return !(people?.every((text) => isTextWithin(text, within)) ?? false);
};

/**
 * Whether what follows an @ could be the domain of an address: with a dot and a name at its end, or an address literal. Headers are full
 * of other ones: users, versions, nodes, prices.
 */
const couldBeAddress = (after: string, domain: string): boolean =>
  after.startsWith('[') || /\.[\p{L}\p{M}\p{N}_-]*\p{L}[\p{L}\p{M}\p{N}_-]*$/u.test(domain);

/** Whether every address in a text, in every form it can be read in, is one of these. Every @ makes one, or where `isOne` says so. */
const isTextWithin = (
  text: string,
  within: Within,
  isOne: (after: string, domain: string) => boolean = () => true,
): boolean =>
  decodedForms(text)?.every((form) =>
    [...form.matchAll(/@/g)].every(({ index }) => {
      const domain = /^[\p{L}\p{M}\p{N}_.-]+/u.exec(form.slice(index + 1))?.[0].replace(/\.$/, '') ?? '';
      const local = /[^\s<>()[\]",;:@\\]+$/.exec(form.slice(Math.max(0, index - 100), index))?.[0] ?? '';
      return !isOne(form.slice(index + 1), domain) || matchesAny(within, `${local}@${domain}`);
    }),
  ) ?? false;

const wholeMessageOutside = ({ bytes }: RawMime, within: Within): readonly LeadsOutside[] => {
  const header = readHeader(bytes, 0);
  if ('expected' in header) throw new Error('a whole message must have been read before it is judged');
  const { fields, bodyAt } = header;
  let isOutside = false;
  structureFault(bytes, fields, bodyAt, (part, at) => {
    if (isCalendarPart(part)) isOutside ||= isCalendarOutside(contentOf(bytes, part, at), within);
  });
  const outside = fields.find((field) => isHeaderOutside(field, within));
  return [
    ...(outside === undefined ? [] : [{ pointer: '/mime', expected: `${ADDRESSES}, ${inHeader(outside)}` }]),
    ...(isOutside ? [{ pointer: '/mime', expected: A_CALENDAR }] : []),
  ];
};

const inHeader = ({ name }: HeaderField): string =>
  isSafeHeaderName(name) ? `in the header ${name}` : 'in every header';

/** The content of a part up to the next line that can be a boundary. No line of a calendar begins as one does. */
const contentOf = (bytes: Buffer, part: readonly HeaderField[], at: number): string => {
  const boundary = bytes.indexOf('\r\n--', Math.max(0, at - 2));
  const content = bytes.subarray(at, boundary === -1 ? bytes.length : Math.max(at, boundary));
  switch (fieldValue(part, 'content-transfer-encoding')?.toLowerCase()) {
    case 'base64':
      return Buffer.from(content.toString('latin1'), 'base64').toString();
    case 'quoted-printable':
      return Buffer.from(
        content
          .toString('latin1')
          .replaceAll(/=[ \t]*\r\n/g, '')
          .replaceAll(/=([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
        'latin1',
      ).toString();
    default:
      return content.toString();
  }
};
