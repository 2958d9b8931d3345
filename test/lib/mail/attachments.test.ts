import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aFile, aMail, base64Of } from '../../support/a-mail.ts';
import { problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

describe('the type of a file is guessed', () => {
  test.each([
    ['slip.pdf', 'application/pdf'],
    ['薪資單.XLSX', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
    ['unknown.zzz', 'application/octet-stream'],
  ])('the type of %s is guessed from its name', (filename, contentType) => {
    expect(read({ attachments: [{ filename, content: base64Of(3) }] }).attachments[0]).toMatchObject({
      contentType,
    });
  });
});

describe('each fault of a file is its own problem at its own place', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'an unknown field inside',
      { attachments: [{ filename: 'a', content: '', url: 'x' }] },
      ['FIELD_UNKNOWN /attachments/0/url'],
    ],
    [
      'a slash in a file name',
      { attachments: [{ filename: '../a', content: '' }] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    [
      'a file named .',
      { attachments: [aFile({ filename: '.' })] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    [
      'a file named ..',
      { attachments: [aFile({ filename: '..' })] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    [
      'a file without a name',
      { attachments: [aFile({ filename: '' })] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    [
      'exe.jpg that is gpj.exe',
      { attachments: [aFile({ filename: 'a\u202egpj.exe' })] },
      ['CHARACTER_NOT_ALLOWED /attachments/0/filename'],
    ],
    ...[
      ['FIELD_INVALID', '...'],
      ['FIELD_INVALID', ' a.txt'],
      ['FIELD_INVALID', 'a.txt '],
      ['FIELD_INVALID', 'a.txt.'],
      ['FIELD_INVALID', 'a.txt\u3000'],
      ['CHARACTER_NOT_ALLOWED', 'a\u200b.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\u200d.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\ufe0f.txt'],
      ['CHARACTER_NOT_ALLOWED', '1\ufe0f.txt'],
      ['CHARACTER_NOT_ALLOWED', '\ufeffa.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\u00ad.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\u200e.txt'],
      ['CHARACTER_NOT_ALLOWED', 'a\u2800.txt'],
      ['CHARACTER_NOT_ALLOWED', '陳\u200d\u200d文.txt'],
    ].map(([code, filename]): [string, Record<string, unknown>, string[]] => [
      `the file name ${JSON.stringify(filename)}`,
      { attachments: [aFile({ filename })] },
      [`${code} /attachments/0/filename`],
    ]),
    [
      'a media type with a name that turns round',
      { attachments: [aFile({ contentType: 'text/plain; name="a\u202eb"' })] },
      ['CHARACTER_NOT_ALLOWED /attachments/0/contentType'],
    ],
    [
      'a media type with an invisible name',
      { attachments: [aFile({ contentType: 'text/plain; name="a\u200bb"' })] },
      ['CHARACTER_NOT_ALLOWED /attachments/0/contentType'],
    ],
    [
      'a name of 256 characters',
      { attachments: [aFile({ filename: 'n'.repeat(256) })] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
    [
      '251 files',
      { attachments: Array.from({ length: 251 }, () => aFile()) },
      ['FIELD_INVALID /attachments'],
    ],
    ['a hidden file', { attachments: [aFile({ cid: 'logo' })] }, ['CID_UNUSED /attachments/0/cid']],
    [
      'one of two files that is hidden',
      { text: undefined, html: '<img src="cid:A">', attachments: [aFile({ cid: 'a' }), aFile({ cid: 'b' })] },
      ['CID_UNUSED /attachments/1/cid'],
    ],
    [
      'two files with one content id',
      { text: undefined, html: '<img src="cid:a">', attachments: [aFile({ cid: 'a' }), aFile({ cid: 'A' })] },
      ['CID_REPEATED /attachments/1/cid'],
    ],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });
});

test('a file the html refers to is inline', () => {
  const mail = read({
    text: undefined,
    html: '<img src="CID:Logo%40x">',
    attachments: [aFile({ cid: 'logo@X' })],
  });
  expect(mail.attachments[0]?.cid).toBe('logo@X');
});

describe('what applications need goes through', () => {
  test.each([
    'Lohnabrechnung 2026.pdf',
    '薪資單.pdf',
    '.profile',
    'a..b.tar.gz',
    '👩\u200d👧.png',
    '❤\ufe0f\u200d🔥.png',
    '1\ufe0f\u20e3.png',
    '葛\u{e0100}城.pdf',
    'क्\u200dष.txt',
    'می\u200cخواهم.txt',
    '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}.png',
  ])('the file name %s', (filename) => {
    expect(read({ attachments: [aFile({ filename })] }).attachments[0]?.filename).toBe(filename);
  });
});
