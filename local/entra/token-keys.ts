import { exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';

const ALGORITHM = 'RS256';
const KEY_ID = 'local-cloud';

/** What the relay and the stand-ins read in an app-only token. Times are seconds since 1970, as in every JWT. */
export type TokenClaims = {
  readonly aud: string;
  readonly iss: string;
  readonly tid: string;
  readonly appid: string;
  /** Missing when no application permission is consented: such a token is issued all the same. */
  readonly roles?: readonly string[];
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
};

export type TokenKeys = {
  readonly sign: (claims: TokenClaims) => Promise<string>;
  /** The claims of a token that these keys signed and that is valid now; throws otherwise. */
  readonly verify: (token: string) => Promise<TokenClaims>;
  /** The public half, as Entra publishes it at `discovery/v2.0/keys`. */
  readonly published: readonly JWK[];
};

/** Makes a new pair of keys, for as long as this process runs. */
export const makeTokenKeys = async (now: () => Date = () => new Date()): Promise<TokenKeys> => {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  return {
    sign: (claims) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid: KEY_ID })
        .sign(privateKey),
    verify: async (token) => {
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: [ALGORITHM],
        currentDate: now(),
        requiredClaims: ['aud', 'iss', 'tid', 'appid', 'iat', 'nbf', 'exp'],
      });
      return payload as TokenClaims;
    },
    published: [{ ...(await exportJWK(publicKey)), kid: KEY_ID, use: 'sig', alg: ALGORITHM }],
  };
};
