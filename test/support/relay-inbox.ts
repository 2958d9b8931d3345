import { createServer } from 'node:http';
import azureFunctions, { type HttpResponseInit } from '@azure/functions';
import { listen } from '../../local/http.ts';
import { inboxApiHttp, inboxPageHttp } from '../../src/functions/inbox.http.ts';
import type { AnswerInboxNeeds } from '../../src/lib/desk/answer-inbox.ts';

export const MASTER_KEY = 'master-key-for-tests';
const JSON_TYPE = { 'content-type': 'application/json' };

type Desk = (asked: { readonly method: string; readonly url: URL; readonly body: unknown }) => {
  readonly status: number;
  readonly body: unknown;
};

/**
 * Stands where the functions host would: the functions of the inbox at their routes, the API for the master key alone; and the desk at
 * /api/mail, of which the page shows what waits.
 */
export const serveRelayInbox = async (
  needs: () => AnswerInboxNeeds,
  desk: Desk = () => ({ status: 200, body: { mails: [] } }),
) => {
  /** Every URL that was asked for. */
  const urls: string[] = [];
  const page = inboxPageHttp();
  const api = inboxApiHttp(needs);
  const server = createServer(async (incoming, response) => {
    const url = new URL(incoming.url ?? '', `http://${incoming.headers.host}`);
    urls.push(url.href);
    const file = /^\/api\/inbox(?:\/([^/]*))?$/.exec(url.pathname);
    const isApi = /^\/api\/inbox\/api(?:\/|$)/.test(url.pathname);
    const isDesk = /^\/api\/mail(?:\/|$)/.test(url.pathname);
    if (!isApi && !isDesk && file === null) return void response.writeHead(404).end();
    if ((isApi || isDesk) && incoming.headers['x-functions-key'] !== MASTER_KEY)
      return void response.writeHead(401).end();
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    if (isDesk) {
      const text = Buffer.concat(chunks).toString();
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      const said = desk({ method: incoming.method ?? '', url, body });
      return void response.writeHead(said.status, JSON_TYPE).end(JSON.stringify(said.body));
    }
    const request = new azureFunctions.HttpRequest({
      method: incoming.method ?? 'GET',
      url: url.href,
      params: file?.[1] ? { file: file[1] } : {},
      ...(chunks.length === 0 ? {} : { body: { string: Buffer.concat(chunks).toString() } }),
    });
    const context = new azureFunctions.InvocationContext({ functionName: 'inbox' });
    const answer = (await (isApi ? api : page)(request, context)) as HttpResponseInit;
    const headers = answer.headers as Record<string, string>;
    const body = answer.jsonBody === undefined ? answer.body : JSON.stringify(answer.jsonBody);
    response.writeHead(answer.status ?? 200, headers).end(body as string | Buffer);
  });
  const listening = await listen(server, {
    name: 'The inbox of a relay',
    port: 0,
    portSetting: 'NONE',
    mayBeLookedAt: true,
    anyPort: true,
  });
  return { ...listening, urls };
};
