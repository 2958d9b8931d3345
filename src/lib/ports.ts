import type { ReceivedMessage } from './bounces/received-message.ts';
import type { PollState, WatchedMailbox } from './bounces/watched-mailbox.ts';
import type { TokenClaims } from './callers/app-token.ts';
import type { AuditEntry } from './callers/caller-audit.ts';
import type { KnownCallers } from './callers/known-callers.ts';
import type { Amount } from './callers/quota.ts';
import type { StoredCaller, StoredCallers } from './callers/stored-caller.ts';
import type { Connection } from './connections/connection.ts';
import type { Route } from './connections/route.ts';
import type { ErrorCode } from './error-catalogue.ts';
import type { Reason } from './errors.ts';
import type { CloudEvent } from './events/cloud-event.ts';
import type { CapturedRecord } from './inbox/captured-record.ts';
import type { MailpitSummary } from './inbox/mailpit-shapes.ts';
import type { HeldRecord } from './ledger/held-record.ts';
import type { KnownIdentity } from './ledger/identity.ts';
import type { Shelf } from './ledger/ledger-index.ts';
import type { LedgerRow, RecipientDelivery } from './ledger/ledger-row.ts';
import type { OperatorAct } from './ledger/operator-act.ts';
import type { RelayEvent } from './ledger/relay-event.ts';
import type { SearchPlace, SearchRange, SearchTerm } from './ledger/search-index.ts';
import type { TraceUse } from './ledger/trace-use.ts';
import type { Log } from './log.ts';
import type { MailboxUse } from './metrics/mailbox-use.ts';
import type { RelaySample } from './metrics/relay-sample.ts';
import type { Tally } from './metrics/tally.ts';
import type { BudgetKind } from './sending/external-recipients.ts';
import type { Sighting } from './sending/look-up-plan.ts';
import type { Lane } from './sending/mailbox-lane.ts';
import type { RecipientBudget } from './sending/recipient-budget.ts';
import type { SendReport } from './sending/send-outcome.ts';
import type { DirectPlan, GraphMessageBody } from './sending/send-plan.ts';
import type { ServerTime } from './sending/storage-clock.ts';

/*
 * What the relay needs of the world. Adapters implement these, use cases receive those they name, and src/relay.ts brings
 * the two together. What reaches storage throws STORAGE_UNAVAILABLE where storage fails.
 */

/** A row and the version it was read at, which only the ledger understands. */
export type LedgerEntry<Its extends LedgerRow = LedgerRow> = { readonly row: Its; readonly etag: string };

/** The book of every mail. `create` and `replace` give undefined when somebody else was first; then nothing was written. */
export type Ledger = {
  readonly find: (mailId: string) => Promise<LedgerEntry | undefined>;
  readonly create: <Its extends LedgerRow>(row: Its) => Promise<LedgerEntry<Its> | undefined>;
  readonly replace: <Its extends LedgerRow>(row: Its, etag: string) => Promise<LedgerEntry<Its> | undefined>;
  /**
   * The ids of mails that have not ended, received and due before a time; for the sweep. What it costs depends on how many there
   * are, never on the size of the ledger. `turn` varies where it begins, so that a sweep that has to stop early, as
   * `isOver` says, does not always leave the same ones.
   */
  readonly listOpen: (
    shelf: Exclude<Shelf, 'final'>,
    before: Date,
    turn: number,
    isOver: () => boolean,
  ) => AsyncIterable<string>;
  /**
   * Deletes mails that ended on a day before that of `before`, until `isOver` says that the time for it is; gives how many.
   * It begins where `turn` says.
   */
  readonly expire: (before: Date, turn: number, isOver: () => boolean) => Promise<number>;
  /** Deletes a mail that has ended, with everything by which it is found. False where its row is no longer at this version. */
  readonly forget: (row: LedgerRow, etag: string) => Promise<boolean>;
  /**
   * Files mails of an earlier version of the ledger, which had no shelves, until `isOver`; gives how many. Goes on where it
   * ended the last time, and costs nothing once it has seen all. What cannot be filed is passed, and told to `onFailure`.
   */
  readonly fileEarlier: (
    isOver: () => boolean,
    onFailure: (mailId: string, failure: unknown) => void,
  ) => Promise<number>;
};

