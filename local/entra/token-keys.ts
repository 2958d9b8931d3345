import {
  type CryptoKey,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  jwtVerify,
  SignJWT,
} from 'jose';

const ALGORITHM = 'RS256';
/** Entra publishes a new key long before it signs with it, and an old one while tokens of it live. */
const PUBLISHED_KEYS = 2;

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

/** What an API reads in a token of version 2. */
export type ApiTokenClaims = Omit<TokenClaims, 'appid'> & {
  readonly azp: string;
  readonly azpacr: string;
  readonly oid: string;
  readonly sub: string;
  readonly ver: '2.0';
};

export type TokenKeys = {
  readonly sign: (claims: TokenClaims | ApiTokenClaims) => Promise<string>;
  /** The claims of a token for Graph or the vault that these keys signed and that is valid now; throws otherwise. */
  readonly verify: (token: string) => Promise<TokenClaims>;
  /** The claims of any token that these keys signed and that is valid then; throws otherwise. */
  readonly verifyAny: (token: string, at: Date) => Promise<JWTPayload>;
  /** The public half, as Entra publishes it at `discovery/v2.0/keys`. */
  readonly published: () => readonly JWK[];
  /** Signs with a new key from now on, as Entra does from time to time. The one before stays published. */
  readonly roll: () => Promise<void>;
};

type Pair = { readonly keyId: string; readonly privateKey: CryptoKey; readonly jwk: JWK };

const makePair = async (number: number): Promise<Pair> => {
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHM);
  const keyId = `local-cloud-${number}`;
  return {
    keyId,
    privateKey,
    // Entra's have no `alg`.
    jwk: { ...(await exportJWK(publicKey)), kid: keyId, use: 'sig' },
  };
};

/** Makes a new pair of keys, for as long as this process runs. */
export const makeTokenKeys = async (now: () => Date = () => new Date()): Promise<TokenKeys> => {
  let count = 1;
  let current = await makePair(count);
  let published = [current.jwk];
  let keyOf = createLocalJWKSet({ keys: published });
  return {
    sign: (claims) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT', kid: current.keyId })
        .sign(current.privateKey),
    verify: async (token) => {
      const { payload } = await jwtVerify(token, keyOf, {
        algorithms: [ALGORITHM],
        currentDate: now(),
        requiredClaims: ['aud', 'iss', 'tid', 'appid', 'iat', 'nbf', 'exp'],
      });
      return payload as TokenClaims;
    },
    verifyAny: async (token, at) =>
      (
        await jwtVerify(token, keyOf, {
          algorithms: [ALGORITHM],
          currentDate: at,
          requiredClaims: ['exp'],
        })
      ).payload,
    published: () => published,
    roll: async () => {
      count += 1;
      current = await makePair(count);
      published = [current.jwk, ...published].slice(0, PUBLISHED_KEYS);
      keyOf = createLocalJWKSet({ keys: published });
    },
  };
};
