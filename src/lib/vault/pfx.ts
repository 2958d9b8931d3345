import type Forge from 'node-forge';
// Only what reads a PFX: the whole library also has TLS, HTTP and SSH.
import forge from 'node-forge/lib/forge.js';
import 'node-forge/lib/pkcs12.js';
import 'node-forge/lib/pki.js';
// The MAC of a PFX can be made with SHA-384 or SHA-512, which the part for PFX does not bring along.
import 'node-forge/lib/sha512.js';

/** Programs write "without a password" in two ways: as an empty one, and as none. Each derives other keys. */
const NO_PASSWORD = ['', undefined] as const;

/** The private key and the certificates of a PFX (RFC 7292), as PEM. Node reads a PFX for TLS only, and gives nothing of it back. */
export const pemOfPfx = (der: Buffer): string => {
  const pfx = open(forge.asn1.fromDer(forge.util.createBuffer(der.toString('binary'))));
  const bagsOf = (bagType: string) => pfx.getBags({ bagType })[bagType] ?? [];
  // Of what is not RSA the library has the bytes alone, and Node says what it is.
  const keys = [forge.pki.oids.pkcs8ShroudedKeyBag, forge.pki.oids.keyBag].flatMap((type) =>
    bagsOf(type ?? '').map(({ key, asn1 }) =>
      key ? forge.pki.privateKeyToPem(key) : toPem('PRIVATE KEY', asn1),
    ),
  );
  const certificates = bagsOf(forge.pki.oids.certBag ?? '').map(({ cert, asn1 }) =>
    cert ? forge.pki.certificateToPem(cert) : toPem('CERTIFICATE', asn1),
  );
  return [...keys, ...certificates].join('\n');
};

const toPem = (type: string, asn1: Forge.asn1.Asn1): string =>
  forge.pem.encode({ type, body: forge.asn1.toDer(asn1).getBytes() });

/**
 * How many iterations it takes in all to derive the keys of a PFX. The library derives them in JavaScript, while nothing else runs. A count
 * follows its salt wherever there is one (RFC 7292: MacData, appendix C; RFC 8018: PBKDF2-params).
 */
export const iterationsOf = (der: Buffer): number =>
  countIn(forge.asn1.fromDer(forge.util.createBuffer(der.toString('binary'))));

const { Type } = forge.asn1;

const countIn = ({ type, value }: Forge.asn1.Asn1): number => {
  if (!Array.isArray(value)) return type === Type.OCTETSTRING ? countWithin(value as string) : 0;
  return value.reduce((sum, part, index) => {
    const isCount = part.type === Type.INTEGER && value[index - 1]?.type === Type.OCTETSTRING;
    return sum + (isCount ? toNumber(part.value as string) : countIn(part));
  }, 0);
};

/** What is not encrypted is in an octet string again. */
const countWithin = (bytes: string): number => {
  try {
    return countIn(forge.asn1.fromDer(forge.util.createBuffer(bytes)));
  } catch {
    return 0;
  }
};

const toNumber = (bytes: string): number =>
  Number(`0x${Buffer.from(bytes, 'binary').toString('hex') || '0'}`);

const open = (asn1: Forge.asn1.Asn1): Forge.pkcs12.Pkcs12Pfx => {
  let failure: unknown;
  for (const password of NO_PASSWORD)
    try {
      return forge.pkcs12.pkcs12FromAsn1(asn1, true, password);
    } catch (error) {
      failure ??= error;
    }
  throw failure;
};
