import { randomBytes, randomInt, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** OWASP's cost for scrypt with 16 MB: a device signs in for every email, so memory matters more than a slow hash. */
const COST = { ln: 14, r: 8, p: 5 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What a hash of the configuration can cost at most: it is computed for everyone who knocks. */
const MAX_MEMORY = 256 * 1024 * 1024;

/** The PHC string format, as Python's passlib and others write it: base64 without padding. */
const FORM =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,64})\$([A-Za-z0-9+/]{22,128})$/;

/** What `smtp-door hash-password` prints, for people who gave something else. */
export const HASH_FORM = '$scrypt$ln=14,r=8,p=5$<salt>$<hash>, as `smtp-door hash-password` prints it';

type ParsedHash = { readonly salt: Buffer; readonly hash: Buffer; readonly options: ScryptOptions };

/** Reads a hash of a password; undefined if it is none, or one that costs too much. */
export const parsePasswordHash = (text: string): ParsedHash | undefined => {
  const [, ln = '', r = '', p = '', salt = '', hash = ''] = FORM.exec(text) ?? [];
  const [N, blocks, parallel] = [2 ** Number(ln), Number(r), Number(p)];
  const memory = 128 * N * blocks;
  if (hash === '' || N < 2 || blocks < 1 || parallel < 1 || parallel > 16 || memory > MAX_MEMORY)
    return undefined;
  return {
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
    options: { N, r: blocks, p: parallel, maxmem: 2 * memory },
  };
};

const derive = (password: string, { salt, hash, options }: ParsedHash): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password, salt, hash.length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/** The hash of a password with a new salt. */
export const hashPassword = async (password: string): Promise<string> => {
  const salt = randomBytes(SALT_BYTES);
  const { ln, r, p } = COST;
  const options = { N: 2 ** ln, r, p, maxmem: MAX_MEMORY };
  const hash = await derive(password, { salt, hash: Buffer.alloc(HASH_BYTES), options });
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`;
};

/** Whether a password belongs to a hash. It takes the same time for a wrong one. */
export const isPasswordOf = async (passwordHash: string, password: string): Promise<boolean> => {
  const parsed = parsePasswordHash(passwordHash);
  return parsed !== undefined && timingSafeEqual(await derive(password, parsed), parsed.hash);
};

/** Letters and digits that look different in every font. Old devices take nothing else, and no more than 32 of them. */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';
const LENGTH = 24;

/** A password that also an old device takes: 24 of 57 characters are 139 bits. */
export const makePassword = (): string =>
  Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('');
