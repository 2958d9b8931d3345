import { requireAccess } from './access.ts';
import type { GraphState, MailboxCall } from './call.ts';
import { type GraphAnswer, toJsonAnswer } from './graph-answer.ts';
import { type MessageQuery, parseMessageQuery, SELECTABLE, type Selectable } from './message-query.ts';
import { performFault } from './perform-fault.ts';
import { type Folder, folderOf, type SentItem } from './sent-items.ts';

const PREVIEW_LENGTH = 255;

/** Messages of a mailbox, or of one folder. Nothing is ever received here. */
export const listMessages = async (
  call: MailboxCall,
  graph: GraphState,
  folder?: Folder,
): Promise<GraphAnswer> => {
  requireAccess('read', call.caller, call.mailbox);
  const query = parseMessageQuery(call.url.searchParams);
  const carryOut = async () => {
    const now = graph.now();
    const found = graph.sentItems
      .list(call.mailbox.address, now, { match: query.match, folder })
      .map((item) => ({ ...item, folder: folderOf(item, now) }));
    return toJsonAnswer(200, toPage(found, query, call, graph.directory().tenantDomain));
  };

  const taken = graph.faults.takeForCall('listMessages', call.mailbox.address);
  if (taken === undefined) return carryOut();
  call.seen.fault = taken.id;
  return performFault(taken.fault, { ...call, carryOut });
};

type FoundItem = SentItem & { readonly folder: Folder | undefined };

const toPage = (
  found: readonly FoundItem[],
  { top, skip, select }: MessageQuery,
  { url, mailbox }: MailboxCall,
  domain: string,
) => {
  const next = new URL(url);
  next.searchParams.set('$skip', String(skip + top));
  return {
    '@odata.context': `${url.origin}/v1.0/$metadata#users('${encodeURIComponent(mailbox.address)}')/messages`,
    value: found
      .slice(skip, skip + top)
      .map((item) => pickSelected(toMessage(item, mailbox.displayName, domain), select)),
    ...(found.length > skip + top ? { '@odata.nextLink': next.href } : {}),
  };
};

/** `id` comes whether it is asked for or not. */
const pickSelected = (
  message: Partial<Record<Selectable, unknown>>,
  select: readonly Selectable[] = SELECTABLE,
) =>
  Object.fromEntries(
    Object.entries(message).filter(([name]) => name === 'id' || select.some((wanted) => wanted === name)),
  );

const toMessage = (item: FoundItem, displayName: string, domain: string) => {
  const { message } = item;
  const at = `${item.acceptedAt.toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}Z`;
  const from = message.from ?? { emailAddress: { name: displayName, address: item.mailbox } };
  const body = message.body ?? { contentType: 'text' as const, content: '' };
  return {
    id: item.id,
    createdDateTime: at,
    receivedDateTime: at,
    sentDateTime: at,
    hasAttachments: item.hasAttachments,
    internetMessageId: `<${item.id}@${domain}>`,
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
  } satisfies Partial<Record<Selectable, unknown>>;
};

const toPreview = ({ contentType, content }: { contentType: 'text' | 'html'; content: string }) =>
  (contentType === 'html' ? content.replaceAll(/<[^<>]*>/g, ' ') : content)
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, PREVIEW_LENGTH);
