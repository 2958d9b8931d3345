import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { AppError } from '../errors.ts';

/** The private key and its certificate, then the other certificates, as PEM. */
export type CertificateValue = { readonly pem: string; readonly certificates: number };

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[^-]+-----END \1-----/;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/;
/** Entra checks signatures of RSA alone, and jsonwebtoken signs with no shorter key. */
const LEAST_BITS = 2048;

/**
 * Reads the secret of a certificate in the vault: PEM, or PFX in base64 without a password. By its content: the content type is right
 * where the vault made it, and missing where people did. Throws CERTIFICATE_UNUSABLE; nothing of the value is in the error.
 */
export const readCertificate = async (value: string): Promise<CertificateValue> => {
  const text = value.includes('-----BEGIN ') ? value : await readPfx(value);
  if (ENCRYPTED.test(text)) throw unusable('a private key without a password', 'an encrypted private key');
  const keyText = PRIVATE_KEY.exec(text)?.[0];
  if (keyText === undefined)
    throw unusable('a private key beside the certificate', 'no private key. Make the key exportable');
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw unusable('a certificate beside the private key', 'no certificate');
  const key = parsed(() => createPrivateKey(keyText), 'a private key that can be read');
  const certificates = found.map((one) =>
    parsed(() => new X509Certificate(one), 'certificates that can be read'),
  );
  requireRsa(key);
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (own === undefined)
    throw unusable('the certificate of the private key', 'certificates of other keys only');
  const ordered = [own, ...certificates.filter((one) => one !== own)];
  return {
    pem: [key.export({ type: 'pkcs8', format: 'pem' }), ...ordered.map((one) => one.toString())]
      .map((part) => `${part}`.trim())
      .join('\n'),
    certificates: ordered.length,
  };
};

const requireRsa = (key: KeyObject): void => {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < LEAST_BITS)
    throw unusable(
      `an RSA key of at least ${LEAST_BITS} bits`,
      key.asymmetricKeyType === 'rsa' ? `one of ${bits} bits` : `a key of the type ${key.asymmetricKeyType}`,
    );
};

const readPfx = async (value: string): Promise<string> => {
  const der = Buffer.from(value, 'base64');
  // Every PFX is a sequence of DER.
  if (der[0] !== 0x30) throw unusable('PEM, or PFX in base64', 'something else');
  const { pemOfPfx } = await import('./pfx.ts');
  try {
    return pemOfPfx(der);
  } catch (cause) {
    throw unusable('a PFX without a password', 'one with a password, or one that is damaged', cause);
  }
};

const parsed = <Value>(parse: () => Value, expected: string): Value => {
  try {
    return parse();
  } catch (cause) {
    throw unusable(expected, 'one that is damaged', cause);
  }
};

const unusable = (expected: string, received: string, cause?: unknown): AppError =>
  new AppError('CERTIFICATE_UNUSABLE', {
    detail: `Expected ${expected} in the vault, received ${received}.`,
    ...(cause === undefined ? {} : { cause }),
  });
