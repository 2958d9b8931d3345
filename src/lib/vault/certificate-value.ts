import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { AppError } from '../errors.ts';

/** The private key and its certificate, then the other certificates, as PEM. */
export type CertificateValue = { readonly pem: string; readonly certificates: number };

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[^-]+-----END \1-----/g;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/;
/** Entra checks signatures of RSA alone, and jsonwebtoken signs with no shorter key. */
const LEAST_BITS = 2048;
/** 100,000 of them take up to two seconds, in which the process does nothing else. Windows, OpenSSL and Key Vault write some thousands. */
const MOST_ITERATIONS = 100_000;

/**
 * Reads the secret of a certificate in the vault: PEM, or PFX in base64 without a password. By its content: the content type is right
 * where the vault made it, and missing where people did. Throws CERTIFICATE_UNUSABLE; nothing of the value is in the error.
 */
export const readCertificate = async (value: string): Promise<CertificateValue> => {
  const text = value.includes('-----BEGIN ') ? value : await readPfx(value);
  if (ENCRYPTED.test(text)) throw unusable('a private key without a password', 'an encrypted private key');
  const keyTexts = text.match(PRIVATE_KEY) ?? [];
  if (keyTexts.length === 0)
    throw unusable('a private key beside the certificate', 'no private key. Make the key exportable');
  const found = text.match(CERTIFICATE) ?? [];
  if (found.length === 0) throw unusable('a certificate beside the private key', 'no certificate');
  const keys = keyTexts.map((one) => parsed(() => createPrivateKey(one), 'a private key that can be read'));
  const certificates = found.map((one) =>
    parsed(() => new X509Certificate(one), 'certificates that can be read'),
  );
  const rsa = keys.filter((one) => one.asymmetricKeyType === 'rsa');
  const fitting = rsa.find((one) => certificates.some((certificate) => certificate.checkPrivateKey(one)));
  // Where none is of use, the first says why.
  const key = fitting ?? rsa[0] ?? keys[0];
  if (key !== undefined) requireRsa(key);
  const own = key && certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (key === undefined || own === undefined)
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
  const { iterationsOf, pemOfPfx } = await import('./pfx.ts');
  const damaged = (cause: unknown): AppError =>
    unusable('a PFX without a password', 'one with a password, or one that is damaged', cause);
  let iterations: number;
  try {
    iterations = iterationsOf(der);
  } catch (cause) {
    throw damaged(cause);
  }
  if (iterations > MOST_ITERATIONS)
    throw unusable(
      `a PFX with at most ${MOST_ITERATIONS} iterations`,
      `one with ${iterations}, for which no email could be received for seconds. Store it as PEM: openssl pkcs12 -in <file> -passin pass: -noenc -out certificate.pem`,
    );
  try {
    return pemOfPfx(der);
  } catch (cause) {
    throw damaged(cause);
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
