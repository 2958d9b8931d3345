import { X509Certificate } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, importX509, type JWTPayload, jwtVerify } from 'jose';
import type { AppCertificate, AppRegistration } from '../directory.ts';
import * as aadsts from './aadsts.ts';

export type AssertionRules = {
  /** The address of the token endpoint, as the client wrote it. */
  readonly tokenEndpoint: string;
  /** The claims of a token that this Entra signed, whatever it is for, and that is valid then; throws otherwise. */
  readonly verifyOwn: (token: string, at: Date) => Promise<JWTPayload>;
  readonly now: Date;
};

/** Entra forgives a clock that is so far off. */
const SKEW_SECONDS = 300;
const ALGORITHMS = ['PS256', 'RS256'];

/**
 * Why an assertion does not prove that the client is this app; undefined where it does. It is signed by the app itself, with the key of
 * a certificate, or it is a token of somebody whom the app trusts.
 */
export const refuseAssertion = async (
  assertion: string,
  app: AppRegistration,
  rules: AssertionRules,
): Promise<aadsts.Aadsts | undefined> => {
  try {
    const { iss = '', sub = '' } = decodeJwt(assertion);
    const refuse = iss === sub || iss === app.clientId ? refuseSigned : refuseFederated;
    return await refuse(assertion, app, rules);
  } catch (error) {
    if (error instanceof errors.JWTExpired || isOfTime(error)) return aadsts.assertionTimeWrong(rules.now);
    if (error instanceof errors.JWSSignatureVerificationFailed) return aadsts.assertionSignatureWrong();
    if (error instanceof errors.JOSEError || error instanceof TypeError) return aadsts.assertionMalformed();
    throw error;
  }
};

const isOfTime = (error: unknown): boolean =>
  error instanceof errors.JWTClaimValidationFailed && ['nbf', 'iat', 'exp'].includes(error.claim);

/** https://learn.microsoft.com/entra/identity-platform/certificate-credentials */
const refuseSigned = async (
  assertion: string,
  app: AppRegistration,
  { tokenEndpoint, now }: AssertionRules,
): Promise<aadsts.Aadsts | undefined> => {
  const { alg = '', ...header } = decodeProtectedHeader(assertion);
  const certificate = app.certificates?.find((one) => isNamedBy(header, one));
  if (certificate === undefined) return aadsts.assertionKeyUnknown(app.clientId);
  const { validToDate } = new X509Certificate(certificate.pem);
  if ((certificate.expiresOn ?? validToDate) <= now) return aadsts.assertionKeyExpired();
  const { payload } = await jwtVerify(assertion, await importX509(certificate.pem, alg), {
    algorithms: ALGORITHMS,
    currentDate: now,
    clockTolerance: SKEW_SECONDS,
    requiredClaims: ['exp', 'nbf', 'jti'],
  });
  if (payload.iss !== app.clientId || payload.sub !== app.clientId) return aadsts.assertionOfAnotherApp();
  return payload.aud === tokenEndpoint ? undefined : aadsts.assertionAudienceWrong();
};

/** By SHA-256, or by SHA-1 as before. */
const isNamedBy = (header: Readonly<Record<string, unknown>>, { pem }: AppCertificate): boolean => {
  const { fingerprint, fingerprint256 } = new X509Certificate(pem);
  const isThis = (thumbprint: unknown, hex: string) =>
    typeof thumbprint === 'string' &&
    Buffer.from(thumbprint, 'base64url').equals(Buffer.from(hex.replaceAll(':', ''), 'hex'));
  return isThis(header['x5t#S256'], fingerprint256) || isThis(header.x5t, fingerprint);
};

/** Case-sensitive: https://learn.microsoft.com/entra/identity-platform/reference-breaking-changes */
const refuseFederated = async (
  assertion: string,
  app: AppRegistration,
  { verifyOwn, now }: AssertionRules,
): Promise<aadsts.Aadsts | undefined> => {
  const trusted = app.federatedCredentials ?? [];
  const { iss = '', sub = '', aud = '' } = decodeJwt(assertion);
  const byIssuer = trusted.filter(({ issuer }) => issuer === iss);
  if (byIssuer.length === 0) return aadsts.federatedIssuerUnknown(iss);
  await verifyOwn(assertion, now);
  const bySubject = byIssuer.filter(({ subject }) => subject === sub);
  if (bySubject.length === 0) return aadsts.federatedSubjectUnknown(sub);
  return bySubject.some(({ audience }) => audience === aud)
    ? undefined
    : aadsts.federatedAudienceUnknown(String(aud));
};
