import { execFile } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import { generate } from 'selfsigned';
import { describe, expect, test } from 'vitest';
import { makeClientCertificate } from '../../../local/client-certificate.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { readCertificate } from '../../../src/lib/vault/certificate-value.ts';
import { readOnce, readSecretProof } from '../../../src/lib/vault/client-proof.ts';

const own = await makeClientCertificate(new Date());
const other = await makeClientCertificate(new Date());
const ec = await generate([{ name: 'commonName', value: 'x' }], { keyType: 'ec', curve: 'P-256' });
const fingerprints = (pem: string) =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (one) => new X509Certificate(one).fingerprint256,
  );
const fingerprint = (pem: string) => new X509Certificate(pem).fingerprint256;

const toPfx = (
  certificates: readonly string[],
  password: string | null = '',
  algorithm: '3des' | 'aes256' = '3des',
) =>
  Buffer.from(
    forge.asn1
      .toDer(
        forge.pkcs12.toPkcs12Asn1(
          forge.pki.privateKeyFromPem(own.privateKey),
          certificates.map((one) => forge.pki.certificateFromPem(one)),
          password,
          { algorithm },
        ),
      )
      .getBytes(),
    'binary',
  ).toString('base64');

/** Its count alone says so: to derive so often would take half a minute. */
const iteratedPfx = (count: number): string => {
  const pfx = forge.asn1.fromDer(forge.util.decode64(toPfx([own.certificate])));
  const mac = (pfx.value as forge.asn1.Asn1[])[2];
  const [, , iterations] = (mac?.value ?? []) as forge.asn1.Asn1[];
  if (iterations === undefined) throw new Error('expected the count of the MAC');
  iterations.value = forge.asn1.integerToDer(count).getBytes();
  return forge.util.encode64(forge.asn1.toDer(pfx).getBytes());
};

/** The library of the tests writes PFX of RSA alone. */
const opensslPfx = async (pems: readonly string[], ...options: readonly string[]): Promise<string> => {
  const child = execFile('openssl', ['pkcs12', '-export', '-passout', 'pass:', ...options], {
    encoding: 'buffer',
  });
  const der = new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
    child.on('error', reject);
    child.on('close', () => resolve(Buffer.concat(chunks)));
  });
  child.stdin?.end(pems.join('\n'));
  return (await der).toString('base64');
};
const ecPfx = await opensslPfx([ec.private, ec.cert]);
const withSha512 = await opensslPfx([own.privateKey, own.certificate], '-macalg', 'sha512');
const ecBeside = await opensslPfx([own.privateKey, own.certificate, ec.cert]);

