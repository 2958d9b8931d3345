import { describe, expect, test } from 'vitest';
import { addressKey, isAddress } from '../../../src/lib/mail/address.ts';

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
    ['half a character', '\ud800@contoso.example'],
    ['a control character', 'a\u0085@example.com'],
  ])('%s makes it none', (_, text) => {
    expect(isAddress(text)).toBe(false);
  });

  test('two spellings are equal by the case of ASCII letters alone', () => {
    expect(addressKey('NoReply@Contoso.Example')).toBe('noreply@contoso.example');
    expect(addressKey('\u212aelvin@contoso.example')).not.toBe(addressKey('kelvin@contoso.example'));
  });
});
