import { headerOf, type ReceivedMessage } from './received-message.ts';

/** What a report says of the email it is about; `status` where only its fields say. Receipts are of readers, not of mail servers. */
export type ReportKind = 'failed' | 'delayed' | 'relayed' | 'expanded' | 'delivered' | 'status' | 'receipt';

/** The ends of the classes of reports (MS-OXOMSG, 2.2.2); in the middle is the class of what was sent. */
const OF_CLASS: readonly (readonly [end: string, kind: ReportKind])[] = [
  ['.ndr', 'failed'],
  ['.delayed.dr', 'delayed'],
  ['.relayed.dr', 'relayed'],
  ['.expanded.dr', 'expanded'],
  ['.dr', 'delivered'],
  ['.ipnrn', 'receipt'],
  ['.ipnnrn', 'receipt'],
];

/**
 * Whether a message is a report and of what kind: by its class, else by its headers, as a tenant can keep the reports of other systems
 * as they are (DSNConversionMode). Never by its subject, which is in any language. Undefined for everything else: replies, and automatic
 * ones too, which have the header Auto-Submitted as reports have.
 */
export const reportKindOf = (message: ReceivedMessage): ReportKind | undefined => {
  const itemClass = message.itemClass?.toLowerCase() ?? '';
  if (itemClass.startsWith('report.')) return OF_CLASS.find(([end]) => itemClass.endsWith(end))?.[1];
  if (itemClass.startsWith('ipm.note.rules.')) return undefined;
  const type = headerOf(message, 'content-type')?.toLowerCase() ?? '';
  if (type.startsWith('multipart/report')) {
    if (type.includes('delivery-status')) return 'status';
    if (type.includes('disposition-notification')) return 'receipt';
  }
  return headerOf(message, 'x-ms-exchange-message-is-ndr') === undefined ? undefined : 'failed';
};
