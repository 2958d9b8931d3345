import type { CallerAction } from './callers/caller-audit.ts';
import { defined } from './defined.ts';
import { catalogue, type ErrorCode } from './error-catalogue.ts';
import type { AppError, UpstreamFacts } from './errors.ts';
import type { WebhookFault } from './events/webhook-retry.ts';
import type { EventType } from './ledger/relay-event.ts';
import { proxyRefusalOf } from './proxy-refusal.ts';

type MailFacts = { readonly mailId: string; readonly attempts: number };
type Failure = { readonly code: ErrorCode } & UpstreamFacts;

/** One event on its way to one receiver. Neither the address of the receiver nor anything of its answer is in it. */
type WebhookFacts = {
  /** Its name in MAIL_WEBHOOKS. */
  readonly receiver: string;
  readonly type: EventType;
  readonly eventId: string;
  /** Attempts so far, with this one. */
  readonly attempts: number;
};

/** A warning about a credential, in fields that alert rules can rely on. */
type CredentialFacts = {
  readonly credential: string;
  readonly kind: 'secret' | 'certificate' | 'managed-identity' | 'federated';
  readonly state: 'expiring' | 'expired' | 'no-expiry-date' | 'dates-differ' | 'refused';
  readonly inUse: boolean;
  readonly connection?: string;
  readonly daysLeft?: number;
  readonly expiresOn?: string;
  readonly code?: ErrorCode;
  readonly ownerTag?: 'unreadable' | 'outside';
};

/** What a request to Graph came to: by its status, or without an answer. */
export type GraphAnswerKind =
  | 'accepted'
  | 'throttled'
  | 'unavailable'
  | 'refused'
  | 'failed'
  | 'lost'
  | 'not-connected';

/**
 * Everything the relay says in its log. The types are the guard: an event has no field that could hold an
 * address, a subject, a body or a secret.
 */
