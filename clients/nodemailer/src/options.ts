import type { GraphMailRelayOptions } from '../index.d.ts';
import { relayError } from './relay-error.ts';

/** Where the calls of a credential are, and how to send it. */
export type Door = {
  /** To which an email is posted. */
  readonly mail: string;
  /** With which to see that the relay accepts the credential, and what it then responds. */
  readonly check: { readonly url: string; readonly status: number; readonly code?: string };
  /** The header of the credential. A token can be another one at each request. */
  readonly credential: () => Promise<Record<string, string>>;
};

export type ReadOptions = { readonly door: Door; readonly timeoutMs: number };

/** Longer than the relay waits for Graph, which is 60 seconds. */
const DEFAULT_TIMEOUT_MS = 100_000;
const RELAY_KEY = 'gmr_';
/** There is no such email: a UUID of the year 2023 with no random bits. */
const NO_EMAIL = '01890000-0000-7000-8000-000000000000';
const OPTIONS = ['url', 'key', 'token', 'timeoutMs', 'fetch'];
const EXAMPLE = 'https://func-mail-relay-abc123.azurewebsites.net/api';

const wrong = (option: string, expected: string, received: string) =>
  relayError(`Wrong ${option} of graphMailRelay. Expected ${expected}. Received ${received}.`, {
    code: 'ECONFIG',
  });

/** Checks the options when the transport is made: a wrong address or no key is not found out with the first email. */
export const readOptions = (options: GraphMailRelayOptions): ReadOptions => {
  if (typeof options !== 'object' || options === null)
    throw wrong('options', `an object such as { url: '${EXAMPLE}', key: '...' }`, kindOf(options));
  const unknown = Object.entries(options).find(
    ([name, value]) => !OPTIONS.includes(name) && value !== undefined,
  );
  if (unknown !== undefined)
    throw wrong(
      `option ${unknown[0]}`,
      `${OPTIONS.join(', ')} and nothing else: the transport has no such option, so leave it out`,
      'it',
    );
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (!Number.isInteger(timeoutMs) || timeoutMs < 1 || timeoutMs > 2 ** 31 - 1)
    throw wrong('option timeoutMs', 'a whole number of milliseconds from 1 to 2147483647', kindOf(timeoutMs));
  if (options.fetch !== undefined && typeof options.fetch !== 'function')
    throw wrong('option fetch', 'a function such as fetch of Node.js', kindOf(options.fetch));
  return { door: doorOf(baseOf(options.url), options), timeoutMs };
};

const kindOf = (value: unknown): string => {
  if (value === undefined || value === null) return 'nothing';
  return typeof value === 'string' ? `text of ${value.length} characters` : `a value of type ${typeof value}`;
};

const isThisMachine = (host: string): boolean =>
  /^(?:localhost|.+\.localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(host);

/** Nothing but scheme, host and path is ever shown: there are keys in queries and passwords before an @. */
const baseOf = (written: unknown): string => {
  const url =
    typeof written === 'string' && URL.canParse(written.trim()) ? new URL(written.trim()) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw wrong(
      'option url',
      `the address of the relay that ends in /api, such as ${EXAMPLE}`,
      kindOf(written),
    );
  if (url.username !== '' || url.password !== '')
    throw wrong(
      'option url',
      'an address without user and password; put the key into the option key',
      'one with',
    );
  if (url.search !== '' || url.hash !== '')
    throw wrong('option url', 'an address without ? and #; put the key into the option key', 'one with');
  const path = url.pathname.replace(/\/+$/, '');
  if (url.protocol === 'http:' && !isThisMachine(url.hostname))
    throw wrong('option url', `https, so write https://${url.host}${path}`, 'http to another machine');
  if (!path.endsWith('/api')) {
    const before = /^(.*?\/api)(?:\/|$)/.exec(path)?.[1] ?? `${path}/api`;
    throw wrong(
      'option url',
      `an address that ends in /api, so write ${url.origin}${before}`,
      'one that does not',
    );
  }
  return `${url.origin}${path}`;
};

const doorOf = (base: string, { key, token }: GraphMailRelayOptions): Door => {
  if ((key === undefined || key === null) === (token === undefined || token === null))
    throw wrong(
      'options key and token',
      "one of them: key, which is 'gmr_...' or a function key, or token, a function that gives a token of Entra ID",
      key === undefined || key === null
        ? 'neither. If it comes from the environment, check that the variable is set'
        : 'both',
    );
  const v1 = { mail: `${base}/v1/mail`, check: { url: `${base}/v1/caller`, status: 200 } };
  if (token !== undefined && token !== null) {
    if (typeof token !== 'function')
      throw wrong('option token', 'a function that gives a promise of a token of Entra ID', kindOf(token));
    return { ...v1, credential: async () => ({ authorization: `Bearer ${tokenIn(await token())}` }) };
  }
  if (typeof key !== 'string' || !/^[\x21-\x7e]+$/.test(key))
    throw wrong('option key', 'the key of the application, without blanks or line breaks', kindOf(key));
  if (key.startsWith(RELAY_KEY)) return { ...v1, credential: async () => ({ 'x-api-key': key }) };
  return {
    mail: `${base}/mail`,
    // A function key has no rules of its own to ask for. That there is no such email, the relay says only to who has a valid key.
    check: { url: `${base}/mail/${NO_EMAIL}`, status: 404, code: 'MAIL_NOT_FOUND' },
    credential: async () => ({ 'x-functions-key': key }),
  };
};

/** What the function gave is no token, and would be none again. */
export class WrongToken extends TypeError {}

const tokenIn = (token: unknown): string => {
  if (typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)) return token;
  throw new WrongToken(`Expected a token of Entra ID as text without blanks, received ${kindOf(token)}.`);
};
