import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aFile, aMail } from '../../support/a-mail.ts';
import { problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

describe('a line break where none may be is refused at its own place', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    [
      'a line break in the subject',
      { subject: 'Hi\r\nBcc: x@evil.example' },
      ['LINE_BREAK_NOT_ALLOWED /subject'],
    ],
    [
      'a line break in an address',
      { to: 'a@contoso.example\r\nBcc: x@evil.example' },
      ['LINE_BREAK_NOT_ALLOWED /to'],
    ],
    [
      'a line break in a name',
      { to: { name: 'A\nB', address: 'a@contoso.example' } },
      ['LINE_BREAK_NOT_ALLOWED /to/name'],
    ],
    [
      'a line break in a header value',
      { headers: { 'x-a': 'b\nc' } },
      ['LINE_BREAK_NOT_ALLOWED /headers/x-a'],
    ],
    [
      'a line break in a header name',
      { headers: { 'x-a\r\nBcc': 'b' } },
      ['LINE_BREAK_NOT_ALLOWED /headers'],
    ],
    [
      'a line break in a file name',
      { attachments: [{ filename: 'a\nb', content: '' }] },
      ['LINE_BREAK_NOT_ALLOWED /attachments/0/filename'],
    ],
    [
      'a line break in a content type',
      { attachments: [{ filename: 'a', contentType: 'text/plain;\r\nx: y', content: '' }] },
      ['LINE_BREAK_NOT_ALLOWED /attachments/0/contentType'],
    ],
    ['a line separator', { subject: 'a\u2028b' }, ['LINE_BREAK_NOT_ALLOWED /subject']],
    [
      'a paragraph separator in a header',
      { headers: { 'x-a': 'a\u2029b' } },
      ['LINE_BREAK_NOT_ALLOWED /headers/x-a'],
    ],
    ['a line separator in an address', { to: 'a\u2028@contoso.example' }, ['LINE_BREAK_NOT_ALLOWED /to']],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });
});

describe('a character that no email can carry is refused at its own place', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['half a character', { text: 'a\ud83d' }, ['TEXT_MALFORMED /text']],
    ['a control character', { text: 'a\u0000b' }, ['CHARACTER_NOT_ALLOWED /text']],
    ['an escape character', { text: undefined, html: '\u001b[1m' }, ['CHARACTER_NOT_ALLOWED /html']],
    ['U+FFFE', { text: 'a\ufffe' }, ['CHARACTER_NOT_ALLOWED /text']],
    ['U+FFFF in a subject', { subject: 'a\uffff' }, ['CHARACTER_NOT_ALLOWED /subject']],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });
});

describe('half a character is told wherever it stands', () => {
  const half = 'a\ud800';
  test.each<[string, Record<string, unknown>, string[]]>([
    ['in the sender', { from: { address: `${half}@contoso.example` } }, ['TEXT_MALFORMED /from/address']],
    ['in a recipient', { to: [`${half}@contoso.example`] }, ['TEXT_MALFORMED /to/0']],
    ['in a name', { cc: { name: half, address: 'a@contoso.example' } }, ['TEXT_MALFORMED /cc/name']],
    ['in a key', { idempotencyKey: half }, ['TEXT_MALFORMED /idempotencyKey']],
    ['in a tag', { tags: [half] }, ['TEXT_MALFORMED /tags/0']],
    ['in the subject', { subject: half }, ['TEXT_MALFORMED /subject']],
    ['in the html', { text: undefined, html: half }, ['TEXT_MALFORMED /html']],
    ['in the name of a header', { headers: { [`x-${half}`]: 'v' } }, ['TEXT_MALFORMED /headers']],
    ['in a header', { headers: { 'x-a': half } }, ['TEXT_MALFORMED /headers/x-a']],
    [
      'in the name of a file',
      { attachments: [aFile({ filename: half })] },
      ['TEXT_MALFORMED /attachments/0/filename'],
    ],
    [
      'in a media type',
      { attachments: [aFile({ contentType: half })] },
      ['TEXT_MALFORMED /attachments/0/contentType'],
    ],
    ['in a content id', { attachments: [aFile({ cid: half })] }, ['TEXT_MALFORMED /attachments/0/cid']],
    ['in base64', { attachments: [aFile({ content: half })] }, ['BASE64_INVALID /attachments/0/content']],
    ['in the name of a field', { [half]: 1 }, ['TEXT_MALFORMED ']],
    ['in the name of a field of a recipient', { to: { [half]: 1 } }, ['TEXT_MALFORMED /to']],
    [
      'in the name of a field of a file',
      { attachments: [{ ...aFile(), [half]: 1 }] },
      ['TEXT_MALFORMED /attachments/0'],
    ],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });
});
