import type { GraphFileAttachment, GraphMessage } from '../../src/lib/inbox/captured-mail.ts';
import { canonicalPropertyId } from './extended-property.ts';
import { contentOfItem, type MailItem } from './mail-item.ts';
import type { ReceivedMail } from './received-mail.ts';

export type DraftAttachment = { readonly id: string; readonly file: GraphFileAttachment };

/** A draft that nobody sent. */
export type Draft = {
  readonly key: string;
  readonly mailbox: string;
  readonly createdAt: Date;
  /** Counts the changes; `changeKey` and the etag show it. */
  readonly version: number;
  readonly internetMessageId: string;
  /** As it came, without its attachments. */
  readonly received: ReceivedMail;
  readonly attachments: readonly DraftAttachment[];
};

export type Drafts = ReturnType<typeof makeDrafts>;

/** The drafts of all mailboxes, in memory: a restart forgets them, as if somebody had emptied the folder. */
export const makeDrafts = () => {
  const drafts = new Map<string, Draft>();
  return {
    put: (draft: Draft) => {
      drafts.set(draft.key, draft);
    },
    get: (key: string): Draft | undefined => drafts.get(key),
    /** True for one caller only: nobody sends or deletes a draft that another one has taken. */
    take: (key: string): boolean => drafts.delete(key),
    list: (mailbox: string): readonly Draft[] =>
      [...drafts.values()].filter((draft) => draft.mailbox === mailbox),
  };
};

/** The draft with a change, and with a new version. */
export const changeDraft = (
  draft: Draft,
  change: {
    readonly message?: Partial<GraphMessage>;
    readonly internetMessageId?: string;
    readonly attachment?: DraftAttachment;
  },
): Draft => {
  const { received } = draft;
  const { singleValueExtendedProperties: properties } = change.message ?? {};
  const message = {
    ...received.body.message,
    ...change.message,
    ...(properties && { singleValueExtendedProperties: withProperties(received.body.message, properties) }),
  };
  return {
    ...draft,
    version: draft.version + 1,
    internetMessageId: change.internetMessageId ?? draft.internetMessageId,
    received: { ...received, body: { ...received.body, message } },
    attachments: change.attachment ? [...draft.attachments, change.attachment] : draft.attachments,
  };
};

type Properties = NonNullable<GraphMessage['singleValueExtendedProperties']>;

/** A property that is named gets its value; the others stay: https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-post-singlevalueextendedproperties */
const withProperties = (
  { singleValueExtendedProperties: before = [] }: GraphMessage,
  named: Properties,
): Properties => {
  const keyOf = ({ id }: Properties[number]) => canonicalPropertyId(id) ?? id;
  const changed = new Set(named.map(keyOf));
  return [...before.filter((property) => !changed.has(keyOf(property))), ...named];
};

/** The message with the attachments that it has now. */
export const messageOfDraft = ({ received, attachments }: Draft): GraphMessage => ({
  ...received.body.message,
  ...(attachments.length > 0 && { attachments: attachments.map(({ file }) => file) }),
});

/** As lists and look-ups see it. */
export const toDraftItem = (draft: Draft): MailItem => ({
  key: draft.key,
  mailbox: draft.mailbox,
  createdAt: draft.createdAt,
  version: draft.version,
  internetMessageId: draft.internetMessageId,
  folder: 'drafts',
  ...contentOfItem(messageOfDraft(draft)),
});