/** By what emails are found. What a search costs depends on what it gives, never on the size of the ledger. Throws STORAGE_UNAVAILABLE. */
export type MailIndex = {
  /**
   * Where emails with this term stand, newest first, at most so many. A place can be that of an email that has left this
   * term since: whoever reads the row sees.
   */
  readonly list: (term: SearchTerm, range: SearchRange, limit: number) => Promise<readonly SearchPlace[]>;
  /** Whether emails of an earlier version of the relay are still to be filed, so that a search may miss some. */
  readonly isFiling: () => Promise<boolean>;
};

/** The JSON of emails too big for a queue message, by id and hash of the content. It is never one text: see `writeJson`. */
export type Payloads = {
  readonly put: (mailId: string, contentHash: string, json: readonly Uint8Array[]) => Promise<void>;
  /** Undefined when it is gone. */
  readonly read: (mailId: string, contentHash: string) => Promise<AsyncIterable<Uint8Array> | undefined>;
  /** How many bytes it has; undefined when it is gone. */
  readonly sizeOf: (mailId: string, contentHash: string) => Promise<number | undefined>;
  /** Makes it young again: it is still needed, although the ledger may not know of its email yet. */
  readonly keep: (mailId: string, contentHash: string) => Promise<void>;
  readonly delete: (mailId: string, contentHash: string) => Promise<void>;
  /** Those written before a time. */
  readonly list: (
    before: Date,
  ) => AsyncIterable<{ readonly mailId: string; readonly contentHash: string; readonly writtenAt: Date }>;
};

/** Held emails with their reasons, for operators. */
export type Records = {
  /** Gives the name of the record; the same mail on the same day has one. */
  readonly store: (record: HeldRecord) => Promise<string>;
  /** Oldest first, a page at a time; `after` is the `next` of the page before. Throws QUERY_INVALID. */
  readonly list: (limit: number, after: string | undefined) => Promise<RecordPage>;
  readonly read: (name: string) => Promise<(HeldRecord & { readonly version?: string }) | undefined>;
  /** With a version only that one: its email can have been held again since, under the same name. */
  readonly delete: (name: string, version?: string) => Promise<void>;
};

export type RecordPage = {
  readonly records: readonly { readonly name: string; readonly mailId: string; readonly writtenAt: Date }[];
  readonly next?: string;
};

/** Where a captured email is kept; `dueFrom` is that of its row. */
export type CapturedPlace = Pick<CapturedRecord, 'mailId' | 'dueFrom'>;

/** Emails that a test environment keeps in place of sending them, for its inbox page. */
export type Captured = {
  /** The same email has one place, however often it is stored. */
  readonly store: (record: CapturedRecord, summary: MailpitSummary) => Promise<void>;
  /** Newest first. What it costs depends on how many are taken from it. */
  readonly list: () => AsyncIterable<MailpitSummary>;
  readonly read: (place: CapturedPlace) => Promise<CapturedRecord | undefined>;
  readonly delete: (place: CapturedPlace) => Promise<void>;
  /** Deletes all, until `isOver`. */
  readonly clear: (isOver: () => boolean) => Promise<void>;
  /** Deletes those of days before that of `before`, until `isOver`; gives how many. */
  readonly expire: (before: Date, isOver: () => boolean) => Promise<number>;
};

/** A storage queue; a message is invisible for `delayMs`. */
export type MessageQueue = {
  readonly put: (text: string, delayMs: number) => Promise<void>;
  /** How many messages there are, hidden ones too; undefined where there is no such queue. */
  readonly count: () => Promise<number | undefined>;
};

/** A queue as an operator looks at it. */
export type WatchedQueue = MessageQueue & {
  /** The message that is due next, left where it is and without what it says; undefined where none is visible. */
  readonly peek: () => Promise<{ readonly id: string; readonly putAt: Date } | undefined>;
};

/** Where events go. What has been put arrives at least once. */
export type Events = { readonly put: (event: RelayEvent) => Promise<void> };

/** The queue of events for other systems, in either shape. */
export type EventQueue = { readonly put: (event: RelayEvent | CloudEvent) => Promise<void> };

/**
 * Asked right before the first byte of a request that sends an email. False where its attempt has taken so long, as in a process that was
 * frozen, that another instance can have taken over: then it is not sent here, and reported as `not-connected`. A draft needs none: whoever
 * takes over knows it by its id, looks at it, and removes it before the email is sent again.
 */
