import { AppError } from '../errors.ts';
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
  /** Its id instead of its value. */
  readonly looksLikeId?: boolean;
}>;

/** Entra shows it beside the value, and it is what people copy. Secrets that old tools made look the same, so it is still tried. */
const SECRET_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What is pasted by mistake: with quotation marks, several lines, or a file. What Entra makes has about 40 characters. */
const MISTAKEN = /^(["'`]).*\1$|[\s\p{Cc}]|^.{256}/su;

/** Without white space around it, a byte order mark too: no secret of Entra has any, and files and pipes add it. Throws SECRET_NOT_FOUND where nothing is left. */
export const readSecretProof: ReadProof = async (value) => {
  const secret = value.trim();
  if (secret === '') throw new AppError('SECRET_NOT_FOUND', { detail: 'The secret in the vault is empty.' });
  const looksLikeId = SECRET_ID.test(secret);
  return {
    proof: { kind: 'secret', secret },
    isDoubtful: looksLikeId || MISTAKEN.test(secret),
    looksLikeId,
  };
};

/** Throws CERTIFICATE_UNUSABLE. */
export const readCertificateProof: ReadProof = async (value) => {
  const { pem, certificates } = await readCertificate(value);
  // Of one alone there is no chain that Entra could check against a subject and issuer: it would refuse it (AADSTS7000213).
  return { proof: { kind: 'certificate', pem, withChain: certificates > 1 } };
};
