import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeKey } from '../../../src/lib/callers/caller-key.ts';
import { type Presented, readCredential, readFunctionKey } from '../../../src/lib/callers/credentials.ts';
import { AppError } from '../../../src/lib/errors.ts';

const KEY = makeKey(new Date(0)).text;
const OTHER = makeKey(new Date(0)).text;
const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.c2ln';

const presented = (given: Partial<Presented>): Presented => ({
  authorization: undefined,
  apiKey: undefined,
  functionKey: undefined,
  query: [],
  ...given,
});

/** What is read of a request, or the code with which it is refused. */
const outcome = (read: () => unknown): unknown => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.message).not.toMatch(/canary|gmr_[a-z2-9]{10}/);
    return error.code;
  }
};

describe('/api/v1 takes one key of the relay or one token', () => {
  test.each<[string, Partial<Presented>, unknown]>([
    ['a key as Bearer', { authorization: `Bearer ${KEY}` }, { kind: 'key', text: KEY }],
    ['Bearer in any case', { authorization: `bEARER  ${KEY} ` }, { kind: 'key', text: KEY }],
    ['a key in x-api-key', { apiKey: KEY }, { kind: 'key', text: KEY }],
    ['a token as Bearer', { authorization: `Bearer ${TOKEN}` }, { kind: 'token', text: TOKEN }],
    ['what begins as a key', { apiKey: 'gmr_canary' }, { kind: 'key', text: 'gmr_canary' }],
    ['a query without a key', { apiKey: KEY, query: [['dryRun', 'true']] }, { kind: 'key', text: KEY }],

    ['nothing', {}, 'CALLER_UNKNOWN'],
    ['an empty header', { authorization: '' }, 'CALLER_UNKNOWN'],
    ['the scheme alone', { authorization: 'Bearer' }, 'CALLER_UNKNOWN'],
    ['empty headers of each kind', { authorization: 'Bearer ', apiKey: ' ' }, 'CALLER_UNKNOWN'],
    ['another scheme', { authorization: `Basic ${KEY}` }, 'CALLER_UNKNOWN'],
    ['no scheme', { authorization: KEY }, 'CALLER_UNKNOWN'],
    ['a Bearer that is neither', { authorization: 'Bearer canary' }, 'CALLER_UNKNOWN'],
    ['a token in x-api-key', { apiKey: TOKEN }, 'CALLER_UNKNOWN'],
    ['a function key', { functionKey: 'canary' }, 'CALLER_UNKNOWN'],
    ['a function key in the query', { query: [['Code', 'canary']] }, 'CALLER_UNKNOWN'],
    ['a key of the relay where function keys are', { functionKey: KEY }, 'CALLER_UNKNOWN'],
    ['a key of the relay in the query', { query: [['code', KEY]] }, 'CALLER_UNKNOWN'],
    ['a key of the relay in the query under any name', { query: [['apikey', KEY]] }, 'CALLER_UNKNOWN'],
    ['the same also in a header', { apiKey: KEY, query: [['key', KEY]] }, 'CALLER_UNKNOWN'],
    ['a token with two dots too many', { authorization: `Bearer ${TOKEN}.a.b` }, 'TOKEN_NOT_ACCEPTED'],
    ['a token without a signature', { authorization: 'Bearer eyJhIjoxfQ.e30' }, 'TOKEN_NOT_ACCEPTED'],

    ['two headers, joined', { authorization: `Bearer ${KEY}, Bearer ${OTHER}` }, 'CREDENTIALS_AMBIGUOUS'],
    ['one key twice', { apiKey: `${KEY},${KEY}` }, 'CREDENTIALS_AMBIGUOUS'],
    ['an empty one beside it', { apiKey: `${KEY},` }, 'CREDENTIALS_AMBIGUOUS'],
    ['an empty header beside it', { authorization: '', apiKey: KEY }, 'CREDENTIALS_AMBIGUOUS'],
    ['both headers', { authorization: `Bearer ${KEY}`, apiKey: KEY }, 'CREDENTIALS_AMBIGUOUS'],
    ['a token and a key', { authorization: `Bearer ${TOKEN}`, apiKey: KEY }, 'CREDENTIALS_AMBIGUOUS'],
    ['a function key beside it', { apiKey: KEY, functionKey: 'canary' }, 'CREDENTIALS_AMBIGUOUS'],
    ['a code beside it', { apiKey: KEY, query: [['CODE', 'canary']] }, 'CREDENTIALS_AMBIGUOUS'],
    ['an empty code beside it', { apiKey: KEY, query: [['code', '']] }, 'CREDENTIALS_AMBIGUOUS'],
  ])('%s', (_case, given, expected) => {
    expect(outcome(() => readCredential(presented(given)))).toEqual(expected);
  });
});