export type LogEvent =
  | ({
      readonly event: 'MailSent';
      /** `key:...` for a function key that no caller has. */
      readonly caller: string;
      readonly recipients: number;
      readonly tags: readonly string[];
      readonly verified: boolean;
      /** By which it was sent. */
      readonly connection?: string;
      /** From when it was due until Graph had accepted it, or it was found. */
      readonly tookMs: number;
      /** From when it was due until the attempt that sent it began, where it came by the queue. */
      readonly queuedMs?: number;
    } & MailFacts &
      UpstreamFacts)
  /** The ledger has a new email, and nobody says that it may not be sent. */
  | { readonly event: 'MailAccepted'; readonly mailId: string; readonly door: 'http' | 'queue' }
  /** What came of one request to Graph; parts of files go elsewhere. */
  | { readonly event: 'GraphAnswered'; readonly connection: string; readonly answer: GraphAnswerKind }
  | ({ readonly event: 'MailQueued'; readonly waitMs: number; readonly code?: ErrorCode } & MailFacts &
      UpstreamFacts)
  | ({ readonly event: 'MailRejected' | 'MailUnknown' } & MailFacts & Failure)
  | ({ readonly event: 'MailHeld'; readonly record: string; readonly caller: string } & MailFacts & Failure)
  | { readonly event: 'MailPaced'; readonly mailId: string; readonly waitMs: number }
  | { readonly event: 'MailRepeated'; readonly mailId: string; readonly state: string }
  | {
      readonly event: 'MailLookedUp';
      readonly mailId: string;
      readonly result: string;
      readonly lookUps: number;
      /** What Graph answered, where the mailbox could not be read. */
      readonly status?: number;
      readonly upstreamCode?: string;
    }
  | {
      readonly event: 'MailScheduled';
      readonly mailId: string;
      readonly sendAt: string;
      readonly waitMs: number;
    }
  | { readonly event: 'MailRescheduled'; readonly mailId: string; readonly sendAt: string }
  | {
      readonly event: 'MailLimited';
      readonly mailId: string;
      readonly caller: string;
      readonly until: string;
    }
  | { readonly event: 'CallerLimitReached'; readonly caller: string; readonly day: string }
  | {
      readonly event: 'MailCaptured';
      readonly mailId: string;
      readonly recipients: number;
      readonly tags: readonly string[];
    }
  | {
      readonly event: 'MailTraced';
      readonly mailId: string;
      /** Requests to Graph for message traces. */
      readonly requests: number;
      readonly delivered: number;
      readonly pending: number;
      readonly failed: number;
      readonly quarantined: number;
      readonly spam: number;
      readonly expanded: number;
      /** Recipients that the trace does not list. */
      readonly unseen: number;
      /** Why not everything was learned. */
      readonly code?: ErrorCode;
      readonly upstreamCode?: string;
      readonly graphRequestId?: string;
    }
  | {
      readonly event: 'MailReplayed' | 'MailClosed' | 'MailCanceled' | 'MailContentShown' | 'MailForgotten';
      readonly mailId: string;
    }
  | { readonly event: 'MailOverdue'; readonly mailId: string; readonly state: string }
  | {
      readonly event: 'MailSwept';
      readonly lost: number;
      readonly overdue: number;
      readonly payloads: number;
      readonly records: number;
      readonly expired: number;
      readonly failed: number;
      readonly filed: number;
      readonly drafts: number;
      readonly captured: number;
      readonly unfinished: number;
    }
  /** Recipients did not get an email that Exchange had accepted, all for the same reason. */
  | {
      readonly event: 'MailBounced';
      readonly mailId: string;
      readonly caller: string;
      /** How many of the email the report is the first to say it of. */
      readonly recipients: number;
      readonly kind: 'permanent' | 'temporary';
      /** The enhanced status code (RFC 3463). */
      readonly code?: string;
      readonly matchedBy: 'header' | 'sent-items' | 'message-id' | 'recipient';
      readonly isGuess?: true;
    }
  /** A report is about the copy at MAIL_REDIRECT_TO, and says nothing of the recipients of the email. */
  | {
      readonly event: 'RedirectReported';
      readonly mailId: string;
      readonly status: string;
      readonly code?: string;
    }
  /** A report said something else of recipients, such as a delay. */
  | {
      readonly event: 'MailReported';
      readonly mailId: string;
      readonly caller: string;
      readonly recipients: number;
      readonly status: string;
      readonly code?: string;
      readonly matchedBy: 'header' | 'sent-items' | 'message-id' | 'recipient';
      readonly isGuess?: true;
    }
  | {
      readonly event: 'BouncesPolled';
      readonly mailboxes: number;
      readonly messages: number;
      readonly reports: number;
      readonly recorded: number;
      readonly unmatched: number;
      readonly waiting: number;
      readonly refused: number;
      readonly postponed: number;
      readonly failed: number;
      readonly unfinished: number;
    }
  | { readonly event: 'BouncePollFailed'; readonly name: string }
  /** The ledger says that an email has ended, and the event of it could not be told. The sweep tries again. */
  | {
      readonly event: 'EventUntold';
      readonly mailId: string;
      readonly type: EventType;
      readonly eventId: string;
      readonly name: string;
    }
  /** No sweep could tell it either. */
  | {
      readonly event: 'EventLost';
      readonly mailId: string;
      readonly state: string;
    }
  | { readonly event: 'DraftLeft'; readonly mailId: string }
  | { readonly event: 'SweepFailed'; readonly mailId: string; readonly name: string }
  | { readonly event: 'StorageAwaited'; readonly code: ErrorCode }
  | { readonly event: 'PacingAlone' }
  | {
      readonly event: 'ExternalRecipientsNear';
      readonly budget: string;
      readonly tenant: string;
      readonly limit: number;
    }
  | { readonly event: 'MessagesStuck'; readonly queue: string; readonly messages: number }
  | { readonly event: 'QueueMissing'; readonly queue: string }
  | { readonly event: 'SendBlocked'; readonly mailId: string; readonly code: ErrorCode }
  | ({
      readonly event: 'RequestRefused';
      readonly mailId?: string;
      readonly codes: readonly ErrorCode[];
    } & Failure)
  | {
      readonly event: 'StorageFailed';
      readonly name: string;
      readonly stack: string;
      /** Of the network or of storage, such as ECONNREFUSED or AuthorizationFailure. */
      readonly code?: string;
      /** The host that was asked. */
      readonly host?: string;
      /** The request was to go through the proxy of HTTPS_PROXY: where nothing connects, it may be the proxy. */
      readonly throughProxy?: true;
      /** Where the proxy refused the connection. */
      readonly proxyRefusal?: string;
    }
  | ({ readonly event: 'SecretExpiring' } & CredentialFacts)
  | ({
      readonly event: 'WarningNotDelivered';
      readonly reason: 'no-channel' | 'mail-lost';
    } & CredentialFacts)
  | {
      readonly event: 'WarningChannelFailed';
      readonly channel: 'mail' | 'webhook' | 'events';
      /** Of the answer. */
      readonly status?: number;
      /** What kept it from being asked. */
      readonly name?: string;
    }
  | {
      readonly event: 'SecretsChecked';
      readonly secrets: number;
      readonly warnings: number;
      readonly told: number;
      readonly undelivered: number;
      readonly unproven: number;
    }
  /** A newer version of a credential is in the vault, and an older one is in use. */
  | {
      readonly event: 'NewestRefused';
      readonly connection: string;
      readonly version: string;
      readonly code: ErrorCode;
    }
  | { readonly event: 'SecretsUnchecked'; readonly name: string }
  | { readonly event: 'VaultEventDropped'; readonly reason: 'unreadable' | 'failed' }
  | ({ readonly event: 'WebhookSent' } & WebhookFacts)
  | ({
      readonly event: 'WebhookFailed';
      readonly fault: WebhookFault;
      readonly waitMs: number;
      readonly status?: number;
      readonly code?: ErrorCode;
    } & WebhookFacts)
  | ({
      readonly event: 'WebhookGivenUp';
      readonly fault: WebhookFault | 'removed' | 'settings';
      readonly status?: number;
      readonly code?: ErrorCode;
    } & WebhookFacts)
  | { readonly event: 'WebhookMessageDropped'; readonly reason: 'not-ours' }
  | {
      readonly event: 'RotationStep';
      readonly connection: string;
      readonly step: 'added' | 'proved' | 'stored' | 'adopted' | 'cleared' | 'removed';
      readonly keyId: string;
      readonly validDays?: number;
    }
  | ({ readonly event: 'RotationRefused'; readonly connection: string } & Failure)
  | {
      readonly event: 'SecretLeft';
      readonly connection: string;
      readonly keyId: string;
      readonly command: string;
    }
  | {
      readonly event: 'SecretsRotated';
      readonly connections: number;
      readonly renewed: number;
      readonly removed: number;
      readonly waiting: number;
      readonly failed: number;
    }
  | {
      readonly event: 'SettingsInvalid' | 'SettingsUnknown' | 'SafetyOn';
      readonly settings: readonly string[];
    }
  | { readonly event: 'CallerUnreadable'; readonly caller: string }
  | { readonly event: 'CallerChanged'; readonly caller: string; readonly action: CallerAction }
  /** The relay as a timer saw it. What could not be read is absent; counts are those since the relay was installed. */
  | {
      readonly event: 'Metrics';
      readonly queueMessages?: number;
      /** How long the next message of a queue has waited at most, in seconds; of the queue where that is longest. */
      readonly queueAge?: number;
      readonly poisonMessages?: number;
      readonly held?: number;
      readonly secretDaysLeft?: number;
      readonly mailboxMinuteShare?: number;
      readonly mailboxDayShare?: number;
      readonly mailboxesPaused?: number;
      readonly accepted?: number;
      readonly sent?: number;
      readonly rejected?: number;
      readonly heldInAll?: number;
      readonly graphRequests?: number;
      readonly graphWasted?: number;
    }
  | { readonly event: 'LedgerBehind'; readonly mailId: string; readonly state: string }
  | { readonly event: 'Unexpected'; readonly name: string; readonly stack: string };

