import { callerNameFault } from './lib/callers/caller-name.ts';
import { readCallerQueues } from './lib/callers/caller-queues.ts';
import { makeKnownCallers } from './lib/callers/known-callers.ts';
import { combineCallers, declaredOf } from './lib/callers/stored-caller.ts';
import { CLOUDS, type CloudName } from './lib/connections/cloud.ts';
import type { RotateSecretsNeeds } from './lib/credentials/rotate-secrets.ts';
import type { WarnExpiringSecretsNeeds } from './lib/credentials/warn-expiring-secrets.ts';
import { isSlackWebhook } from './lib/credentials/webhook-body.ts';
import { defined } from './lib/defined.ts';
import type { AcceptPolicy } from './lib/delivery/accept-mail.ts';
import { type Admission, admissibleBytes, heldFor, makeAdmission } from './lib/delivery/admission.ts';
import { notStored } from './lib/delivery/attempt-for-caller.ts';
import { makeBudgets } from './lib/delivery/budgets.ts';
import type { DeliverMailNeeds } from './lib/delivery/deliver-mail.ts';
import type { DeliverWebhookNeeds } from './lib/delivery/deliver-webhook.ts';
import { allOf, inCloudEvents, toWebhooks } from './lib/delivery/event-sinks.ts';
import type { HoldPoisonNeeds } from './lib/delivery/hold-poison-message.ts';
import { makeCountKeeper } from './lib/delivery/keep-counts.ts';
import { makePacer } from './lib/delivery/pacer.ts';
import type { PollBouncesNeeds } from './lib/delivery/poll-bounces.ts';
import { makeQuotas } from './lib/delivery/quotas.ts';
import type { SendMailNeeds } from './lib/delivery/send-mail.ts';
import type { SweepNeeds } from './lib/delivery/sweep-run.ts';
import { tellingOfNewMail } from './lib/delivery/tell-of-new-mail.ts';
import { makeTellOwner } from './lib/delivery/tell-owner-of-bounce.ts';
import { makeWatchSender } from './lib/delivery/watch-sender.ts';
import type { AnswerInboxNeeds, Capturing } from './lib/desk/answer-inbox.ts';
import { makeCachedCallers, type ReadCallers } from './lib/desk/cached-callers.ts';
import type { RegisterNeeds } from './lib/desk/caller-register.ts';
import type { CancelNeeds } from './lib/desk/cancel-mail.ts';
import type { CloseNeeds } from './lib/desk/close-mail.ts';
import type { ForgetNeeds } from './lib/desk/forget-mail.ts';
import type { ToldNeeds } from './lib/desk/mail-status.ts';
import { makeMessageIdMemory } from './lib/desk/message-id.ts';
import type { OpsNeeds } from './lib/desk/ops-needs.ts';
import type { OwnCallerNeeds } from './lib/desk/own-caller.ts';
import type { MetricsNeeds } from './lib/desk/read-metrics.ts';
import type { ReplayNeeds } from './lib/desk/replay-mail.ts';
import type { RescheduleNeeds } from './lib/desk/reschedule-mail.ts';
import {
  type DoctorNeeds,
  type DoctorReport,
  keepingReports,
  runDoctor,
  sharingRuns,
} from './lib/desk/run-doctor.ts';
import type { SampleNeeds } from './lib/desk/sample-relay.ts';
import type { SearchNeeds } from './lib/desk/search-mail.ts';
import { sendTestMail, type TestMailNeeds } from './lib/desk/send-test-mail.ts';
import type { ShowNeeds } from './lib/desk/show-mail.ts';
import { makeSignInLimit } from './lib/desk/sign-in-limit.ts';
import type { TraceNeeds } from './lib/desk/trace-mail.ts';
import { AppError } from './lib/errors.ts';
import { sourceOf } from './lib/events/cloud-event.ts';
import { makeWebhookLanes } from './lib/events/webhook-lanes.ts';
import { type FacadeName, readFacades } from './lib/facades/facade.ts';
import { openRegistration } from './lib/graph/registration.ts';
import { lazily } from './lib/lazily.ts';
import { type KnownIdentity, makeIdentity } from './lib/ledger/identity.ts';
import { newMailId } from './lib/ledger/mail-id.ts';
import type { Log, LogEvent } from './lib/log.ts';
import type { SenderPolicy } from './lib/mail/sender-policy.ts';
import { EXCHANGE_LIMITS, makeMailboxMeter } from './lib/metrics/mailbox-use.ts';
import { makeMeter } from './lib/metrics/meter.ts';
import { openLimitedNetwork, openSdkNetwork, type ProxyEnv, type SdkNetwork } from './lib/network/agents.ts';
import type { HeartbeatName, OpenConnection, Ports, WarningRun } from './lib/ports.ts';
import { makeConnectionGate } from './lib/sending/connection-gate.ts';
import { agesAfter, bookAheadFor } from './lib/sending/pacing.ts';
import type { Safety } from './lib/sending/safety.ts';
import type { SendPolicy } from './lib/sending/send-policy.ts';
import {
  authorityOf,
  cloudOf,
  toBrokenConnections,
  toConnections,
  toSenderPolicy,
} from './lib/settings/connections.ts';
import { readDoctorSettings } from './lib/settings/doctor-settings.ts';
import { readProxy } from './lib/settings/proxy.ts';
import { toRecipientLimits } from './lib/settings/recipient-limits.ts';
import {
  type Environment,
  readSetting,
  readSettings,
  type SettingName,
  type Settings,
  STORAGE_SETTINGS,
  strayNames,
} from './lib/settings/settings.ts';
import { reportSettings, type SettingsReport } from './lib/settings/settings-report.ts';
import { filesWithinMs, tokenTimeoutSeconds } from './lib/settings/settings-together.ts';
import { readUsable } from './lib/settings/usable-settings.ts';
import type { MailQueues } from './lib/storage/mail-queue.ts';
import {
  openBudgetTable,
  openCallerTable,
  openCountsTable,
  openHeartbeatTable,
  openLaneTable,
  openLedgerTable,
  openMailBlobs,
  openMailIndexTable,
  openMailQueues,
  openOperatorTrail,
  openRelayKey,
  openRotationTable,
  openSamplesTable,
  openTraceUseTable,
  openUsageTable,
  openWarningTable,
  openWatchedMailboxTable,
} from './lib/storage/open-storage.ts';
import {
  callerQueueOf,
  MAIL_QUEUE,
  poisonQueueOf,
  type StorageConnection,
  VAULT_EVENT_QUEUE,
  WEBHOOK_QUEUE,
} from './lib/storage/storage-connection.ts';
import { tokenInTime } from './lib/storage/token-in-time.ts';
import type { KeyVault } from './lib/vault/key-vault.ts';
import { openAppTokens } from './lib/vault/open-app-tokens.ts';
import { openMasterKey } from './lib/vault/open-master-key.ts';
import { managedIdentity, openKeyVault } from './lib/vault/open-vault.ts';
import { openSigningKeys } from './lib/vault/signing-keys.ts';
import { openEventWebhooks, openWebhook } from './lib/webhook/open-webhook.ts';
import { openConnections } from './open-connections.ts';

