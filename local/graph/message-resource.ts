import type { MailboxCall } from './call.ts';
import { canonicalPropertyId } from './extended-property.ts';
import { wantsImmutableIds } from './item-ids.ts';
import { currentIdOf, type MailItem } from './mail-item.ts';
import { SELECTABLE, type Selectable } from './message-query.ts';

const PREVIEW_LENGTH = 255;

/** An item as Graph shows it: what was selected, and the id and the etag, which come whether they are asked for or not. */
export const toMessageResource = (
  item: MailItem,
  call: MailboxCall,
  select: readonly Selectable[] = SELECTABLE,
): Record<string, unknown> => {
  const message = toMessage(item, call);
  return {
    '@odata.etag': `W/"${message.changeKey}"`,
    id: message.id,
    ...Object.fromEntries(
      Object.entries(message).filter(([name]) => select.some((wanted) => wanted === name)),
    ),
  };
};

/** The extended property that was asked for, where the message has it. */
export const toExpanded = ({ message }: MailItem, id: string | undefined): Record<string, unknown> => {
  const wanted = id === undefined ? undefined : canonicalPropertyId(id);
  const found = (message.singleValueExtendedProperties ?? []).filter(
    (property) => wanted !== undefined && canonicalPropertyId(property.id) === wanted,
  );
  return found.length === 0 ? {} : { singleValueExtendedProperties: found };
};

/** The context of a message that is answered by itself. */
export const toSingleMessage = (item: MailItem, call: MailboxCall, select?: readonly Selectable[]) => ({
  '@odata.context': `${contextOf(call)}/$entity`,
  ...toMessageResource(item, call, select),
});

/** The context of the messages of this mailbox. */
export const contextOf = ({ url, mailbox }: Pick<MailboxCall, 'url' | 'mailbox'>): string =>
  `${url.origin}/v1.0/$metadata#users('${encodeURIComponent(mailbox.address)}')/messages`;

const toMessage = (item: MailItem, { mailbox, request }: MailboxCall) => {
  const { message, key, version } = item;
  const at = `${item.createdAt.toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}Z`;
  const from = message.from ?? { emailAddress: { name: mailbox.displayName, address: item.mailbox } };
  const body = message.body ?? { contentType: 'text' as const, content: '' };
  return {
    id: currentIdOf(item, wantsImmutableIds(request)),
    changeKey: Buffer.from(`${key} ${version}`).toString('base64'),
    createdDateTime: at,
    lastModifiedDateTime: at,
    receivedDateTime: at,
    sentDateTime: at,
    hasAttachments: item.hasAttachments,
    internetMessageId: item.internetMessageId,
    subject: message.subject ?? '',
    bodyPreview: toPreview(body),
    importance: message.importance ?? 'normal',
    parentFolderId: `local-${item.folder}`,
    isDeliveryReceiptRequested: message.isDeliveryReceiptRequested ?? false,
    isReadReceiptRequested: message.isReadReceiptRequested ?? false,
    isRead: true,
    isDraft: item.folder === 'drafts',
    categories: message.categories ?? [],
    body,
    sender: from,
    from,
    toRecipients: message.toRecipients ?? [],
    ccRecipients: message.ccRecipients ?? [],
    bccRecipients: message.bccRecipients ?? [],
    replyTo: message.replyTo ?? [],
    // Graph shows them of what was received, and of nothing else.
    ...(item.received && { internetMessageHeaders: item.received.headers }),
  } satisfies Partial<Record<Selectable, unknown>>;
};

const toPreview = ({ contentType, content }: { contentType: 'text' | 'html'; content: string }) =>
  (contentType === 'html' ? content.replaceAll(/<[^<>]*>/g, ' ') : content)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, PREVIEW_LENGTH);
