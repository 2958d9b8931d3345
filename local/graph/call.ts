import type { IncomingMessage } from 'node:http';
import type { CaptureMail } from '../../src/lib/inbox/captured-mail.ts';
import type { Directory, Mailbox } from '../directory.ts';
import type { Caller } from './authenticate.ts';
import type { Drafts } from './drafts.ts';
import type { RequestIds } from './graph-error.ts';
import type { InstalledFaults } from './installed-faults.ts';
import type { MailboxLimits } from './mailbox-limits.ts';
import type { MessageTraces } from './message-traces.ts';
import type { ReceivedReports } from './reports/received-reports.ts';
import type { SeenRequest } from './request-log.ts';
import type { SentItems } from './sent-items.ts';
import type { GraphSettings } from './settings.ts';
import type { UploadSessions } from './upload/upload-sessions.ts';

/** One call of an application that is known. */
export type KnownCall = {
  readonly request: IncomingMessage;
  readonly url: URL;
  readonly ids: RequestIds;
  readonly at: Date;
  readonly caller: Caller;
  readonly clientGone: AbortSignal;
  readonly seen: SeenRequest;
};

/** One call that got as far as a mailbox. */
export type MailboxCall = KnownCall & { readonly mailbox: Mailbox };

/** What lives as long as the server. */
export type GraphState = {
  readonly directory: () => Directory;
  readonly changeDirectory: (change: (directory: Directory) => Directory) => void;
  readonly capture: CaptureMail;
  readonly now: () => Date;
  readonly limits: MailboxLimits;
  readonly faults: InstalledFaults;
  readonly settings: () => GraphSettings;
  readonly sentItems: SentItems;
  readonly received: ReceivedReports;
  readonly drafts: Drafts;
  readonly uploads: UploadSessions;
  readonly traces: MessageTraces;
  /** When message traces were asked for, by tenant. */
  readonly traceRequests: Map<string, readonly number[]>;
};
