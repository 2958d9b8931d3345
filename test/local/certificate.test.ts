import { execFile } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import https from 'node:https';
import path from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Certificate, obtainCertificate } from '../../local/certificate.ts';
import { answering, answerJson, listen } from '../../local/http.ts';
import { inFolder } from './certificate-for-tests.ts';

const DAY_MS = 86_400_000;
const NOW = new Date();

async function onServer<T>(certificate: Certificate, work: (port: number) => Promise<T>): Promise<T> {
  const server = https.createServer(
    { ...certificate.tls },
    answering(async (_, response) => answerJson(response, 200, { hello: true })),
  );
  const listening = await listen(server, { name: 'A test', port: 0, portSetting: 'TEST_PORT' });
  try {
    return await work(listening.port);
  } finally {
    await listening.close();
  }
}

const HOSTS = ['localhost', '127.0.0.1'];

test('a process that trusts it reaches a server by name and by address, and only then', () =>
  inFolder(async (folder) => {
    const certificate = await obtainCertificate(folder, NOW);
    await onServer(certificate, async (port) => {
      await expect(fetch(`https://127.0.0.1:${port}`)).rejects.toMatchObject({
        cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
      });

      const before = tls.getCACertificates('default');
      tls.setDefaultCACertificates([...before, certificate.tls.cert]);
      try {
        for (const host of HOSTS) expect((await fetch(`https://${host}:${port}`)).status).toBe(200);
      } finally {
        tls.setDefaultCACertificates(before);
      }
    });
  }));

test('a child process trusts it through NODE_EXTRA_CA_CERTS', () =>
  inFolder(async (folder) => {
    const certificate = await obtainCertificate(folder, NOW);
    await onServer(certificate, async (port) => {
      const script = `for (const host of ${JSON.stringify(HOSTS)})
        console.log((await fetch('https://' + host + ':${port}')).status)`;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--input-type=module', '--eval', script],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate.certificateFile } },
      );
      expect(stdout).toBe('200\n200\n');
    });
  }));

test('only the owner can read the key, and the file that others read does not hold it', () =>
  inFolder(async (folder) => {
    const { certificateFile, tls: identity } = await obtainCertificate(folder, NOW);
    const pairFile = path.join(folder, 'local-cloud-key.pem');
    expect((await stat(pairFile)).mode & 0o777).toBe(0o600);
    expect(await readFile(certificateFile, 'utf8')).not.toContain('PRIVATE KEY');
    expect(createPrivateKey(identity.key).asymmetricKeyType).toBe('ec');
  }));

test.each([
  { title: 'is used again while it has more than a day to live', daysLater: 363, again: true },
  { title: 'is made anew when it has less than a day to live', daysLater: 364.5, again: false },
  { title: 'is made anew when the clock says that it is not valid yet', daysLater: -1, again: false },
])('the stored certificate $title', ({ daysLater, again }) =>
  inFolder(async (folder) => {
    const first = await obtainCertificate(folder, NOW);
    const second = await obtainCertificate(folder, new Date(NOW.getTime() + daysLater * DAY_MS));
    expect(second.tls.cert === first.tls.cert).toBe(again);
    expect(await readFile(second.certificateFile, 'utf8')).toBe(second.tls.cert);
  }),
);

test('a damaged file is replaced', () =>
  inFolder(async (folder) => {
    const first = await obtainCertificate(folder, NOW);
    const pairFile = path.join(folder, 'local-cloud-key.pem');
    await writeFile(pairFile, (await readFile(pairFile, 'utf8')).slice(0, 300));
    const second = await obtainCertificate(folder, NOW);
    expect(second.tls.cert).not.toBe(first.tls.cert);
    expect(tls.createSecureContext(second.tls)).toBeDefined();
  }));
