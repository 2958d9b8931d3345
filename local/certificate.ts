import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { generate } from 'selfsigned';
import { replaceFile } from './replace-file.ts';

const DAY_MS = 86_400_000;
const VALID_DAYS = 365;
/** A stored certificate is used again only when it outlives the day's work. */
const LEAST_DAYS_LEFT = 1;
/** Clocks of a container and its host differ by seconds; a certificate from the future is not trusted. */
const BACKDATED_MS = 5 * 60_000;
const HOST = 'localhost';
const ADDRESS = '127.0.0.1';
/** Key and certificate in one file, so that a half-written pair cannot exist. */
const PAIR_FILE = 'local-cloud-key.pem';
const CERTIFICATE_FILE = 'local-cloud.pem';

export type Certificate = {
  /** What `https.createServer` wants. */
  readonly tls: TlsIdentity;
  /** The certificate alone: a child process trusts it through NODE_EXTRA_CA_CERTS. */
  readonly certificateFile: string;
  /** Its key, with the certificate, for what reads files. */
  readonly keyFile: string;
  readonly validTo: Date;
};

export type TlsIdentity = { readonly cert: string; readonly key: string };

/** The certificate of the local cloud, kept in a folder; made anew when there is none or it is about to end. */
export const obtainCertificate = async (folder: string, now: Date): Promise<Certificate> => {
  const pairFile = path.join(folder, PAIR_FILE);
  const certificateFile = path.join(folder, CERTIFICATE_FILE);

  await mkdir(folder, { recursive: true });
  let tls = await readPair(pairFile);
  if (tls === undefined || !isUsable(tls, now)) {
    tls = await makePair(now);
    await replaceFile(pairFile, tls.key + tls.cert, 0o600);
  }
  await chmod(pairFile, 0o600);
  await replaceFile(certificateFile, tls.cert, 0o600);
  return { tls, certificateFile, keyFile: pairFile, validTo: new X509Certificate(tls.cert).validToDate };
};

const makePair = async (now: Date): Promise<TlsIdentity> => {
  const made = await generate([{ name: 'commonName', value: HOST }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate: new Date(now.getTime() - BACKDATED_MS),
    notAfterDate: new Date(now.getTime() + VALID_DAYS * DAY_MS),
    extensions: [
      // Trusting this certificate must not mean trusting everything its key could sign.
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: HOST },
          { type: 7, ip: ADDRESS },
        ],
      },
    ],
  });
  return { cert: ensureNewline(made.cert), key: ensureNewline(made.private) };
};

const readPair = async (file: string): Promise<TlsIdentity | undefined> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)?.[0];
  const cert = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text)?.[0];
  return key && cert ? { key, cert } : undefined;
};

const isUsable = (tls: TlsIdentity, now: Date): boolean => {
  try {
    const certificate = new X509Certificate(tls.cert);
    return (
      certificate.validFromDate.getTime() <= now.getTime() &&
      certificate.validToDate.getTime() >= now.getTime() + LEAST_DAYS_LEFT * DAY_MS &&
      certificate.checkHost(HOST) !== undefined &&
      certificate.checkIP(ADDRESS) !== undefined &&
      certificate.checkPrivateKey(createPrivateKey(tls.key))
    );
  } catch {
    return false;
  }
};

const ensureNewline = (pem: string) => `${pem.replaceAll('\r\n', '\n').trimEnd()}\n`;
