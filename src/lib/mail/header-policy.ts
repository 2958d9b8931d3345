import { type Fault, lineFault } from './text-rules.ts';

/** Exchange keeps a header under its name as a named property, whose name has at most 127 characters (MAPI). */
const MAX_NAME = 127;
/**
 * RFC 5322, 3.6.8: printable ASCII but the colon; a bare `x-` names nothing. Registered names have letters, digits and dashes, so
 * that an address in the place of a name is told.
 */
const NAME = /^(?:x-[!-9;-~]+|(?!x-)[\w.-]+)$/i;
/** What Graph takes in a JSON message (graph: resource type internetMessageHeader). */
const IN_JSON = /^x-/i;

/** Headers for which the email has a field. */
const FIELD_FOR = new Map([
  ['from', 'from'],
  ['sender', 'from'],
  ['to', 'to'],
  ['cc', 'cc'],
  ['bcc', 'bcc'],
  ['reply-to', 'replyTo'],
  ['subject', 'subject'],
  ['message-id', 'messageId'],
  ['in-reply-to', 'inReplyTo'],
  ['references', 'references'],
  ['importance', 'importance'],
  ['priority', 'importance'],
  ['disposition-notification-to', 'readReceipt'],
  ['return-receipt-to', 'deliveryReceipt'],
  ['content-class', 'calendar'],
]);

/** What the relay, the composer or mail servers write, and what would be a lie from anyone else. */
const WRITTEN_BY_OTHERS =
  /^(?:date|mime-version|content-.*|received(?:-.*)?|return-path|delivered-to|apparently-to|errors-to|resent-.*|arc-.*|authentication-results|dkim-signature|domainkey-signature|x-mailrelay-id)$/i;

/**
 * What Exchange, its filters and Outlook tell each other: verdicts such as the spam confidence level, where an email came
 * from, what is attached to it. Not for a caller to say.
 */
const EXCHANGES_OWN =
  /^x-(?:ms-|(?:microsoft|forefront|exchange-antispam|eop(?:tenant)?attributedmessage)(?:-|$)|(?:originating-ip|originatororg|originalarrivaltime)$)/i;
/** Documented for senders: whether recipients may react. */
const FOR_SENDERS = /^x-ms-reactions$/i;

/** What would stop the one sign that an email did not arrive (MS-OXCMAIL, 2.1.3.2.20). */
const SUPPRESSES_REPORTS = /(?:^|[,;\s])(?:ndr|all)(?=$|[,;\s])/i;

/** True for a header that Exchange and Outlook keep for themselves. */
export const isExchangesOwn = (name: string): boolean => EXCHANGES_OWN.test(name) && !FOR_SENDERS.test(name);

/** True for a header that Graph takes in a JSON message. */
export const fitsInJson = (name: string): boolean => IN_JSON.test(name);

/** True for the header that goes with a JSON message as a property of MAPI. */
export const isListUnsubscribe = (name: string): boolean => name.toLowerCase() === 'list-unsubscribe';

const notCarried = (expected: string): Fault => ({ code: 'HEADER_NOT_CARRIED', expected });

/** The fault of a header by its name, with the field to use instead. */
export const headerNameFault = (name: string): Fault | undefined => {
  const fault = lineFault(name, MAX_NAME);
  if (fault !== undefined) return fault;
  if (!NAME.test(name)) return notCarried('a header name of letters, digits and dashes, such as x-order');
  const field = FIELD_FOR.get(name.toLowerCase());
  if (field !== undefined) return notCarried(`the field \`${field}\` instead of this header`);
  if (WRITTEN_BY_OTHERS.test(name))
    return notCarried('a header that the relay and mail servers do not write');
  if (isExchangesOwn(name))
    return notCarried(
      'a header that Exchange and Outlook do not use themselves (not x-ms-, x-microsoft, x-forefront, x-originat...)',
    );
  return undefined;
};

/** The fault of what a header says, where it would harm. */
export const headerMeaningFault = (name: string, value: string): Fault | undefined => {
  const key = name.toLowerCase();
  if (key === 'x-auto-response-suppress' && SUPPRESSES_REPORTS.test(value))
    return notCarried(
      'DR, RN, NRN, OOF or AutoReply: NDR and All would stop the non-delivery reports that say that an email did not arrive',
    );
  if (key.startsWith('list-') && /[^\t -~]/.test(value))
    return { code: 'FIELD_INVALID', expected: 'a value in ASCII, with URLs percent-encoded' };
  return undefined;
};
