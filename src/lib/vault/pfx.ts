import type Forge from 'node-forge';
// Only what reads a PFX: the whole library also has TLS, HTTP and SSH.
import forge from 'node-forge/lib/forge.js';
import 'node-forge/lib/pkcs12.js';
import 'node-forge/lib/pki.js';

/** Programs write "without a password" in two ways: as an empty one, and as none. Each derives other keys. */
const NO_PASSWORD = ['', undefined] as const;

/** The private key and the certificates of a PFX (RFC 7292), as PEM. Node reads a PFX for TLS only, and gives nothing of it back. */
export const pemOfPfx = (der: Buffer): string => {
  const pfx = open(forge.asn1.fromDer(forge.util.createBuffer(der.toString('binary'))));
  const bagsOf = (bagType: string) => pfx.getBags({ bagType })[bagType] ?? [];
  const keys = [forge.pki.oids.pkcs8ShroudedKeyBag, forge.pki.oids.keyBag].flatMap((type) =>
    bagsOf(type ?? '').flatMap(({ key }) => (key ? [forge.pki.privateKeyToPem(key)] : [])),
  );
  const certificates = bagsOf(forge.pki.oids.certBag ?? '').flatMap(({ cert }) =>
    cert ? [forge.pki.certificateToPem(cert)] : [],
  );
  return [...keys.slice(0, 1), ...certificates].join('\n');
};

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
