import { describe, expect, test } from 'vitest';
import { decideSender } from '../../../src/lib/callers/caller-policy.ts';
import { aCaller } from '../../support/a-caller.ts';
import { errorOf } from '../../support/problems-of.ts';

const policy = {
  defaultSender: { name: 'Contoso', address: 'noreply@contoso.example' },
  allowedSenders: ['Payroll@contoso.example', 'book@contoso.example', '*@service.contoso.example'],
};

describe('the sender of a caller without rules', () => {
  test('is the default one when the mail names none', () => {
    expect(decideSender(aCaller(), policy, {})).toEqual(policy.defaultSender);
  });

  test.each([
    'payroll@contoso.example',
    'PAYROLL@CONTOSO.EXAMPLE',
    'noreply@contoso.example',
    'anything@service.contoso.example',
  ])('may be %s', (address) => {
    expect(decideSender(aCaller(), policy, { from: { address } })).toEqual({ address });
  });

  test.each([
    'hr@contoso.example',
    'x@evil.service.contoso.example',
    'x@service.contoso.example.evil.example',
    'payroll@contoso.example.evil.example',
    // The Kelvin sign and the long s are k and s to a comparison without regard to case.
    'x@\u017fervice.contoso.example',
    'boo\u212a@contoso.example',
  ])('may not be %s', (address) => {
    const error = errorOf(() => decideSender(aCaller(), policy, { from: { address } }));
    expect(error.code).toBe('SENDER_NOT_ALLOWED');
    expect(JSON.stringify(error.facts)).not.toContain(address);
  });
});
