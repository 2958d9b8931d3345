import { describe, expect, test } from 'vitest';
import { addressFault, addressKey, isAddress } from '../../../src/lib/mail/address.ts';

describe('an address is what it looks like', () => {
  test.each([
    "o'neil@example.com",
    'a+b=c@sub.example.co.uk',
    '陳@例子.公司',
    'ю@почта.рф',
    `${'l'.repeat(64)}@example.com`,
    `a@${'d'.repeat(63)}.com`,
    'a@xn--fsqu00a.xn--0zwm56d',
  ])('%s is one', (text) => {
    expect(isAddress(text)).toBe(true);
  });

  test.each([
    ['no mailbox name', '@example.com'],
    ['no domain', 'a@'],
    ['two signs', 'a@b@example.com'],
    ['no top-level domain', 'root@localhost'],
    ['a quote at the end', "a@example.com'"],
    ['a quoted mailbox name', '"john.no.doe."@example.jp'],
    ['a label that begins with a hyphen', 'a@-example.com'],
    ['a label that ends with a hyphen', 'a@example-.com'],
    ['an empty label', 'a@example..com'],
    ['a dot at the end', 'a@example.com.'],
    ['an IP address', 'a@192.0.2.1'],
    ['an address literal', 'a@[192.0.2.1]'],
    ['a mailbox name of 65 characters', `${'l'.repeat(65)}@example.com`],
    ['a label of 64 characters', `a@${'d'.repeat(64)}.com`],
    ['a domain of 254 characters', `a@${'d.'.repeat(125)}comm`],
    ['a zero-width space', 'a\u200b@example.com'],
    ['a zero-width joiner in the domain', 'a@exam\u200dple.com'],
    ['a byte order mark', '\ufeffa@example.com'],
    ['a soft hyphen', 'a@exam\u00adple.com'],
    ['a direction override', 'a\u202e@example.com'],
    ['a filler', 'a\u3164@example.com'],
    ['what could not be decoded', 'a\ufffd@example.com'],
    ['a noncharacter', 'a\ufdd0@example.com'],
    ['a noncharacter beyond the basic plane', 'a\u{1ffff}@example.com'],
    ['a Braille blank', 'a\u2800@example.com'],
    ['a note head that shows nothing', 'a\u{1d159}@example.com'],
    ['a character for private use', 'a\ue000@example.com'],
    ['a character nobody has given a meaning', 'a\u0378@example.com'],
    ['a fullwidth sign that looks like @', 'a\uff20example.com'],
    ['a fullwidth sign that looks like @, before the real one', 'a\uff20contoso.example@example.com'],
    ['a small sign that looks like @', 'a\ufe6bb@example.com'],
    ['a fullwidth full stop', 'a\uff0eb@example.com'],
    ['an ideographic full stop', 'a\u3002b@example.com'],
    ['a halfwidth ideographic full stop in the domain', 'a@example\uff61com'],
    ['a one dot leader', 'a\u2024b@example.com'],
    ['half a character', '\ud800@contoso.example'],
    ['a control character', 'a\u0085@example.com'],
  ])('%s makes it none', (_, text) => {
    expect(isAddress(text)).toBe(false);
  });

  test.each([
    [
      'a mailbox name of 65 characters',
      `${'l'.repeat(65)}@example.com`,
      'at most 64 characters before the @, not 65',
    ],
    [
      'a label of 64 characters',
      `a@${'d'.repeat(64)}.com`,
      'at most 63 characters between the dots of the domain, not 64',
    ],
    [
      'a domain of 254 characters',
      `a@${'d.'.repeat(125)}comm`,
      'at most 253 characters after the @, not 254',
    ],
    ['an address of 319 characters', 'a'.repeat(319), 'an address of at most 318 characters'],
    ['no dot in the domain', 'root@localhost', 'has a dot in it'],
    ['an IP address', 'a@192.0.2.1', 'with a name for its domain'],
    ['a zero-width space', 'a\u200b@example.com', 'without invisible or unassigned characters'],
    ['a Braille blank', 'a\u2800@example.com', 'without invisible or unassigned characters'],
    ['a sign that looks like @', 'a\uff20b@example.com', 'with the signs @ and . of ASCII'],
  ])('%s is told as that', (_, text, expected) => {
    expect(addressFault(text)).toContain(expected);
  });

  test('two spellings are equal by the case of ASCII letters alone', () => {
    expect(addressKey('NoReply@Contoso.Example')).toBe('noreply@contoso.example');
    expect(addressKey('\u212aelvin@contoso.example')).not.toBe(addressKey('kelvin@contoso.example'));
  });
});
