import { describe, expect, test } from 'vitest';
import {
  claimsOf,
  type GoingMail,
  requireWithinBudgets,
  type TenantLimits,
} from '../../../src/lib/sending/external-recipients.ts';

const LIMITS: TenantLimits = {
  tenant: 'global/contoso.example',
  domains: ['contoso.example', 'xn--bcher-kva.example'],
  external: 9,
  onmicrosoft: 3,
};
const limitsOf = () => LIMITS;

const going = (sender: string, recipients: readonly string[], more: Partial<GoingMail> = {}): GoingMail => ({
  mail: { to: recipients.slice(0, 1).map(toAddress), cc: [], bcc: recipients.slice(1).map(toAddress) },
  sender: { address: sender },
  handling: { kind: 'send' },
  ...more,
});
const toAddress = (address: string) => ({ address });
const counts = (mail: GoingMail, limits = LIMITS) =>
  claimsOf(() => limits, mail).map(({ kind, recipients, limit }) => [kind, recipients, limit]);

describe('a recipient is external', () => {
  test.each<[string, string, number]>([
    ['outside the domains of the tenant', 'ann@fabrikam.example', 1],
    ['in a subdomain, which is another domain', 'ann@mail.contoso.example', 1],
    ['and not in a domain of the tenant, however it is written', 'Ann@CONTOSO.example', 0],
    ['and not in the ASCII form of such a domain', 'ann@bücher.example', 0],
    ['and not in the domain of the sender', 'ann@payroll.example', 0],
  ])('%s', (_case, recipient, count) => {
    expect(counts(going('erp@payroll.example', [recipient]))).toEqual(
      count === 0 ? [] : [['tenant', count, 9]],
    );
  });

  test('in each of the three fields, and once for each time it is named', () => {
    const mail = {
      to: [{ address: 'a@x.example' }],
      cc: [{ address: 'b@x.example' }],
      bcc: [{ address: 'a@x.example' }],
    };
    expect(counts(going('erp@contoso.example', [], { mail }))).toEqual([['tenant', 3, 9]]);
  });

  test('as the address to which a redirected email goes, whoever it was for', () => {
    const to = { address: 'test@contoso.example' };
    const many = ['a@x.example', 'b@x.example'];
    expect(counts(going('erp@contoso.example', many, { handling: { kind: 'redirect', to } }))).toEqual([]);
    expect(counts(going('erp@contoso.example', many, { handling: { kind: 'capture' } }))).toEqual([]);
  });
});

describe('the limit of onmicrosoft.com', () => {
  test.each([
    'contoso.onmicrosoft.com',
    'CONTOSO.mail.onmicrosoft.com',
    'contoso.partner.onmschina.cn',
    'contoso.onmicrosoft.us',
  ])('is for senders in %s, beside that of the tenant', (domain) => {
    expect(counts(going(`erp@${domain}`, ['a@x.example']))).toEqual([
      ['tenant', 1, 9],
      ['onmicrosoft', 1, 3],
    ]);
  });

  test.each(['onmicrosoft.com.example', 'notonmicrosoft.com'])('is not for senders in %s', (domain) => {
    expect(counts(going(`erp@${domain}`, ['a@x.example']))).toEqual([['tenant', 1, 9]]);
  });

  test('holds where the recipients of the tenant are not counted', () => {
    const { external: _, ...uncounted } = LIMITS;
    expect(counts(going('erp@contoso.onmicrosoft.com', ['a@x.example']), uncounted)).toEqual([
      ['onmicrosoft', 1, 3],
    ]);
    expect(counts(going('erp@contoso.example', ['a@x.example']), uncounted)).toEqual([]);
  });
});

test('an email with more external recipients than a whole day has is refused, with the limit', () => {
  const to = (count: number) => Array.from({ length: count }, (_, index) => `r${index}@x.example`);
  const outcome = (sender: string, count: number): unknown => {
    try {
      return requireWithinBudgets(limitsOf, going(sender, to(count)));
    } catch (error) {
      return error;
    }
  };
  expect(outcome('erp@contoso.example', 9)).toBeUndefined();
  expect(outcome('erp@contoso.example', 10)).toMatchObject({
    code: 'EXTERNAL_RECIPIENTS_TOO_MANY',
    facts: {
      detail:
        'Expected at most 9 external recipients, the limit of the tenant in 24 hours. Received an email with 10.',
    },
  });
  expect(outcome('erp@contoso.onmicrosoft.com', 4)).toMatchObject({ code: 'EXTERNAL_RECIPIENTS_TOO_MANY' });
});
