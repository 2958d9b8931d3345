import { describe, expect, test } from 'vitest';
import { decideSecretWarnings } from '../../../src/lib/credentials/secret-expiry.ts';
import { toWarningMail } from '../../../src/lib/credentials/warning-mail.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import type { SecretFacts } from '../../../src/lib/ports.ts';
import { aSecret } from '../../support/fake-vault.ts';

const now = new Date('2026-11-22T07:00:00Z');
const DAY_MS = 86_400_000;
const inDays = (days: number): Date => new Date(now.getTime() + days * DAY_MS);
const secret = (expiresOn?: Date, enabled = true): SecretFacts =>
  aSecret({ enabled, ...(expiresOn === undefined ? {} : { expiresOn }) });
const decide = (facts: SecretFacts) => decideSecretWarnings([facts], [60, 30, 14, 7, 3, 1], now);

describe('a secret is worth a warning', () => {
  test.each([
    ['60 days ahead', 60, 'expiring', 60],
    ['half a day ahead', 0.5, 'expiring', 0],
    ['at the very moment', 0, 'expired', 0],
    ['yesterday', -1, 'expired', -1],
    ['long ago', -400, 'expired', -400],
  ])('%s', (_, days, state, daysLeft) => {
    expect(decide(secret(inDays(days)))).toEqual([
      { state, secretName: 'graph-client-secret', expiresOn: inDays(days), daysLeft },
    ]);
  });

  test('without an expiry date', () => {
    expect(decide(secret())).toEqual([{ state: 'no-expiry-date', secretName: 'graph-client-secret' }]);
  });
});

describe('a secret is not worth a warning', () => {
  test.each([
    ['with more days left than the largest warning day', secret(inDays(60.01))],
    ['disabled, though expired', secret(inDays(-1), false)],
    ['disabled, without a date', secret(undefined, false)],
  ])('%s', (_, facts) => {
    expect(decide(facts)).toEqual([]);
  });
});

describe('the warning is a mail of the contract that says what to do', () => {
  test.each([
    ['expiring', secret(inDays(7)), 'The secret graph-client-secret expires in 7 days (kv-relay)'],
    ['expiring tomorrow', secret(inDays(1)), 'The secret graph-client-secret expires in 1 day (kv-relay)'],
    ['expiring today', secret(inDays(0.2)), 'The secret graph-client-secret expires within a day (kv-relay)'],
    ['expired', secret(inDays(-3)), 'The secret graph-client-secret has expired (kv-relay)'],
    ['undated', secret(), 'The secret graph-client-secret has no expiry date in the vault (kv-relay)'],
  ])('%s', (_, facts, subject) => {
    for (const warning of decide(facts)) {
      const mail = readMail(
        toWarningMail(warning, { vault: 'kv-relay', recipients: ['ops@contoso.example'] }),
      );
      expect(mail.subject).toBe(subject);
      expect(mail.importance).toBe('high');
      expect(mail.text).toContain(
        warning.state === 'no-expiry-date'
          ? 'az keyvault secret set-attributes --vault-name kv-relay --name graph-client-secret --expires'
          : 'infra/scripts/store-client-secret.sh --vault-id',
      );
      expect(mail.text, 'no secret is written on a command line').not.toContain('--value');
    }
  });
});
