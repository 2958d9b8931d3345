import { AppError } from '../errors.ts';
import { looksLikeKey } from './caller-key.ts';

/*
 * What a request presents to prove whose it is. Each address takes exactly one credential: of two, the relay would have to choose whose
 * email it is, and a proxy in front could choose the other one. No text of a credential is in an error.
 */

/** Where credentials can be in a request. Values of one header that was sent twice are joined by commas, as HTTP has it. */
export type Presented = {
  readonly authorization: string | undefined;
  readonly apiKey: string | undefined;
  readonly functionKey: string | undefined;
  readonly query: readonly (readonly [name: string, value: string])[];
};

/** A credential that is well formed; whether it is right is still to be found out. */
export type Credential =
  | { readonly kind: 'key'; readonly text: string }
  | { readonly kind: 'token'; readonly text: string };

/** The values of a header: none, or one more than it has commas. No credential has a comma in it. */
const valuesOf = (header: string | undefined): readonly string[] =>
  header === undefined ? [] : header.split(',').map((value) => value.trim());

const unknown = (detail: string): AppError => new AppError('CALLER_UNKNOWN', { detail });

const ambiguous = (detail: string): AppError => new AppError('CREDENTIALS_AMBIGUOUS', { detail });

/** Undefined for another scheme; empty where nothing follows it. */
const bearerOf = (value: string): string | undefined => {
  const found = /^bearer(?:\s+(.*))?$/i.exec(value);
  return found === null ? undefined : (found[1] ?? '');
};

/** Addresses end up in the logs of every server on the way. */
const requireNoKeyInQuery = (query: Presented['query']): void => {
  if (query.some(([, value]) => looksLikeKey(value.trim())))
    throw unknown(
      'The address has a key of the relay in its query, where logs of other servers keep it. Send the key in the header `Authorization: Bearer gmr_...` or `x-api-key`, and have this one replaced: `npm run callers -- rotate-key NAME`.',
    );
};

const codesIn = (query: Presented['query']): readonly string[] =>
  query.filter(([name]) => name.toLowerCase() === 'code').flatMap(([, value]) => valuesOf(value));

/**
 * The function key of a request to `/api/mail`, which the host has checked: the header before the query, and of several the first. The
 * same key twice is one credential. An Authorization header there is of a front end, such as Easy Auth, unless it has a key of the relay.
 * Throws CALLER_UNKNOWN, CREDENTIALS_AMBIGUOUS.
 */
export const readFunctionKey = ({ authorization, apiKey, functionKey, query }: Presented): string => {
  requireNoKeyInQuery(query);
  const own = [
    ...valuesOf(authorization).map((value) => bearerOf(value) ?? value),
    ...valuesOf(apiKey),
  ].filter(looksLikeKey);
  const given = [...valuesOf(functionKey), ...codesIn(query)];
  const [key = '', ...others] = new Set(given);
  if (given.every((value) => value === ''))
    throw unknown(
      own.length === 0
        ? 'Expected a function key in the header x-functions-key, received none.'
        : 'A key of the relay was sent to an address that takes function keys. Send it to `/api/v1/mail`.',
    );
  if (own.length > 0) throw ambiguous('Expected one key, received a function key and a key of the relay.');
  if (others.length > 0) throw ambiguous('Expected one function key, received several different ones.');
  return key;
};

/** A JSON Web Token begins with the base64url of `{"`. */
const TOKEN = /^eyJ[\w-]*\.[\w-]*\.[\w-]*$/;

const readBearer = (value: string): Credential => {
  const text = bearerOf(value);
  if (text === undefined)
    throw unknown('Expected the scheme Bearer in the header Authorization, received something else.');
  if (looksLikeKey(text)) return { kind: 'key', text };
  if (text.startsWith('eyJ')) {
    if (!TOKEN.test(text))
      throw new AppError('TOKEN_NOT_ACCEPTED', {
        detail: 'Expected a signed token (JWT) with three parts, received something else.',
      });
    return { kind: 'token', text };
  }
  throw unknown(
    'Expected in the header Authorization a key of the relay (gmr_...) or a token from Entra ID (eyJ...), received something else.',
  );
};

const readApiKey = (text: string): Credential => {
  if (looksLikeKey(text)) return { kind: 'key', text };
  throw unknown('Expected in the header x-api-key a key of the relay (gmr_...), received something else.');
};

/**
 * The key of the relay, or the token, of a request to `/api/v1`. Headers of Easy Auth that name a principal are no credential. Throws
 * CALLER_UNKNOWN, CREDENTIALS_AMBIGUOUS, TOKEN_NOT_ACCEPTED.
 */
export const readCredential = ({ authorization, apiKey, functionKey, query }: Presented): Credential => {
  requireNoKeyInQuery(query);
  const bearers = valuesOf(authorization);
  const apiKeys = valuesOf(apiKey);
  const functionKeys = [...valuesOf(functionKey), ...codesIn(query)];
  const isEmpty = (value: string): boolean => value === '' || bearerOf(value) === '';
  const all = [...bearers, ...apiKeys, ...functionKeys];
  if (all.every(isEmpty))
    throw unknown('Expected a key of the relay or a token from Entra ID, received none.');
  if (all.length > 1)
    throw ambiguous(`Expected one key or token, received ${all.length}, where an empty one counts.`);
  if (functionKeys.length > 0)
    throw unknown(
      'Expected a key of the relay in the header Authorization or x-api-key, received something where function keys are. Function keys open `/api/mail`.',
    );
  const [bearer] = bearers;
  return bearer === undefined ? readApiKey(apiKeys[0] ?? '') : readBearer(bearer);
};
