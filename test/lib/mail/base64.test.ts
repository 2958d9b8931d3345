import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aFile, aMail, base64Of } from '../../support/a-mail.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

describe('what is no base64 is refused', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'content that is not base64',
      { attachments: [{ filename: 'a', content: 'nope!' }] },
      ['BASE64_INVALID /attachments/0/content'],
    ],
    [
      'base64 without padding',
      { attachments: [{ filename: 'a', content: 'YQ' }] },
      ['BASE64_INVALID /attachments/0/content'],
    ],
    [
      'base64 for URLs',
      { attachments: [{ filename: 'a', content: '-_-_' }] },
      ['BASE64_INVALID /attachments/0/content'],
    ],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });
});

describe('base64', () => {
  const content = base64Of(300);
  const expectedOf = (written: string, filename = 'a.pdf') =>
    errorOf(() => read({ attachments: [{ filename, content: written }] })).facts.problems?.[0];

  test('with line breaks is read as one line', () => {
    const lines = content.replace(/.{76}/g, '$&\r\n');
    expect(read({ attachments: [aFile({ content: `${lines}\n` })] }).attachments[0]).toMatchObject({
      content,
    });
  });

  test.each([
    ['a data URL', `data:application/pdf;base64,${content}`, 'without the prefix `data:'],
    ['bytes as Python prints them', `b'${content}'`, 'not a Python bytes literal'],
    ['base64url', '-_-_', 'not base64url'],
    ['base64 without its padding', 'YQ', 'standard base64 with all of its padding, here 2 times ='],
    ['base64 of base64', Buffer.from(content).toString('base64'), 'encoded once'],
    ['some text', 'nope!', 'only letters, digits'],
    ['two texts of base64 in one', 'YQ==YQ==', 'padding only at the end'],
    [
      'bits that belong to no byte',
      'aGVsbG9=',
      'the last character before the padding is not one that an encoder produces here',
    ],
    ['too little padding', 'YQ=', 'with all of its padding, here 2 times ='],
    ['too much padding', 'YWI===', 'with all of its padding, here 1 times ='],
    ['padding where there is none', 'YWJj====', 'with all of its padding, here 0 times ='],
    ['base64 that is cut off', 'YWJjZ', 'some of its characters are missing'],
    ['base64 that is cut off and filled', 'Y===', 'some of its characters are missing'],
  ])('%s is told as that', (_, written, expected) => {
    const problem = expectedOf(written);
    expect(problem).toMatchObject({ code: 'BASE64_INVALID', pointer: '/attachments/0/content' });
    expect(problem?.expected).toContain(expected);
  });

  test('a file of text may hold base64', () => {
    const twice = Buffer.from(content).toString('base64');
    expect(read({ attachments: [{ filename: 'token.txt', content: twice }] }).attachments).toHaveLength(1);
  });
});

test('any bytes come through as base64', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const content = Buffer.from(bytes).toString('base64');
      expect(read({ attachments: [{ filename: 'a.bin', content }] }).attachments[0]).toMatchObject({
        content,
      });
    }),
  );
});
