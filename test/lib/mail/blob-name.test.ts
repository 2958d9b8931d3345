import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const read = (file: Record<string, unknown>) => readMail(aMail({ attachments: [file] })).attachments[0];

describe('an attachment can be a blob', () => {
  test.each([
    ['report.pdf', 'report.pdf', 'application/pdf'],
    ['2026/11/薪資單.pdf', '薪資單.pdf', 'application/pdf'],
    ['a b/c+d%20e.bin', 'c+d%20e.bin', 'application/octet-stream'],
    ['..a/b..zzz', 'b..zzz', 'application/octet-stream'],
  ])('%s, called as the last part of its name', (blob, filename, contentType) => {
    expect(read({ blob })).toEqual({ blob, filename, contentType });
  });

  test('with a name, a type and a content id of its own; other fields may be absent as ever', () => {
    expect(
      read({ blob: 'x/1', filename: 'a.png', contentType: 'image/png', content: null, cid: '' }),
    ).toEqual({
      blob: 'x/1',
      filename: 'a.png',
      contentType: 'image/png',
    });
    expect(read({ blob: null, filename: 'a.txt', content: '' })).toMatchObject({ content: '' });
  });
});

describe('the name of a blob is a name in one container and nothing else', () => {
  test.each([
    ['https://st.blob.core.windows.net/mail-attachments/a.pdf', 'not a URL'],
    ['file:///etc/passwd', 'not a URL'],
    ['//host/a.pdf', 'not a URL'],
    ['a.pdf?sv=2024', 'without ?, #'],
    ['a.pdf#x', 'without ?, #'],
    ['a\\b.pdf', 'backslashes'],
    ['/a.pdf', 'without a slash at its ends'],
    ['a/', 'without a slash at its ends'],
    ['a//b', 'without empty parts'],
    ['../mail-held/a.json', 'without . and ..'],
    ['a/../../b', 'without . and ..'],
    ['a/./b', 'without . and ..'],
    ['a./b', 'without a dot at the end'],
    ['a\r\nb', 'one line of text'],
    ['a\0b', 'one line of text'],
    ['a\u202eb', 'direction of writing'],
    ['n'.repeat(1025), 'at most 1024 characters'],
  ])('%j is refused', (blob, expected) => {
    const problem = errorOf(() => read({ blob, filename: 'a.pdf' })).facts.problems?.[0];
    expect(problem?.pointer).toBe('/attachments/0/blob');
    expect(problem?.expected).toContain(expected);
  });
});

describe('what a file needs beside a blob', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['both', { filename: 'a', content: 'AAAA', blob: 'a' }, ['FIELD_INVALID /attachments/0/blob']],
    ['an empty content too', { filename: 'a', blob: 5 }, ['FIELD_INVALID /attachments/0/blob']],
    ['none', { filename: 'a' }, ['FIELD_INVALID /attachments/0/content']],
    [
      'nothing at all',
      { contentType: 'text/plain' },
      ['FIELD_INVALID /attachments/0/filename', 'FIELD_INVALID /attachments/0/content'],
    ],
    ['a last part that is no file name', { blob: 'a/ b' }, ['FIELD_INVALID /attachments/0/filename']],
  ])('%s', (_, file, expected) => {
    expect(problemsOf(() => read(file))).toEqual(expected);
  });
});
