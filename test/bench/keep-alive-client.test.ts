import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { closedLoop } from '../../bench/closed-loop.ts';
import { ConnectionLost, type KeepAliveClient, openClient } from '../../bench/keep-alive-client.ts';
import { inRounds } from '../../bench/rounds.ts';
import { listen } from '../../local/http.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

type Answer = (request: http.IncomingMessage, response: http.ServerResponse, number: number) => void;

/** A server that answers as the test says, the client that uses it, and the requests and connections it saw. */
const serve = async (
  answer: Answer,
): Promise<{ client: KeepAliveClient; requests: () => number; sockets: readonly Socket[] }> => {
  let requests = 0;
  const sockets: Socket[] = [];
  const server = http.createServer((request, response) => {
    requests += 1;
    answer(request, response, requests);
  });
  server.on('connection', (socket) => sockets.push(socket));
  const listening = await listen(server, { name: 'A server', port: 0, portSetting: 'none' });
  const client = openClient(listening.url);
  open.push(listening, client);
  return { client, requests: () => requests, sockets };
};

test('requests that follow each other share a connection', async () => {
  const { client, sockets } = await serve((_, response) => response.end('ok'));
  for (let time = 0; time < 3; time += 1) expect((await client.send('POST', '/')).text).toBe('ok');
  expect(sockets).toHaveLength(1);
});

test('a request whose kept connection ends before a byte is written takes another one, and arrives once', async () => {
  const { client, requests, sockets } = await serve((_, response) => response.end('ok'));
  await client.send('POST', '/');
  const [kept] = sockets;
  kept?.destroy();
  // The end is on its way, and the client has not read it when it chooses the connection.
  await once(kept as Socket, 'close');
  expect((await client.send('POST', '/')).text).toBe('ok');
  expect(requests()).toBe(2);
  expect(sockets).toHaveLength(2);
});

test('a request that may have arrived is never sent again', async () => {
  const { client, requests } = await serve((request, response, number) => {
    if (number === 1) response.end('ok');
    else request.socket.resetAndDestroy();
  });
  await client.send('POST', '/');
  await expect(client.send('POST', '/')).rejects.toBeInstanceOf(ConnectionLost);
  expect(requests()).toBe(2);
});

test('a server that is not there is an error, and no reason to try without end', async () => {
  const { client } = await serve((_, response) => response.end());
  await open[0]?.close();
  await expect(client.send('POST', '/')).rejects.toThrow('ECONNREFUSED');
});

test('a measurement that lost a connection is made again as a whole; any other failure ends the run', async () => {
  let attempts = 0;
  const said: string[] = [];
  const rounds = await inRounds(
    1,
    [
      {
        name: 'flaky',
        measure: async () => {
          attempts += 1;
          if (attempts === 2) throw new ConnectionLost('lost');
          return attempts;
        },
      },
    ],
    (line) => said.push(line),
  );
  expect(rounds.map((round) => round.get('flaky'))).toEqual([3]);
  expect(said).toContain('flaky is measured again. lost');
  const failing = { name: 'failing', measure: () => Promise.reject(new Error('other')) };
  await expect(inRounds(1, [failing], () => undefined)).rejects.toThrow('other');
});

test('after a failure a loop begins nothing more, and ends when what is in progress has ended', async () => {
  let ended = 0;
  const begun: number[] = [];
  const loop = closedLoop({ count: 10, concurrency: 2 }, async (index) => {
    begun.push(index);
    if (index === 0) throw new Error('failed');
    await new Promise((resolve) => setImmediate(resolve));
    ended += 1;
  });
  await expect(loop).rejects.toThrow('failed');
  expect(begun).toEqual([0, 1]);
  expect(ended).toBe(1);
});