export type MayBegin = () => boolean;

/** Exchange's mailboxes, through Graph. Neither call throws for what the network or Graph does. */
type Mailboxes = {
  readonly send: (plan: DirectPlan, mayBegin?: MayBegin) => Promise<SendReport>;
  /** By which connection an attempt for a mailbox goes, as settings are now; the ledger keeps it. */
  readonly routeOf: (mailbox: string) => Route;
  /** Looks for the mail with this id among what the mailbox has sent or is sending, where the attempt went by this route. */
  readonly find: (
    mailbox: string,
    mailId: string,
    mark: MailMark,
    route: Route | undefined,
  ) => Promise<Sighting>;
};

/** By what a mail is known again. */
export type MailMark = {
  /** The property of everything made from JSON, or the header of MIME. */
  readonly by: 'property' | 'header';
  /** Whether one in Drafts is on its way: not where the relay makes drafts itself. */
  readonly inDrafts: boolean;
};

/** What was observed of a range of a file; `nextStart` is where the upload goes on, where the answer says so. */
export type RangeReport = SendReport & { readonly nextStart?: number };

/** The upload of one file, range by range. */
export type Upload = {
  readonly put: (bytes: Buffer, start: number, total: number) => Promise<RangeReport>;
  /** Asks where the upload goes on. */
  readonly ask: () => Promise<RangeReport>;
};

/** A file for an upload, as Graph describes it (graph: attachmentItem). */
type UploadItem = {
  readonly attachmentType: 'file';
  readonly name: string;
  readonly size: number;
  readonly contentType: string;
  readonly isInline?: boolean;
  readonly contentId?: string;
};

export type DraftFound = { readonly id: string; readonly createdAt: Date; readonly mailId?: string };

/** Why a mailbox could not be read: not now, or not at all. */
export type MailboxTrouble = Extract<Sighting, { readonly kind: 'not-now' | 'cannot-tell' }>;

/** What mailboxes have received, through Graph, which changes nothing there. No call throws for what the network or Graph does. */
export type ReceivedMail = {
  /** Messages received from a time on, oldest first, a page at a time; `after` is the `next` of the page before. */
  readonly list: (
    mailbox: string,
    route: Route | undefined,
    from: Date,
    after?: string,
  ) => Promise<
    | { readonly kind: 'page'; readonly messages: readonly ReceivedMessage[]; readonly next?: string }
    | MailboxTrouble
  >;
  /** The beginning of the MIME of a message; `absent` where it was deleted since. */
  readonly readMime: (
    mailbox: string,
    route: Route | undefined,
    id: string,
  ) => Promise<
    { readonly kind: 'mime'; readonly text: string } | { readonly kind: 'absent' } | MailboxTrouble
  >;
  /** The id of the relay on what the mailbox has sent with this Message-ID. */
  readonly findSent: (
    mailbox: string,
    route: Route | undefined,
    internetMessageId: string,
  ) => Promise<
    { readonly kind: 'found'; readonly mailId: string } | { readonly kind: 'absent' } | MailboxTrouble
  >;
};

/** A mailbox that is watched, and how far it was read; without an ETag it was never read. */
export type WatchedEntry = {
  readonly mailbox: WatchedMailbox;
  readonly state?: PollState;
  readonly etag?: string;
};

/** The mailboxes that the relay has sent from, and how far their reports were read. Throws STORAGE_UNAVAILABLE. */
export type WatchedMailboxes = {
  /** Notes that the relay sends from a mailbox; once an hour is enough. */
  readonly note: (mailbox: WatchedMailbox) => Promise<void>;
  readonly list: () => Promise<readonly WatchedEntry[]>;
  /** Writes unless another instance was first; gives the new version, or undefined where nothing was written. */
  readonly write: (
    mailbox: WatchedMailbox,
    state: PollState,
    etag: string | undefined,
  ) => Promise<string | undefined>;
  /** Stops watching a mailbox. */
  readonly forget: (mailbox: WatchedMailbox) => Promise<void>;
};

