import { type AppRegistration, type Directory, findTenant } from '../directory.ts';
import {
  appUnknown,
  tokenAudienceInvalid,
  tokenExpired,
  tokenMalformed,
  tokenMissing,
  tokenSignatureInvalid,
  tokenTenantInvalid,
} from './refusals.ts';

type GraphToken = {
  readonly aud: string;
  readonly tid: string;
  readonly appid: string;
  readonly roles?: readonly string[];
  /** Seconds since 1970. */
  readonly exp: number;
};

/** Resolves only for a token with a good signature; what it says is judged here. */
export type VerifyToken = (token: string) => Promise<GraphToken>;

export type Caller = {
  /** The tenant that issued the token: a caller reaches the mailboxes of no other. */
  readonly tenant: Directory;
  readonly app: AppRegistration;
  readonly roles: readonly string[];
};

/** What Entra puts into `aud` of a token for Microsoft Graph: the resource that was asked for, or its app id. */
export const GRAPH_AUDIENCES = ['https://graph.microsoft.com', '00000003-0000-0000-c000-000000000000'];

export type TokenRules = {
  readonly verifyToken: VerifyToken;
  readonly audiences: readonly string[];
  readonly directory: Directory;
  readonly now: Date;
};

/** Reads who calls from the token. Throws the refusal of Graph. */
export const authenticate = async (authorization: string | undefined, rules: TokenRules): Promise<Caller> => {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) throw tokenMissing();
  if (token.split('.').length !== 3) throw tokenMalformed();

  const claims = await rules.verifyToken(token).catch((error: unknown) => {
    throw isExpiry(error) ? tokenExpired() : tokenSignatureInvalid();
  });
  if (claims.exp * 1000 <= rules.now.getTime()) throw tokenExpired();
  if (!rules.audiences.includes(claims.aud.replace(/\/$/, ''))) throw tokenAudienceInvalid();
  const tenant = findTenant(rules.directory, claims.tid);
  if (tenant === undefined) throw tokenTenantInvalid();

  const app = tenant.apps.find(({ clientId }) => clientId === claims.appid);
  if (app === undefined) throw appUnknown();
  return { tenant, app, roles: claims.roles ?? [] };
};

/** jose's code: https://github.com/panva/jose/blob/main/docs/util/errors/classes/JWTExpired.md */
const isExpiry = (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === 'ERR_JWT_EXPIRED';
