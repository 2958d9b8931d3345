import { randomUUID } from 'node:crypto';
import { QueueServiceClient } from '@azure/storage-queue';
import { vi } from 'vitest';
import type { CloudOptions } from '../../local/cloud.ts';
import type { AppRegistration, Directory, Mailbox } from '../../local/directory.ts';
import type { CapturedMail } from '../../src/lib/inbox/captured-mail.ts';
import { MAIL_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { cloudForTests, hostForTests, KEYS, makeAppFolder } from '../support/cloud-for-tests.ts';
import { identityOf } from '../support/identity-for-tests.ts';
import { CONDITION_MS } from '../support/patience.ts';

export type RelayOptions = Partial<CloudOptions> & {
  readonly settings?: Record<string, string>;
  readonly functionTimeout?: string;
};

/** An attempt whose end nobody saw counts as lost soon. */
export const SOON_LOST = {
  functionTimeout: '00:00:17',
  settings: { GRAPH_TIMEOUT_SECONDS: '2', MAIL_SENDING_LIMIT_SECONDS: '18' },
} as const satisfies RelayOptions;

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: Body };
type Body = Readonly<Record<string, unknown>> & { readonly id: string };

export type RelayForTests = Awaited<ReturnType<typeof startRelay>>;

const PATIENCE = { timeout: CONDITION_MS, interval: 50 };

/** Waits until this no longer throws, and gives what it gives. */
export const eventually = <Value>(look: () => Value | Promise<Value>): Promise<Value> =>
  vi.waitFor(look, PATIENCE);

/** The whole relay: the bundle in a functions host of its own process, with a cloud around it. */
export async function startRelay({ settings = {}, functionTimeout, ...options }: RelayOptions = {}) {
  const cloud = await cloudForTests({ directory: scopedByExchange(), ...options });
  const lines: string[] = [];
  const problems: string[] = [];
  const appFolder = await makeAppFolder(
    cloud.folder,
    functionTimeout === undefined ? {} : { functionTimeout },
  );
  const start = (more: Record<string, string> = {}) =>
    hostForTests(cloud, {
      appFolder,
      log: (line) => lines.push(line),
      settings: { ...settings, ...more },
    });
  let host = await start();

  const call = async (method: string, path: string, init: RequestInit & { readonly key?: string } = {}) => {
    const { key = KEYS.functionKey, headers, ...rest } = init;
    const response = await fetch(`${host.url}${path}`, {
      method,
      headers: { 'x-functions-key': key, ...(headers as Record<string, string>) },
      ...rest,
    });
    const text = await response.text();
    if (response.status >= 400) problems.push(text);
    const body = (text === '' ? {} : JSON.parse(text)) as Body;
    return { status: response.status, headers: response.headers, body } satisfies Answer;
  };
  const json = { 'content-type': 'application/json' };
  const queue = QueueServiceClient.fromConnectionString(cloud.azurite.connectionString);

  const relay = {
    cloud,
    /** Where the host is just now: a restart takes another port. */
    url: () => host.url,
    /** Every line the host wrote. */
    lines,
    /** Every problem answer, as text. */
    problems,
    call,
    send: (mail: unknown, headers: Record<string, string> = {}, key: string = KEYS.functionKey) =>
      call('POST', '/api/mail', { body: JSON.stringify(mail), headers: { ...json, ...headers }, key }),
    statusOf: (id: string, key?: string) => call('GET', `/api/mail/${id}`, key === undefined ? {} : { key }),
    show: (id: string) => call('GET', `/api/mail?id=${id}`, { key: KEYS.masterKey }),
    desk: (path: string, body?: unknown) =>
      call(body === undefined ? 'GET' : 'POST', path, {
        key: KEYS.masterKey,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: json }),
      }),
    /** By which the relay makes ids; its key is in the storage. */
    identity: () => identityOf(cloud.azurite.connectionString),
    runNow: (name: string) =>
      call('POST', `/admin/functions/${name}`, { key: KEYS.masterKey, body: '{}', headers: json }),
    enqueue: (text: string) => queue.getQueueClient(MAIL_QUEUE).sendMessage(text),
    queueClient: (name: string) => queue.getQueueClient(name),
    messagesOn: async (name: string): Promise<number> =>
      (await queue.getQueueClient(name).getProperties()).approximateMessagesCount ?? 0,
    /** The mails Graph accepted in whose subject the marker stands. */
    mailsAbout: async (marker: string): Promise<readonly CapturedMail[]> => {
      const found = cloud.mails.list({ search: marker }).mails;
      const mails = await Promise.all(found.map(({ summary }) => cloud.mails.find(summary.ID)));
      return mails.filter((mail) => mail !== undefined);
    },
    /** What the relay logged, as events. */
    events: (event: string): readonly Record<string, unknown>[] =>
      lines.flatMap((line) => {
        const found = /User \S+: (\{"event".*\})$/.exec(line)?.[1];
        const parsed = found === undefined ? undefined : JSON.parse(found);
        return parsed?.event === event ? [parsed] : [];
      }),
    /** Waits until a mail is in this state, and gives what the desk shows of it. */
    reaches: (id: string, state: string): Promise<Body> =>
      eventually(async () => {
        const { body } = await relay.show(id);
        if (body.state !== state) throw new Error(`expected ${state}, came ${JSON.stringify(body)}`);
        return body;
      }),
    /** Waits until so many mails with this marker have arrived. */
    arrives: (marker: string, count = 1): Promise<readonly CapturedMail[]> =>
      eventually(async () => {
        const mails = await relay.mailsAbout(marker);
        if (mails.length !== count) throw new Error(`expected ${count} mails, came ${mails.length}`);
        return mails;
      }),
    logged: (event: string, facts: Record<string, unknown> = {}): Promise<Record<string, unknown>> =>
      eventually(() => {
        const found = relay
          .events(event)
          .find((one) => Object.entries(facts).every(([name, value]) => one[name] === value));
        if (found === undefined) throw new Error(`no event ${event} with ${JSON.stringify(facts)}`);
        return found;
      }),
    /** `meanwhile` is what happens while no instance runs. */
    restart: async (
      more: Record<string, string> = {},
      meanwhile: () => Promise<unknown> = async () => undefined,
    ) => {
      await host.stop();
      await meanwhile();
      host = await start(more);
    },
    close: async () => {
      await host.stop();
      await cloud.close();
    },
  };
  return relay;
}

