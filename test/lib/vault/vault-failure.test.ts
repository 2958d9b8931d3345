import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/lib/error-catalogue.ts';
import {
  decideVaultFailure,
  toIdentityError,
  type VaultFailure,
} from '../../../src/lib/vault/vault-failure.ts';

const forbidden = (innerCode: string | undefined, message = 'x'): VaultFailure => ({
  name: 'RestError',
  statusCode: 403,
  message,
  details: { error: innerCode === undefined ? {} : { innerError: { code: innerCode } } },
});

const unavailable = (cause?: unknown): VaultFailure =>
  Object.assign(new Error('ManagedIdentityCredential: Authentication failed.', { cause }), {
    name: 'CredentialUnavailableError',
  });

describe('what a failure of the vault means', () => {
  test.each<[string, VaultFailure, ErrorCode]>([
    ['SecretDisabled', forbidden('SecretDisabled'), 'SECRET_DISABLED'],
    ['SecretNotYetValid', forbidden('SecretNotYetValid'), 'SECRET_NOT_YET_VALID'],
    ['SecretExpired', forbidden('SecretExpired'), 'SECRET_EXPIRED_IN_VAULT'],
    ['ForbiddenByRbac', forbidden('ForbiddenByRbac'), 'VAULT_ACCESS_DENIED'],
    ['AccessDenied of an access policy', forbidden('AccessDenied'), 'VAULT_ACCESS_DENIED'],
    ['ForbiddenByFirewall', forbidden('ForbiddenByFirewall'), 'VAULT_FIREWALL'],
    ['ForbiddenByConnection', forbidden('ForbiddenByConnection'), 'VAULT_PRIVATE'],
    ['a code that is no code', forbidden('toString'), 'VAULT_ACCESS_DENIED'],
    [
      'the firewall in words',
      forbidden(undefined, 'Client address is not authorized and caller is not a trusted service.'),
      'VAULT_FIREWALL',
    ],
    [
      'no public access, in words',
      forbidden(
        undefined,
        'Public network access is disabled and request is not from a trusted service nor via an approved private link.',
      ),
      'VAULT_PRIVATE',
    ],
    [
      'not yet valid, in words',
      forbidden(undefined, 'Operation get is not allowed on a secret not yet valid.'),
      'SECRET_NOT_YET_VALID',
    ],
    ['401', { statusCode: 401 }, 'VAULT_ACCESS_DENIED'],
    ['404', { statusCode: 404 }, 'SECRET_NOT_FOUND'],
    ['429', { statusCode: 429 }, 'VAULT_UNREACHABLE'],
    ['503', { statusCode: 503 }, 'VAULT_UNREACHABLE'],
    ['a name that does not exist', { code: 'ENOTFOUND' }, 'VAULT_NAME_UNKNOWN'],
    ['a name server that does not answer', { code: 'EAI_AGAIN' }, 'VAULT_UNREACHABLE'],
    ['a connection that is refused', { code: 'ECONNREFUSED' }, 'VAULT_UNREACHABLE'],
    ['no identity', unavailable(), 'IDENTITY_UNAVAILABLE'],
    ['an identity endpoint that is throttled', unavailable({ status: 429 }), 'IDENTITY_UNREACHABLE'],
    ['an identity endpoint that is broken', unavailable({ status: 500 }), 'IDENTITY_UNREACHABLE'],
    [
      'an identity endpoint without an answer',
      unavailable({ errorCode: 'network_error' }),
      'IDENTITY_UNREACHABLE',
    ],
    ['an identity that the app does not have', unavailable({ status: 400 }), 'IDENTITY_UNAVAILABLE'],
  ])('%s', (_case, failure, code) => {
    expect(decideVaultFailure(failure)).toBe(code);
  });
});

test('a refusal of Entra that the identity endpoint quotes is not taken for one of the registration', () => {
  const quoted = new Error('ManagedIdentityCredential: Authentication failed. Message 400 AADSTS500011: x');
  const { code, facts } = toIdentityError(quoted);
  expect([code, facts.upstreamCode]).toEqual(['IDENTITY_UNAVAILABLE', 'AADSTS500011']);
});
