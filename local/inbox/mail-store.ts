import type { CapturedMail, CaptureMail } from '../../src/lib/inbox/captured-mail.ts';
import type { InboxStore, MailPage, MailQuery } from '../../src/lib/inbox/inbox-store.ts';
import { toMailFilter } from '../../src/lib/inbox/mail-search.ts';
import { type MailpitSummary, toSummary, wordsOf } from '../../src/lib/inbox/mailpit-shapes.ts';
import {
  type ArrivedMail,
  lookThroughFolder,
  MAIL_ID,
  type MailShelf,
  openMailFolder,
  type SkippedFile,
} from './mail-folder.ts';

export type MailChange = {
  readonly kind: 'captured' | 'described' | 'read' | 'removed';
  readonly ids: readonly string[];
};

export type MailStore = Omit<InboxStore, 'list'> & {
  /** On disk, when there is a folder, before it resolves. */
  readonly capture: CaptureMail;
  readonly list: (query?: MailQuery) => MailPage;
  /** Adds what only the relay knows of an email: whose it is, and its tags. */
  readonly describe: (relayId: string, about: AboutMail) => Promise<void>;
  /** Returns the end of the subscription. */
  readonly onChange: (listener: (change: MailChange) => void) => () => void;
  /** Files of an earlier run that could not be read, and were left where they are. */
  readonly skipped: readonly SkippedFile[];
};

export type AboutMail = { readonly caller: string; readonly tags: readonly string[] };

/** What stays in memory of a mail; its attachments do not. */
type Entry = {
  readonly arrival: number;
  readonly summary: MailpitSummary;
  readonly words: string;
  readonly isRead: boolean;
};

/** Keeps captured mails in the folder, across restarts; in memory when there is none. */
export const openMailStore = async ({ folder }: { readonly folder?: string } = {}): Promise<MailStore> => {
  const found = folder === undefined ? undefined : await lookThroughFolder(folder);
  const shelf = folder === undefined ? makeMailMemory() : openMailFolder(folder);
  const entries = new Map<string, Entry>();
  const skipped = [...(found?.skipped ?? [])];
  const listeners = new Set<(change: MailChange) => void>();
  const arriving = new Set<string>();
  let nextArrival = 0;

  for (const arrived of found?.arrived ?? []) {
    try {
      entries.set(arrived.mail.id, toEntry(arrived, found?.readIds.has(arrived.mail.id) ?? false));
      nextArrival = Math.max(nextArrival, arrived.arrival + 1);
    } catch {
      skipped.push({ file: `${arrived.mail.id}.json`, reason: 'is not a captured email' });
    }
  }

  const newestFirst = () => [...entries.values()].sort((a, b) => b.arrival - a.arrival);
  /** An email is also found by the id that the relay returned. */
  const newestOfRelay = (relayId: string) =>
    newestFirst().find(({ summary }) => summary.RelayID === relayId)?.summary.ID;
  const known = (ids: readonly string[]) => [...new Set(ids)].filter((id) => entries.has(id));
  const tell = (kind: MailChange['kind'], ids: readonly string[]) => {
    if (ids.length > 0) for (const listener of listeners) listener({ kind, ids });
  };

  const remove = async (ids: readonly string[]): Promise<void> => {
    const there = known(ids);
    for (const id of there) {
      await shelf.delete(id);
      entries.delete(id);
    }
    tell('removed', there);
  };

  return {
    skipped,
    capture: async (mail) => {
      if (!MAIL_ID.test(mail.id))
        throw new TypeError(`A captured mail's id must match ${MAIL_ID}, but is ${JSON.stringify(mail.id)}`);
      if (entries.has(mail.id) || arriving.has(mail.id))
        throw new Error(
          `An email with the id ${mail.id} is already captured; every accepted email needs its own id`,
        );
      const arrived = { arrival: nextArrival++, mail };
      const entry = toEntry(arrived, false);
      arriving.add(mail.id);
      try {
        await shelf.put(arrived);
        entries.set(mail.id, entry);
      } finally {
        arriving.delete(mail.id);
      }
      tell('captured', [mail.id]);
    },
    list: ({ start = 0, limit = Number.POSITIVE_INFINITY, search = '', timeZone } = {}) => {
      const all = newestFirst();
      const matching = search.trim() === '' ? all : all.filter(toMailFilter(search, timeZone));
      return {
        mails: matching.slice(start, start + limit).map(({ summary, isRead }) => ({ summary, isRead })),
        matching: matching.length,
        matchingUnread: countUnread(matching),
        total: all.length,
        unread: countUnread(all),
      };
    },
    describe: async (relayId, { caller, tags }) => {
      const described: string[] = [];
      for (const [id, { summary, arrival }] of entries) {
        if (summary.RelayID !== relayId) continue;
        const mail = await shelf.read(id);
        if (mail === undefined || mail.caller !== undefined) continue;
        const arrived = { arrival, mail: { ...mail, caller, tags } };
        await shelf.rewrite(arrived);
        // It can have been read, or removed, in the meantime.
        const entry = entries.get(id);
        if (entry === undefined) await shelf.delete(id);
        else {
          entries.set(id, toEntry(arrived, entry.isRead));
          described.push(id);
        }
      }
      tell('described', described);
    },
    // Only ids in the list ever become a file name.
    find: async (id) => {
      const own = entries.has(id) ? id : newestOfRelay(id);
      return own === undefined ? undefined : shelf.read(own);
    },
    markRead: async (ids, isRead) => {
      const changed = known(ids).filter((id) => entries.get(id)?.isRead !== isRead);
      for (const id of changed) {
        await shelf.setRead(id, isRead);
        const entry = entries.get(id);
        if (entry) entries.set(id, { ...entry, isRead });
      }
      tell('read', changed);
    },
    remove,
    clear: () => remove([...entries.keys()]),
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
};

const makeMailMemory = (): MailShelf => {
  const mails = new Map<string, CapturedMail>();
  return {
    put: async ({ mail }) => void mails.set(mail.id, mail),
    rewrite: async ({ mail }) => void mails.set(mail.id, mail),
    read: async (id) => mails.get(id),
    setRead: async () => {},
    delete: async (id) => void mails.delete(id),
  };
};

const toEntry = ({ arrival, mail }: ArrivedMail, isRead: boolean): Entry => {
  const summary = toSummary(mail);
  const addresses = [summary.From, ...summary.To, ...summary.Cc, ...summary.Bcc, ...summary.ReplyTo];
  const words = [
    summary.ID,
    summary.RelayID ?? '',
    summary.MessageID,
    summary.Subject,
    ...addresses.map(({ Name, Address }) => `${Name} ${Address}`),
    mail.mailbox,
    ...summary.Tags,
    ...(mail.request.body.message.attachments ?? []).map(({ name }) => name),
    wordsOf(mail),
  ];
  return { arrival, summary, isRead, words: words.join('\n').toLowerCase() };
};

const countUnread = (entries: readonly Entry[]): number => entries.filter(({ isRead }) => !isRead).length;