/** Drafts of a mailbox, through Graph. No call throws for what the network or Graph does. */
export type Drafts = {
  /** `draft` where Graph says that it made one. */
  readonly create: (
    mailbox: string,
    message: GraphMessageBody,
  ) => Promise<{
    readonly report: SendReport;
    readonly draft?: { readonly id: string; readonly internetMessageId?: string };
  }>;
  /** Gives a draft that was made from MIME the property that every email of JSON has. */
  readonly mark: (mailbox: string, draftId: string, mailId: string) => Promise<SendReport>;
  /** Adds a file of less than 3 MB. */
  readonly attach: (mailbox: string, draftId: string, body: Buffer) => Promise<SendReport>;
  /** `strangeHost` where the upload would go to a host that is not Microsoft's; then there is no upload. */
  readonly openUpload: (
    mailbox: string,
    draftId: string,
    item: UploadItem,
  ) => Promise<{
    readonly report: SendReport;
    readonly upload?: Upload;
    readonly nextStart?: number;
    readonly strangeHost?: string;
  }>;
  readonly send: (mailbox: string, draftId: string) => Promise<SendReport>;
  /** Looks whether it is still a draft, wherever it is by now in the mailbox of this route. */
  readonly look: (mailbox: string, draftId: string, route: Route | undefined) => Promise<Sighting>;
  readonly remove: (
    mailbox: string,
    draftId: string,
    route: Route | undefined,
  ) => Promise<'removed' | 'gone' | 'failed'>;
  /** Those of one email, in Drafts. Undefined where nobody knows. */
  readonly listOf: (mailbox: string, mailId: string) => Promise<readonly DraftFound[] | undefined>;
  /** Those of the relay's emails made before a time, in Drafts. Undefined where nobody knows. */
  readonly listBefore: (mailbox: string, before: Date) => Promise<readonly DraftFound[] | undefined>;
};

/** A recipient of an email in the message trace of Exchange. */
export type TraceRow = {
  /** Of the email. */
  readonly traceId: string;
  readonly messageId: string;
  readonly sender: string;
  readonly recipient: string;
  readonly receivedAt: Date;
  readonly status: RecipientDelivery['status'];
};

/** Something that happened to an email on its way to one recipient. */
export type TraceEvent = {
  readonly at: Date;
  readonly event: string;
  readonly description: string;
  /** XML, with what the other server said. */
  readonly data: string;
};

/** Which part of the trace is asked for. What it gives is not trusted to be that part alone. */
export type TraceQuery = { readonly from: Date; readonly to: Date } & (
  | { readonly by: 'sender'; readonly sender: string }
  | { readonly by: 'message-id'; readonly messageId: string }
);

/** Why the trace was not read; with how long nobody should ask, where that is known. */
export type TraceFailure = {
  readonly kind: 'failed';
  readonly reason: Reason;
  readonly waitMs?: number;
};

/** The message trace of Exchange, one request a call. No call throws for what the network or Graph does. */
export type MessageTraces = {
  /** What kept the trace of the tenant of this route from being asked at all, and the tenant under whose name requests count. */
  readonly reach: (
    mailbox: string,
    route: Route | undefined,
  ) => { readonly kind: 'reached'; readonly tenant: string } | TraceFailure;
  /** Newest first; `after` is the `next` of the page before. */
  readonly list: (
    query: TraceQuery,
    mailbox: string,
    route: Route | undefined,
    after?: string,
  ) => Promise<
    { readonly kind: 'rows'; readonly rows: readonly TraceRow[]; readonly next?: string } | TraceFailure
  >;
  readonly details: (
    row: Pick<TraceRow, 'traceId' | 'recipient'>,
    mailbox: string,
    route: Route | undefined,
  ) => Promise<{ readonly kind: 'events'; readonly events: readonly TraceEvent[] } | TraceFailure>;
};

/** What was used of the message trace, by tenant. */
export type TraceUses = {
  /** With the time by the clock of storage, which all instances share; without it where storage did not say. */
  readonly read: (
    tenant: string,
  ) => Promise<{ readonly use: TraceUse; readonly etag?: string; readonly now?: Date }>;
  /** Writes unless another instance was first; says whether it has. */
  readonly write: (tenant: string, use: TraceUse, etag: string | undefined) => Promise<boolean>;
};

/** Files that applications put into storage and name in an email. */
export type AttachmentBlobs = {
  /** Undefined when there is none of this name. */
  readonly find: (name: string) => Promise<{ readonly bytes: number; readonly etag: string } | undefined>;
  /** At most `count` bytes from `start` on; undefined when this version is gone. */
  readonly read: (name: string, etag: string, start: number, count: number) => Promise<Buffer | undefined>;
};

