import { z } from 'zod';
import { type KeepAliveClient, openClient } from './keep-alive-client.ts';
import type { StandInsSaid } from './processes/stand-ins.ts';
import { startProcess } from './processes/start-process.ts';
import type { StorageSaid } from './processes/storage.ts';
import { MAILBOXES } from './sample-mail.ts';
import { makeScratchFolder } from './scratch-folder.ts';

/** What the Graph stand-in saw of one mail that was offered to it. */
export type OfferedMail = {
  readonly mailbox: string;
  readonly at: number;
  readonly accepted: boolean;
  readonly status: number | null;
};

export type BenchCloud = {
  readonly environment: Readonly<Record<string, string>>;
  readToken(): Promise<string>;
  /** Without limits the stand-in takes whatever comes. */
  limit(on: boolean): Promise<void>;
  /** Makes every sendMail take so long. */
  delay(ms: number): Promise<void>;
  offered(): Promise<readonly OfferedMail[]>;
  close(): Promise<void>;
};

/** Straight to the Graph stand-in, past the relay. */
export const openGraphClient = (environment: BenchCloud['environment']): KeepAliveClient =>
  openClient(environment.GRAPH_ENDPOINT ?? '', environment.NODE_EXTRA_CA_CERTS);

const CONTROL = '/_control';

const requestsSchema = z.object({
  requests: z.array(
    z.object({
      method: z.string(),
      mailbox: z.string().nullable(),
      time: z.string(),
      accepted: z.boolean(),
      status: z.number().nullable(),
    }),
  ),
});

/** The stand-ins, with the mailboxes of the bench, and hands on their controls. */
export const startBenchCloud = async (): Promise<BenchCloud> => {
  const process = await startProcess<StandInsSaid>('stand-ins.ts', makeScratchFolder(), MAILBOXES.join(','));
  const { environment, clientSecret } = process.said;
  const { GRAPH_ENDPOINT = '', ENTRA_AUTHORITY = '', NODE_EXTRA_CA_CERTS: certificate } = environment;
  const graph = openGraphClient(environment);

  const control = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: object) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await graph.send(
      method,
      `${CONTROL}/${path}`,
      headers,
      body === undefined ? '' : JSON.stringify(body),
    );
    if (answer.status >= 300) throw new Error(`${method} ${path} returned ${answer.status}: ${answer.text}`);
    return answer.text;
  };

  return {
    environment,
    readToken: async () => {
      const entra = openClient(ENTRA_AUTHORITY, certificate);
      const { text } = await entra.send(
        'POST',
        `/${environment.ENTRA_TENANT_ID}/oauth2/v2.0/token`,
        { 'content-type': 'application/x-www-form-urlencoded' },
        new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: environment.ENTRA_CLIENT_ID ?? '',
          client_secret: clientSecret,
          scope: `${GRAPH_ENDPOINT}/.default`,
        }).toString(),
      );
      entra.close();
      return z.object({ access_token: z.string() }).parse(JSON.parse(text)).access_token;
    },
    limit: async (on) => {
      await control('PUT', 'settings', { limits: { on } });
    },
    delay: async (ms) => {
      await control('DELETE', 'faults');
      if (ms === 0) return;
      await control('POST', 'faults', { on: 'sendMail', times: 1_000_000, fault: { kind: 'delay', ms } });
    },
    offered: async () =>
      requestsSchema
        .parse(JSON.parse(await control('GET', 'requests')))
        .requests.flatMap((seen) =>
          seen.method === 'POST' && seen.mailbox !== null
            ? [{ ...seen, mailbox: seen.mailbox, at: Date.parse(seen.time) }]
            : [],
        ),
    close: async () => {
      graph.close();
      await process.close();
    },
  };
};

export type BenchStorage = { readonly connectionString: string; close(): Promise<void> };

export const startBenchStorage = async (): Promise<BenchStorage> => {
  const { said, close } = await startProcess<StorageSaid>('storage.ts');
  return { connectionString: said.connectionString, close };
};