/** The parts of the world that are not deterministic. */
export type World = {
  readonly now: () => Date;
  /** The same, but nobody sets it: it goes on evenly while the clock of the machine is corrected. */
  readonly steadyNow: () => Date;
  readonly random: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Calls later; waiting for it keeps no process running. */
  readonly later: (run: () => void, milliseconds: number) => void;
  /** Memory of the instance. */
  readonly memoryBytes: number;
  readonly version: string;
};

/** Gives each function what it needs, with the log of the invocation. */
export type Relay = {
  /** Says which settings are wrong or unknown, and which keep emails from their recipients. Never throws. */
  readonly tellOfSettings: (log: Log) => void;
  readonly reportSettings: () => SettingsReport;
  /** Who calls; before that the relay does nothing for anybody. */
  readonly forIdentity: (log: Log) => Pick<Ports, 'callers' | 'appTokens'>;
  readonly forOwnCaller: (log: Log) => OwnCallerNeeds;
  readonly forSendMail: (
    log: Log,
  ) => SendMailNeeds &
    Pick<Ports, 'callers'> & { readonly admission: Admission; readonly maxRequestBytes: number };
  /** The callers that have a queue of their own. What cannot be one is left out here, and told as every wrong setting is. */
  readonly callerQueues: readonly string[];
  /** The providers whose API is answered. What is none is left out here, and told as every wrong setting is. */
  readonly facades: readonly FacadeName[];
  /** For the messages of a queue. */
  readonly forDeliverMail: (log: Log, queueName: string) => DeliverMailNeeds;
  /** For what the host gave up on of a queue. */
  readonly forHoldMail: (log: Log, queueName: string) => HoldPoisonNeeds;
  readonly forStatus: (log: Log) => TraceNeeds & ToldNeeds & Pick<Ports, 'callers'>;
  readonly forDesk: (
    log: Log,
  ) => ReplayNeeds &
    CloseNeeds &
    ForgetNeeds &
    CancelNeeds &
    RescheduleNeeds &
    SearchNeeds &
    ShowNeeds &
    TraceNeeds &
    Pick<Ports, 'callers'>;
  readonly forCallers: (log: Log) => RegisterNeeds;
  readonly forInbox: (log: Log) => Omit<AnswerInboxNeeds, 'version'>;
  /** Looks at the whole relay; works whatever is wrong with it. */
  readonly runDoctor: (log: Log) => Promise<DoctorReport>;
  readonly forTestMail: (log: Log) => TestMailNeeds & { readonly admission: Admission };
  readonly forOps: (log: Log) => OpsNeeds;
  readonly forDeliverWebhook: (log: Log) => DeliverWebhookNeeds;
  readonly forSweepMail: (log: Log) => SweepNeeds;
  /** Whether the reports that come back to senders are read. */
  readonly readsReports: boolean;
  readonly forPollBounces: (log: Log) => PollBouncesNeeds;
  /** Counts an event of the log. */
  readonly count: (event: LogEvent) => void;
  /** Writes what was counted and is not written yet, before the process ends. Never throws. */
  readonly keepCounts: () => Promise<void>;
  readonly forMetrics: (log: Log) => MetricsNeeds;
  readonly forSampleRelay: (log: Log) => SampleNeeds;
  readonly forWarnExpiringSecrets: (log: Log) => WarnExpiringSecretsNeeds;
  readonly forRotateSecrets: (log: Log) => RotateSecretsNeeds;
};

