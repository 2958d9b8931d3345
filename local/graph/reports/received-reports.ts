import type { CapturedMail, GraphMessage } from '../../../src/lib/inbox/captured-mail.ts';
import { contentOfItem, type MailItem } from '../mail-item.ts';
import type { GraphSettings } from '../settings.ts';
import { type ReportShape, shapeFor } from './report-shapes.ts';
import { type WrittenReport, writeReport } from './write-report.ts';

/** PidTagMessageClass. */
const ITEM_CLASS_PROPERTY = 'String 0x001A';

type ReceivedItem = Omit<MailItem, 'folder'> & { readonly appearsAt: Date };

export type ReceivedReports = ReturnType<typeof makeReceivedReports>;

/** What comes back to the mailboxes that have sent, in memory: earlier runs' reports are gone after a restart. */
export const makeReceivedReports = (settings: () => Pick<GraphSettings, 'reportDelayMs'>, domain: string) => {
  const items: ReceivedItem[] = [];
  return {
    /** Lets an accepted email come back, as the addresses of its recipients say. */
    answer: (mail: CapturedMail, now: Date) => {
      const at = new Date(now.getTime() + settings().reportDelayMs);
      for (const [key, { recipients, shape }] of sharing(mail)) {
        const id = `${mail.id}-${key.replaceAll(/[^a-z0-9]/g, '') || 'ndr'}`;
        items.push(toItem(writeReport(shape, { mail, recipients, domain, at, id }), mail.mailbox, id, at));
      }
    },
    list: (mailbox: string, now: Date): readonly MailItem[] =>
      items
        .filter((item) => item.mailbox === mailbox && item.appearsAt <= now)
        .map((item) => ({ ...item, folder: 'inbox' as const })),
    remove: (key: string) => {
      const at = items.findIndex((item) => item.key === key);
      if (at !== -1) items.splice(at, 1);
    },
  };
};

/** One report for all recipients that it is about in the same way. */
const sharing = ({ request }: CapturedMail) => {
  const { toRecipients = [], ccRecipients = [], bccRecipients = [] } = request.body.message;
  const found = new Map<string, { recipients: string[]; shape: ReportShape }>();
  for (const { emailAddress } of [...toRecipients, ...ccRecipients, ...bccRecipients]) {
    const keyed = shapeFor(emailAddress.address);
    if (keyed === undefined) continue;
    const same = found.get(keyed.key) ?? { recipients: [], shape: keyed.shape };
    same.recipients.push(emailAddress.address);
    found.set(keyed.key, same);
  }
  return found;
};

const toItem = (report: WrittenReport, mailbox: string, id: string, at: Date): ReceivedItem => {
  const message: GraphMessage = {
    subject: report.subject,
    body: { contentType: 'html', content: report.html },
    from: { emailAddress: { address: report.from } },
    toRecipients: report.toAddresses.map((address) => ({ emailAddress: { address } })),
    singleValueExtendedProperties: [{ id: ITEM_CLASS_PROPERTY, value: report.itemClass }],
  };
  return {
    key: id,
    mailbox,
    createdAt: at,
    appearsAt: at,
    version: 1,
    internetMessageId: report.headers.find(({ name }) => name === 'Message-ID')?.value ?? '',
    ...contentOfItem(message),
    // Graph says so of reports: their parts are no attachments.
    hasAttachments: false,
    received: { headers: report.headers, mime: report.mime },
  };
};
