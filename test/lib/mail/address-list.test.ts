import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../../src/lib/mail/address.ts';
import { parseAddresses, readAddresses } from '../../../src/lib/mail/address-list.ts';

describe('addresses are read as people write them, and all of a name is kept', () => {
  test.each<[string, readonly Address[]]>([
    ['a@x.com; b@y.com', [{ address: 'a@x.com' }, { address: 'b@y.com' }]],
    ['a@x.com, b@y.com;', [{ address: 'a@x.com' }, { address: 'b@y.com' }]],
    ['<a@example.com>', [{ address: 'a@example.com' }]],
    ['[EXT] John <a@example.com>', [{ name: '[EXT] John', address: 'a@example.com' }]],
    ['Team: Sales <a@example.com>', [{ name: 'Team: Sales', address: 'a@example.com' }]],
    ['foo@beep.com <foo@beep.com>', [{ name: 'foo@beep.com', address: 'foo@beep.com' }]],
    ['John Doe (Contoso) <j@example.com>', [{ name: 'John Doe (Contoso)', address: 'j@example.com' }]],
    ['John (a, b; c) <j@example.com>', [{ name: 'John (a, b; c)', address: 'j@example.com' }]],
    ['a@example.com (Foo Bar)', [{ name: 'Foo Bar', address: 'a@example.com' }]],
    ['"Doe; John, Jr" <j@example.com>', [{ name: 'Doe; John, Jr', address: 'j@example.com' }]],
    ['"John \\"J\\" Doe" <j@example.com>', [{ name: 'John "J" Doe', address: 'j@example.com' }]],
    ['Mr "J" Doe <j@example.com>', [{ name: 'Mr J Doe', address: 'j@example.com' }]],
    ["O'Neil <o'neil@example.com>", [{ name: "O'Neil", address: "o'neil@example.com" }]],
    ['👩‍👧 क्‍ष <a@example.com>', [{ name: '👩‍👧 क्‍ष', address: 'a@example.com' }]],
  ])('%s', (text, addresses) => {
    expect(parseAddresses(text)).toEqual(addresses);
  });

  test.each([
    'John Doe',
    'Chan, Tai Man <chan@example.com>',
    '"john.no.doe."@example.jp',
    '"John" a@example.com',
    'a@example.com b@example.com',
    'John <a@example.com> Doe',
    'John <a@example.com',
    'John (Contoso <a@example.com>',
    '"John <a@example.com>',
    '<<a@example.com>>',
    'a@example.com (one) (two)',
    'Team: a@example.com, b@example.com;',
    'undisclosed-recipients:;',
  ])('%s is refused, not guessed at', (text) => {
    expect(parseAddresses(text)).toBeUndefined();
  });
});

describe('each wrong place of a list is told by its number', () => {
  const long = `${'l'.repeat(65)}@example.com`;
  test.each<[string, readonly [place: number, expected: string][]]>([
    ['a@x.com, b@x.com, c@x, d@x.com', [[3, 'has a dot in it']]],
    [
      `a@x.com;; ${long} ; d`,
      [
        [2, 'before the @'],
        [3, 'name@example.com, Name <name@example.com>'],
      ],
    ],
    ['Chan, Tai Man <chan@example.com>', [[1, 'name@example.com, Name <name@example.com>']]],
    ['a@x.com, "b <b@x.com>, c', [[2, 'name@example.com, Name <name@example.com>']]],
  ])('%s', (text, expected) => {
    const { wrong } = readAddresses(text);
    expect(wrong.map(({ place }) => place)).toEqual(expected.map(([place]) => place));
    for (const [index, [, part]] of expected.entries()) expect(wrong[index]?.expected).toContain(part);
  });
});

const name = fc
  .string({ unit: 'grapheme', maxLength: 20 })
  .map((text) => text.trim())
  .filter((text) => !/[\p{Cc}\p{Cs}]/u.test(text));
const address = fc.tuple(
  fc.stringMatching(/^[a-z0-9!#$%&'*+/=?^_`{|}~-]{1,20}$/),
  fc.stringMatching(/^[a-z][a-z0-9]{0,10}(\.[a-z]{2,5}){1,2}$/),
);
const person = fc
  .record({ name, address: address.map((parts) => parts.join('@')) })
  .map((one): Address => (one.name === '' ? { address: one.address } : one));
const write = ({ name: shown, address: bare }: Address): string =>
  shown === undefined ? bare : `"${shown.replace(/["\\]/g, '\\$&')}" <${bare}>`;

test('what was read, written and read again is the same, with commas or semicolons between', () => {
  fc.assert(
    fc.property(
      fc.array(person, { maxLength: 6 }),
      fc.constantFrom(',', ';', ' ; ', ',,'),
      (people, between) => {
        expect(parseAddresses(people.map(write).join(between))).toEqual(people);
      },
    ),
  );
});

test('any text is a list of whole addresses or refused, and says the same of commas and semicolons', () => {
  const noise = fc.array(fc.constantFrom('a@b.cc', '"', '(', ')', '<', '>', '\\', ',', ' ', 'x', '@', '.'), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(noise, (parts) => {
      const text = parts.join('');
      const read = parseAddresses(text);
      for (const one of read ?? []) expect(parseAddresses(write(one))).toEqual([one]);
      expect(parseAddresses(text.replaceAll(',', ';'))?.map((one) => one.address)).toEqual(
        read?.map((one) => one.address),
      );
    }),
    { numRuns: 2000 },
  );
});
