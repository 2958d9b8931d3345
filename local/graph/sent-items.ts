import type { CapturedMail, GraphMessage } from '../inbox/captured-mail.ts';
import { canonicalPropertyId } from './extended-property.ts';
import type { GraphSettings } from './settings.ts';

/** Well-known names of the folders a mail can be in: https://learn.microsoft.com/graph/api/resources/mailfolder */
export const FOLDERS = ['sentitems', 'drafts', 'outbox'] as const;
export type Folder = (typeof FOLDERS)[number];

/** The copy a mailbox keeps. Real ones answer without `internetMessageHeaders`, so these do not hold them at all. */
export type SentItem = {
  readonly id: string;
  readonly mailbox: string;
  readonly acceptedAt: Date;
  /** A mail that is accepted is a draft until transport takes it (graph: outlook-things-to-know-about-send-mail). */
  readonly leavesDraftsAt: Date;
  /** In Sent Items, if ever. */
  readonly appearsAt: Date | undefined;
  readonly message: Omit<GraphMessage, 'internetMessageHeaders' | 'attachments'>;
  readonly hasAttachments: boolean;
  /** Each extended property as one word, ready to be compared. */
  readonly properties: ReadonlySet<string>;
};

export type PropertyMatch = { readonly id: string; readonly value: string };

export type SentItems = ReturnType<typeof makeSentItems>;

/** Kept in memory, seeded with what earlier runs captured: a look-up may come after a restart. */
export const makeSentItems = (
  earlier: readonly CapturedMail[],
  settings: () => Pick<GraphSettings, 'sentItemsDelayMs' | 'transportDelayMs'>,
) => {
  const items: SentItem[] = [];
  const keep = (mail: CapturedMail) => {
    items.push(toSentItem(mail, settings()));
  };
  for (const mail of earlier) keep(mail);

  return {
    keep,
    /** Newest first, of one folder or of all; a copy that is on its way between two of them is in none. */
    list: (mailbox: string, now: Date, { match, folder }: Wanted = {}): readonly SentItem[] =>
      items
        .filter((item) => item.mailbox === mailbox && isIn(folder, folderOf(item, now)))
        .filter(({ properties }) => match === undefined || properties.has(toComparable(match)))
        .sort((a, b) => b.acceptedAt.getTime() - a.acceptedAt.getTime()),
  };
};

type Wanted = { readonly match?: PropertyMatch | undefined; readonly folder?: Folder | undefined };

const isIn = (wanted: Folder | undefined, folder: Folder | undefined): boolean =>
  folder !== undefined && (wanted ?? folder) === folder;

/** Where the copy is now; undefined where it is in no folder. */
export const folderOf = ({ leavesDraftsAt, appearsAt }: SentItem, now: Date): Folder | undefined => {
  if (now < leavesDraftsAt) return 'drafts';
  return appearsAt !== undefined && appearsAt <= now ? 'sentitems' : undefined;
};

const toSentItem = (
  mail: CapturedMail,
  { sentItemsDelayMs, transportDelayMs }: Pick<GraphSettings, 'sentItemsDelayMs' | 'transportDelayMs'>,
): SentItem => {
  const { internetMessageHeaders, attachments = [], ...message } = mail.request.body.message;
  const acceptedAt = new Date(mail.acceptedAt);
  const later = (ms: number) => new Date(acceptedAt.getTime() + ms);
  const isKept = mail.request.body.saveToSentItems !== false;
  return {
    id: mail.id,
    mailbox: mail.mailbox,
    acceptedAt,
    leavesDraftsAt: later(transportDelayMs),
    appearsAt: isKept ? later(Math.max(sentItemsDelayMs, transportDelayMs)) : undefined,
    message,
    // Graph says false when all attachments are inline: https://learn.microsoft.com/graph/api/resources/message
    hasAttachments: attachments.some(({ isInline }) => isInline !== true),
    properties: new Set((message.singleValueExtendedProperties ?? []).map(toComparable)),
  };
};

/** The name in the id counts case, the value does not: https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get */
const toComparable = ({ id, value }: PropertyMatch) => `${canonicalPropertyId(id)} = ${value.toLowerCase()}`;
