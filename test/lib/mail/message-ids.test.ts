import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));
const problems = (override: Record<string, unknown>) => problemsOf(() => read(override));

describe('a message id has one form inside, with angle brackets or without', () => {
  test.each(['<order-7@contoso.com>', 'order-7@contoso.com', ' <order-7@contoso.com> '])('%s', (written) => {
    expect(read({ messageId: written }).messageId).toBe('<order-7@contoso.com>');
    expect(read({ inReplyTo: written }).inReplyTo).toBe('<order-7@contoso.com>');
  });

  test.each([
    'CAF+x=_a.b$c%d@mail.gmail.com',
    'DM6PR01MB1234.namprd01@DM6PR01MB1234.prod.outlook.com',
    'a@[10.0.0.1]',
  ])('as others write it: %s', (id) => {
    expect(read({ inReplyTo: id }).inReplyTo).toBe(`<${id}>`);
  });

  test('references are a list, or one text of ids however they are parted', () => {
    const expected = ['<a@b.c>', '<d@e.f>'];
    for (const references of [
      ['a@b.c', null, '<d@e.f>', ''],
      '<a@b.c> <d@e.f>',
      '<a@b.c><d@e.f>',
      'a@b.c,\td@e.f',
    ])
      expect(read({ references }).references).toEqual(expected);
    expect(read({ references: '' }).references).toEqual([]);
    expect(read({ references: null, inReplyTo: null, messageId: '' })).toEqual(read({}));
  });
});

describe('what is no message id is refused, and so begins no header of its own', () => {
  test.each([
    ['no @', 'order-7', 'MESSAGE_ID_INVALID'],
    ['two ids', '<a@b.c> <d@e.f>', 'MESSAGE_ID_INVALID'],
    ['a blank', '<a b@c.d>', 'MESSAGE_ID_INVALID'],
    ['one bracket', '<a@b.c', 'MESSAGE_ID_INVALID'],
    ['letters beyond ASCII', '<薪@b.c>', 'MESSAGE_ID_INVALID'],
    ['quotes', '<"a"@b.c>', 'MESSAGE_ID_INVALID'],
    ['a dot at the end', '<a.@b.c>', 'MESSAGE_ID_INVALID'],
    ['an id without end', `<${'a'.repeat(500)}@b.c>`, 'MESSAGE_ID_INVALID'],
    ['a line break', '<a@b.c>\r\nBcc: x@y.zz', 'LINE_BREAK_NOT_ALLOWED'],
    ['a line break inside', 'a\nb@c.d', 'LINE_BREAK_NOT_ALLOWED'],
    ['a control character', 'a\u0000@c.d', 'LINE_BREAK_NOT_ALLOWED'],
  ])('%s', (_, id, code) => {
    expect(problems({ messageId: id })).toEqual([`${code} /messageId`]);
    expect(problems({ inReplyTo: id })).toEqual([`${code} /inReplyTo`]);
    expect(problems({ references: ['a@b.c', id] })).toEqual([`${code} /references/1`]);
  });

  test.each<[string, unknown, string[]]>([
    ['a number', 7, ['FIELD_INVALID /references']],
    ['a number in the list', [7], ['FIELD_INVALID /references/0']],
    ['a text that is no id', 'a b', ['MESSAGE_ID_INVALID /references', 'MESSAGE_ID_INVALID /references']],
    [
      'a hundred and one',
      Array.from({ length: 101 }, (_, n) => `${n}@b.c`),
      ['MESSAGE_ID_INVALID /references'],
    ],
    [
      'more than a header holds',
      Array.from({ length: 40 }, (_, n) => `${n}${'a'.repeat(450)}@b.c`),
      ['MESSAGE_ID_INVALID /references'],
    ],
    ['a text without end', 'a@b.c '.repeat(1_000_000), ['MESSAGE_ID_INVALID /references']],
  ])('references: %s', (_, references, expected) => {
    expect(problems({ references })).toEqual(expected);
  });
});
