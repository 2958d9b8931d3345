import { type Occasion, warnExpiringSecrets } from '../../../src/lib/credentials/warn-expiring-secrets.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { OpenConnection, SecretFacts, WarningState, WebhookReport } from '../../../src/lib/ports.ts';
import { anOpenConnection, theMainConnection } from '../../support/a-connection.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { makeFakeVault } from '../../support/fake-vault.ts';
import { makeFakeWarningState } from '../../support/fake-warning-state.ts';
import { inMemoryPorts } from '../../support/in-memory-ports.ts';

export const DAY_MS = 86_400_000;

/** A day counted from the first one of the world, at midnight UTC. */
export const dayNumber = (days: number): Date => new Date(Date.parse('2026-03-02T00:00:00Z') + days * DAY_MS);

const { rows } = aDelivery();

const ACCEPTED: WebhookReport = { kind: 'answered', status: 200 };

/**
 * Everything that the check of credentials needs, in memory, and what it told. Entra accepts the newest version of the client secret
 * that is in the vault, unless a test says otherwise.
 */
export const warningWorld = (
  secrets: readonly SecretFacts[],
  options: {
    readonly connections?: readonly OpenConnection[];
    readonly recipients?: readonly string[];
    readonly language?: 'en' | 'zh-Hant';
    readonly webhook?: false;
    readonly isSlack?: boolean;
    readonly warningDays?: readonly number[];
    readonly rotates?: boolean;
  } = {},
) => {
  const ports = inMemoryPorts();
  const { needs } = ports;
  const vault = makeFakeVault(needs.clock.now, secrets);
  const state = makeFakeWarningState();
  const posts: string[] = [];
  let answer: WebhookReport = ACCEPTED;
  let isVaultAway = false;
  let refusal: AppError | undefined;
  let runs = 0;
  let mailState: keyof typeof rows = 'sent';
  let broken: Partial<WarningState> = {};
  const ends = new Map<string, keyof typeof rows>();
  const changing = {
    warningDays: options.warningDays ?? [60, 30, 14, 7, 3, 1],
    recipients: options.recipients ?? ['it@contoso.example'],
    language: options.language ?? ('en' as const),
    hasWebhook: options.webhook !== false,
    sendsMail: true,
  };
  const main = anOpenConnection(theMainConnection(), async () => {
    if (refusal !== undefined) throw refusal;
    const [version] = await vault.listVersions('graph-client-secret');
    return version === undefined ? {} : { version };
  });
  const vaultEvents: string[] = [];
  const all = () => ({
    ...needs,
    ...changing,
    vault: {
      listSecrets: async () => {
        if (isVaultAway) throw new AppError('VAULT_UNREACHABLE');
        return vault.listSecrets();
      },
    },
    // The relay has dealt with every email by the next run.
    ledger: { find: async (mailId: string) => ({ row: rows[ends.get(mailId) ?? mailState], etag: '' }) },
    vaultName: 'kv-relay',
    vaultEvents: { put: async (text: string) => void vaultEvents.push(text) },
    connections: options.connections ?? [main],
    senderPolicy: needs.accept.senderPolicy,
    warnings: { ...state, ...broken },
    ...(!changing.hasWebhook
      ? {}
      : {
          webhook: {
            post: async (json: string) => {
              posts.push(json);
              return answer;
            },
          },
        }),
    isSlack: options.isSlack ?? false,
    rotates: options.rotates ?? false,
    newRunId: () => {
      runs += 1;
      return `run ${runs}`;
    },
  });
  return {
    ...ports,
    vault,
    state,
    posts,
    vaultEvents,
    needs: all,
    /** What the check did, or the code of the error that it ended with. */
    run: (occasion: Occasion = 'daily'): Promise<string> =>
      warnExpiringSecrets(all(), occasion).then(
        () => 'done',
        (error: unknown) => (error instanceof AppError ? error.code : String(error)),
      ),
    /** What of the state cannot be used. */
    stateBreaks: (calls: readonly (keyof WarningState)[] = []) => {
      const away = () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
      broken = Object.fromEntries(calls.map((call) => [call, away]));
    },
    /** How the emails end. */
    mailsEndAs: (state: keyof typeof rows) => {
      mailState = state;
    },
    /** How one of them ends. */
    mailEndsAs: (mailId: string | undefined, state: keyof typeof rows) => void ends.set(mailId ?? '', state),
    /** What changes of the settings. */
    settings: (changes: Partial<typeof changing>) => void Object.assign(changing, changes),
    webhookAnswers: (next: WebhookReport = ACCEPTED) => {
      answer = next;
    },
    vaultIsAway: (isAway = true) => {
      isVaultAway = isAway;
    },
    entraRefuses: (code?: ConstructorParameters<typeof AppError>[0]) => {
      refusal = code === undefined ? undefined : new AppError(code);
    },
    /** The emails of the relay on its queue. */
    mails: () =>
      ports.queued().map((message) => {
        if (message.kind !== 'envelope' || message.content === 'stored')
          throw new Error('expected an email of the relay that fits a message');
        const { to, subject, text } = message.content.mail as { to: string[]; subject: string; text: string };
        return { mailId: message.mailId, to, subject, text };
      }),
    /** What was logged of warnings. */
    events: (name: string) => ports.logged.filter(({ event }) => event === name),
  };
};

export type WarningWorld = ReturnType<typeof warningWorld>;