describe('the certificate of a credential', () => {
  const chain = [own.certificate, other.certificate];
  const rsaKey = forge.pki.privateKeyToPem(forge.pki.privateKeyFromPem(own.privateKey));

  test.each<[string, string, number]>([
    ['PEM', `${own.privateKey}\n${own.certificate}`, 1],
    [
      'PEM with the certificate first, and lines of Windows',
      `${own.certificate}\n${own.privateKey}`.replaceAll('\n', '\r\n'),
      1,
    ],
    ['PEM with a key in the older form', `${rsaKey}\n${own.certificate}`, 1],
    ['PEM with a chain', [own.privateKey, ...chain].join('\n'), 2],
    [
      'PEM with a chain that begins with the authority',
      [own.privateKey, ...chain.toReversed()].join('\n'),
      2,
    ],
    ['PEM with an elliptic key before its own', `${ec.private}\n${own.privateKey}\n${own.certificate}`, 1],
    [
      'PEM with the key of another before its own',
      `${other.privateKey}\n${own.privateKey}\n${own.certificate}`,
      1,
    ],
    ['PFX with a certificate of an elliptic curve beside it', ecBeside, 2],
    ['PFX with a MAC of SHA-512', withSha512, 1],
    ['PFX', toPfx([own.certificate]), 1],
    ['PFX in lines', toPfx([own.certificate]).replace(/.{64}/g, '$&\n'), 1],
    ['PFX with no password instead of an empty one', toPfx([own.certificate], null), 1],
    ['PFX with AES', toPfx([own.certificate], '', 'aes256'), 1],
    ['PFX with a chain that begins with the authority', toPfx(chain.toReversed()), 2],
  ])('is read as %s, and that of the key comes first', async (_case, value, certificates) => {
    const read = await readCertificate(value);
    expect(read.certificates).toBe(certificates);
    expect(read.pem.startsWith('-----BEGIN PRIVATE KEY-----')).toBe(true);
    expect(fingerprints(read.pem)[0]).toBe(fingerprint(own.certificate));
    expect(fingerprints(read.pem)).toHaveLength(certificates);
  });

  const encrypted = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'canary' },
  }).privateKey;

  test.each<[string, string, RegExp]>([
    ['a client secret', 'canary~secret', /PEM, or PFX in base64.*something else/],
    ['nothing but a certificate', own.certificate, /no private key/],
    ['nothing but a key', own.privateKey, /no certificate/],
    ['the certificate of another key', `${own.privateKey}\n${other.certificate}`, /of other keys only/],
    ['an encrypted key', `${encrypted}\n${own.certificate}`, /without a password/],
    ['an elliptic curve as PFX', ecPfx, /an RSA key of at least 2048 bits.*ec/],
    [
      'a PFX with very many iterations',
      iteratedPfx(600_000),
      /at most 100000 iterations.*one with 6\d{5}.*openssl pkcs12/,
    ],
    ['an elliptic curve', `${ec.private}\n${ec.cert}`, /an RSA key of at least 2048 bits.*ec/],
    ['a PFX with a password', toPfx([own.certificate], 'canary'), /PFX without a password/],
    ['a PFX that was cut', toPfx([own.certificate]).slice(0, 400), /PFX without a password/],
    [
      'a damaged certificate',
      `${own.privateKey}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`,
      /damaged/,
    ],
    [
      'a damaged key',
      `-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n${own.certificate}`,
      /damaged/,
    ],
  ])('%s is refused with what was expected and received, and nothing of it', async (_case, value, detail) => {
    const error = await readCertificate(value).catch((reason: unknown) => reason);
    if (!(error instanceof AppError)) throw new Error('expected an AppError', { cause: error });
    expect(error.code).toBe('CERTIFICATE_UNUSABLE');
    expect(error.message).toMatch(detail);
    expect(error.message).not.toMatch(/canary|AAAA/);
  });
});

describe('the value of a client secret', () => {
  test.each([
    ['a line end', 'aB3~x\n'],
    ['a line end of Windows', 'aB3~x\r\n'],
    ['spaces and a tab', ' \taB3~x '],
    ['a byte order mark', '\uFEFFaB3~x'],
  ])('is used without %s around it', async (_case, value) => {
    expect(await readSecretProof(value)).toEqual({
      proof: { kind: 'secret', secret: 'aB3~x' },
      isDoubtful: false,
      looksLikeId: false,
    });
  });

  test('keeps quotes: a secret of an earlier tool can have them', async () => {
    expect((await readSecretProof('"aB3"')).proof).toEqual({ kind: 'secret', secret: '"aB3"' });
  });

  test.each([
    ['a GUID', '2b6c3a0e-8f24-4c1d-b7a5-61f0a9d3e812\n', true],
    ['in quotation marks', '"aB3~x"', false],
    ['of several lines', 'aB3~x\naB3~x', false],
    ['a file', 'M'.repeat(300), false],
  ])('that is %s is doubtful', async (_case, value, looksLikeId) => {
    expect(await readSecretProof(value)).toMatchObject({ isDoubtful: true, looksLikeId });
  });

  test.each(['', '\n', ' \r\n'])('that is blank is none: %j', async (value) => {
    await expect(readSecretProof(value)).rejects.toMatchObject({
      code: 'SECRET_NOT_FOUND',
      facts: { detail: 'The secret in the vault is empty.' },
    });
  });
});

test('a value is read once, and again only after several others', async () => {
  const read: string[] = [];
  const once = readOnce(async (value) => {
    read.push(value);
    return { proof: { kind: 'secret', secret: value } };
  });
  for (const value of ['a', 'a', 'b', 'a', 'c', 'd', 'e', 'a', 'f', 'a', 'b']) await once(value);
  expect(read.join('')).toBe('abcdefb');
});