/** What the vault says of one version of a secret, or of a certificate, without its value. */
export type SecretFacts = {
  readonly name: string;
  readonly kind: 'secret' | 'certificate';
  readonly version: string;
  readonly enabled: boolean;
  readonly createdOn?: Date;
  readonly notBefore?: Date;
  readonly expiresOn?: Date;
  readonly tags: Readonly<Record<string, string>>;
};

/** The vault of the relay. Throws the AppErrors of the vault. */
export type Vault = {
  /** Every secret and certificate of the vault, all pages; of each the version that the vault gives when none is named. */
  readonly listSecrets: () => Promise<readonly SecretFacts[]>;
  /** All versions of one, newest first. Empty where there is none of this name. */
  readonly listVersions: (name: string) => Promise<readonly SecretFacts[]>;
  /** Stores a new version. Needs more than reading, which only rotation by the relay has. */
  readonly storeSecret: (
    name: string,
    secret: {
      readonly value: string;
      readonly expiresOn: Date;
      readonly tags: Readonly<Record<string, string>>;
    },
  ) => Promise<SecretFacts>;
};

/** A newer version of a credential than the one that Entra accepted, and why it was not used. */
export type PassedOver = { readonly version: string; readonly code: ErrorCode };

/** What Entra said when a credential was proved to it. */
export type CredentialProof = {
  /** The version that Entra accepted; absent where the credential is not in the vault. */
  readonly version?: SecretFacts;
  /** Newer versions, which could not be used: an old one is in use until they are replaced. */
  readonly passedOver?: readonly PassedOver[];
  /** Application permissions in the token. None is usual where Exchange grants them for some mailboxes. */
  readonly roles: readonly string[];
  /** When the token ends. */
  readonly expiresOn: Date;
};

/** A credential as the registration in Entra has it, without its value. */
export type RegisteredCredential = {
  readonly keyId: string;
  readonly kind: 'secret' | 'certificate';
  readonly displayName?: string;
  /** The first three characters of a secret (graph: passwordCredential). */
  readonly hint?: string;
  /** SHA-1 of a certificate, in hexadecimal (graph: keyCredential, customKeyIdentifier). */
  readonly thumbprint?: string;
  readonly startsOn?: Date;
  readonly expiresOn?: Date;
};

/** The registration of a connection, at Graph. Throws AppErrors. */
export type Registration = {
  /** Undefined where the relay is not allowed to read it, which is usual. */
  readonly read: () => Promise<readonly RegisteredCredential[] | undefined>;
  /** Makes a client secret. Its value is never given again. */
  readonly addPassword: (
    displayName: string,
    expiresOn: Date,
  ) => Promise<{ readonly keyId: string; readonly value: string; readonly expiresOn: Date }>;
  /** Removes a client secret; no error where it is gone already. */
  readonly removePassword: (keyId: string) => Promise<void>;
};

/** A connection, and what people and timers ask about its credential. */
export type OpenConnection = {
  readonly connection: Connection;
  /** Asks Entra for a token now, whatever token is kept. Throws what a mail would meet. */
  readonly proveCredential: () => Promise<CredentialProof>;
  /** Asks Entra for a token with this client secret. Throws what Entra says. */
  readonly proveSecret: (value: string) => Promise<void>;
  readonly registration: Registration;
};

/** A client secret that the relay made for a connection and stored in the vault. */
export type MadeSecret = {
  readonly keyId: string;
  readonly displayName: string;
  /** Its version in the vault. */
  readonly version: string;
  readonly storedAt: string;
};

/** A new client secret that is being made. Written before anything is made, so that what a crash leaves has a known name. */
export type RenewalAttempt = {
  /** No other credential of the registration has it. */
  readonly displayName: string;
  readonly startedAt: string;
  readonly keyId?: string;
};

/** What the relay knows of the client secrets that it made for one registration. */
export type RotationState = {
  readonly clientId: string;
  readonly attempt?: RenewalAttempt;
  /** Attempts that ended early. What has their name at Entra is in the vault, or nobody has its value. */
  readonly abandoned: readonly RenewalAttempt[];
  /** Oldest first. */
  readonly made: readonly MadeSecret[];
  /** Key ids of others' secrets that the log has named. */
  readonly reported: readonly string[];
};

