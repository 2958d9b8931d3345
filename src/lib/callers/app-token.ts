import { AppError } from '../errors.ts';

/** What Entra says of an application in a token, once its signature, issuer, audience and times were checked. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/** The app role of the registration of the relay that allows sending. */
export const SUBMIT_ROLE = 'Mail.Submit';

const notAccepted = (detail: string): AppError => new AppError('TOKEN_NOT_ACCEPTED', { detail });

const textOf = (claim: unknown): string | undefined =>
  typeof claim === 'string' && claim !== '' ? claim : undefined;

/**
 * Whether a token is one of an application for itself, not of a user who signed in: no scopes, and the type `app` where the token says
 * it. In such a token the subject is the application itself (Entra: access token claims reference).
 */
const isAppOnly = ({ scp, idtyp, sub, oid }: TokenClaims): boolean =>
  scp === undefined &&
  (idtyp === undefined || idtyp === 'app') &&
  (sub === undefined || oid === undefined || sub === oid);

/**
 * The client id, in lower case, of the application that a token is for. `azp` is of tokens of version 2, `appid` of version 1. Throws
 * TOKEN_NOT_ACCEPTED, TOKEN_ROLE_MISSING.
 */
export const readAppToken = (claims: TokenClaims): string => {
  if (!isAppOnly(claims))
    throw notAccepted(
      'It is the token of a user who signed in. The relay takes only tokens of applications (client credentials or a managed identity).',
    );
  const clientId = textOf(claims.azp) ?? textOf(claims.appid);
  if (clientId === undefined) throw notAccepted('It does not say for which application it is.');
  const { roles } = claims;
  if (!Array.isArray(roles) || !roles.includes(SUBMIT_ROLE))
    throw new AppError('TOKEN_ROLE_MISSING', {
      detail: `The token of the application ${clientId.toLowerCase()} does not have the role ${SUBMIT_ROLE}.`,
    });
  return clientId.toLowerCase();
};