type StoragePorts = Pick<
  Ports,
  | 'ledger'
  | 'mailIndex'
  | 'payloads'
  | 'records'
  | 'captured'
  | 'attachments'
  | 'mailQueue'
  | 'events'
  | 'readIdentity'
  | 'callerStore'
  | 'operatorTrail'
  | 'usages'
  | 'mailboxLanes'
  | 'recipientBudgets'
  | 'warnings'
  | 'rotations'
  | 'heartbeats'
  | 'traceUses'
  | 'watchedMailboxes'
  | 'counts'
  | 'samples'
> &
  Pick<MailQueues, 'queueNamed'>;

/** What checking a token of Entra needs. */
const TOKEN_SETTINGS = ['GRAPH_CLOUD', 'ENTRA_AUTHORITY', 'ENTRA_TENANT_ID', 'ENTRA_CLIENT_ID'] as const;

/** What says as whom the relay may send. */
const SENDER_SETTINGS = ['MAIL_DEFAULT_SENDER', 'MAIL_ALLOWED_SENDERS', 'GRAPH_CONNECTIONS'] as const;

/** What opening connections needs. */
const CONNECTION_SETTINGS = [
  'GRAPH_CLOUD',
  'ENTRA_AUTHORITY',
  'GRAPH_ENDPOINT',
  'ENTRA_TENANT_ID',
  'ENTRA_CLIENT_ID',
  'GRAPH_CREDENTIAL',
  'CLIENT_SECRET_NAME',
  'CLIENT_CERTIFICATE_NAME',
  'GRAPH_CONNECTIONS',
  'GRAPH_TIMEOUT_SECONDS',
  'KEY_VAULT_URL',
  'AZURE_CLIENT_ID',
] as const;
type ConnectionSettings = Pick<Settings, (typeof CONNECTION_SETTINGS)[number]>;

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
  { now, steadyNow, random, sleep, later, memoryBytes, version }: World,
  functionTimeoutSeconds: number,
): Relay => {
  const settings = once(() => readSettings(environment, undefined, functionTimeoutSeconds));
  const makeMailId = () => newMailId(now());

  const clock = { now, sleep };
  const admission = makeAdmission(admissibleBytes(memoryBytes), heldFor);

  const proxyEnv = readProxy(environment);
  const network = once(() => openSdkNetwork(proxyEnv));
  const limitedNetwork = once(() => openLimitedNetwork(proxyEnv));

  const hasWebhooks = Boolean(environment.MAIL_WEBHOOKS?.trim());
  const webhookLanes = makeWebhookLanes();
  const eventWebhooks = openEventWebhooks(proxyEnv);

  const storage = once((): StoragePorts => {
    const connection = toStorageConnection(
      readSettings(environment, STORAGE_SETTINGS),
      storageCloud(environment),
      { network: network(), storageNetwork: limitedNetwork() },
    );
    const { events, queueNamed } = openMailQueues(connection);
    const { readRelayKey } = openRelayKey(connection);
    const readIdentity = lazily(async (): Promise<KnownIdentity> => {
      const { key, ...known } = await readRelayKey();
      return { ...makeIdentity(key), ...known };
    });
    // Whether events are wanted must not keep an email from being moved while settings are wrong, these too.
    const shape = readSetting(environment, 'MAIL_EVENTS');
    const source = sourceOf(environment.WEBSITE_SITE_NAME ?? 'local');
    const sinks = [
      ...(shape === 'queue' ? [events] : []),
      ...(shape === 'cloudevents' ? [inCloudEvents(events, source)] : []),
      ...(hasWebhooks
        ? [
            toWebhooks({
              webhookQueue: queueNamed(WEBHOOK_QUEUE),
              receivers: () => readSetting(environment, 'MAIL_WEBHOOKS'),
              ...{ readIdentity, source, clock },
            }),
          ]
        : []),
    ];
    return {
      ...openMailBlobs(connection),
      readIdentity,
      ledger: openLedgerTable(connection),
      mailIndex: openMailIndexTable(connection),
      callerStore: openCallerTable(connection),
      operatorTrail: openOperatorTrail(connection),
      usages: openUsageTable(connection),
      mailboxLanes: openLaneTable(connection),
      recipientBudgets: openBudgetTable(connection),
      warnings: openWarningTable(connection),
      rotations: openRotationTable(connection),
      heartbeats: openHeartbeatTable(connection),
      watchedMailboxes: openWatchedMailboxTable(connection),
      counts: openCountsTable(connection),
      samples: openSamplesTable(connection),
      traceUses: openTraceUseTable(connection),
      queueNamed,
      mailQueue: queueNamed(MAIL_QUEUE),
      ...defined({ events: allOf(sinks) }),
    };
  });

  const meter = makeMeter(() => keeper.changed());
  const mailboxUse = makeMailboxMeter(() => keeper.changed());
  const keeper = makeCountKeeper({
    counts: () => storage().counts,
    counted: (time) => ({ tally: meter.tally(), mailboxes: mailboxUse.uses(time) }),
    newInstance: makeMailId,
    now,
    later,
  });

  const declaredInSettings = () => readSettings(environment, ['MAIL_CALLERS']).MAIL_CALLERS;

  const readCallers = async (): Promise<ReadCallers> => {
    const entries = combineCallers(declaredInSettings(), await storage().callerStore.read());
    const unreadable = entries.filter(({ declaredIn }) => declaredIn === 'unreadable');
    return {
      known: makeKnownCallers(declaredOf(entries)),
      // Whoever changed the table can have written anything there; the log has names of callers only.
      unreadable: unreadable.map(({ caller: { name } }) =>
        callerNameFault(name) === undefined ? name : 'not a name of a caller',
      ),
    };
  };
  const cachedCallers = makeCachedCallers(readCallers, now);

  const appTokens = once(() => {
    try {
      const { ENTRA_TENANT_ID, ENTRA_CLIENT_ID, ...cloud } = readSettings(environment, TOKEN_SETTINGS);
      return openAppTokens(
        {
          authority: authorityOf(cloud),
          tenant: ENTRA_TENANT_ID,
          clientId: ENTRA_CLIENT_ID,
          ...defined({ proxyEnv }),
        },
        now,
      );
    } catch (cause) {
      // Nobody knows yet who asks: which settings are wrong is in the log alone.
      throw new AppError('SETTINGS_INVALID', { cause });
    }
  });

  const openVaultOf = ({
    KEY_VAULT_URL,
    AZURE_CLIENT_ID,
  }: Pick<ConnectionSettings, 'KEY_VAULT_URL' | 'AZURE_CLIENT_ID'>) => {
    if (KEY_VAULT_URL === undefined) throw new AppError('VAULT_NOT_SET');
    return openKeyVault(
      { vaultUrl: KEY_VAULT_URL },
      {
        credential: managedIdentity(AZURE_CLIENT_ID, { network: network() }),
        now,
        network: limitedNetwork(),
      },
    );
  };
  /** Of the latest invocation that can have asked for a token: connections outlive each of them. */
  let recentLog: Log = () => undefined;
  const openGraphOf = (read: ConnectionSettings, ofVault: () => KeyVault) =>
    openConnections(toConnections(read), toBrokenConnections(read), {
      vault: ofVault,
      // The queue waits, not the function.
      identity: (clientId = read.AZURE_CLIENT_ID) =>
        managedIdentity(clientId, { maxRetries: 0, network: network() }),
      now,
      network: network(),
      ...defined({ proxyEnv }),
      graphTimeoutMs: read.GRAPH_TIMEOUT_SECONDS * 1000,
      tokenTimeoutMs: tokenTimeoutSeconds(read) * 1000,
      log: (event) => recentLog(event),
    });

  const vault = once(() => openVaultOf(settings()));
  const graph = once(() => openGraphOf(settings(), vault));

  const registered = (all: ReturnType<typeof graph>['all']): readonly OpenConnection[] =>
    all.map((one) => ({ ...one, registration: openRegistration(one.call, one.connection.clientId) }));
  const connections = once(() => registered(graph().all));

  const pacer = once(() =>
    makePacer(
      // Starts and standing shares are times: a clock that is set would use them too soon, or again.
      { ...storage(), clock: { now: steadyNow, sleep }, random, log: (event) => recentLog(event) },
      {
        concurrent: settings().MAIL_CONCURRENT_PER_MAILBOX,
        perMinute: settings().MAIL_PER_MINUTE_PER_MAILBOX,
        recipientsPerDay: settings().MAIL_RECIPIENTS_PER_DAY_PER_MAILBOX,
        bookAheadMs: bookAheadFor(policy().giveUpAfterMs),
        agesAfterMs: agesAfter(policy().giveUpAfterMs),
      },
      makeMailId(),
    ),
  );

  const limitsOf = once(() => toRecipientLimits(settings(), toConnections(settings())));
  const budgets = once(() =>
    makeBudgets({ ...storage(), clock, log: (event) => recentLog(event) }, limitsOf()),
  );

  const gate = once(makeConnectionGate);

  const quotas = once(() => makeQuotas(storage().usages));

  const watchSender = once(() => makeWatchSender({ ...storage(), clock }));
  const watching = () => (settings().MAIL_BOUNCES ? { watchSender: watchSender() } : {});

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
    const { defaultSender, allowedSenders } = toSenderPolicy(settings());
    return [defaultSender.address, ...allowedSenders.filter((one) => !one.startsWith('*@'))];
  };

  const senderPolicy = (): SenderPolicy => toSenderPolicy(readSettings(environment, SENDER_SETTINGS));
  const usableSenderPolicy = (): SenderPolicy | undefined => {
    const read = readUsable(environment, SENDER_SETTINGS);
    return read && toSenderPolicy(read);
  };
  const callerQueues = readCallerQueues(environment.MAIL_CALLER_QUEUES ?? '').names;
  const queueNames = [MAIL_QUEUE, ...callerQueues.map(callerQueueOf)];
  // Of webhooks only where there are some: in a relay that was upgraded by its code alone, they are missing.
  const webhookQueues = hasWebhooks ? [WEBHOOK_QUEUE] : [];
  const queuesNamed = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, storage().queueNamed(name)]));
  const poisonQueues = () =>
    queuesNamed([...queueNames, VAULT_EVENT_QUEUE, ...webhookQueues].map(poisonQueueOf));

  const accept = (): AcceptPolicy => ({
    senderPolicy: senderPolicy(),
    ledgerRecipients: settings().MAIL_LEDGER_RECIPIENTS,
    safety: safetyOf(settings()),
    limitsOf: limitsOf(),
    plan: { largeAttachments: settings().MAIL_LARGE_ATTACHMENTS, delivery: settings().MAIL_DELIVERY },
  });

  /** Known while settings are wrong too: what was captured can be looked at all the same. */
  const capturing = (): Capturing => {
    try {
      const { capture, recipientDomains, otherRecipients } = safetyOf(settings());
      if (capture) return 'everything';
      return recipientDomains !== undefined && otherRecipients === 'capture' ? 'other-recipients' : 'nothing';
    } catch {
      return 'unknown';
    }
  };

  /** To say what became of an email after Exchange took it: what the ledger knows, and the message trace where it is on. */
  const tracing = () => ({
    messageIds,
    ...ifAny(() => ({
      mailboxes: graph().mailboxes,
      ...(settings().MAIL_TRACE ? { traces: graph().traces } : {}),
    })),
  });

  const told = (): ToldNeeds => ifAny(() => ({ senderPolicy: accept().senderPolicy }));

  const sending = (log: Log, door: 'http' | 'queue' = 'http'): SendMailNeeds & Pick<Ports, 'callers'> => {
    recentLog = log;
    return {
      ...storage(),
      ...graph(),
      ledger: tellingOfNewMail(storage().ledger, door, log),
      mailboxUse,
      callers: cachedCallers.of(log),
      pacer: pacer(),
      budgets: budgets(),
      ...(settings().GRAPH_CONNECTIONS.length === 0 ? {} : { gate: gate() }),
      quotas: quotas(),
      ...watching(),
      accept: accept(),
      policy: policy(),
      language: settings().MAIL_LANGUAGE,
      newMailId: makeMailId,
      clock,
      random,
      log,
    };
  };

  const report = (): SettingsReport => reportSettings(settings);

  const tellOfSettings = (log: Log): void => {
    const stray = strayNames(environment);
    if (stray.length > 0) log({ event: 'SettingsUnknown', settings: stray });
    const { settingsInvalid, safetyOn } = report();
    if (settingsInvalid.length > 0) log({ event: 'SettingsInvalid', settings: settingsInvalid });
    if (safetyOn.length > 0) log({ event: 'SafetyOn', settings: safetyOn });
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
      return settings().MAIL_ENABLED ? sending(log, 'queue') : { blocked: 'MAIL_DISABLED' };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { blocked: error.code };
    }
  };

  /** What the doctor looks at also while settings are invalid that have nothing to do with connections. */
  const ownSettings = once(() => readSettings(environment, CONNECTION_SETTINGS));
  const doctorVault = once(() => openVaultOf(ownSettings()));
  const doctorGraph = once(() => openGraphOf(ownSettings(), doctorVault));

  /** Warnings must come whatever is wrong with the settings: each is read by itself. */
  const warningSetting = <Name extends SettingName>(name: Name): Settings[Name] | undefined =>
    readUsable(environment, [name])?.[name];
  const sendsMail = (): boolean => {
    try {
      return settings().MAIL_ENABLED;
    } catch {
      return false;
    }
  };
  const usableVault = once(() =>
    openVaultOf({
      KEY_VAULT_URL: warningSetting('KEY_VAULT_URL'),
      AZURE_CLIENT_ID: warningSetting('AZURE_CLIENT_ID'),
    }),
  );
  const signingKeys = once(() => openSigningKeys(usableVault, now));
  const watchedVault = () => {
    const url = warningSetting('KEY_VAULT_URL');
    if (url !== undefined) return { vault: usableVault(), vaultName: hostLabelOf(url) };
    const isSet = Boolean(environment.KEY_VAULT_URL?.trim());
    // What cannot be looked at fails the run, after it has told what it could.
    const listSecrets = () => Promise.reject(new AppError('SETTINGS_INVALID'));
    return { ...(isSet ? { vault: { listSecrets } } : {}), vaultName: '' };
  };
  const watchedConnections = once((): readonly OpenConnection[] => {
    const read = readUsable(environment, CONNECTION_SETTINGS);
    return read === undefined ? [] : registered(openGraphOf(read, usableVault).all);
  });

  const heartbeatOf = async (name: HeartbeatName) => {
    const endedAt = await storage().heartbeats.read(name);
    return endedAt && { endedAt };
  };
  const readServerTime = lazily(async () => {
    const [{ makeReadServerTime }, { openHttps }] = await Promise.all([
      import('./lib/vault/server-time.ts'),
      import('./lib/graph/one-request.ts'),
    ]);
    return makeReadServerTime(openHttps(proxyEnv));
  });

  const doctorNeeds = (log: Log): DoctorNeeds => ({
    settings: readDoctorSettings(environment, functionTimeoutSeconds),
    version,
    storage,
    queues: () => queuesNamed([...queueNames, ...webhookQueues]),
    poisonQueues,
    connections: () => doctorGraph().all,
    mailboxes: () => doctorGraph().mailboxes,
    ...(environment.KEY_VAULT_URL?.trim() ? { vault: doctorVault } : {}),
    ...(readSetting(environment, 'MAIL_TRACE')
      ? { tracing: () => ({ traces: doctorGraph().traces, traceUses: storage().traceUses }) }
      : {}),
    readServerTime: async (connection) => (await readServerTime())(connection),
    lastRuns: {
      sweep: () => heartbeatOf('sweep'),
      warnings: async () => {
        const run = await storage().warnings.lastRun();
        return run && { endedAt: run.endedAt, ...defined({ trouble: troubleOf(run) }) };
      },
      ...(readSetting(environment, 'SECRET_ROTATION_DAYS') === undefined
        ? {}
        : { rotation: () => heartbeatOf('rotation') }),
    },
    clock,
    log,
  });
  /** The log of the first who asks, of those whom one run serves. */
  let doctorLog: Log = () => undefined;
  const sharedDoctor = sharingRuns(() => runDoctor(doctorNeeds(doctorLog)));
  const doctor = (log: Log): Promise<DoctorReport> => {
    doctorLog = log;
    recentLog = log;
    return sharedDoctor();
  };

  const keptDoctor = keepingReports(doctor, now);
  const signInLimit = makeSignInLimit();
  // Read when it is used: on a machine of one's own, the host knows its port after the app was loaded.
  const masterKey = once(() => openMasterKey(environment.WEBSITE_HOSTNAME, proxyEnv));
  const checkMasterKey = (key: string) => masterKey()(key);

  const desk: Relay['forDesk'] = (log) => ({
    ...storage(),
    ...ifAny(() => ({ safety: safetyOf(settings()) })),
    ...ifAny(() => ({ pacer: pacer() })),
    ...tracing(),
    ...told(),
    callers: cachedCallers.of(log),
    clock,
    log,
  });

  const testMail = (log: Log): TestMailNeeds & { readonly admission: Admission } => {
    tellOnce(log);
    if (!settings().MAIL_ENABLED) throw new AppError('MAIL_DISABLED');
    return {
      ...sending(log),
      connections: graph().all,
      admission,
      language: settings().MAIL_LANGUAGE,
      app: environment.WEBSITE_SITE_NAME ?? 'Graph Mail Relay',
    };
  };

  return {
    tellOfSettings,
    reportSettings: report,
    forIdentity: (log) => {
      tellOnce(log);
      return {
        callers: cachedCallers.of(log),
        appTokens: { check: async (token) => appTokens().check(token) },
      };
    },
    forOwnCaller: () => ({ ...storage(), ...told(), clock }),
    forSendMail: (log) => {
      tellOnce(log);
      if (!settings().MAIL_ENABLED) throw new AppError('MAIL_DISABLED');
      const { known, refreshed } = cachedCallers.of(log);
      return {
        ...sending(log),
        // Who brings an email is told that it was not accepted; nobody who asks about one may be told that.
        callers: {
          known: () => known().catch(notStored),
          refreshed: () => refreshed().catch(notStored),
        },
        admission,
        maxRequestBytes: settings().MAIL_MAX_REQUEST_MB * MEGABYTE,
      };
    },
    callerQueues,
    facades: readFacades(environment.MAIL_FACADES ?? '').names,
    forDeliverMail: (log, queueName) => ({
      ...storage(),
      callers: cachedCallers.of(log),
      arrivalQueue: storage().queueNamed(queueName),
      sending: sendingUnlessBlocked(log),
      admission,
      clock,
      log,
    }),
    forHoldMail: (log, queueName) => ({
      ...storage(),
      callers: cachedCallers.of(log),
      poisonQueue: storage().queueNamed(poisonQueueOf(queueName)),
      clock,
      log,
    }),
    forStatus: (log) => ({
      ...storage(),
      callers: cachedCallers.of(log),
      ...tracing(),
      ...told(),
      clock,
      log,
    }),
    forDesk: desk,
    forCallers: (log) => ({
      ...storage(),
      declaredInSettings,
      senderPolicy,
      ...ifAny(() => defined({ recipientDomains: settings().MAIL_RECIPIENT_DOMAINS })),
      forgetCallers: cachedCallers.forget,
      clock,
      log,
    }),
    forInbox: () => ({ ...storage(), capturing: capturing(), clock }),
    runDoctor: (log) => doctor(log),
    forTestMail: testMail,
    forOps: (log) => {
      tellOnce(log);
      const { queues, connections: opened, vault: openVault, lastRuns } = doctorNeeds(log);
      return {
        ...storage(),
        ...desk(log),
        declaredInSettings,
        // Invalid, it lets nobody in; which settings are invalid is in the log.
        signIn: readSetting(environment, 'OPS_SIGN_IN') ?? 'off',
        // Read-only for apps: the platform says so where it removes what clients send in its headers.
        hasEasyAuth: environment.WEBSITE_AUTH_ENABLED?.toLowerCase() === 'true',
        checkMasterKey,
        signInLimit,
        overview: {
          recentDoctor: (mostMs) => keptDoctor(log, mostMs),
          storage,
          queues,
          connections: () => opened().map(({ connection }) => connection),
          ...defined({ vault: openVault }),
          lastRuns,
          clock,
          log,
        },
        sendTestMail: async (request) => {
          const room = admission.open();
          try {
            return await sendTestMail({ ...testMail(log), room }, request);
          } finally {
            room.close();
          }
        },
      };
    },
    forDeliverWebhook: (log) => ({
      readIdentity: storage().readIdentity,
      webhookQueue: storage().queueNamed(WEBHOOK_QUEUE),
      receivers: readSetting(environment, 'MAIL_WEBHOOKS'),
      lanes: webhookLanes,
      signingKeys: signingKeys(),
      eventWebhooks,
      clock,
      random,
      log,
    }),
    forSweepMail: (log) => {
      tellOnce(log);
      return {
        ...storage(),
        ...graph(),
        quotas: quotas(),
        ...watching(),
        poisonQueues: poisonQueues(),
        policy: policy(),
        draftMailboxes: draftMailboxes(),
        clock,
        log,
      };
    },
    readsReports: readSetting(environment, 'MAIL_BOUNCES') === true,
    forPollBounces: (log) => {
      tellOnce(log);
      recentLog = log;
      const needs = { ...storage(), ...graph(), callers: cachedCallers.of(log), clock, log };
      const language = settings().MAIL_LANGUAGE;
      return settings().MAIL_BOUNCES_TO_OWNER
        ? { ...needs, tellOwner: makeTellOwner({ ...needs, language }) }
        : needs;
    },
    count: meter.count,
    keepCounts: keeper.keep,
    forMetrics: () => ({ ...storage(), clock }),
    forSampleRelay: (log) => ({
      ...storage(),
      queues: queuesNamed(queueNames),
      poisonQueues: poisonQueues(),
      mailboxLimits: {
        perMinute: warningSetting('MAIL_PER_MINUTE_PER_MAILBOX') ?? EXCHANGE_LIMITS.perMinute,
        recipientsPerDay:
          warningSetting('MAIL_RECIPIENTS_PER_DAY_PER_MAILBOX') ?? EXCHANGE_LIMITS.recipientsPerDay,
      },
      ...(warningSetting('KEY_VAULT_URL') === undefined ? {} : { vault: usableVault() }),
      clock,
      log,
    }),
    forWarnExpiringSecrets: (log) => {
      // In each run: what is left out of it, people must learn of.
      tellOfSettings(log);
      const webhookUrl = warningSetting('SECRET_WARNING_WEBHOOK');
      return {
        ...storage(),
        ...watchedVault(),
        vaultEvents: storage().queueNamed(VAULT_EVENT_QUEUE),
        connections: watchedConnections(),
        callers: cachedCallers.of(log),
        ...defined({ senderPolicy: usableSenderPolicy() }),
        warningDays: warningSetting('SECRET_WARNING_DAYS') ?? [],
        recipients: warningSetting('SECRET_WARNING_RECIPIENTS') ?? [],
        language: warningSetting('MAIL_LANGUAGE') ?? 'en',
        sendsMail: sendsMail(),
        rotates: warningSetting('SECRET_ROTATION_DAYS') !== undefined,
        ...defined({ rotationDays: warningSetting('SECRET_ROTATION_DAYS') }),
        ...webhookOf(webhookUrl, proxyEnv),
        newRunId: makeMailId,
        clock,
        log,
      };
    },
    forRotateSecrets: (log) => {
      tellOnce(log);
      const { SECRET_ROTATION_DAYS: rotationDays } = settings();
      const withSecret =
        rotationDays === undefined
          ? []
          : connections().filter(({ connection: { credential } }) => credential.kind === 'client-secret');
      return {
        rotations: storage().rotations,
        heartbeats: storage().heartbeats,
        ...(rotationDays === undefined || withSecret.length === 0
          ? {}
          : { renewing: { rotationDays, connections: withSecret, vault: vault() } }),
        newId: makeMailId,
        clock,
        log,
      };
    },
  };
};

