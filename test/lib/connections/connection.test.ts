import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Connection, connectionOf, vaultNameOf } from '../../../src/lib/connections/connection.ts';
import { aConnection } from '../../support/a-connection.ts';

const main = aConnection('main');
const fabrikam = aConnection('fabrikam', { senders: ['*@fabrikam.example', 'billing@contoso.example'] });
const hr = aConnection('hr', { senders: ['payroll@fabrikam.example', '*@hr.contoso.example'] });
const all = [main, fabrikam, hr] as const;

describe('the connection that sends for a mailbox', () => {
  test.each([
    ['billing@contoso.example', 'fabrikam', 'it names the address'],
    ['anyone@fabrikam.example', 'fabrikam', 'it names the domain'],
    ['payroll@fabrikam.example', 'hr', 'it names the address, and another one the domain'],
    ['PayRoll@Fabrikam.EXAMPLE', 'hr', 'it names the address in another spelling'],
    ['Billing@CONTOSO.example', 'fabrikam', 'it names the address in another spelling'],
    ['other@contoso.example', 'main', 'no other names it'],
    ['anyone@sub.fabrikam.example', 'main', 'a domain does not include its subdomains'],
    ['anyone@notfabrikam.example', 'main', 'a domain is not the end of another'],
    ['*@fabrikam.example', 'fabrikam', 'a pattern is of its own domain'],
    ['', 'main', 'an email without a known sender has no other'],
    // The Kelvin sign looks like k and is another letter.
    ['anyone@fabri\u212aam.example', 'main', 'a letter that only looks the same is another'],
  ])('of %s is %s: %s', (mailbox, name) => {
    expect(connectionOf(all, mailbox).name).toBe(name);
  });

  test('does not depend on the order in which settings name them, nor on how an address is written', () => {
    const local = fc.constantFrom('a', 'b', 'c');
    const domain = fc.constantFrom('one.example', 'two.example', 'three.example');
    const address = fc.tuple(local, domain).map(([name, at]) => `${name}@${at}`);
    const pattern = fc.oneof(
      address,
      domain.map((one) => `*@${one}`),
    );
    // As settings are checked: no two connections have the same pattern.
    const settings = fc
      .uniqueArray(pattern, { minLength: 1, maxLength: 8 })
      .chain((patterns) =>
        fc.tuple(
          fc.constant(patterns),
          fc.array(fc.nat(2), { minLength: patterns.length, maxLength: patterns.length }),
        ),
      );
    fc.assert(
      fc.property(settings, address, ([patterns, owners], mailbox) => {
        const others = ['x', 'y', 'z'].map((name, index) =>
          aConnection(name, { senders: patterns.filter((_one, at) => owners[at] === index) }),
        );
        const expected = ownerOf(others, mailbox) ?? ownerOf(others, `*@${mailbox.split('@')[1]}`) ?? 'main';
        for (const spelling of [mailbox, mailbox.toUpperCase()])
          for (const order of [others, others.toReversed()])
            expect(connectionOf([main, ...order], spelling).name).toBe(expected);
      }),
    );
  });
});

const ownerOf = (connections: readonly Connection[], pattern: string): string | undefined =>
  connections.find(({ senders }) => senders.includes(pattern))?.name;

test.each<[Connection['credential'], string | undefined]>([
  [{ kind: 'client-secret', secretName: 'a-secret' }, 'a-secret'],
  [{ kind: 'certificate', certificateName: 'a-certificate' }, 'a-certificate'],
  [{ kind: 'managed-identity' }, undefined],
  [{ kind: 'federated' }, undefined],
])('a credential is in the vault where it is a secret or a certificate: %o', (credential, name) => {
  expect(vaultNameOf(credential)).toBe(name);
});
