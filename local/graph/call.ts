import type { IncomingMessage } from 'node:http';
import type { CaptureMail } from '../../src/lib/inbox/captured-mail.ts';
import type { Directory, Mailbox } from '../directory.ts';
import type { Caller } from './authenticate.ts';
import type { Drafts } from './drafts.ts';
import type { RequestIds } from './graph-error.ts';
import type { InstalledFaults } from './installed-faults.ts';
import type { MailboxLimits } from './mailbox-limits.ts';
import type { SeenRequest } from './request-log.ts';
import type { SentItems } from './sent-items.ts';
import type { GraphSettings } from './settings.ts';
import type { UploadSessions } from './upload/upload-sessions.ts';

/** One call that got as far as a mailbox. */
export type MailboxCall = {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly ids: RequestIds;
  readonly at: Date;
  readonly caller: Caller;
  readonly mailbox: Mailbox;
  readonly clientGone: AbortSignal;
  readonly seen: SeenRequest;
};

/** What lives as long as the server. */
export type GraphState = {
  readonly directory: () => Directory;
  readonly capture: CaptureMail;
  readonly now: () => Date;
  readonly limits: MailboxLimits;
  readonly faults: InstalledFaults;
  readonly settings: () => GraphSettings;
  readonly sentItems: SentItems;
  readonly drafts: Drafts;
  readonly uploads: UploadSessions;
};