export type Log = (event: LogEvent) => void;

type LogLevel = 'info' | 'warn' | 'error';

/** Of events that are counted and not written: lines for each email or request that would tell nobody more than their number. */
export type EventLevel = LogLevel | 'counted';

/** What only time or the caller can correct is no matter for an operator. */
const byCode = ({ code }: { readonly code?: ErrorCode }): LogLevel =>
  code !== undefined && catalogue[code].fixedBy === 'administrator' ? 'error' : 'info';

type Levels = {
  readonly [Name in LogEvent['event']]:
    | EventLevel
    | ((event: Extract<LogEvent, { readonly event: Name }>) => LogLevel);
};

/** Errors are what an operator has to look at: alert rules watch this level and these names. */
const LEVELS: Levels = {
  MailAccepted: 'counted',
  GraphAnswered: 'counted',
  MailSent: 'info',
  MailQueued: byCode,
  MailPaced: 'info',
  MailScheduled: 'info',
  MailRescheduled: 'info',
  MailLimited: 'info',
  CallerLimitReached: 'warn',
  MailRejected: byCode,
  // Looked up, it often turns out well; where it does not, MailHeld says so.
  MailUnknown: 'warn',
  MailLookedUp: 'info',
  // Asked for by somebody, who has the reason in the answer.
  MailTraced: 'info',
  MailHeld: 'error',
  MailReplayed: 'info',
  MailContentShown: 'info',
  MailClosed: 'info',
  MailForgotten: 'info',
  MailCanceled: 'info',
  MailCaptured: 'info',
  MailRepeated: 'info',
  MailOverdue: 'warn',
  MailSwept: 'info',
  MailBounced: 'info',
  MailReported: 'info',
  RedirectReported: ({ status }) => (status === 'failed' ? 'warn' : 'info'),
  // Whoever wants reports to be read, and does not let the relay read them, must learn of it.
  BouncesPolled: ({ refused }) => (refused > 0 ? 'error' : 'info'),
  BouncePollFailed: 'warn',
  EventUntold: 'error',
  EventLost: 'error',
  DraftLeft: 'warn',
  SweepFailed: 'error',
  CallerUnreadable: 'error',
  CallerChanged: 'info',
  LedgerBehind: 'warn',
  StorageAwaited: byCode,
  PacingAlone: 'warn',
  ExternalRecipientsNear: 'warn',
  StorageFailed: 'warn',
  MessagesStuck: 'error',
  QueueMissing: 'error',
  SendBlocked: byCode,
  RequestRefused: byCode,
  SecretExpiring: 'error',
  NewestRefused: 'warn',
  WarningNotDelivered: 'error',
  WarningChannelFailed: 'error',
  SecretsChecked: 'info',
  SecretsUnchecked: 'error',
  VaultEventDropped: ({ reason }) => (reason === 'failed' ? 'error' : 'warn'),
  WebhookSent: 'info',
  WebhookFailed: 'warn',
  WebhookGivenUp: 'error',
  // Only the relay writes there; what another wrote is posted to nobody.
  WebhookMessageDropped: 'error',
  RotationStep: 'info',
  // The next run tries again what only time can correct, and there are weeks for it.
  RotationRefused: byCode,
  SecretLeft: 'warn',
  SecretsRotated: 'info',
  SettingsInvalid: 'error',
  SettingsUnknown: 'warn',
  // In production it would keep emails from people, silently but for this.
  SafetyOn: 'warn',
  Metrics: 'info',
  Unexpected: 'error',
};

