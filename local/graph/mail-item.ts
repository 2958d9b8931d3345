import type { GraphMessage } from '../../src/lib/inbox/captured-mail.ts';
import { canonicalPropertyId } from './extended-property.ts';
import { idOf } from './item-ids.ts';

/** Well-known names of the folders an email can be in: https://learn.microsoft.com/graph/api/resources/mailfolder */
export const FOLDERS = ['inbox', 'sentitems', 'drafts', 'outbox'] as const;
export type Folder = (typeof FOLDERS)[number];

/** A draft or a copy of what was sent. Real copies answer without `internetMessageHeaders`, so these do not hold them at all. */
export type MailItem = {
  /** What its ids are made from. */
  readonly key: string;
  readonly mailbox: string;
  readonly createdAt: Date;
  /** Where it is now; undefined on its way between two folders. */
  readonly folder: Folder | undefined;
  readonly version: number;
  readonly internetMessageId: string;
  readonly message: Omit<GraphMessage, 'internetMessageHeaders' | 'attachments'>;
  readonly hasAttachments: boolean;
  /** Canonical ids and values in lower case, ready to be compared. */
  readonly properties: ReadonlyMap<string, string>;
  /** Of what the mailbox received: the headers that Graph shows, and the MIME. */
  readonly received?: {
    readonly headers: readonly { readonly name: string; readonly value: string }[];
    readonly mime: string;
  };
};

/** What a list is asked for; everything given has to match. */
export type MessageFilter = {
  /** Without a value, any. */
  readonly property?: { readonly id: string; readonly value: string | undefined };
  readonly internetMessageId?: string;
  readonly createdBefore?: Date;
  readonly receivedFrom?: Date;
};

/** The part of an item that follows from its message. */
export const contentOfItem = ({
  internetMessageHeaders,
  attachments = [],
  ...message
}: GraphMessage): Pick<MailItem, 'message' | 'hasAttachments' | 'properties'> => ({
  message,
  // Graph says false when all attachments are inline: https://learn.microsoft.com/graph/api/resources/message
  hasAttachments: attachments.some(({ isInline }) => isInline !== true),
  // The name in the id counts case, the value does not: https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get
  properties: new Map(
    (message.singleValueExtendedProperties ?? []).map(({ id, value }) => [
      canonicalPropertyId(id) ?? id,
      value.toLowerCase(),
    ]),
  ),
});

/** Whether a list with this filter shows the item. */
export const matchesFilter = (
  item: MailItem,
  { property, internetMessageId, createdBefore, receivedFrom }: MessageFilter,
): boolean => {
  if (internetMessageId !== undefined && item.internetMessageId !== internetMessageId) return false;
  if (createdBefore !== undefined && item.createdAt >= createdBefore) return false;
  if (receivedFrom !== undefined && item.createdAt < receivedFrom) return false;
  if (property === undefined) return true;
  const value = item.properties.get(canonicalPropertyId(property.id) ?? property.id);
  return property.value === undefined ? value !== undefined : value === property.value.toLowerCase();
};

/** The id under which the item is known now. */
export const currentIdOf = ({ key, folder }: Pick<MailItem, 'key' | 'folder'>, immutable: boolean): string =>
  idOf(immutable ? 'immutable' : FORM_IN[folder ?? 'drafts'], key);

const FORM_IN = { inbox: 'received', sentitems: 'sent', drafts: 'draft', outbox: 'draft' } as const;
