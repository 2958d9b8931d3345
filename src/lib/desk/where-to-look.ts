import type { HeldContent } from './held-content.ts';
import type { MailStatus } from './mail-status.ts';

/** How an operator finds an email in Exchange: texts to copy, complete and quoted. */
export type WhereToLook = {
  /** For the search box of Outlook, in Sent Items of the sender. Absent where neither subject nor recipients are known. */
  readonly outlook?: string;
  /** For Exchange Online PowerShell. */
  readonly powershell: string;
};

const MINUTE_MS = 60_000;
const BEFORE_MS = 5 * MINUTE_MS;
/** Exchange gives up after about a day; a message trace may span ten. */
const AFTER_MS = 24 * 60 * MINUTE_MS;
const MAX_SPAN_MS = 10 * 24 * 60 * MINUTE_MS;

/** A text in PowerShell: nothing in single quotes means anything but these (about_Quoting_Rules), curly ones included. */
const quoted = (text: string): string => `'${text.replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;

/** The bare addresses of recipients as they are shown. */
const addressOf = (recipient: string): string => /<([^<>]+)>$/.exec(recipient)?.[1] ?? recipient;

/** Where an email would be, had it been sent: between its first attempt and what is known last. */
export const whereToLook = (
  { sender, acceptedAt, updatedAt, ...mail }: MailStatus,
  now: Date,
  content?: HeldContent,
): WhereToLook => {
  const start = Date.parse(acceptedAt) - BEFORE_MS;
  const end = Math.min(Date.parse(updatedAt) + AFTER_MS, start + MAX_SPAN_MS, now.getTime());
  const addresses = [...(content?.to ?? []), ...(content?.cc ?? []), ...(content?.bcc ?? [])].map(addressOf);
  const { internetMessageId } = mail;
  const powershell = [
    'Get-MessageTraceV2',
    ...(sender === '' ? [] : [`-SenderAddress ${quoted(sender)}`]),
    ...(typeof internetMessageId === 'string' ? [`-MessageId ${quoted(internetMessageId)}`] : []),
    ...(addresses.length === 0
      ? []
      : [`-RecipientAddress ${addresses.slice(0, MOST).map(quoted).join(',')}`]),
    `-StartDate ${quoted(toSecond(start))}`,
    `-EndDate ${quoted(toSecond(end))}`,
  ].join(' ');
  const subject = content?.subject?.replaceAll(/["\p{Cc}]/gu, ' ').trim();
  const outlook = [
    ...(subject ? [`subject:"${subject}"`] : []),
    ...addresses.slice(0, 1).map((address) => `to:"${address}"`),
  ].join(' ');
  return { ...(outlook === '' ? {} : { outlook }), powershell };
};

/** More do not fit on a command line that people read, and one finds the email. */
const MOST = 5;

const toSecond = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
