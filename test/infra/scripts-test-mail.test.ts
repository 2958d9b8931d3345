import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readMail } from '../../src/lib/mail/read-mail.ts';

const SCRIPTS = join(import.meta.dirname, '../../infra/scripts');
const SOURCED = `source ${SCRIPTS}/say.sh; source ${SCRIPTS}/infrastructure.sh; source ${SCRIPTS}/test-mail.sh`;

const textOf = async (request: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
};

test('the test mail arrives through the real curl with its key, and is a mail by the contract', async () => {
  const home = mkdtempSync(join(tmpdir(), 'relay-home-'));
  const trace = join(home, 'trace');
  writeFileSync(join(home, '.curlrc'), `trace-ascii = "${trace}"\n`);
  const arrived: { key: unknown; path: unknown; body: string }[] = [];
  const server = createServer(async (request, response) => {
    arrived.push({
      key: request.headers['x-functions-key'],
      path: `${request.method} ${request.url}`,
      body: await textOf(request),
    });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"1","state":"sent"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    const script = `${SOURCED}; APP='func-"relay"\\x' TEST_TO=me@contoso.com
post_mail "http://127.0.0.1:$PORT" 'ke"y\\with=odd' "$(test_mail_json)"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script], {
      env: { ...process.env, PORT: String(port), no_proxy: '*', HOME: home, CURL_HOME: home },
    });
    expect(existsSync(trace), 'the key is in the trace that the .curlrc of the user asks for').toBe(false);
    expect(stdout).toBe('{"id":"1","state":"sent"}\n200');
    expect(arrived).toMatchObject([{ key: 'ke"y\\with=odd', path: 'POST /api/mail' }]);
    const mail = readMail(JSON.parse(arrived[0]?.body ?? ''));
    expect(mail.to).toEqual([{ address: 'me@contoso.com' }]);
    expect(mail.subject).toBe('Test email from func-"relay"\\x');
  } finally {
    server.close();
    rmSync(home, { recursive: true });
  }
});
