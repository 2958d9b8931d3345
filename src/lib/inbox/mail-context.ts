import type { CapturedMail } from './captured-mail.ts';
import { bareMessageId, conversationOf } from './conversation.ts';
import type { InboxStore } from './inbox-store.ts';
import { type Invitation, invitationOf } from './invitation.ts';
import type { MailpitAddress } from './mailpit-shapes.ts';

type InConversation = {
  readonly ID: string;
  readonly From: MailpitAddress;
  readonly Subject: string;
  readonly Created: string;
};

/** What the page shows of an email beside Mailpit's message. */
export type MailContext = {
  readonly via: 'json' | 'mime' | 'draft';
  /** Oldest first, this email among them; empty if it is alone. */
  readonly conversation: readonly InConversation[];
  /** The email that this one answers. Without an ID if it is not in the inbox. */
  readonly inReplyTo?: { readonly MessageID: string; readonly ID?: string };
  readonly invitation?: Invitation;
};

/** How an email came, what it answers and what it invites to. */
export const toMailContext = async (
  mail: CapturedMail,
  store: Pick<InboxStore, 'list'>,
): Promise<MailContext> => {
  const summaries = (await store.list()).mails.map(({ summary }) => summary);
  const conversation = conversationOf(mail.id, summaries).reverse();
  const answered = bareMessageId(mail.inReplyTo);
  const answeredMail = conversation.find(({ ID, MessageID }) => MessageID === answered && ID !== mail.id);
  const invitation = invitationOf(mail);
  return {
    via: mail.via ?? 'json',
    conversation:
      conversation.length < 2
        ? []
        : conversation.map(({ ID, From, Subject, Created }) => ({ ID, From, Subject, Created })),
    ...(answered !== '' && {
      inReplyTo: { MessageID: answered, ...(answeredMail && { ID: answeredMail.ID }) },
    }),
    ...(invitation && { invitation }),
  };
};
