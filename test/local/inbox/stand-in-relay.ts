import { createServer } from 'node:http';
import { onTestFinished } from 'vitest';
import { listen, readBody } from '../../../local/http.ts';
import type { LocalRelay } from '../../../local/inbox/relay-client.ts';

export type AskedOfRelay = {
  readonly method: string;
  readonly url: string;
  readonly key: unknown;
  readonly body: unknown;
};

type Answer = { readonly status: number; readonly body: unknown };

/** Stands where the relay would be: keeps what it is asked, and answers as it is told to. */
export const standInRelay = async (answer: (asked: AskedOfRelay) => Answer) => {
  const asked: AskedOfRelay[] = [];
  const server = createServer(async (request, response) => {
    const text = (await readBody(request, 100_000_000)).toString();
    const { method = '', url = '', headers } = request;
    const call = {
      method,
      url,
      key: headers['x-functions-key'],
      body: text === '' ? undefined : JSON.parse(text),
    };
    asked.push(call);
    const { status, body } = answer(call);
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const listening = await listen(server, { name: 'The relay', port: 0, portSetting: '-' });
  onTestFinished(() => listening.close());
  const relay: LocalRelay = { url: listening.url, functionKey: 'function-key', masterKey: 'master-key' };
  return { relay, asked };
};
