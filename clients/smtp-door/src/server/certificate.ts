import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import type { DoorSettings } from '../settings.ts';

/** A certificate with its key, and until when it is valid. */
export type Certificate = { readonly cert: Buffer; readonly key: Buffer; readonly validTo: Date };

type Files = NonNullable<DoorSettings['certificate']>;

const read = async (file: string, what: string): Promise<Buffer> => {
  try {
    return await readFile(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'an error';
    throw new Error(
      `Expected ${what} in PEM at ${file}, received ${code}. Check the path and who may read it.`,
      {
        cause,
      },
    );
  }
};

/** Reads a certificate and its key, and makes sure that they belong together. Throws a sentence that says what to do. */
export const readCertificate = async ({ certFile, keyFile }: Files): Promise<Certificate> => {
  const [cert, key] = await Promise.all([
    read(certFile, 'the certificate with its chain'),
    read(keyFile, 'the private key of the certificate'),
  ]);
  try {
    createSecureContext({ cert, key });
    return { cert, key, validTo: new X509Certificate(cert).validToDate };
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'an error';
    throw new Error(
      `Expected a certificate at ${certFile} and its unencrypted private key at ${keyFile}, both in PEM, received ${code}.`,
      { cause },
    );
  }
};
