import type { BenchCloud, BenchStorage } from './cloud.ts';
import { type BenchHost, type HostOptions, JSON_HEADERS, startHost } from './host.ts';
import type { RawAnswer } from './keep-alive-client.ts';
import { sampleMail } from './sample-mail.ts';

const SENT = '"event":"MailSent"';
const SWEPT = '"event":"MailSwept"';

export type RelayUnderLoad = BenchHost & {
  /** Sends one mail by HTTP. Throws unless it was sent immediately. */
  post(mailbox: string): Promise<void>;
  /** Gives a body to POST /api/mail, whatever the answer. */
  postBody(body: string | Uint8Array, query?: string): Promise<RawAnswer>;
  /** When each mail was reported as sent, in milliseconds of `performance.now()`; grows while the relay works. */
  readonly sentAt: readonly number[];
  /** How many sweeps have ended. */
  readonly sweeps: readonly string[];
};

/** One instance of the relay, or of anything with the same API, in the functions host. */
export const startRelay = async (
  appFolder: string,
  cloud: Pick<BenchCloud, 'environment'>,
  storage: Pick<BenchStorage, 'connectionString'>,
  settings: Readonly<Record<string, string>>,
  options: Pick<HostOptions, 'nodeOptions'> = {},
): Promise<RelayUnderLoad> => {
  const sentAt: number[] = [];
  const sweeps: string[] = [];
  const host = await startHost(appFolder, cloud, storage, {
    settings,
    ...options,
    onLine: (line) => {
      if (line.includes(SENT)) sentAt.push(performance.now());
      if (line.includes(SWEPT)) sweeps.push(line);
    },
  });
  const postBody = (body: string | Uint8Array, query = '') =>
    host.client.send('POST', `/api/mail${query}`, JSON_HEADERS, body);
  return {
    ...host,
    sentAt,
    sweeps,
    postBody,
    post: async (mailbox) => {
      const { status, text } = await postBody(JSON.stringify(sampleMail(mailbox)));
      if (status !== 200) throw new Error(`POST /api/mail returned ${status} instead of 200: ${text}`);
    },
  };
};
