import forge from 'node-forge';

/** As the vault exports it: without a password. */
const PASSWORD = '';

/** The private key and the certificates of a PFX (RFC 7292), as PEM. Node reads a PFX for TLS only, and gives nothing of it back. */
export const pemOfPfx = (der: Buffer): string => {
  const pfx = forge.pkcs12.pkcs12FromAsn1(
    forge.asn1.fromDer(forge.util.createBuffer(der.toString('binary'))),
    PASSWORD,
  );
  const bagsOf = (bagType: string) => pfx.getBags({ bagType })[bagType] ?? [];
  const keys = [forge.pki.oids.pkcs8ShroudedKeyBag, forge.pki.oids.keyBag].flatMap((type) =>
    bagsOf(type ?? '').flatMap(({ key }) => (key ? [forge.pki.privateKeyToPem(key)] : [])),
  );
  const certificates = bagsOf(forge.pki.oids.certBag ?? '').flatMap(({ cert }) =>
    cert ? [forge.pki.certificateToPem(cert)] : [],
  );
  return [...keys.slice(0, 1), ...certificates].join('\n');
};
