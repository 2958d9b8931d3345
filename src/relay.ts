import { NO_CALLERS } from './lib/callers/known-callers.ts';
import type { WarnExpiringSecretsNeeds } from './lib/credentials/warn-expiring-secrets.ts';
import { defined } from './lib/defined.ts';
import type { AcceptPolicy } from './lib/delivery/accept-mail.ts';
import { type Admission, admissibleBytes, heldFor, makeAdmission } from './lib/delivery/admission.ts';
import type { DeliverMailNeeds } from './lib/delivery/deliver-mail.ts';
import type { HoldPoisonNeeds } from './lib/delivery/hold-poison-message.ts';
import type { SendMailNeeds } from './lib/delivery/send-mail.ts';
import type { SweepNeeds } from './lib/delivery/sweep-run.ts';
import type { CancelNeeds } from './lib/desk/cancel-mail.ts';
import type { CloseNeeds } from './lib/desk/close-mail.ts';
import type { ToldNeeds } from './lib/desk/mail-status.ts';
import { type MessageIdNeeds, makeMessageIdMemory } from './lib/desk/message-id.ts';
import type { OwnCallerNeeds } from './lib/desk/own-caller.ts';
import type { ReplayNeeds } from './lib/desk/replay-mail.ts';
import { AppError } from './lib/errors.ts';
import { openMailboxSearch } from './lib/graph/find-in-mailbox.ts';
import { openGraphDrafts } from './lib/graph/graph-drafts.ts';
import { openGraphMail } from './lib/graph/graph-mail.ts';
import { openGraph } from './lib/graph/open-graph.ts';
import { lazily } from './lib/lazily.ts';
import { type KnownIdentity, makeIdentity } from './lib/ledger/identity.ts';
import { newMailId } from './lib/ledger/mail-id.ts';
import type { Log } from './lib/log.ts';
import type { Ports } from './lib/ports.ts';
import { bookAheadFor, makePacer } from './lib/sending/pacing.ts';
import { NO_SAFETY } from './lib/sending/safety.ts';
import type { SendPolicy } from './lib/sending/send-policy.ts';
import {
  type Environment,
  readSetting,
  readSettings,
  type Settings,
  STORAGE_SETTINGS,
  strayNames,
} from './lib/settings/settings.ts';
import { filesWithinMs, tokenTimeoutSeconds } from './lib/settings/settings-together.ts';
import { openLedgerTable, openMailBlobs, openMailQueues, openRelayKey } from './lib/storage/open-storage.ts';
import type { StorageConnection } from './lib/storage/storage-connection.ts';
import { makeTokenSource } from './lib/vault/entra-token.ts';
import { openAppTokens } from './lib/vault/open-app-tokens.ts';
import { managedIdentity, openKeyVault } from './lib/vault/open-vault.ts';

/** The parts of the world that are not deterministic. */
export type World = {
  readonly now: () => Date;
  readonly random: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Memory of the instance. */
  readonly memoryBytes: number;
};

/** Gives each function what it needs, with the log of the invocation. */
export type Relay = {
  /** Says which settings are wrong or unknown. Never throws. */
  readonly tellOfSettings: (log: Log) => void;
  /** Who calls; before that the relay does nothing for anybody. */
  readonly forIdentity: (log: Log) => Pick<Ports, 'callers' | 'appTokens'>;
  readonly forOwnCaller: (log: Log) => OwnCallerNeeds;
  readonly forSendMail: (
    log: Log,
  ) => SendMailNeeds &
    Pick<Ports, 'callers'> & { readonly admission: Admission; readonly maxRequestBytes: number };
  readonly forDeliverMail: (log: Log) => DeliverMailNeeds;
  readonly forHoldMail: (log: Log) => HoldPoisonNeeds;
  readonly forStatus: (log: Log) => MessageIdNeeds & ToldNeeds & Pick<Ports, 'callers'>;
  readonly forDesk: (log: Log) => ReplayNeeds & CloseNeeds & CancelNeeds & Pick<Ports, 'callers'>;
  readonly forSweepMail: (log: Log) => SweepNeeds;
  readonly forWarnExpiringSecrets: (log: Log) => WarnExpiringSecretsNeeds;
};

type StoragePorts = Pick<
  Ports,
  | 'ledger'
  | 'payloads'
  | 'records'
  | 'attachments'
  | 'mailQueue'
  | 'poisonQueue'
  | 'events'
  | 'readIdentity'
  | 'callers'
>;

/** What checking a token of Entra needs. */
const TOKEN_SETTINGS = ['ENTRA_AUTHORITY', 'ENTRA_TENANT_ID', 'ENTRA_CLIENT_ID'] as const;

const HOUR_MS = 3_600_000;
const MEGABYTE = 1_000_000;