describe('/api/mail takes one function key', () => {
  test.each<[string, Partial<Presented>, unknown]>([
    ['in the header', { functionKey: 'a' }, 'a'],
    ['in the query, in any case', { query: [['CoDe', 'a']] }, 'a'],
    ['the same twice', { functionKey: 'a, a' }, 'a'],
    ['the same in both', { functionKey: 'a', query: [['code', 'a']] }, 'a'],
    ['beside a token of Easy Auth', { functionKey: 'a', authorization: `Bearer ${TOKEN}` }, 'a'],
    ['beside Basic of a front end', { functionKey: 'a', authorization: 'Basic Zm9v' }, 'a'],
    ['beside a key of another gateway', { functionKey: 'a', apiKey: 'b' }, 'a'],

    ['nothing', {}, 'CALLER_UNKNOWN'],
    ['an empty one', { functionKey: '' }, 'CALLER_UNKNOWN'],
    ['a token of Easy Auth alone', { authorization: `Bearer ${TOKEN}` }, 'CALLER_UNKNOWN'],
    ['a key of the relay alone', { authorization: `Bearer ${KEY}` }, 'CALLER_UNKNOWN'],
    ['a key of the relay in the query', { functionKey: 'a', query: [['k', KEY]] }, 'CALLER_UNKNOWN'],

    ['two different ones', { functionKey: 'a,b' }, 'CREDENTIALS_AMBIGUOUS'],
    [
      'two in the query',
      {
        query: [
          ['code', 'a'],
          ['Code', 'b'],
        ],
      },
      'CREDENTIALS_AMBIGUOUS',
    ],
    ['two in the query, joined', { query: [['code', 'a,b']] }, 'CREDENTIALS_AMBIGUOUS'],
    ['another in the query', { functionKey: 'a', query: [['code', 'b']] }, 'CREDENTIALS_AMBIGUOUS'],
    ['an empty header beside it', { functionKey: '', query: [['code', 'a']] }, 'CREDENTIALS_AMBIGUOUS'],
    ['a key of the relay beside it', { functionKey: 'a', apiKey: KEY }, 'CREDENTIALS_AMBIGUOUS'],
    ['the same as Bearer', { functionKey: 'a', authorization: `bearer ${KEY}` }, 'CREDENTIALS_AMBIGUOUS'],
    ['the same without a scheme', { functionKey: 'a', authorization: KEY }, 'CREDENTIALS_AMBIGUOUS'],
  ])('%s', (_case, given, expected) => {
    expect(outcome(() => readFunctionKey(presented(given)))).toEqual(expected);
  });
});

/** Anything that a header or a query can have, of which much looks like a credential. */
const value = fc.oneof(
  fc.constantFrom(KEY, OTHER, TOKEN, '', ' ', 'Bearer', 'gmr_', 'eyJ', 'canary-function-key'),
  fc.string({ maxLength: 40 }),
);
const header = fc.option(
  fc
    .array(fc.tuple(fc.constantFrom('', 'Bearer ', 'bearer ', 'Basic '), value), {
      minLength: 1,
      maxLength: 3,
    })
    .map((values) => values.map(([scheme, text]) => scheme + text).join(', ')),
  { nil: undefined },
);
const request: fc.Arbitrary<Presented> = fc.record({
  authorization: header,
  apiKey: header,
  functionKey: header,
  query: fc.array(fc.tuple(fc.constantFrom('code', 'CODE', 'key', 'dryRun'), value), { maxLength: 3 }),
});

test('whatever a request has, at most one credential is read of it, and it is in the request as it is', () => {
  fc.assert(
    fc.property(request, (given) => {
      const all = [
        given.authorization,
        given.apiKey,
        given.functionKey,
        ...given.query.map(([, text]) => text),
      ];
      for (const read of [() => readCredential(given).text, () => readFunctionKey(given)]) {
        const result = outcome(read);
        if (['CALLER_UNKNOWN', 'CREDENTIALS_AMBIGUOUS', 'TOKEN_NOT_ACCEPTED'].includes(String(result)))
          continue;
        expect(result).not.toBe('');
        expect(all.some((text) => text?.includes(String(result)))).toBe(true);
      }
      // A second credential of any kind is never passed over.
      const two = { ...given, apiKey: KEY, authorization: `Bearer ${OTHER}` };
      expect(outcome(() => readCredential(two))).toMatch(/^C[A-Z]+_(AMBIGUOUS|UNKNOWN)$/);
    }),
  );
});
