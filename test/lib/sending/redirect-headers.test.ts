import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodedForms } from '../../../src/lib/mail/decoded-forms.ts';
import { isKeptHeader } from '../../../src/lib/sending/redirect-headers.ts';

const SENDER = 'noreply@contoso.example';
const HIDDEN = 'audit.team@bcc.example';
const isKept = (value: string, name = 'X-Note') => isKeptHeader({ name, value }, SENDER, [HIDDEN]);

const hex = (text: string, sign: string) =>
  [...Buffer.from(text)].map((byte) => sign + byte.toString(16).padStart(2, '0')).join('');
const base64 = (text: string, charset: BufferEncoding = 'utf8') =>
  Buffer.from(text, charset).toString('base64');

/** Ways to write an address, or a text that has one. */
const disguises: Readonly<Record<string, (text: string) => string>> = {
  'as it is': (text) => text,
  'in capitals': (text) => text.toUpperCase(),
  'with a percent-encoded sign': (text) => text.replace('@', '%40'),
  'percent-encoded as a whole': (text) => hex(text, '%'),
  'with a sign in quoted-printable': (text) => text.replace('@', '=40'),
  'as an encoded word in base64': (text) => `=?utf-8?B?${base64(text)}?=`,
  'as an encoded word in another charset': (text) => `=?utf-16le?b?${base64(text, 'utf16le')}?=`,
  'as an encoded word with a language': (text) => `=?us-ascii*en?Q?${hex(text, '=')}?=`,
  'as encoded words that are cut': (text) =>
    `=?utf-8?B?${base64(text.slice(0, 7))}?= =?utf-8?B?${base64(text.slice(7))}?=`,
  'with a sign of html': (text) => text.replace('@', '&#x40;'),
  'with a named sign of html': (text) => text.replace('@', '&commat;'),
  'with an escaped sign of JSON': (text) => text.replace('@', String.raw`\u0040`),
  'with a wide sign': (text) => text.replace('@', '\uff20'),
  'with what is not seen in it': (text) => text.replace('.', '.\u200b'),
  'in quotes': (text) => `"${text.replace('@', '"@')}`,
};
/** Of an original recipient, also without a sign. */
const namings: Readonly<Record<string, (text: string) => string>> = {
  ...disguises,
  'as a list writes a subscriber': (text) => text.replace('@', '='),
  'as a list writes a subscriber into a bounce': (text) => `bounce+${text.replace('@', '=')}+7`,
  'in words': (text) => text.replace('@', ' at '),
  'in words with brackets': (text) => text.replace('@', ' [at] '),
  'by the path of the system': (text) => text.replace(/(.*)@(.*)/, '$2!$1'),
  'with its sign encoded as a list': (text) => text.replace('@', '%3D'),
};

const anyOf = (ways: Readonly<Record<string, (text: string) => string>>) =>
  fc.constantFrom(...Object.values(ways));
const surrounding = fc.constantFrom('', 'for ', '<mailto:', '{"to":["', 'a, b; ');
const anyName = fc.constantFrom(
  'X-Note',
  'X-Forward-To',
  'Return-Receipt-Requested',
  'Read-Receipt-To',
  'Generate-Delivery-Report',
  'Alternate-Recipient',
  'X-SMTPAPI',
  'Comments',
  'Importance',
  'Precedence',
  'Reply-To',
);

test('whatever it is called, a header in which there is an address in any form is taken out', () => {
  const person = fc.tuple(fc.stringMatching(/^[a-z]{3,8}\.[a-z]{2,8}$/), fc.stringMatching(/^[a-z]{2,9}$/));
  fc.assert(
    fc.property(anyName, surrounding, person, anyOf(disguises), (name, before, [local, domain], disguise) => {
      expect(isKept(`${before}${disguise(`${local}@${domain}.example`)}`, name)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

test('and one that names an original recipient in any form, encoded once more or not', () => {
  fc.assert(
    fc.property(anyName, surrounding, anyOf(namings), anyOf(disguises), (name, before, naming, disguise) => {
      expect(isKept(`${before}${disguise(naming(HIDDEN))}`, name)).toBe(false);
    }),
    { numRuns: 500 },
  );
});

describe('what cannot be decoded is taken out', () => {
  test.each(['=?utf-7?Q?audit+AEA-bcc.example?=', '=?utf-8?X?YQ?=', '=?no-charset?B?YQ==?='])(
    '%s',
    (value) => {
      expect(decodedForms(value)).toBeUndefined();
      expect(isKept(value)).toBe(false);
    },
  );

  test('as is what would take long to decode', () => {
    let value = 'a@b.example';
    for (let layer = 0; layer < 9; layer += 1) value = value.replaceAll('%', '%25').replace('@', '%40');
    expect(isKept(value)).toBe(false);
  });
});

test('a header without an address is kept, encoded or not', () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[\w .,:;/-]{1,60}$/),
      anyOf({ ...disguises, 'as it is': (text) => text }),
      (text, disguise) => {
        expect(isKept(disguise(text))).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test.each([
  ['X-Order', '42'],
  ['Auto-Submitted', 'auto-generated'],
  ['X-Auto-Response-Suppress', 'OOF, AutoReply'],
  ['Precedence', 'bulk'],
  ['X-Link', 'https://contoso.example/slip?team=audit&host=bcc.example'],
  ['X-Rate', '100%'],
  ['References', '<a@b.example> <c@d.example>'],
  ['Content-Type', 'text/plain; name="a@b.txt"'],
])('%s: %s is kept', (name, value) => {
  expect(isKept(value, name)).toBe(true);
});

test('an address in the name of a header counts too', () => {
  expect(isKept('1', 'X-audit.team@bcc.example')).toBe(false);
});
