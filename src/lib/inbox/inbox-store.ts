import type { CapturedMail } from './captured-mail.ts';
import type { MailpitSummary } from './mailpit-shapes.ts';

type ListedMail = { readonly summary: MailpitSummary; readonly isRead: boolean };

export type MailPage = {
  /** Newest first. */
  readonly mails: readonly ListedMail[];
  readonly matching: number;
  readonly matchingUnread: number;
  readonly total: number;
  readonly unread: number;
};

export type MailQuery = {
  readonly start?: number;
  readonly limit?: number;
  readonly search?: string;
  /** Of the times in the search, such as Asia/Hong_Kong; UTC without it. */
  readonly timeZone?: string | undefined;
};

/** What the API of an inbox needs: the folder of the local cloud, or the container of a relay that captures. */
export type InboxStore = {
  readonly list: (query?: MailQuery) => MailPage | Promise<MailPage>;
  readonly find: (id: string) => Promise<CapturedMail | undefined>;
  readonly markRead: (ids: readonly string[], isRead: boolean) => Promise<void>;
  /** Ids that are not there are left out without a word. */
  readonly remove: (ids: readonly string[]) => Promise<void>;
  readonly clear: () => Promise<void>;
};