const safetyOf = ({
  MAIL_CAPTURE,
  MAIL_REDIRECT_TO,
  MAIL_RECIPIENT_DOMAINS,
  MAIL_OTHER_RECIPIENTS,
}: Settings): Safety => ({
  capture: MAIL_CAPTURE,
  ...defined({ redirectTo: MAIL_REDIRECT_TO, recipientDomains: MAIL_RECIPIENT_DOMAINS }),
  otherRecipients: MAIL_OTHER_RECIPIENTS,
});

/** Absent where no webhook is set. */
const webhookOf = (url: string | undefined, proxyEnv: ProxyEnv | undefined) =>
  url === undefined
    ? { isSlack: false }
    : {
        webhook: openWebhook(url, proxyEnv),
        isSlack: isSlackWebhook(url),
      };

const troubleOf = ({ failure, undelivered }: WarningRun): string | undefined => {
  if (failure !== undefined) return `It could not check everything (${failure}).`;
  if (undelivered > 0) return `${undelivered} of its warnings reached nobody.`;
  return undefined;
};

const hostLabelOf = (url: string): string => new URL(url).hostname.split('.')[0] ?? url;

/** The cloud that storage is in. Storage must be there whatever is wrong with the settings to reach Graph. */
const storageCloud = (environment: Environment): CloudName =>
  cloudOf({
    GRAPH_CLOUD: readSetting(environment, 'GRAPH_CLOUD'),
    ENTRA_AUTHORITY: readSetting(environment, 'ENTRA_AUTHORITY'),
    GRAPH_ENDPOINT: readSetting(environment, 'GRAPH_ENDPOINT'),
  }) ?? 'global';

const toStorageConnection = (
  settings: Pick<Settings, (typeof STORAGE_SETTINGS)[number]>,
  cloud: CloudName,
  { network, storageNetwork }: { readonly network: SdkNetwork; readonly storageNetwork: SdkNetwork },
): StorageConnection => {
  if (settings.AzureWebJobsStorage !== '')
    return {
      kind: 'connection-string',
      connectionString: settings.AzureWebJobsStorage,
      network: storageNetwork,
    };
  const usual = (service: 'blob' | 'queue' | 'table') =>
    `https://${settings.AzureWebJobsStorage__accountName}.${service}.${CLOUDS[cloud].storageSuffix}`;
  return {
    kind: 'account',
    addresses: {
      blob: settings.AzureWebJobsStorage__blobServiceUri ?? usual('blob'),
      queue: settings.AzureWebJobsStorage__queueServiceUri ?? usual('queue'),
      table: settings.AzureWebJobsStorage__tableServiceUri ?? usual('table'),
    },
    credential: tokenInTime(managedIdentity(settings.AZURE_CLIENT_ID, defined({ network }))),
    network: storageNetwork,
  };
};
