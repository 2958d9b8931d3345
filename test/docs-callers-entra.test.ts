import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';
import { obtainCertificate } from '../local/certificate.ts';
import {
  contoso,
  LOCAL_CALLER_ID,
  LOCAL_CALLER_SECRET,
  LOCAL_CLIENT_ID,
  LOCAL_TENANT_ID,
} from '../local/directory.ts';
import { startEntra } from '../local/entra/start-entra.ts';
import { makeTokenKeys } from '../local/entra/token-keys.ts';
import { readAppToken } from '../src/lib/callers/app-token.ts';
import { readCredential } from '../src/lib/callers/credentials.ts';
import { readMail } from '../src/lib/mail/read-mail.ts';
import { openAppTokens } from '../src/lib/vault/app-tokens.ts';
import { exampleOf, run } from './support/caller-examples.ts';
import { ROOT, readDocument } from './support/documents.ts';
import { followGuide } from './support/follow-guide.ts';
import { TOOLS_MS } from './support/patience.ts';
import { azVersion, misunderstoodByAz } from './support/real-az.ts';

const folder = mkdtempSync(join(tmpdir(), 'relay-entra-page-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('the sample of the page for tokens sends what the relay takes, with a token of Entra', {
  timeout: TOOLS_MS,
}, async () => {
  const { tls, certificateFile } = await obtainCertificate(join(folder, 'certificate'), new Date());
  const keys = await makeTokenKeys();
  const now = () => new Date();
  const directory = () => contoso('a secret', now());
  const entra = await startEntra({ tls, port: 0, directory, audiences: () => [], keys, now });
  const tokens = openAppTokens(
    { authority: entra.url, tenant: LOCAL_TENANT_ID, clientId: LOCAL_CLIENT_ID },
    { readJson: async () => ({ keys: keys.published() }), now },
  );
  const arrived: unknown[] = [];
  const relay = createServer(async (request, response) => {
    const { authorization } = request.headers;
    const { text } = readCredential({ authorization, apiKey: undefined, functionKey: undefined, query: [] });
    const app = readAppToken(await tokens.check(text));
    const { subject } = readMail(await json(request));
    arrived.push({ app, subject, url: request.url, key: request.headers['idempotency-key'] });
    // The first is told to come again.
    const isFirst = arrived.length === 1;
    response
      .writeHead(isFirst ? 503 : 200, {
        'content-type': isFirst ? 'application/problem+json' : 'application/json',
        'retry-after': '0.01',
      })
      .end('{"state":"sent"}');
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  try {
    // As after `npm install` of what the page asks for; and the pretend Entra is not in the list of clouds.
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(
      join(folder, 'send.mjs'),
      exampleOf('entra.md', 'token').replace(
        'new DefaultAzureCredential()',
        'new DefaultAzureCredential({ disableInstanceDiscovery: true })',
      ),
    );
    const { status, output } = await run([process.execPath, 'send.mjs'], {
      folder,
      environment: {
        MAIL_RELAY_URL: `http://127.0.0.1:${(relay.address() as AddressInfo).port}`,
        MAIL_RELAY_CLIENT_ID: LOCAL_CLIENT_ID,
        AZURE_TENANT_ID: LOCAL_TENANT_ID,
        AZURE_CLIENT_ID: LOCAL_CALLER_ID,
        AZURE_CLIENT_SECRET: LOCAL_CALLER_SECRET,
        AZURE_AUTHORITY_HOST: entra.url,
        NODE_EXTRA_CA_CERTS: certificateFile,
      },
    });
    expect([status, output]).toEqual([0, expect.stringContaining('200 {"state":"sent"}')]);
    const one = {
      app: LOCAL_CALLER_ID,
      subject: '薪資單 2026-12',
      url: '/api/v1/mail',
      key: 'payslip-2026-12-2042',
    };
    expect(arrived).toEqual([one, one]);
  } finally {
    relay.close();
    await entra.close();
  }
});

test('the commands that assign the role are understood by az, and assign it on the relay', {
  timeout: TOOLS_MS,
}, async () => {
  const answers = {
    [`ad sp show --id ${LOCAL_CLIENT_ID} --query id`]: 'object-of-relay',
    [`ad sp show --id ${LOCAL_CLIENT_ID} --query appRoles[?value=='Mail.Submit'].id`]: 'id-of-role',
    [`ad sp show --id ${LOCAL_CALLER_ID} --query id`]: 'object-of-caller',
  };
  const calls = followGuide(readDocument('docs/callers/entra.md').text, ['az'], answers, (placeholder) =>
    placeholder.includes('of the relay') ? LOCAL_CLIENT_ID : LOCAL_CALLER_ID,
  );
  const assignment = calls.find(([, verb]) => verb === 'rest') ?? [];
  expect(assignment.join(' ')).toContain('/servicePrincipals/object-of-relay/appRoleAssignedTo');
  expect(JSON.parse(assignment.at(-1) ?? '{}')).toEqual({
    principalId: 'object-of-caller',
    resourceId: 'object-of-relay',
    appRoleId: 'id-of-role',
  });
  if (azVersion !== undefined)
    expect(await misunderstoodByAz(calls.map((call) => call.slice(1)))).toEqual([]);
});
