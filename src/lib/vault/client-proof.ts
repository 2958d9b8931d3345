import { readCertificate } from './certificate-value.ts';

/** What proves to Entra which application asks. */
export type ClientProof =
  | { readonly kind: 'secret'; readonly secret: string }
  | { readonly kind: 'certificate'; readonly pem: string; readonly withChain: boolean }
  | { readonly kind: 'assertion'; readonly assertion: string };

/** The value of a version in the vault, as a proof. */
export type ReadProof = (value: string) => Promise<{
  readonly proof: ClientProof;
  /** So unlikely to be accepted that everything else is tried first. */
  readonly isDoubtful?: boolean;
}>;

/** Entra shows it beside the value, and it is what people copy. Secrets that old tools made look the same, so it is still tried. */
const SECRET_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Without white space around it, a byte order mark too: no secret of Entra has any, and files and pipes add it. */
export const readSecretProof: ReadProof = async (value) => {
  const secret = value.trim();
  return { proof: { kind: 'secret', secret }, isDoubtful: SECRET_ID.test(secret) };
};

/** Throws CERTIFICATE_UNUSABLE. */
export const readCertificateProof: ReadProof = async (value) => {
  const { pem, certificates } = await readCertificate(value);
  // Of one alone there is no chain that Entra could check against a subject and issuer: it would refuse it (AADSTS7000213).
  return { proof: { kind: 'certificate', pem, withChain: certificates > 1 } };
};
