import type { Address } from '../mail/address.ts';
import { parseAddresses } from '../mail/address-list.ts';
import { decodeRange } from '../mail/base64-text.ts';
import { fitsInJson } from '../mail/header-policy.ts';
import { fieldValue, readHeader } from '../mail/mime-header.ts';
import { MAX_IN_JSON, mimeNeeds } from '../mail/mime-needs.ts';
import { writtenAddress } from './mime-words.ts';
import { inEmail, type OutgoingFile, type OutgoingMail } from './outgoing-mail.ts';
import type { PlanWarning } from './plan-warnings.ts';
import { type CalendarRoles, isCalendarFile, redirectCalendar } from './redirect-calendar.ts';
import { isKeptHeader } from './redirect-headers.ts';
import {
  type Originally,
  originalHeaders,
  redirectNote,
  withNoteInHtml,
  withNoteInText,
} from './redirect-note.ts';
import { redirectWholeMessage } from './redirect-whole-message.ts';

/**
 * The email as it goes to one address instead of its recipients, for test environments. Nobody else is reached by it, nor by
 * an answer to it: the only other address in a field that programs act on is that of its sender. Whom it was for is said in headers and
 * at the top of the body, of Bcc only how many there were.
 */
export const redirectMail = (mail: OutgoingMail, sender: Address, to: Address): OutgoingMail => {
  const nobodyElse = { to: [to], cc: [], bcc: [], replyTo: [] };
  if (mail.raw !== undefined) {
    const originally = { ...mail, replyTo: repliesOf(mail.raw.bytes) };
    const raw = redirectWholeMessage(mail.raw, sender.address, to.address, originally);
    return { ...mail, ...nobodyElse, raw };
  }
  const note = redirectNote(mail);
  const roles = { organizer: writtenAddress(sender.address), attendee: writtenAddress(to.address) };
  const { text, html, calendar } = mail;
  return {
    ...mail,
    ...nobodyElse,
    headers: headersOf(mail, sender),
    ...(text === undefined ? {} : { text: withNoteInText(text, note) }),
    ...(html === undefined ? {} : { html: withNoteInHtml(html, note) }),
    ...(calendar === undefined
      ? {}
      : { calendar: { ...calendar, ics: redirectCalendar(calendar.ics, roles) ?? notRead() } }),
    files: mail.files.map((file) =>
      isCalendarFile(file.contentType, file.filename) ? redirectFile(file, roles) : file,
    ),
  };
};

const notRead = (): never => {
  throw new Error('a calendar must have been read before it is redirected');
};

const repliesOf = (bytes: Buffer): readonly Address[] => {
  const header = readHeader(bytes, 0);
  const value = 'expected' in header ? undefined : fieldValue(header.fields, 'reply-to');
  return parseAddresses(value ?? '') ?? [];
};

/** Those of the caller that lead to nobody, and whom the email was for: as many as let an email that goes as JSON still do so. */
const headersOf = (mail: OutgoingMail, sender: Address): OutgoingMail['headers'] => {
  const originals = addressesOf(mail);
  const kept = mail.headers.filter((header) => isKeptHeader(header, sender.address, originals));
  const own = kept.filter(({ name }) => fitsInJson(name)).length;
  const room = mimeNeeds(mail).length > 0 ? Number.POSITIVE_INFINITY : Math.max(0, MAX_IN_JSON - own);
  return [...kept, ...originalHeaders(mail).slice(0, room)];
};

const addressesOf = ({ to, cc, bcc, replyTo }: Originally): readonly string[] =>
  [...to, ...cc, ...bcc, ...replyTo].map(({ address }) => address);

/** A calendar that is a file; one that cannot be read, or is in a blob, becomes one that no mail client opens as an invitation. */
const redirectFile = (file: OutgoingFile, roles: CalendarRoles): OutgoingFile => {
  const { source, bytes, filename } = file;
  const content = source.kind === 'base64' ? decodeRange(source.content, 0, bytes).toString() : '';
  const ics = redirectCalendar(content, roles);
  return ics === undefined
    ? { ...file, filename: `${filename}.txt`, contentType: 'application/octet-stream' }
    : { ...file, ...inEmail(Buffer.from(ics).toString('base64')) };
};

/** Whether a warning is about a header that the caller did not write. */
export const isAboutOriginals = ({ pointer }: PlanWarning): boolean =>
  /^\/headers\/x-original-(?:to|cc|bcc-count|reply-to)$/.test(pointer);
