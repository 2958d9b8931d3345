import type { WarnExpiringSecretsNeeds } from './lib/credentials/warn-expiring-secrets.ts';
import type { KnownIdentity } from './lib/delivery/arrived-message.ts';
import type { DeliverMailNeeds, SendingNeeds } from './lib/delivery/deliver-mail.ts';
import type { HoldMailNeeds } from './lib/delivery/hold-poison-message.ts';
import type { SendMailNeeds } from './lib/delivery/send-mail.ts';
import type { SweepNeeds } from './lib/delivery/sweep-mail.ts';
import type { DeskNeeds } from './lib/desk/desk.ts';
import { AppError } from './lib/errors.ts';
import { openMailboxSearch } from './lib/graph/find-in-mailbox.ts';
import { openGraphMail } from './lib/graph/graph-mail.ts';
import { openGraph } from './lib/graph/open-graph.ts';
import { makeIdentity } from './lib/ledger/identity.ts';
import { newMailId } from './lib/ledger/mail-id.ts';
import type { Log } from './lib/log.ts';
import { bookAheadFor, makePacer } from './lib/sending/pacing.ts';
import {
  type Environment,
  readSettings,
  type Settings,
  STORAGE_SETTINGS,
  strayNames,
} from './lib/settings.ts';
import { tokenTimeoutSeconds } from './lib/settings-together.ts';
import { openLedgerTable, openMailBlobs, openMailQueues, openRelayKey } from './lib/storage/open-storage.ts';
import type { StorageConnection } from './lib/storage/storage-connection.ts';
import { explainingFailures } from './lib/storage/storage-failure.ts';
import { makeTokenSource } from './lib/vault/entra-token.ts';
import { managedIdentity, openKeyVault } from './lib/vault/open-vault.ts';

/** The parts of the world that are not deterministic. */
export type World = {
  readonly now: () => Date;
  readonly random: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
};

/** Gives each function what it needs, with the log of the invocation. */
export type Relay = {
  /** Says which settings are wrong or unknown. Never throws. */
  readonly tellOfSettings: (log: Log) => void;
  readonly forSendMail: (log: Log) => SendMailNeeds;
  readonly forDeliverMail: (log: Log) => DeliverMailNeeds;
  readonly forHoldMail: (log: Log) => HoldMailNeeds;
  readonly forDesk: (log: Log) => DeskNeeds;
  readonly forSweepMail: (log: Log) => SweepNeeds;
  readonly forWarnExpiringSecrets: (log: Log) => WarnExpiringSecretsNeeds;
};

const HOUR_MS = 3_600_000;

/** Made at first use and kept: connections, the secret and the token serve every later invocation. */
const once = <Value>(make: () => Value): (() => Value) => {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
};

/** As `once`, for what takes time and can fail: what failed is tried again at the next call. */
const onceMade = <Value>(make: () => Promise<Value>): (() => Promise<Value>) => {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
};

/** Wires the adapters. Nothing is opened before a function asks. */
export const openRelay = (
  environment: Environment,
  { now, random, sleep }: World,
  functionTimeoutSeconds: number,
): Relay => {
  const settings = once(() => readSettings(environment, undefined, functionTimeoutSeconds));
  const makeMailId = () => newMailId(now());

  const storage = once(() => {
    const connection = toStorageConnection(readSettings(environment, STORAGE_SETTINGS));
    const { putEvent, ...queues } = explainingFailures(openMailQueues(connection));
    const { readRelayKey } = explainingFailures(openRelayKey(connection));
    return {
      ...explainingFailures(openMailBlobs(connection)),
      readIdentity: onceMade(async (): Promise<KnownIdentity> => {
        const { key, hasEarlierRows } = await readRelayKey();
        return { ...makeIdentity(key), hasEarlierRows };
      }),
      ledger: explainingFailures(openLedgerTable(connection)),
      ...queues,
      // Whether events are wanted must not keep a mail from being moved while other settings are wrong.
      ...(environment.MAIL_EVENTS?.trim() === 'queue' ? { putEvent } : {}),
    };
  });

  const vault = once(() => {
    const { KEY_VAULT_URL, CLIENT_SECRET_NAME, AZURE_CLIENT_ID } = settings();
    return openKeyVault(
      { vaultUrl: KEY_VAULT_URL, secretName: CLIENT_SECRET_NAME },
      { credential: managedIdentity(AZURE_CLIENT_ID), now },
    );
  });

  const graph = once(() => {
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
    const call = openGraph(
      {
        endpoint: GRAPH_ENDPOINT,
        timeoutMs: GRAPH_TIMEOUT_SECONDS * 1000,
        // What makes the rest of Node use a proxy.
        ...(environment.NODE_USE_ENV_PROXY === '1' ? { proxyEnv: environment } : {}),
      },
      tokens,
    );
    return { sendThroughGraph: openGraphMail(call), findInMailbox: openMailboxSearch(call, now) };
  });

  const pacer = once(() =>
    makePacer({
      concurrent: settings().MAIL_CONCURRENT_PER_MAILBOX,
      perMinute: settings().MAIL_PER_MINUTE_PER_MAILBOX,
      bookAheadMs: bookAheadFor(limits().giveUpAfterMs),
    }),
  );

  /** What a mail may wait for, and how long. */
  const limits = () => ({
    verifyWindowMs: settings().MAIL_VERIFY_SECONDS * 1000,
    sendingLimitMs: settings().MAIL_SENDING_LIMIT_SECONDS * 1000,
    giveUpAfterMs: settings().MAIL_GIVE_UP_HOURS * HOUR_MS,
  });

  const sending = (log: Log): SendingNeeds & SendMailNeeds => ({
    ...storage(),
    ...graph(),
    ...limits(),
    pacer: pacer(),
    senderPolicy: {
      defaultSender: settings().MAIL_DEFAULT_SENDER,
      allowedSenders: settings().MAIL_ALLOWED_SENDERS,
    },
    ledgerRecipients: settings().MAIL_LEDGER_RECIPIENTS,
    onUnknown: settings().MAIL_ON_UNKNOWN,
    ledgerDays: settings().MAIL_LEDGER_DAYS,
    newMailId: makeMailId,
    now,
    random,
    sleep,
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
    forSendMail: (log) => {
      tellOnce(log);
      if (!settings().MAIL_ENABLED) throw new AppError('MAIL_DISABLED');
      return sending(log);
    },
    forDeliverMail: (log) => ({ ...storage(), sending: sendingUnlessBlocked(log), now, log }),
    forHoldMail: (log) => ({ ...storage(), now, log }),
    forDesk: (log) => ({ ...storage(), now, log }),
    forSweepMail: (log) => {
      tellOnce(log);
      return {
        ...storage(),
        ...graph(),
        ...limits(),
        ledgerDays: settings().MAIL_LEDGER_DAYS,
        now,
        log,
      };
    },
    forWarnExpiringSecrets: (log) => {
      tellOnce(log);
      const { KEY_VAULT_URL, SECRET_WARNING_DAYS, SECRET_WARNING_RECIPIENTS } = settings();
      return {
        ...storage(),
        listSecrets: vault().listSecrets,
        vault: vaultName(KEY_VAULT_URL),
        warningDays: SECRET_WARNING_DAYS,
        recipients: SECRET_WARNING_RECIPIENTS,
        newMailId: makeMailId,
        now,
        log,
      };
    },
  };
};

const vaultName = (url: string): string => new URL(url).hostname.split('.')[0] ?? url;

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
