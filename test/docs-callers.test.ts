import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Mail } from '../src/lib/mail/mail-schema.ts';
import { readMail } from '../src/lib/mail/read-mail.ts';
import { CALLER_EXAMPLES, endCompilers, runExample } from './support/caller-examples.ts';
import { TOOLS_MS } from './support/patience.ts';

const KEY = 'the key';

type Answer = (response: ServerResponse) => void;
const problem =
  (status: number, retryAfter?: number): Answer =>
  (response) =>
    response
      .writeHead(status, {
        'content-type': 'application/problem+json',
        ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
      })
      .end(JSON.stringify({ code: `CODE_${status}`, remedy: 'what to do' }));
/** What the functions host says by itself. The time is there so that nobody has to wait for a test. */
const bare =
  (status: number): Answer =>
  (response) =>
    response.writeHead(status, { 'retry-after': '0' }).end();
const reset: Answer = (response) => response.socket?.destroy();
const sent: Answer = (response) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"1","state":"sent"}');
/** PowerShell colours an error and breaks its lines with bars. */
const wordsOf = (output: string): string => stripVTControlCharacters(output).replaceAll(/[\s|]+/g, ' ');
/** What a caller would wait for that waits before it gives up. */
const HOUR_S = 3600;

type Arrived = { readonly mail: Mail; readonly idempotencyKey: string };

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
};

/** Takes mails by the contract of the relay, and gives the answers it is told to, one after the other. */
const startRelay = async (answers: readonly Answer[]) => {
  const arrived: Arrived[] = [];
  const problems: string[] = [];
  const server = createServer(async (request, response) => {
    try {
      const mail = readMail(JSON.parse(await textOf(request)));
      expect(request.url).toBe('/api/mail');
      expect(request.headers['x-functions-key']).toBe(KEY);
      expect(request.headers['content-type']).toMatch(/^application\/json/);
      arrived.push({ mail, idempotencyKey: String(request.headers['idempotency-key']) });
    } catch (error) {
      problems.push(String(error));
    }
    (answers[arrived.length - 1] ?? sent)(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    arrived,
    problems,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};

for (const example of CALLER_EXAMPLES) {
  const missing = example.present ? '' : ` (skipped: ${example.command[0]} is not installed)`;
  describe.skipIf(!example.present)(`the example of ${example.page}${missing}`, { timeout: TOOLS_MS }, () => {
    let folder = '';
    // One folder for all, so that what has to be compiled is compiled once.
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'relay-caller-'));
    });
    afterAll(async () => {
      if (example.command[0] === 'dotnet') await endCompilers(folder);
      rmSync(folder, { recursive: true, force: true });
    }, TOOLS_MS);

    let relay: Awaited<ReturnType<typeof startRelay>> | undefined;
    const runAgainst = async (...answers: readonly Answer[]) => {
      relay = await startRelay(answers);
      const ran = await runExample(example, { url: relay.url, key: KEY }, { folder });
      expect(relay.problems).toEqual([]);
      return { ...ran, output: wordsOf(ran.output), arrived: relay.arrived };
    };
    beforeEach(() => {
      relay = undefined;
    });
    afterEach(() => relay?.close());

    test('repeats the same mail with the same key after a broken connection, a 409 and a 500 with an empty body', async () => {
      const { status, output, arrived } = await runAgainst(reset, problem(409, 0), bare(500), sent);
      expect(status, output).toBe(0);
      expect(output).toContain('sent');
      expect(arrived).toHaveLength(4);
      const [first, ...repeated] = arrived;
      expect(repeated).toEqual([first, first, first]);
      expect(first?.mail.to.length).toBeGreaterThan(0);
      expect(first?.mail.subject, 'Chinese as it was written').toMatch(/\p{Script=Han}/u);
      expect(first?.idempotencyKey).toMatch(/^[\w-]{3,}$/);
    });

    test.each([422, 500])('reports a %i of the relay, and does not repeat it', async (code) => {
      const { status, output, arrived } = await runAgainst(problem(code));
      expect(status).not.toBe(0);
      expect(output).toContain(`CODE_${code}`);
      expect(output).toContain('what to do');
      expect(arrived).toHaveLength(1);
    });

    test('says of a 401 without a body which key is wrong and in which header, and does not repeat it', async () => {
      const { status, output, arrived } = await runAgainst(bare(401));
      expect(status).not.toBe(0);
      expect(output).toContain('401: the relay does not know the function key');
      expect(output).toContain('x-functions-key');
      expect(arrived).toHaveLength(1);
    });

    test('gives up after four tries without waiting once more, and does not call it a refusal', async () => {
      const { status, output, arrived } = await runAgainst(
        problem(503, 0),
        bare(500),
        problem(409, 0),
        problem(503, HOUR_S),
      );
      expect(status).not.toBe(0);
      expect(output).not.toMatch(/refused/i);
      expect(output).toContain('503');
      expect(arrived).toHaveLength(4);
      expect(new Set(arrived.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    });
  });
}
