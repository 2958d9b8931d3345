import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import { obtainCertificate, type TlsIdentity } from '../../local/certificate.ts';

let trusted: Promise<TlsIdentity> | undefined;

/** One certificate for all the servers of a test file, trusted by this process through Node's own means. */
export function trustedCertificate(): Promise<TlsIdentity> {
  trusted ??= inFolder(async (folder) => {
    const certificate = await obtainCertificate(folder, new Date());
    trust(certificate.tls.cert);
    return certificate.tls;
  });
  return trusted;
}

/** Lets this process trust a certificate, through Node's own means. */
export const trust = (certificate: string): void =>
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate]);

export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'local-cloud-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
