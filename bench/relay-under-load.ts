import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startHostProcess } from '../local/host-process.ts';
import { bundle } from '../scripts/bundle.ts';
import type { BenchCloud, BenchStorage } from './cloud.ts';
import { openClient } from './keep-alive-client.ts';
import { sampleMail } from './sample-mail.ts';
import { makeScratchFolder } from './scratch-folder.ts';

const ROOT = join(import.meta.dirname, '..');
const FUNCTION_KEY = 'bench-function-key';
const SENT = '"event":"MailSent"';

/** The app as it is deployed, built for this run beside whatever `npm start` may be running. Gives its folder. */
export const buildApp = async (): Promise<string> => {
  const path = makeScratchFolder();
  await bundle(join(path, 'dist'));
  await copyFile(join(ROOT, 'host.json'), join(path, 'host.json'));
  await writeFile(join(path, 'package.json'), JSON.stringify({ main: 'dist/main.cjs' }));
  return path;
};

export type RelayUnderLoad = {
  /** Sends one mail by HTTP. Throws unless it was sent at once. */
  post(mailbox: string): Promise<void>;
  /** Calls a function that does nothing: what is left is the functions host. */
  callHealth(): Promise<void>;
  /** When each mail was reported as sent, in milliseconds of `performance.now()`; grows while the relay works. */
  readonly sentAt: readonly number[];
  close(): Promise<void>;
};

/** One instance of the relay in the functions host. */
export const startRelay = async (
  appFolder: string,
  cloud: BenchCloud,
  storage: BenchStorage,
  settings: Readonly<Record<string, string>>,
): Promise<RelayUnderLoad> => {
  const sentAt: number[] = [];
  const host = await startHostProcess({
    appFolder,
    port: 0,
    functionKey: FUNCTION_KEY,
    masterKey: 'bench-master-key',
    environment: { ...cloud.environment, AzureWebJobsStorage: storage.connectionString, ...settings },
    log: (line) => {
      if (line.includes(SENT)) sentAt.push(performance.now());
    },
  });
  const client = openClient(host.url);
  const headers = { 'content-type': 'application/json', 'x-functions-key': FUNCTION_KEY };
  return {
    sentAt,
    post: async (mailbox) => {
      const { status, text } = await client.send(
        'POST',
        '/api/mail',
        headers,
        JSON.stringify(sampleMail(mailbox)),
      );
      if (status !== 200) throw new Error(`The relay returned ${status} instead of 200: ${text}`);
    },
    callHealth: async () => {
      const { status } = await client.send('GET', '/api/health');
      if (status !== 200) throw new Error(`The relay returned ${status} instead of 200 to GET /api/health.`);
    },
    close: async () => {
      client.close();
      await host.stop();
    },
  };
};
