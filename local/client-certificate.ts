import { generate } from 'selfsigned';
import type { SecretStore } from './key-vault/secret-store.ts';

const CERTIFICATE_NAME = 'graph-client-certificate';

const YEAR_MS = 365 * 86_400_000;
/** Clocks differ by seconds; a certificate from the future is not trusted. */
const BACKDATED_MS = 5 * 60_000;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export type ClientCertificate = {
  /** The certificate alone. */
  readonly certificate: string;
  readonly privateKey: string;
  readonly expiresOn: Date;
};

/** A certificate that signs for itself, with the kind of key that Entra accepts. */
export const makeClientCertificate = async (now: Date): Promise<ClientCertificate> => {
  const expiresOn = new Date(now.getTime() + YEAR_MS);
  const { cert, private: privateKey } = await generate([{ name: 'commonName', value: 'graph-mail-relay' }], {
    keyType: 'rsa',
    keySize: 2048,
    algorithm: 'sha256',
    notBeforeDate: new Date(now.getTime() - BACKDATED_MS),
    notAfterDate: expiresOn,
  });
  return { certificate: cert, privateKey, expiresOn };
};

/** The certificates that the vault has for the relay, without their keys: as an administrator registers them. Made where there is none. */
export const obtainClientCertificates = async (
  secrets: SecretStore,
  now: Date,
): Promise<readonly string[]> => {
  if (secrets.current(CERTIFICATE_NAME) === undefined) {
    const { certificate, privateKey, expiresOn } = await makeClientCertificate(now);
    await secrets.set(
      CERTIFICATE_NAME,
      {
        value: `${privateKey.trim()}\n${certificate.trim()}\n`,
        contentType: 'application/x-pem-file',
        managed: true,
        expiresOn,
      },
      now,
    );
  }
  return secrets.versions(CERTIFICATE_NAME).flatMap(({ value }) => value.match(CERTIFICATE) ?? []);
};
