/** The form in which `reply_to`, `reply-to` and `ReplyTo` are one name. */
const key = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '');

const hints = (table: Readonly<Record<string, string>>): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(table).flatMap(([ours, others]) =>
      others.split(' ').map((other) => [other, ours] as const),
    ),
  );

/** Ours, and what other products call them, without regard to case, underscores and dashes. */
const MAIL = hints({
  from: 'sender fromaddress fromemail senderaddress mailfrom',
  '`from` as "Name <address>"': 'fromname sendername',
  to: 'recipient recipients torecipients toaddress toaddresses toemail toemails destination receiver receivers',
  cc: 'ccrecipients ccaddresses carboncopy',
  bcc: 'bccrecipients bccaddresses blindcopy',
  replyTo: 'replytos replytoaddress replytoaddresses replytoemail replytolist',
  subject: 'subjectline title',
  '`text` or `html`': 'body content message contents messagebody bodycontent parts',
  '`text` or `html`, whichever the body is': 'contenttype bodytype ishtml isbodyhtml',
  text: 'textbody bodytext plaintext plain textcontent textpart textplain',
  html: 'htmlbody bodyhtml htmlcontent htmltext htmlpart texthtml messagehtml',
  attachments: 'attachment files file inlineattachments',
  headers: 'internetmessageheaders customheaders header extraheaders',
  importance: 'mailpriority xpriority',
  priority: 'sendpriority deliverypriority transferpriority queuepriority urgency isbulk bulk',
  inReplyTo: 'inreplytoid replytomessageid',
  messageId: 'internetmessageid msgid',
  calendar: 'icalevent icalendar ical ics invite invitation event',
  mime: 'raw rawmessage rawmime eml mimecontent rfc822 rawemail',
  readReceipt: 'isreadreceiptrequested requestreadreceipt readreceiptrequested',
  deliveryReceipt: 'isdeliveryreceiptrequested requestdeliveryreceipt deliveryreceiptrequested dsn',
  saveToSentItems: 'savetosent savetosentfolder savecopy',
  sendAt: 'sendat scheduledat scheduledtime sendtime senddate deliverytime deliverat sendlater deliveryat',
  idempotencyKey: 'idempotency requestid dedupekey messagededuplicationid',
  tags: 'categories category labels metadata customargs',
  '`text` or `html` with the finished text, as the relay has no templates':
    'template templateid templatename templatedata templatemodel templatealias dynamictemplatedata variables mergevars substitutions',
});

const ATTACHMENT = hints({
  filename: 'name attachmentname',
  content: 'contentbytes data base64 contentbase64 bytes body base64content buffer',
  contentType: 'type mimetype mediatype',
  cid: 'contentid inlineid inline isinline disposition contentdisposition',
  '`content` with the bytes in base64': 'path href url uri encoding',
});

const RECIPIENT = hints({
  address: 'email emailaddress mail mailaddress addr',
  name: 'displayname fullname',
});

const CALENDAR = hints({ ics: 'ical icalendar content data calendar icalevent', method: 'type action' });

/** Names in the places of the contract. */
export const HINTS = { MAIL, ATTACHMENT, RECIPIENT, CALENDAR } as const;

/** Shorter names are near to too many others. */
const SHORTEST = 4;

/** True where one letter is added, left out or wrong, or two neighbours are exchanged. */
const isSlip = (one: string, other: string): boolean => {
  let begin = 0;
  while (begin < one.length && one[begin] === other[begin]) begin += 1;
  const [rest, otherRest] = [one.slice(begin), other.slice(begin)];
  return (
    rest.slice(1) === otherRest ||
    rest === otherRest.slice(1) ||
    rest.slice(1) === otherRest.slice(1) ||
    (rest.slice(2) === otherRest.slice(2) && rest[0] === otherRest[1] && rest[1] === otherRest[0])
  );
};

/** What an unknown field was probably meant to be, as the end of a sentence; empty where nothing is near. */
export const hintFor = (
  name: string,
  fields: readonly string[],
  known: ReadonlyMap<string, string>,
): string => {
  const written = key(name);
  const ours =
    fields.find((field) => key(field) === written) ??
    known.get(written) ??
    (written.length < SHORTEST ? undefined : fields.find((field) => isSlip(written, key(field))));
  if (ours === undefined) return '';
  return `; did you mean ${ours.includes('`') ? ours : `\`${ours}\``}?`;
};
