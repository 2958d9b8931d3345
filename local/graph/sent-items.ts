import type { CapturedMail } from '../../src/lib/inbox/captured-mail.ts';
import { contentOfItem, type MailItem } from './mail-item.ts';
import type { GraphSettings } from './settings.ts';

type SentItem = Omit<MailItem, 'folder'> & {
  /** An email that is accepted is a draft until transport takes it (graph: outlook-things-to-know-about-send-mail). */
  readonly leavesDraftsAt: Date;
  /** In Sent Items, if ever. */
  readonly appearsAt: Date | undefined;
};

type Delays = Pick<GraphSettings, 'sentItemsDelayMs' | 'transportDelayMs'>;

export type SentItems = ReturnType<typeof makeSentItems>;

/** Kept in memory, seeded with what earlier runs captured: a look-up may come after a restart. */
export const makeSentItems = (earlier: readonly CapturedMail[], settings: () => Delays, domain: string) => {
  const items = new Map<string, SentItem>();
  const keep = (mail: CapturedMail) => {
    items.set(mail.id, toSentItem(mail, settings(), domain));
  };
  for (const mail of earlier) keep(mail);

  return {
    keep,
    list: (mailbox: string, now: Date): readonly MailItem[] =>
      [...items.values()]
        .filter((item) => item.mailbox === mailbox)
        .map((item) => ({ ...item, folder: folderOf(item, now) })),
    /** Forgets the copy; what was sent stays sent. */
    remove: (key: string) => {
      items.delete(key);
    },
  };
};

/** Where the copy is now; undefined where it is in no folder. */
const folderOf = ({ leavesDraftsAt, appearsAt }: SentItem, now: Date): MailItem['folder'] => {
  if (now < leavesDraftsAt) return 'drafts';
  return appearsAt !== undefined && appearsAt <= now ? 'sentitems' : undefined;
};

const toSentItem = (
  mail: CapturedMail,
  { sentItemsDelayMs, transportDelayMs }: Delays,
  domain: string,
): SentItem => {
  const { message, saveToSentItems } = mail.request.body;
  const acceptedAt = new Date(mail.acceptedAt);
  const later = (ms: number) => new Date(acceptedAt.getTime() + ms);
  return {
    key: mail.id,
    mailbox: mail.mailbox,
    createdAt: acceptedAt,
    version: 1,
    internetMessageId: mail.internetMessageId ?? `<${mail.id}@${domain}>`,
    ...contentOfItem(message),
    leavesDraftsAt: later(transportDelayMs),
    appearsAt: saveToSentItems === false ? undefined : later(Math.max(sentItemsDelayMs, transportDelayMs)),
  };
};
