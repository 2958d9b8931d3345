import { type CapturedRecord, toInboxMail } from './captured-record.ts';
import { type MailpitSummary, toSummary } from './mailpit-shapes.ts';

/** What Storage keeps beside a blob has 8 KB in all (Set Blob Metadata), and base64 is a third longer than what it says. */
const MOST_BYTES = 5000;
const LONGEST_SUBJECT = 300;
const LONGEST_NAME = 100;
/** Of each list of recipients, and of the Message-IDs that it answers: as many as there is room for. */
const LIST_LENGTHS = [100, 30, 10, 3, 1];

/** What a list shows of a captured email, short enough to be kept beside it. Never throws. */
export const toBoundedSummary = async (record: CapturedRecord): Promise<MailpitSummary> => {
  const summary = await summaryOf(record);
  for (const length of LIST_LENGTHS) {
    const bounded = cut(summary, length);
    if (bytesOf(bounded) <= MOST_BYTES) return bounded;
  }
  return bareSummary(record);
};

const summaryOf = async (record: CapturedRecord): Promise<MailpitSummary> => {
  try {
    return toSummary(await toInboxMail(record));
  } catch {
    return bareSummary(record);
  }
};

const bytesOf = (summary: MailpitSummary): number => Buffer.byteLength(JSON.stringify(summary));

const first = (text: string, most: number): string =>
  text.length <= most ? text : text.slice(0, most).replace(/[\ud800-\udbff]$/, '');

const cut = (summary: MailpitSummary, length: number): MailpitSummary => {
  const people = (list: MailpitSummary['To']) =>
    list.slice(0, length).map(({ Name, Address }) => ({ Name: first(Name, LONGEST_NAME), Address }));
  const { From, References } = summary;
  return {
    ...summary,
    Subject: first(summary.Subject, LONGEST_SUBJECT),
    From: { ...From, Name: first(From.Name, LONGEST_NAME) },
    To: people(summary.To),
    Cc: people(summary.Cc),
    Bcc: people(summary.Bcc),
    ReplyTo: people(summary.ReplyTo),
    ...(References === undefined ? {} : { References: References.slice(0, length) }),
  };
};

/** Of an email that no list can show otherwise. */
const bareSummary = ({ mailId, capturedAt, mailbox, tags }: CapturedRecord): MailpitSummary => ({
  ID: mailId,
  MessageID: '',
  From: { Name: '', Address: mailbox },
  To: [],
  Cc: [],
  Bcc: [],
  ReplyTo: [],
  Subject: '',
  Tags: tags,
  Size: 0,
  Created: capturedAt,
  Attachments: 0,
  Snippet: '',
});