export const levelOf = <Event extends LogEvent>(event: Event): EventLevel => {
  const level = LEVELS[event.event] as EventLevel | ((event: Event) => LogLevel);
  return typeof level === 'function' ? level(event) : level;
};

/** The event for a thrown value that nobody foresaw: its stack without its message, which could quote content. */
export const unexpected = (thrown: unknown): LogEvent => ({ event: 'Unexpected', ...traceOf(thrown) });

/** The event for a failure of storage that a caller was told of: where it came from, without what it said. */
export const storageFailed = (failure: AppError): LogEvent => ({
  event: 'StorageFailed',
  ...traceOf(failure.facts.cause ?? failure),
  ...requestOf(failure.facts.cause ?? failure),
  ...defined({ proxyRefusal: proxyRefusalOf(failure) }),
});

/** What an error of the Azure SDKs says of its request: names alone, nothing of its address or its text. */
const requestOf = (failure: unknown) => {
  const { code, request } = failure as {
    readonly code?: unknown;
    readonly request?: { readonly url?: unknown; readonly agent?: { readonly options?: object } };
  };
  const url = String(request?.url);
  return defined({
    code: typeof code === 'string' && /^\w{1,80}$/.test(code) ? code : undefined,
    host: URL.canParse(url) ? new URL(url).hostname : undefined,
    throughProxy:
      request?.agent?.options && 'proxyEnv' in request.agent.options ? (true as const) : undefined,
  });
};

const traceOf = (thrown: unknown): { readonly name: string; readonly stack: string } => {
  const error = thrown instanceof Error ? thrown : new Error();
  // Without the message first: a line of it can look like a frame.
  const stack = (error.stack ?? '').replace(error.message, '');
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return { name: error.name, stack: frames.slice(0, 12).join('\n') };
};