export const newMarker = (): string => `m${randomUUID().slice(0, 8)}`;

/** Where nothing of it may appear: in any log line and in any problem answer. */
export const CANARY = 'canary';

/** A mail whose every text is a canary, with a marker by which it is found again. */
export const canaryMail = (marker: string, override: Record<string, unknown> = {}) => ({
  from: 'noreply@contoso.example',
  to: `Canary Chan <canary-to@fabrikam.example>`,
  subject: `canary-subject ${marker}`,
  text: 'canary-body',
  ...override,
});

/** Mailboxes beside those of Contoso, so that tests that run side by side do not meet in one. */
export const LANES = Array.from({ length: 12 }, (_, number) => `lane${number}@contoso.example`);
/** One from which the relay may send, but which it may not read. */
export const BLIND_MAILBOX = 'hr@contoso.example';
/** One that is outside the scope of the relay altogether. */
export const FOREIGN_MAILBOX = 'helpdesk@contoso.example';

/** Nothing is consented for the whole tenant: the relay may use the mailboxes Exchange gave it. */
export const scopedByExchange =
  (change: Partial<AppRegistration> = {}) =>
  (usual: Directory): Directory => {
    const mailboxes: readonly Mailbox[] = [
      ...usual.mailboxes,
      ...LANES.map((address) => ({
        address,
        displayName: address,
        proxyAddresses: [],
        sendAs: [],
        licensed: true,
      })),
    ];
    const reachable = mailboxes.map(({ address }) => address).filter((one) => one !== FOREIGN_MAILBOX);
    const exchangeRoles = [
      { role: 'Application Mail.Send', mailboxes: reachable },
      { role: 'Application Mail.Read', mailboxes: reachable.filter((one) => one !== BLIND_MAILBOX) },
    ];
    return {
      ...usual,
      mailboxes,
      apps: usual.apps.map((app) => ({ ...app, roles: [], exchangeRoles, ...change })),
    };
  };