/** Made at first use and kept: connections, the secret and the token serve every later invocation. */
const once = <Value>(make: () => Value): (() => Value) => {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** Wires the adapters. Nothing is opened before a function asks. */
export const openRelay = (
  environment: Environment,
  { now, random, sleep, memoryBytes }: World,
  functionTimeoutSeconds: number,
): Relay => {
  const settings = once(() => readSettings(environment, undefined, functionTimeoutSeconds));
  const makeMailId = () => newMailId(now());

  const clock = { now, sleep };
  const admission = makeAdmission(admissibleBytes(memoryBytes), heldFor);

  const storage = once((): StoragePorts => {
    const connection = toStorageConnection(readSettings(environment, STORAGE_SETTINGS));
    const { events, ...queues } = openMailQueues(connection);
    const { readRelayKey } = openRelayKey(connection);
    return {
      ...openMailBlobs(connection),
      readIdentity: lazily(async (): Promise<KnownIdentity> => {
        const { key, hasEarlierRows } = await readRelayKey();
        return { ...makeIdentity(key), hasEarlierRows };
      }),
      ledger: openLedgerTable(connection),
      callers: { known: async () => NO_CALLERS, refreshed: async () => NO_CALLERS },
      ...queues,
      // Whether events are wanted must not keep an email from being moved while settings are wrong, this one too.
      ...(readSetting(environment, 'MAIL_EVENTS') === 'queue' ? { events } : {}),
    };
  });

  const appTokens = once(() => {
    try {
      const { ENTRA_AUTHORITY, ENTRA_TENANT_ID, ENTRA_CLIENT_ID } = readSettings(environment, TOKEN_SETTINGS);
      return openAppTokens(
        { authority: ENTRA_AUTHORITY, tenant: ENTRA_TENANT_ID, clientId: ENTRA_CLIENT_ID },
        now,
      );
    } catch (cause) {
      // Nobody knows yet who asks: which settings are wrong is in the log alone.
      throw new AppError('SETTINGS_INVALID', { cause });
    }
  });

  const vault = once(() => {
    const { KEY_VAULT_URL, CLIENT_SECRET_NAME, AZURE_CLIENT_ID } = settings();
    return openKeyVault(
      { vaultUrl: KEY_VAULT_URL, secretName: CLIENT_SECRET_NAME },
      { credential: managedIdentity(AZURE_CLIENT_ID), now },
    );
  });

  const graph = once((): Pick<Ports, 'mailboxes' | 'drafts'> => {
    const { ENTRA_AUTHORITY, ENTRA_TENANT_ID, ENTRA_CLIENT_ID, GRAPH_ENDPOINT, GRAPH_TIMEOUT_SECONDS } =
      settings();
    const tokens = makeTokenSource(
      {
        authority: ENTRA_AUTHORITY,
        tenantId: ENTRA_TENANT_ID,
        clientId: ENTRA_CLIENT_ID,
        scope: `${GRAPH_ENDPOINT}/.default`,
        timeoutMs: tokenTimeoutSeconds(settings()) * 1000,
      },
      { ...vault(), now },
    );
    // What makes the rest of Node use a proxy.
    const proxyEnv = environment.NODE_USE_ENV_PROXY === '1' ? environment : undefined;
    const call = openGraph(
      {
        endpoint: GRAPH_ENDPOINT,
        timeoutMs: GRAPH_TIMEOUT_SECONDS * 1000,
        ...defined({ proxyEnv }),
      },
      tokens,
    );
    const request = lazily(async () => (await import('./lib/graph/one-request.ts')).openHttps(proxyEnv));
    return {
      mailboxes: { send: openGraphMail(call), find: openMailboxSearch(call, now) },
      drafts: openGraphDrafts(call, async (one) => (await request())(one), {
        endpoint: GRAPH_ENDPOINT,
        timeoutMs: GRAPH_TIMEOUT_SECONDS * 1000,
        now,
      }),
    };
  });

  const pacer = once(() =>
    makePacer({
      concurrent: settings().MAIL_CONCURRENT_PER_MAILBOX,
      perMinute: settings().MAIL_PER_MINUTE_PER_MAILBOX,
      bookAheadMs: bookAheadFor(policy().giveUpAfterMs),
    }),
  );

  const messageIds = makeMessageIdMemory();
  /** Of what needs storage alone: it must work whatever is wrong with the settings to reach Graph. */
  const ifAny = <Part extends object>(make: () => Part): Partial<Part> => {
    try {
      return make();
    } catch {
      return {};
    }
  };

  const policy = (): SendPolicy => ({
    onUnknown: settings().MAIL_ON_UNKNOWN,
    verifyWindowMs: settings().MAIL_VERIFY_SECONDS * 1000,
    sendingLimitMs: settings().MAIL_SENDING_LIMIT_SECONDS * 1000,
    giveUpAfterMs: settings().MAIL_GIVE_UP_HOURS * HOUR_MS,
    ledgerDays: settings().MAIL_LEDGER_DAYS,
    filesWithinMs: filesWithinMs(settings(), functionTimeoutSeconds),
  });

  /** The senders that settings name one by one. Drafts made before a setting was changed are still there. */
  const draftMailboxes = (): readonly string[] => {
    const { MAIL_DEFAULT_SENDER, MAIL_ALLOWED_SENDERS } = settings();
    return [MAIL_DEFAULT_SENDER.address, ...MAIL_ALLOWED_SENDERS.filter((one) => !one.startsWith('*@'))];
  };

  const accept = (): AcceptPolicy => ({
    senderPolicy: {
      defaultSender: settings().MAIL_DEFAULT_SENDER,
      allowedSenders: settings().MAIL_ALLOWED_SENDERS,
    },
    ledgerRecipients: settings().MAIL_LEDGER_RECIPIENTS,
    safety: NO_SAFETY,
    plan: { largeAttachments: settings().MAIL_LARGE_ATTACHMENTS, delivery: settings().MAIL_DELIVERY },
  });

  const told = (): ToldNeeds => ifAny(() => ({ senderPolicy: accept().senderPolicy }));

  const sending = (log: Log): SendMailNeeds & Pick<Ports, 'callers'> => ({
    ...storage(),
    ...graph(),
    pacer: pacer(),
    accept: accept(),
    policy: policy(),
    newMailId: makeMailId,
    clock,
    random,
    log,
  });

  const tellOfSettings = (log: Log): void => {
    const stray = strayNames(environment);
    if (stray.length > 0) log({ event: 'SettingsUnknown', settings: stray });
    try {
      settings();
    } catch (error) {
      const problems = error instanceof AppError ? (error.facts.problems ?? []) : [];
      log({ event: 'SettingsInvalid', settings: problems.map(({ pointer }) => pointer) });
    }
  };

  let toldOfSettings = false;
  /** Once by each instance also in the log of an invocation, which has a place in every alert. */
  const tellOnce = (log: Log): void => {
    if (!toldOfSettings) tellOfSettings(log);
    toldOfSettings = true;
  };

  /** Sending, or why nothing may be sent. */
  const sendingUnlessBlocked = (log: Log): DeliverMailNeeds['sending'] => {
    tellOnce(log);
    try {
      return settings().MAIL_ENABLED ? sending(log) : { blocked: 'MAIL_DISABLED' };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { blocked: error.code };
    }
  };

  return {
    tellOfSettings,
    forIdentity: (log) => {
      tellOnce(log);
      return {
        callers: storage().callers,
        appTokens: { check: async (token) => appTokens().check(token) },
      };
    },
    forOwnCaller: () => told(),
    forSendMail: (log) => {
      tellOnce(log);
      if (!settings().MAIL_ENABLED) throw new AppError('MAIL_DISABLED');
      return { ...sending(log), admission, maxRequestBytes: settings().MAIL_MAX_REQUEST_MB * MEGABYTE };
    },
    forDeliverMail: (log) => ({
      ...storage(),
      sending: sendingUnlessBlocked(log),
      admission,
      clock,
      log,
    }),
    forHoldMail: (log) => ({ ...storage(), clock, log }),
    forStatus: () => ({
      ...storage(),
      ...ifAny(() => ({ mailboxes: graph().mailboxes })),
      ...told(),
      messageIds,
      clock,
    }),
    forDesk: (log) => ({ ...storage(), ...ifAny(() => ({ pacer: pacer() })), ...told(), clock, log }),
    forSweepMail: (log) => {
      tellOnce(log);
      return {
        ...storage(),
        ...graph(),
        policy: policy(),
        draftMailboxes: draftMailboxes(),
        clock,
        log,
      };
    },
    forWarnExpiringSecrets: (log) => {
      tellOnce(log);
      const { KEY_VAULT_URL, SECRET_WARNING_DAYS, SECRET_WARNING_RECIPIENTS } = settings();
      return {
        ...storage(),
        vault: vault(),
        vaultName: vaultNameOf(KEY_VAULT_URL),
        warningDays: SECRET_WARNING_DAYS,
        recipients: SECRET_WARNING_RECIPIENTS,
        newMailId: makeMailId,
        clock,
        log,
      };
    },
  };
};

const vaultNameOf = (url: string): string => new URL(url).hostname.split('.')[0] ?? url;

const toStorageConnection = (
  settings: Pick<Settings, (typeof STORAGE_SETTINGS)[number]>,
): StorageConnection =>
  settings.AzureWebJobsStorage === ''
    ? {
        kind: 'account',
        accountName: settings.AzureWebJobsStorage__accountName,
        credential: managedIdentity(settings.AZURE_CLIENT_ID),
      }
    : { kind: 'connection-string', connectionString: settings.AzureWebJobsStorage };
