import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

const tooMany = Array.from({ length: 501 }, (_, index) => `p${index}@contoso.example`);

describe('recipients may be written as people write them', () => {
  test.each([
    ['a bare address', 'chan@contoso.example', [{ address: 'chan@contoso.example' }]],
    [
      'a name and an address',
      'Chan <chan@contoso.example>',
      [{ name: 'Chan', address: 'chan@contoso.example' }],
    ],
    [
      'a Chinese name',
      '陳大文 <chan@contoso.example>',
      [{ name: '陳大文', address: 'chan@contoso.example' }],
    ],
    [
      'a quoted name with a comma',
      '"Chan, Tai Man" <chan@contoso.example>',
      [{ name: 'Chan, Tai Man', address: 'chan@contoso.example' }],
    ],
    [
      'several in one text',
      'a@contoso.example, "B, C" <b@contoso.example>',
      [{ address: 'a@contoso.example' }, { name: 'B, C', address: 'b@contoso.example' }],
    ],
    [
      'an object',
      { name: 'Müller, Hans', address: 'hans@contoso.example' },
      [{ name: 'Müller, Hans', address: 'hans@contoso.example' }],
    ],
    [
      'a list of both',
      ['a@contoso.example', { address: 'b@contoso.example' }],
      [{ address: 'a@contoso.example' }, { address: 'b@contoso.example' }],
    ],
    ['an internationalised address', '陳@例子.公司', [{ address: '陳@例子.公司' }]],
  ])('%s', (_, to, expected) => {
    expect(read({ to }).to).toEqual(expected);
  });
});

describe('each fault of a recipient is its own problem at its own place', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['no recipient', { to: undefined }, ['RECIPIENT_MISSING /to']],
    ['an empty list of recipients', { to: [] }, ['RECIPIENT_MISSING /to']],
    ['a malformed address', { to: 'chan.contoso.example' }, ['ADDRESS_INVALID /to']],
    ['a malformed address in a list', { to: ['a@contoso.example', 'b@'] }, ['ADDRESS_INVALID /to/1']],
    ['a malformed address in an object', { cc: { address: 'x' } }, ['ADDRESS_INVALID /cc/address']],
    ['an address without a top-level domain', { to: 'root@localhost' }, ['ADDRESS_INVALID /to']],
    ['two senders', { from: 'a@contoso.example, b@contoso.example' }, ['ADDRESS_INVALID /from']],
    ['a number for a recipient', { to: 7 }, ['FIELD_INVALID /to']],
    ['a number in a list of recipients', { to: ['a@contoso.example', 7] }, ['FIELD_INVALID /to/1']],
    [
      'an unknown field of a recipient',
      { to: { address: 'a@contoso.example', mail: '' } },
      ['FIELD_UNKNOWN /to/mail'],
    ],
    ['501 recipients', { to: tooMany }, ['RECIPIENTS_TOO_MANY /to']],
    [
      '501 recipients over to, cc and bcc',
      { to: tooMany.slice(0, 200), cc: tooMany.slice(200, 300), bcc: tooMany.slice(300) },
      ['RECIPIENTS_TOO_MANY /to'],
    ],
    [
      'a name that turns round',
      { to: { name: 'a\u202eb', address: 'a@contoso.example' } },
      ['CHARACTER_NOT_ALLOWED /to/name'],
    ],
    ['the same as one text', { to: 'a\u2066b <a@contoso.example>' }, ['CHARACTER_NOT_ALLOWED /to']],
    ['an invisible address', { to: ['a\u200b@contoso.example'] }, ['ADDRESS_INVALID /to/0']],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });
});

test('500 recipients are fine', () => {
  expect(read({ to: tooMany.slice(1) }).to).toHaveLength(500);
});

describe('hostile recipients cost little', () => {
  test.each([
    ['brackets without end', '('.repeat(100_000)],
    ['quotes without end', '"'.repeat(100_000)],
    ['words without end', 'a '.repeat(50_000)],
  ])('%s', (_, to) => {
    expect(problemsOf(() => read({ to: Array.from({ length: 60 }, () => to) }))).toHaveLength(60);
  });

  test('more recipients than a mail may have are told as that, and not read', () => {
    const to = '"x y" <a@b.cc>,'.repeat(6000);
    expect(problemsOf(() => read({ to }))).toEqual(['RECIPIENTS_TOO_MANY /to']);
    expect(problemsOf(() => read({ to: [to, '(', 7] }))).toEqual(['RECIPIENTS_TOO_MANY /to']);
    expect(problemsOf(() => read({ to: Array.from({ length: 1_000_000 }, () => 1) }))).toEqual([
      'RECIPIENTS_TOO_MANY /to',
    ]);
  });
});

test('any name in quotes comes through with its address', () => {
  const name = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
    .filter((text) => !/[\p{Cc}\u2028\u2029"\\]/u.test(text) && text.trim() === text && text.isWellFormed());
  fc.assert(
    fc.property(name, (text) => {
      expect(read({ to: { name: text, address: 'a@contoso.example' } }).to).toEqual([
        { name: text, address: 'a@contoso.example' },
      ]);
    }),
  );
});
