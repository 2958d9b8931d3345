import type { State } from '../desk/finding.ts';
import type { LookedFor, MailState, RecipientDelivery } from '../ledger/ledger-row.ts';
import type { OperatorAction } from '../ledger/operator-act.ts';
import type { Language } from '../mail/language.ts';
import { ENGLISH } from './words-en.ts';
import { CHINESE } from './words-zh-hant.ts';

/** Everything that the operator page says, but for the catalogue and the doctor, which are in English. */
export type OpsWords = {
  readonly title: string;
  readonly skip: string;
  readonly navigation: string;
  readonly otherLanguage: string;
  readonly signedInAs: (name: string) => string;
  readonly readOnly: string;
  readonly signOut: string;
  readonly timesAreUtc: string;
  readonly pages: Readonly<
    Record<'overview' | 'search' | 'held' | 'callers' | 'mailboxes' | 'trail' | 'test', string>
  >;
  readonly states: Readonly<Record<MailState | 'bounced', string>>;
  readonly findings: Readonly<Record<State, string>>;
  readonly headlines: Readonly<Record<State, string>>;
  readonly none: string;
  readonly next: string;
  readonly backToOverview: string;
  readonly whatToDo: string;
  readonly notFoundOut: string;
  readonly ago: (ms: number) => string;
  readonly span: (ms: number) => string;
  readonly columns: Readonly<
    Record<
      | 'accepted'
      | 'action'
      | 'age'
      | 'attempts'
      | 'caller'
      | 'check'
      | 'connection'
      | 'daysLeft'
      | 'expires'
      | 'id'
      | 'kind'
      | 'lastRun'
      | 'mailsToday'
      | 'mailbox'
      | 'messages'
      | 'name'
      | 'outcome'
      | 'queue'
      | 'reason'
      | 'recipient'
      | 'recipients'
      | 'recipientsToday'
      | 'select'
      | 'sender'
      | 'senders'
      | 'source'
      | 'state'
      | 'status'
      | 'time'
      | 'who',
      string
    >
  >;
  readonly signIn: {
    readonly title: string;
    readonly intro: string;
    readonly key: string;
    readonly keyHelp: string;
    readonly name: string;
    readonly nameHelp: string;
    readonly submit: string;
    readonly withEntra: string;
    readonly entraIntro: string;
    readonly why: Readonly<
      Record<'ended' | 'unsure' | 'name' | 'wrong' | 'unknown' | 'too-many' | 'left', string>
    >;
    readonly noRole: string;
    readonly noRoleHelp: (name: string, read: string, operate: string) => string;
    readonly notSetUp: string;
    readonly notSetUpHelp: string;
  };
  readonly overview: {
    readonly checkedAt: string;
    readonly checkNow: string;
    readonly held: string;
    readonly heldHelp: string;
    readonly waiting: string;
    readonly waitingHelp: (oldest: string) => string;
    readonly nothingWaits: string;
    readonly nextCredential: string;
    readonly noCredential: string;
    readonly days: (count: number) => string;
    readonly expired: string;
    readonly findings: string;
    readonly inOrder: (count: number) => string;
    readonly queues: string;
    readonly noQueue: string;
    readonly charts: string;
    readonly depth: string;
    readonly oldest: string;
    readonly noSamples: string;
    readonly chartSummary: (name: string, now: string | undefined, most: string) => string;
    readonly chartStart: string;
    readonly chartEnd: string;
    readonly credentials: string;
    readonly heartbeats: string;
    readonly never: string;
    readonly heartbeatNames: Readonly<Record<'sweep' | 'rotation' | 'warnings', string>>;
    readonly credentialKinds: Readonly<Record<'secret' | 'certificate', string>>;
  };
  readonly search: {
    readonly legend: string;
    readonly id: string;
    readonly idHelp: string;
    readonly anyState: string;
    readonly sender: string;
    readonly caller: string;
    readonly tag: string;
    readonly recipient: string;
    readonly idempotencyKey: string;
    readonly requestId: string;
    readonly messageId: string;
    readonly after: string;
    readonly before: string;
    readonly submit: string;
    readonly reset: string;
    readonly wrong: (count: number) => string;
    readonly faults: Readonly<
      Record<
        | 'state'
        | 'sender'
        | 'caller'
        | 'tag'
        | 'recipient'
        | 'idempotencyKey'
        | 'graphRequestId'
        | 'internetMessageId'
        | 'from'
        | 'until'
        | 'order',
        string
      >
    >;
    readonly found: (count: number, hasMore: boolean) => string;
    readonly nothing: string;
    /** Beside it, where a Message-ID was searched for. */
    readonly unknownMessageId: string;
    readonly incomplete: string;
    readonly results: string;
  };
  readonly mail: {
    readonly title: string;
    readonly timeline: string;
    readonly reason: string;
    readonly facts: string;
    readonly tags: string;
    readonly priority: string;
    readonly sendAt: string;
    readonly until: string;
    readonly record: string;
    readonly requestId: string;
    readonly messageId: string;
    readonly note: string;
    readonly redirected: string;
    readonly captured: string;
    readonly omitted: (count: number) => string;
    readonly content: string;
    readonly contentHelp: string;
    readonly openContent: string;
    readonly subject: string;
    readonly to: string;
    readonly cc: string;
    readonly bcc: string;
    readonly decide: string;
    readonly replay: string;
    readonly replayHelp: string;
    readonly doubt: string;
    readonly close: string;
    readonly closeHelp: string;
    readonly noteHelp: string;
    readonly deliveries: string;
    readonly deliveriesHelp: string;
    readonly noDeliveries: string;
    readonly askTrace: string;
    readonly guess: string;
    readonly acts: string;
    readonly deliveryStates: Readonly<Record<RecipientDelivery['status'], string>>;
    readonly deliverySources: Readonly<Record<RecipientDelivery['source'], string>>;
    /** Whose place among the recipients is not known. */
    readonly unlistedRecipient: string;
    readonly recipientNumber: (number: number) => string;
  };
  readonly timeline: {
    readonly accepted: string;
    readonly replayed: Readonly<Record<'operator' | 'application' | 'unknown', string>>;
    readonly heldBefore: (reason: string, times: number) => string;
    readonly attempt: Readonly<
      Record<'accepted' | 'rejected' | 'not-sent' | 'unknown', (what: AttemptWords) => string>
    >;
    readonly state: Readonly<Record<Exclude<MailState, 'queued'>, string>>;
    readonly lookUp: Readonly<Record<LookedFor['seen'], (times: number) => string>>;
    readonly delivery: (what: DeliveryWords) => string;
    readonly verified: string;
    readonly other: (event: string) => string;
  };
  readonly held: {
    readonly intro: string;
    readonly empty: string;
    readonly selected: string;
    readonly select: (id: string) => string;
    readonly all: (count: number) => string;
    readonly help: string;
    readonly inDoubt: string;
    readonly doubt: (count: number) => string;
  };
  readonly callers: {
    readonly intro: string;
    readonly disabled: string;
    readonly open: string;
    readonly ofSettings: string;
    readonly unlimited: string;
    readonly used: (taken: string, limit: string) => string;
    readonly declaredIn: Readonly<
      Record<'settings' | 'relay' | 'built-in' | 'nowhere' | 'unreadable', string>
    >;
  };
  readonly mailboxes: {
    readonly intro: string;
    readonly empty: string;
    readonly minute: string;
    readonly day: string;
    readonly sent: string;
    readonly recipients: string;
    readonly pauses: string;
    readonly pausedUntil: string;
    readonly sampledAt: string;
    readonly notPaused: string;
  };
  readonly trail: {
    readonly intro: string;
    readonly empty: string;
    readonly actions: Readonly<Record<OperatorAction, string>>;
    readonly done: string;
    readonly outcomeUnknown: string;
    readonly with: Readonly<Record<'master key' | 'Entra', string>>;
  };
  readonly result: {
    readonly title: string;
    readonly summary: (done: number, all: number) => string;
    readonly open: string;
  };
  readonly test: {
    readonly intro: string;
    readonly to: string;
    readonly from: string;
    readonly fromHelp: string;
    readonly submit: string;
  };
  readonly error: {
    readonly title: string;
    readonly code: string;
    readonly invocation: string;
    readonly back: string;
  };
};

/** What a sentence about an attempt can say. */
export type AttemptWords = {
  /** The title of the catalogue, with what the other side called it; absent where all went well. */
  readonly what?: string;
  /** The HTTP status of Graph. */
  readonly status?: string;
  readonly after?: string;
  readonly wait?: string;
};

/** What a sentence about a recipient can say. */
type DeliveryWords = {
  readonly who?: string;
  readonly source: string;
  readonly status: string;
  readonly code?: string;
};

export const OPS_WORDS: Readonly<Record<Language, OpsWords>> = { en: ENGLISH, 'zh-Hant': CHINESE };
