import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, test } from 'vitest';
import packageJson from '../../clients/nodemailer/package.json' with { type: 'json' };
import rootPackageJson from '../../package.json' with { type: 'json' };
import { makeNodemailerClient } from '../../scripts/nodemailer-client.ts';
import { run } from '../support/caller-examples.ts';
import { ROOT } from '../support/documents.ts';
import { TOOLS_MS } from '../support/patience.ts';

const folder = mkdtempSync(join(tmpdir(), 'relay-nodemailer-'));
const arrived: { readonly path: string | undefined; readonly body: string }[] = [];
const server = createServer(async (request, response) => {
  arrived.push({ path: request.url, body: await text(request) });
  response.setHeader('content-type', 'application/json').end('{"id":"id-1","state":"sent"}');
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const tarball = await makeNodemailerClient(folder);
const home = join(folder, 'application');
mkdirSync(home);
writeFileSync(join(home, 'package.json'), '{"private":true}');
const npm = ['npm', 'install', '--offline', '--no-audit', '--no-fund', '--legacy-peer-deps', tarball];
const installed = await run(npm, { folder: home });
// The application has these itself.
for (const name of ['nodemailer', '@types'])
  symlinkSync(join(ROOT, 'node_modules', name), join(home, 'node_modules', name));

const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`;
const SENDS = `const transporter = nodemailer.createTransport(graphMailRelay({ url: '${url}', key: 'gmr_x' }));
transporter.sendMail({ from: 'a@contoso.example', to: 'b@fabrikam.example', subject: 'x', text: 'x' })
  .then(({ response }) => console.log(response));`;

describe('the package of the nodemailer transport', () => {
  test('is installed into an empty folder without a registry: it has no dependencies', () => {
    expect([installed.status, installed.output]).toEqual([0, expect.stringContaining('added 1 package')]);
  });

  test.each([
    [
      'require',
      'a.cjs',
      `const nodemailer = require('nodemailer');\nconst { graphMailRelay } = require('${packageJson.name}');`,
    ],
    [
      'import',
      'a.mjs',
      `import nodemailer from 'nodemailer';\nimport { graphMailRelay } from '${packageJson.name}';`,
    ],
  ])('sends with %s', async (_how, file, head) => {
    writeFileSync(join(home, file), `${head}\n${SENDS}`);
    arrived.length = 0;
    const ran = await run([process.execPath, file], { folder: home });
    expect([ran.status, ran.output.trim()]).toEqual([0, '250 sent id-1']);
    expect(arrived).toEqual([{ path: '/api/v1/mail', body: expect.stringContaining('Subject: x\r\n') }]);
  });

  const PROGRAM = `import nodemailer, { type SendMailOptions } from 'nodemailer';
import { graphMailRelay, type GraphMailRelayMail } from '${packageJson.name}';
const transporter = nodemailer.createTransport(graphMailRelay({ url: 'https://relay.example/api', key: process.env.KEY }));
const mail: SendMailOptions & GraphMailRelayMail = { to: 'x', idempotencyKey: 'a', relay: { tags: ['b'] } };
export const sent = async (): Promise<string | undefined> => {
  const { relay, accepted } = await transporter.sendMail(mail);
  return accepted.includes('x') ? relay.statusUrl : relay.id;
};
`;

  test('has types with which modules of both kinds compile, and which refuse a wrong option', {
    timeout: TOOLS_MS,
  }, async () => {
    const wrong = PROGRAM.replace('key: process.env.KEY', 'keys: 1');
    const files = { 'a.cts': PROGRAM, 'a.mts': PROGRAM, 'wrong.cts': wrong, 'wrong.mts': wrong };
    for (const [name, program] of Object.entries(files)) writeFileSync(join(home, name), program);
    const options =
      '--noEmit --strict --exactOptionalPropertyTypes --module nodenext --target es2022 --types node';
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { output } = await run(
      [process.execPath, tsc, ...options.split(' '), '--pretty', 'false', ...Object.keys(files)],
      { folder: home },
    );
    const errors = output.split('\n').filter((line) => line.includes('error TS'));
    expect(errors).toEqual(
      ['wrong.cts', 'wrong.mts'].map((name) =>
        expect.stringMatching(`^${name}.*'keys' does not exist in type`),
      ),
    );
  });

  test('has the licences of the code that it contains', () => {
    const notices = readFileSync(
      join(home, 'node_modules', packageJson.name, 'THIRD-PARTY-NOTICES.txt'),
      'utf8',
    );
    expect(notices).toMatch(/^This package contains code/);
    expect(notices).toMatch(/^postal-mime \S+ \(MIT/m);
  });

  test('has the version of the relay', () => {
    expect(packageJson.version).toBe(rootPackageJson.version);
    expect(packageJson).not.toHaveProperty('dependencies');
  });
});