/** A state and the version it was read at; without one it is nowhere written yet. */
export type RotationEntry = { readonly state?: RotationState; readonly etag?: string };

/** States of rotation, by name of the connection. */
export type Rotations = {
  readonly read: (connection: string) => Promise<RotationEntry>;
  /** Writes unless another instance was first; gives the new version, or undefined where nothing was written. */
  readonly write: (
    connection: string,
    state: RotationState,
    etag: string | undefined,
  ) => Promise<string | undefined>;
};

type Clock = {
  readonly now: () => Date;
  readonly sleep: (milliseconds: number) => Promise<void>;
};

/** Who may send. Both throw STORAGE_UNAVAILABLE where that cannot be found out. */
export type Callers = {
  /** As it was at most a minute ago. */
  readonly known: () => Promise<KnownCallers>;
  /** As it is now, for a key that `known` does not know; asked again at once, it gives the same. */
  readonly refreshed: () => Promise<KnownCallers>;
};

/** What one page of the trail has; `next` is there where there may be more. */
export type AuditPage = { readonly entries: readonly AuditEntry[]; readonly next?: string };

/** The callers that commands declare, and the trail of their changes. */
export type CallerStore = {
  readonly read: () => Promise<StoredCallers>;
  /** With the version of all of them together. */
  readonly readForChange: () => Promise<StoredCallers & { readonly version: string }>;
  /** Writes a change and its entry in the trail, both or none; false when anything was changed since this version. */
  readonly write: (
    change: { readonly caller: StoredCaller } | { readonly removed: string },
    entry: AuditEntry,
    version: string,
  ) => Promise<boolean>;
  /** Newest first, of one caller or of all; `after` is the `next` of the page before. */
  readonly audit: (caller: string | undefined, after: string | undefined) => Promise<AuditPage>;
};

/** What operators did on the operator page, and whose name it was. Throws STORAGE_UNAVAILABLE. */
export type OperatorTrail = {
  /** Written before the act: what cannot be written is not done. */
  readonly begin: (act: OperatorAct) => Promise<void>;
  /** The same act with its outcome. */
  readonly finish: (act: OperatorAct) => Promise<void>;
  readonly find: (id: string) => Promise<OperatorAct | undefined>;
  /** Newest first; `after` is the `next` of the page before. */
  readonly list: (
    after: string | undefined,
  ) => Promise<{ readonly acts: readonly OperatorAct[]; readonly next?: string }>;
  /** Newest first. */
  readonly ofMail: (mailId: string) => Promise<readonly OperatorAct[]>;
};

/** What instances have taken of the limits of a caller on one day. */
export type Usage = {
  readonly taken: Amount;
  /** Its owner was told that the limit is reached. */
  readonly isTold: boolean;
};

/** A usage and the version it was read at; without one it is nowhere written yet. */
export type UsageEntry = Usage & { readonly etag?: string };

/** Usages by day in UTC and name of the caller. */
export type Usages = {
  readonly read: (day: string, caller: string) => Promise<UsageEntry>;
  /** Writes unless somebody else was first; gives what is there afterwards, and whether this call has written it. */
  readonly write: (
    day: string,
    caller: string,
    usage: Usage,
    etag: string | undefined,
  ) => Promise<{ readonly isOwn: boolean; readonly entry: UsageEntry }>;
  /** Deletes those of days before this one. */
  readonly expire: (day: string) => Promise<void>;
};

/** The lane of a mailbox and the version it was read at; without an ETag there is none yet. */
export type LaneEntry = { readonly lane: Lane; readonly etag?: string };

/** Which starts instances have promised to emails, by mailbox. Throws STORAGE_UNAVAILABLE, also where storage takes too long. */
export type MailboxLanes = {
  readonly read: (mailbox: string) => Promise<LaneEntry & { readonly server?: ServerTime }>;
  /** Writes unless another instance was first; gives what is there afterwards, and whether this call has written it. */
  readonly write: (
    mailbox: string,
    lane: Lane,
    etag: string | undefined,
  ) => Promise<{ readonly isOwn: boolean; readonly entry: LaneEntry; readonly server?: ServerTime }>;
  /** Deletes lanes that were last written before a time. */
  readonly expire: (before: Date) => Promise<void>;
};

/** A budget of recipients and the version it was read at; without an ETag there is none yet. */
export type BudgetEntry = { readonly budget: RecipientBudget; readonly etag?: string };

