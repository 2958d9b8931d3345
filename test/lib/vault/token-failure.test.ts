import { describe, expect, test } from 'vitest';
import { catalogue, type ErrorCode } from '../../../src/lib/error-catalogue.ts';
import {
  chooseTokenFailure,
  decideTokenFailure,
  type EntraAnswer,
  mayBeTheCredential,
} from '../../../src/lib/vault/token-failure.ts';

const NOW = new Date('2026-11-26T12:00:00Z');
const minutesAgo = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000);

describe('what Entra says by number, whatever the status and the OAuth error are', () => {
  test.each<[number, ErrorCode]>([
    [7000215, 'CLIENT_SECRET_WRONG'],
    [7000222, 'CLIENT_SECRET_EXPIRED'],
    [700016, 'APP_UNKNOWN'],
    [7000112, 'APP_DISABLED'],
    [7000229, 'ENTERPRISE_APP_MISSING'],
    [90002, 'TENANT_UNKNOWN'],
    [900023, 'TENANT_UNKNOWN'],
    [500011, 'CLOUDS_MIXED'],
    [90038, 'CLOUDS_MIXED'],
    [900382, 'CLOUDS_MIXED'],
    [50196, 'ENTRA_THROTTLED'],
    [90055, 'ENTRA_THROTTLED'],
    [53003, 'CONDITIONAL_ACCESS_BLOCKED'],
    [53011, 'CONDITIONAL_ACCESS_BLOCKED'],
    [530032, 'CONDITIONAL_ACCESS_BLOCKED'],
    [530035, 'CONDITIONAL_ACCESS_BLOCKED'],
    [700027, 'CERTIFICATE_NOT_REGISTERED'],
    [7000213, 'CERTIFICATE_CHAIN_REFUSED'],
    [700024, 'ASSERTION_TIME_REFUSED'],
    [500133, 'ASSERTION_TIME_REFUSED'],
    [70021, 'FEDERATED_CREDENTIAL_MISSING'],
    [700211, 'FEDERATED_ISSUER_WRONG'],
    [700212, 'FEDERATED_AUDIENCE_WRONG'],
    [700213, 'FEDERATED_SUBJECT_WRONG'],
    [7002138, 'FEDERATED_SUBJECT_WRONG'],
  ])('AADSTS%i is %s', (aadsts, code) => {
    for (const status of [400, 401, 429, 503])
      for (const error of ['invalid_client', 'unauthorized_client', 'invalid_grant', undefined]) {
        const answer: EntraAnswer = { status, aadsts, ...(error === undefined ? {} : { error }) };
        expect(decideTokenFailure(answer)).toEqual({ code, aadsts });
      }
    expect(catalogue[code].remedy).toMatch(/AADSTS\d+\)?|retries automatically/);
  });

  test('a certificate that has expired has the number of one that is not registered', () => {
    const answer: EntraAnswer = { status: 401, error: 'invalid_client', aadsts: 700027, keyExpired: true };
    expect(decideTokenFailure(answer).code).toBe('CERTIFICATE_EXPIRED');
  });
});

describe('what Entra says without a number that is known', () => {
  test.each<[string, EntraAnswer | undefined, ErrorCode]>([
    ['nothing', undefined, 'ENTRA_UNREACHABLE'],
    ['429', { status: 429, error: 'invalid_client' }, 'ENTRA_THROTTLED'],
    ['500', { status: 500 }, 'ENTRA_UNREACHABLE'],
    ['503 with an OAuth error', { status: 503, error: 'invalid_client' }, 'ENTRA_UNREACHABLE'],
    ['temporarily_unavailable', { status: 400, error: 'temporarily_unavailable' }, 'ENTRA_UNREACHABLE'],
    [
      'unauthorized_client with a number of another meaning',
      { status: 400, error: 'unauthorized_client', aadsts: 700099 },
      'TOKEN_REFUSED',
    ],
    ['unauthorized_client', { status: 400, error: 'unauthorized_client' }, 'APP_UNKNOWN'],
    ['invalid_tenant', { status: 400, error: 'invalid_tenant' }, 'TENANT_UNKNOWN'],
    ['invalid_client', { status: 401, error: 'invalid_client', aadsts: 1 }, 'TOKEN_REFUSED'],
    [
      'a number that only begins as one of Conditional Access',
      { status: 400, aadsts: 5300321 },
      'TOKEN_REFUSED',
    ],
    ['invalid_scope', { status: 400, error: 'invalid_scope', aadsts: 70011 }, 'TOKEN_REFUSED'],
  ])('%s', (_case, answer, code) => {
    expect(decideTokenFailure(answer).code).toBe(code);
  });
});

test.each<[string, EntraAnswer | undefined, boolean]>([
  ['a wrong secret', { status: 401, error: 'invalid_client', aadsts: 7000215 }, true],
  ['an expired secret', { status: 401, error: 'invalid_client', aadsts: 7000222 }, true],
  ['a certificate that is not registered', { status: 401, error: 'invalid_client', aadsts: 700027 }, true],
  ['an unknown number with invalid_client', { status: 401, error: 'invalid_client', aadsts: 1 }, true],
  [
    'a registration without an enterprise application',
    { status: 401, error: 'invalid_client', aadsts: 7000229 },
    false,
  ],
  ['Conditional Access', { status: 401, error: 'invalid_client', aadsts: 53003 }, false],
  ['a disabled application', { status: 400, error: 'unauthorized_client', aadsts: 7000112 }, false],
  ['throttling with invalid_client', { status: 429, error: 'invalid_client' }, false],
  ['no answer', undefined, false],
])('another version is tried after %s: %s', (_case, answer, isTried) => {
  expect(mayBeTheCredential(answer)).toBe(isTried);
});

describe('of several versions that gave no token', () => {
  const wrong = { answer: { status: 401, error: 'invalid_client', aadsts: 7000215 }, failure: undefined };

  test.each<[string, Parameters<typeof chooseTokenFailure>[0], ErrorCode | undefined]>([
    ['none was tried', [], undefined],
    [
      'the newest decides',
      [
        { ...wrong, createdOn: minutesAgo(9) },
        {
          answer: { status: 401, error: 'invalid_client', aadsts: 7000222 },
          failure: undefined,
          createdOn: minutesAgo(5),
        },
      ],
      'CLIENT_SECRET_EXPIRED',
    ],
    [
      'one that is a minute old may not be known yet',
      [{ ...wrong, createdOn: minutesAgo(1) }],
      'CLIENT_SECRET_TOO_NEW',
    ],
    [
      'one that looks like an id is named so, however new',
      [{ ...wrong, createdOn: minutesAgo(1), looksLikeId: true }],
      'CLIENT_SECRET_IS_ID',
    ],
    [
      'an id that is the older one does not hide the newest',
      [
        { ...wrong, createdOn: minutesAgo(9), looksLikeId: true },
        { ...wrong, createdOn: minutesAgo(5) },
      ],
      'CLIENT_SECRET_WRONG',
    ],
    [
      'a value that cannot be used is told',
      [{ failure: undefined, createdOn: minutesAgo(1), unusable: 'CERTIFICATE_UNUSABLE' }],
      'CERTIFICATE_UNUSABLE',
    ],
    [
      'what time can fix comes first',
      [
        { ...wrong, createdOn: minutesAgo(5) },
        { failure: undefined, createdOn: minutesAgo(9) },
      ],
      'ENTRA_UNREACHABLE',
    ],
  ])('%s', (_case, refused, code) => {
    expect(chooseTokenFailure(refused, NOW)?.code).toBe(code);
  });
});
