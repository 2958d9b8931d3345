import type { CapturedMail, GraphMessage } from '../inbox/captured-mail.ts';
import { canonicalPropertyId } from './extended-property.ts';

/** The copy a mailbox keeps. Real ones answer without `internetMessageHeaders`, so these do not hold them at all. */
export type SentItem = {
  readonly id: string;
  readonly mailbox: string;
  readonly acceptedAt: Date;
  readonly appearsAt: Date;
  readonly message: Omit<GraphMessage, 'internetMessageHeaders' | 'attachments'>;
  readonly hasAttachments: boolean;
  /** Each extended property as one word, ready to be compared. */
  readonly properties: ReadonlySet<string>;
};

export type PropertyMatch = { readonly id: string; readonly value: string };

export type SentItems = ReturnType<typeof sentItems>;

/** Kept in memory, seeded with what earlier runs captured: a look-up may come after a restart. */
export function sentItems(earlier: readonly CapturedMail[], delayMs: () => number) {
  const items: SentItem[] = [];
  const keep = (mail: CapturedMail) => {
    if (mail.request.body.saveToSentItems !== false) items.push(toSentItem(mail, delayMs()));
  };
  for (const mail of earlier) keep(mail);

  return {
    keep,
    /** Newest first; a copy that is still on its way is not there. */
    list: (mailbox: string, now: Date, match?: PropertyMatch): readonly SentItem[] =>
      items
        .filter((item) => item.mailbox === mailbox && item.appearsAt <= now)
        .filter(({ properties }) => match === undefined || properties.has(comparable(match)))
        .sort((a, b) => b.acceptedAt.getTime() - a.acceptedAt.getTime()),
  };
}

function toSentItem(mail: CapturedMail, delayMs: number): SentItem {
  const { internetMessageHeaders, attachments = [], ...message } = mail.request.body.message;
  const acceptedAt = new Date(mail.acceptedAt);
  return {
    id: mail.id,
    mailbox: mail.mailbox,
    acceptedAt,
    appearsAt: new Date(acceptedAt.getTime() + delayMs),
    message,
    // Graph says false when all attachments are inline: https://learn.microsoft.com/graph/api/resources/message
    hasAttachments: attachments.some(({ isInline }) => isInline !== true),
    properties: new Set((message.singleValueExtendedProperties ?? []).map(comparable)),
  };
}

/** The name in the id counts case, the value does not: https://learn.microsoft.com/graph/api/singlevaluelegacyextendedproperty-get */
const comparable = ({ id, value }: PropertyMatch) => `${canonicalPropertyId(id)} = ${value.toLowerCase()}`;