/** What instances have taken of the budgets of recipients that mailboxes share, by tenant. Throws STORAGE_UNAVAILABLE. */
export type RecipientBudgets = {
  readonly read: (tenant: string, kind: BudgetKind) => Promise<BudgetEntry>;
  /** Writes unless another instance was first; gives what is there afterwards, and whether this call has written it. */
  readonly write: (
    tenant: string,
    kind: BudgetKind,
    budget: RecipientBudget,
    etag: string | undefined,
  ) => Promise<{ readonly isOwn: boolean; readonly entry: BudgetEntry }>;
};

/** What Entra's tokens say of the applications that present them. */
export type AppTokens = {
  /**
   * The claims of a token that Entra issued for this relay and that is valid now. Throws TOKEN_NOT_ACCEPTED, with what is wrong with it,
   * and ENTRA_KEYS_UNREACHABLE where nobody can say.
   */
  readonly check: (token: string) => Promise<TokenClaims>;
};

/** The ways in which people learn of a warning; `log` where neither of the others is set. */
export type WarningChannel = 'mail' | 'webhook' | 'log';

/** An email with a warning, and what is known of it. */
export type WarningMail = {
  readonly mailId: string;
  readonly queuedOn: Date;
  /** Those whom the settings name, or one owner. */
  readonly to: 'recipients' | 'owner';
  readonly state: 'waits' | 'arrived' | 'lost';
};

/** What people were told of one credential, the last time. */
export type ToldWarning = {
  readonly key: string;
  /** What must stay the same for it to be the same warning, such as the expiry date. */
  readonly mark: string;
  readonly toldOn: Date;
  /** Zero or less once expired. */
  readonly daysLeft?: number;
  /** Those that were set at that time, whether they took it or not. */
  readonly channels: readonly WarningChannel[];
  /** Empty where it reached nobody. */
  readonly reached: readonly WarningChannel[];
  /** The emails that carry it. */
  readonly mails: readonly WarningMail[];
};

/** A connection, by its name, and since when no run could prove its credential. */
export type UnprovenConnection = { readonly connection: string; readonly since: Date };

/** What a run of the check has found. */
export type WarningRun = {
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** Secrets and certificates that are watched. */
  readonly secrets: number;
  /** Warnings that hold now, whether people were told of them today or earlier. */
  readonly warnings: number;
  /** Warnings of which people were told in this run. */
  readonly told: number;
  /** Of these, how many reached nobody. */
  readonly undelivered: number;
  /** Connections of which nobody could say whether Entra accepts the credential. */
  readonly unproven: readonly UnprovenConnection[];
  /** Why not everything could be checked. */
  readonly failure?: string;
};

/** Which run may tell people now. A run that did not end leaves its id to the next one. */
export type RunClaim = {
  readonly id: string;
  readonly startedAt: Date;
  readonly state: 'running' | 'failed' | 'over';
  /** The last one that ended. */
  readonly lastRun?: WarningRun;
};

/** A claim and the version it was read at; neither is there before the first run. */
export type RunClaimEntry = { readonly claim?: RunClaim; readonly etag?: string };

/** What people were told of credentials, and when they were last checked. Throws STORAGE_UNAVAILABLE. */
export type WarningState = {
  readonly list: () => Promise<readonly ToldWarning[]>;
  readonly write: (told: ToldWarning) => Promise<void>;
  readonly forget: (key: string) => Promise<void>;
  readonly readClaim: () => Promise<RunClaimEntry>;
  /** Writes unless another run was first; gives what is there afterwards, and whether this call has written it. */
  readonly writeClaim: (
    claim: RunClaim,
    etag: string | undefined,
  ) => Promise<{ readonly isOwn: boolean; readonly entry: RunClaimEntry }>;
  /** The last run that ended; undefined before the first one. */
  readonly lastRun: () => Promise<WarningRun | undefined>;
};

/** What a webhook has said, or what kept it from being asked. */
export type WebhookReport =
  | { readonly kind: 'answered'; readonly status: number; readonly retryAfter?: string }
  | { readonly kind: 'failed'; readonly reason: 'timeout' | 'connection' | 'proxy' };

/** The webhook of the settings. Does not throw, and follows no redirect. */
export type Webhook = { readonly post: (json: string) => Promise<WebhookReport> };

