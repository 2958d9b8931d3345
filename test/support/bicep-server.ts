import { spawn } from 'node:child_process';
import { once } from 'node:events';

type Reply = {
  readonly id: number;
  readonly result?: { readonly snapshot: string };
  readonly error?: { readonly message: string; readonly data?: { readonly message?: string } };
};

/** What a deployment of a parameters file would create, or what the compiler says against it. */
type Prediction = { readonly said: string; readonly snapshot: string | undefined };

export type BicepServer = {
  readonly predict: (parametersFile: string) => Promise<Prediction>;
  readonly close: () => Promise<void>;
};

const WHERE = {
  tenantId: '99999999-9999-9999-9999-999999999999',
  subscriptionId: '11111111-1111-1111-1111-111111111111',
  resourceGroup: 'rg-relay',
  location: 'westeurope',
};

/** `bicep snapshot` of many files in one process, because the compiler takes seconds to start. */
export const startBicepServer = (command: string): BicepServer => {
  const child = spawn(command, ['jsonrpc', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const waiting = new Map<number, (reply: Reply) => void>();
  let received: Buffer = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    for (;;) {
      const { reply, rest } = readReply(received);
      if (reply === undefined) return;
      received = rest;
      waiting.get(reply.id)?.(reply);
      waiting.delete(reply.id);
    }
  });
  let requests = 0;
  return {
    predict: async (path) => {
      requests += 1;
      const id = requests;
      const replied = new Promise<Reply>((resolve) => waiting.set(id, resolve));
      const request = { jsonrpc: '2.0', id, method: 'bicep/getSnapshot', params: { path, metadata: WHERE } };
      const body = JSON.stringify(request);
      child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      const ended = closed.then(([status]): never => {
        throw new Error(`bicep ended with ${status} before it answered about ${path}`);
      });
      const { result, error } = await Promise.race([replied, ended]);
      return { said: error?.data?.message ?? error?.message ?? '', snapshot: result?.snapshot };
    },
    close: async () => {
      child.stdin.end();
      await closed;
    },
  };
};

const END_OF_HEAD = '\r\n\r\n';

/** The first reply in what was received: a head with its length, as of the Language Server Protocol, and JSON. */
const readReply = (received: Buffer): { readonly reply?: Reply; readonly rest: Buffer } => {
  const head = received.indexOf(END_OF_HEAD);
  if (head === -1) return { rest: received };
  const length = Number(/Content-Length: (\d+)/i.exec(received.toString('latin1', 0, head))?.[1]);
  const begin = head + END_OF_HEAD.length;
  if (received.length < begin + length) return { rest: received };
  return {
    reply: JSON.parse(received.toString('utf8', begin, begin + length)) as Reply,
    rest: received.subarray(begin + length),
  };
};
