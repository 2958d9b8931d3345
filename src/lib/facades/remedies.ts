import { catalogue, type ErrorCode } from '../error-catalogue.ts';

/** What to do about errors, in the words of one provider. What is not there is said as in the relay's own API. */
export type Remedies = Readonly<Partial<Record<ErrorCode, string>>>;

/** For whoever reads the answer of a façade, which has no fields of its own for the facts of an error. */
const OF_ALL: Remedies = {
  CREDENTIALS_AMBIGUOUS:
    'Send exactly one key or token, in the header where the client of the provider puts its key.',
  KEY_NOT_ACCEPTED:
    'The key is incomplete, was revoked, or is none of this relay. Ask an administrator for a new one: `npm run callers -- rotate-key NAME`.',
  FACADE_CALL_UNKNOWN:
    'The calls that the relay has are listed for each provider in docs/facades.md. Nothing was sent.',
  CONTENT_TYPE_UNSUPPORTED:
    'Send JSON in UTF-8 with the header Content-Type: application/json. Nothing was sent.',
  CALLER_LIMIT_REACHED:
    'Nothing was accepted. Repeat the request after the seconds in the header Retry-After: the limit counts from midnight to midnight UTC. An administrator can raise it: `npm run callers -- limit NAME --mails-per-day NUMBER` or `--recipients-per-day NUMBER`.',
  MAILBOX_DAY_REACHED:
    'Nothing was accepted. Repeat the request after the seconds in the header Retry-After, or use another sender: Exchange lets a mailbox write to 10,000 recipients in 24 hours.',
  EXTERNAL_RECIPIENTS_REACHED:
    'Nothing was accepted. Repeat the request after the seconds in the header Retry-After: Exchange limits the recipients outside the tenant in 24 hours, for all its mailboxes together.',
  ONMICROSOFT_RECIPIENTS_REACHED:
    'Nothing was accepted. Repeat the request after the seconds in the header Retry-After, or use a sender in a domain of the organization: senders in an onmicrosoft.com domain together write to 100 recipients outside the tenant in 24 hours.',
  REQUEST_TOO_LARGE: 'Divide it into several requests. Nothing was sent.',
  FIELD_INVALID: 'Change the field. Nothing was sent.',
  MAIL_INVALID: 'Correct every field that is named here. Nothing was sent.',
  SENDER_NOT_ALLOWED:
    'Ask an administrator to add the address of the sender (or *@domain) to the setting MAIL_ALLOWED_SENDERS and to the senders of the caller: `npm run callers -- limit NAME --add-sender ADDRESS`. Nothing was sent.',
  SEND_AS_DENIED:
    'Send as the address of the mailbox itself, or grant the permission: Add-RecipientPermission <from> -Trustee <mailbox> -AccessRights SendAs',
  MESSAGE_ID_INVALID:
    'Write message ids as they appear in the header of an email: `<left@right>`, in ASCII letters, digits, dots and the characters of RFC 5322. The header References has at most 100 of them, with 16,000 characters together.',
  CALENDAR_INVALID:
    'The invitation is one VCALENDAR with VERSION:2.0, a METHOD and at least one event. Each event needs a UID; a REQUEST also needs ORGANIZER and DTSTART, and a CANCEL needs ORGANIZER. Build it with a calendar library.',
  HEADER_NOT_CARRIED:
    'Use the field that is named, or remove the header. The relay and mail servers write From, Date, Content-Type, Received and similar headers themselves.',
  SEND_AT_INVALID: 'Choose a time at most 30 days ahead, or none. Nothing was sent.',
  MAIL_NOT_SCHEDULED: 'Only an email that waits for its time can be moved.',
  MAILBOX_FULL:
    'An administrator empties the mailbox or gives it a retention policy: Exchange keeps a copy of every email in Sent Items.',
  CID_UNUSED:
    'Show the file in the HTML by its content id, as in `<img src="cid:logo">`, or omit its content id. Mail clients hide a file that has a content id and is not shown.',
  SENT_ITEMS_COPY_NEEDED: 'Send the email with `POST /api/v1/mail`, which can omit the copy in Sent Items.',
};

/** The facts of an error of which its remedy speaks. */
export type RemedyFacts = { readonly upstreamCode?: unknown; readonly graphRequestId?: unknown };

const IN_TEXT = /`(?:detail|problems|expected|received|instance)`/g;
const BETWEEN_SENTENCES = /(?<=[.!?]) (?=[A-Z`])/;

/** Facts of Graph have no place of their own in an answer: they are told where the remedy speaks of them, or it does not. */
const withFacts = (remedy: string, facts: RemedyFacts): string =>
  remedy
    .split(BETWEEN_SENTENCES)
    .filter((sentence) =>
      (['upstreamCode', 'graphRequestId'] as const).every(
        (name) => !sentence.includes(`\`${name}\``) || typeof facts[name] === 'string',
      ),
    )
    .join(' ')
    .replaceAll('`upstreamCode`', `\`${facts.upstreamCode}\``)
    .replaceAll('`graphRequestId`', `\`${facts.graphRequestId}\``);

/** What to do, in the words of a provider, and without the names that facts have in the relay's own answers. */
export const remedyOf = (code: ErrorCode, own: Remedies, facts: RemedyFacts = {}): string => {
  const said = own[code] ?? OF_ALL[code] ?? catalogue[code].remedy;
  return withFacts(said, facts)
    .replace(IN_TEXT, 'this message')
    .replace(/(^|[.!?] )this message/g, '$1This message');
};

/** The code of the relay, and what to quote when asking for help. */
export const referenceOf = (
  code: unknown,
  { id, instance }: { readonly id?: unknown; readonly instance?: unknown },
): string => {
  const request = /[\da-f]{8}-[\da-f-]{27}/i.exec(String(instance))?.[0];
  return `(${[String(code), ...(typeof id === 'string' ? [`email ${id}`] : []), ...(request === undefined ? [] : [`request ${request}`])].join(', ')})`;
};