/** The systems that receive events. Does not throw, and follows no redirect. */
export type EventWebhooks = {
  readonly post: (
    url: string,
    headers: Readonly<Record<string, string>>,
    body: string,
  ) => Promise<WebhookReport>;
};

/** The keys that webhooks are signed with, in the vault. */
export type SigningKeys = {
  /** Those of the newest two versions that can be used, newest first. Throws AppErrors where there is none. */
  readonly read: (secretName: string) => Promise<readonly Uint8Array[]>;
};

/** What runs by itself and says when it has run. */
export type HeartbeatName = 'sweep' | 'rotation';

/** When each of them last ended well. */
export type Heartbeats = {
  readonly read: (name: HeartbeatName) => Promise<Date | undefined>;
  readonly note: (name: HeartbeatName, endedAt: Date) => Promise<void>;
};

/** What an instance has counted, and what it sent from the busiest mailboxes. */
export type Counted = { readonly tally: Tally; readonly mailboxes: readonly MailboxUse[] };

/** What became of a write: where the instance had been folded, nothing was written, and `folded` says what of it counts already. */
type CountsWritten = 'written' | 'gone' | { readonly folded: Tally };

/** What instances have counted. Throws STORAGE_UNAVAILABLE. */
export type Counts = {
  /** Writes what one instance has counted, in place of what it wrote before; `isFirst` says that it has written nothing yet. */
  readonly write: (instance: string, counted: Counted, isFirst: boolean) => Promise<CountsWritten>;
  /** Of all instances together, each counted once, whatever is folded at this moment. */
  readonly read: () => Promise<Counted>;
  /** Adds to one row what instances counted that have written nothing since `before`; gives how many these were. */
  readonly fold: (before: Date) => Promise<number>;
};

/** The relay as a timer saw it, every five minutes. Throws STORAGE_UNAVAILABLE. */
export type Samples = {
  /** Of the 24 hours before `now`, newest first. */
  readonly lastDay: (now: Date) => Promise<readonly RelaySample[]>;
  readonly newest: () => Promise<RelaySample | undefined>;
  readonly write: (sample: RelaySample) => Promise<void>;
  /** Deletes those of before. */
  readonly expire: (before: Date) => Promise<void>;
};

/** All ports, by the names under which they are passed. */
export type Ports = {
  readonly ledger: Ledger;
  readonly mailIndex: MailIndex;
  readonly payloads: Payloads;
  readonly records: Records;
  readonly captured: Captured;
  /** The queue `mail`, on which every email waits, whoever sent it. */
  readonly mailQueue: MessageQueue;
  /** The queue by which a message came: `mail`, or that of its caller. */
  readonly arrivalQueue: MessageQueue;
  /** Of the queue by which a message came: what the host gave up on there. */
  readonly poisonQueue: MessageQueue;
  /** All of them, by their names. */
  readonly poisonQueues: Readonly<Record<string, MessageQueue>>;
  /** Absent where no events are wanted. */
  readonly events?: Events;
  readonly mailboxes: Mailboxes;
  readonly drafts: Drafts;
  readonly receivedMail: ReceivedMail;
  readonly watchedMailboxes: WatchedMailboxes;
  readonly attachments: AttachmentBlobs;
  readonly traces: MessageTraces;
  readonly traceUses: TraceUses;
  readonly callers: Callers;
  readonly callerStore: CallerStore;
  readonly operatorTrail: OperatorTrail;
  readonly usages: Usages;
  readonly mailboxLanes: MailboxLanes;
  readonly recipientBudgets: RecipientBudgets;
  readonly heartbeats: Heartbeats;
  readonly counts: Counts;
  readonly samples: Samples;
  readonly appTokens: AppTokens;
  readonly vault: Vault;
  /** Every connection, the main one first. */
  readonly connections: readonly OpenConnection[];
  readonly warnings: WarningState;
  /** Absent where no webhook is set. */
  readonly webhook?: Webhook;
  /** The queue by which the relay tells itself which events to post. */
  readonly webhookQueue: Pick<MessageQueue, 'put'>;
  readonly eventWebhooks: EventWebhooks;
  readonly signingKeys: SigningKeys;
  readonly rotations: Rotations;
  readonly readIdentity: () => Promise<KnownIdentity>;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  readonly log: Log;
};
