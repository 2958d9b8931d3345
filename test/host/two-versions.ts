import { join } from 'node:path';
import { QueueServiceClient } from '@azure/storage-queue';
import type { CloudOptions } from '../../local/cloud.ts';
import type { HostProcess } from '../../local/host-process.ts';
import { MAIL_QUEUE } from '../../src/lib/storage/storage-connection.ts';
import { cloudForTests, hostForTests, KEYS, makeAppFolder } from '../support/cloud-for-tests.ts';
import { identityOf } from '../support/identity-for-tests.ts';
import { makeLastReleaseFolder } from '../support/last-release.ts';
import { type Answer, eventually, scopedByExchange } from './relay-for-tests.ts';

export type Version = Awaited<ReturnType<typeof startCloudForTwo>>['now'];

type Options = Partial<CloudOptions> & {
  readonly settings: Readonly<Record<string, string>>;
  readonly functionTimeout: string;
};

const JSON_TYPE = { 'content-type': 'application/json' };

/** One cloud, in which the last release and the version of now run, each as often and as long as a test wants. */
export const startCloudForTwo = async ({ settings, functionTimeout, ...options }: Options) => {
  const cloud = await cloudForTests({
    directory: scopedByExchange({ roles: ['Mail.Send', 'Mail.ReadWrite'] }),
    ...options,
  });
  const { connectionString } = cloud.azurite;
  const now = await makeAppFolder(cloud.folder, { functionTimeout });
  const last = await makeLastReleaseFolder(join(cloud.folder, 'last-release'), { functionTimeout });
  const service = QueueServiceClient.fromConnectionString(connectionString);
  const queue = service.getQueueClient(MAIL_QUEUE);
  const lines: string[] = [];

  const versionIn = (appFolder: string) => {
    let host: HostProcess | undefined;
    const call = async (
      method: string,
      path: string,
      {
        key = KEYS.functionKey,
        headers,
        body,
      }: { readonly key?: string; readonly headers?: Record<string, string>; readonly body?: unknown } = {},
    ): Promise<Answer> => {
      if (host === undefined) throw new Error('Expected this version to run.');
      const response = await fetch(`${host.url}${path}`, {
        method,
        headers: { ...JSON_TYPE, 'x-functions-key': key, ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? {} : JSON.parse(text),
      };
    };
    const version = {
      start: async (): Promise<void> => {
        host = await hostForTests(cloud, { appFolder, settings, log: (line) => lines.push(line) });
      },
      stop: async (): Promise<void> => {
        await host?.stop();
        host = undefined;
      },
      kill: async (): Promise<void> => {
        await host?.kill();
        host = undefined;
      },
      call,
      desk: (method: string, path: string, body?: unknown) =>
        call(method, path, { key: KEYS.masterKey, body }),
      send: (mail: object, headers: Record<string, string> = {}) =>
        call('POST', '/api/mail', { body: mail, headers }),
      statusOf: async (id: string) => (await call('GET', `/api/mail?id=${id}`, { key: KEYS.masterKey })).body,
      /** Waits until an email is in one of these states, as this version sees it. */
      reaches: (id: string, ...states: readonly string[]) =>
        eventually(async () => {
          const body = await version.statusOf(id);
          if (!states.includes(String(body.state)))
            throw new Error(`expected ${states.join(' or ')}, received ${JSON.stringify(body)}`);
          return body;
        }),
    };
    return version;
  };

  return {
    cloud,
    now: versionIn(now),
    last: versionIn(last),
    enqueue: async (mail: object): Promise<string> => {
      const { messageId } = await queue.sendMessage(JSON.stringify(mail));
      return (await identityOf(connectionString)).mailIdOfMessage(messageId);
    },
    messagesOn: async (name: string): Promise<number> =>
      (await service.getQueueClient(name).getProperties()).approximateMessagesCount ?? 0,
    /** What both versions logged about these emails. */
    linesAbout: (ids: readonly string[]): string =>
      lines.filter((line) => ids.some((id) => line.includes(id))).join('\n'),
    /** How often Graph accepted an email in whose subject the marker stands. */
    copiesOf: (marker: string): number => cloud.mails.list({ search: marker }).mails.length,
  };
};
