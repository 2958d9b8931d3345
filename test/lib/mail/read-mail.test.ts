import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { decodeUtf8, parseJson, readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail, base64Of } from '../../support/a-mail.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

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

describe('what a mail leaves out has its usual value', () => {
  test('every optional field', () => {
    expect(readMail(aMail())).toEqual({
      to: [{ address: 'chan@contoso.example' }],
      cc: [],
      bcc: [],
      replyTo: [],
      subject: 'Pay slip',
      text: 'Your pay slip is ready.',
      attachments: [],
      headers: [],
      importance: 'normal',
      saveToSentItems: true,
      readReceipt: false,
      deliveryReceipt: false,
      tags: [],
    });
  });

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

const tooMany = Array.from({ length: 501 }, (_, index) => `p${index}@contoso.example`);

describe('each kind of bad input is its own problem at its own place', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['an unknown field', { attachment: [] }, ['FIELD_UNKNOWN /attachment']],
    [
      'an unknown field inside',
      { attachments: [{ filename: 'a', content: '', url: 'x' }] },
      ['FIELD_UNKNOWN /attachments/0/url'],
    ],
    ['a field the host keeps for itself', { id: 'x' }, ['FIELD_UNKNOWN /id']],
    ['no recipient', { to: undefined }, ['RECIPIENT_MISSING /to']],
    ['an empty list of recipients', { to: [] }, ['RECIPIENT_MISSING /to']],
    ['neither text nor html', { text: undefined }, ['BODY_MISSING /text']],
    ['text and html together', { html: '<p>x</p>' }, ['BODY_TEXT_AND_HTML /html']],
    ['a malformed address', { to: 'chan.contoso.example' }, ['ADDRESS_INVALID /to']],
    ['a malformed address in a list', { to: ['a@contoso.example', 'b@'] }, ['ADDRESS_INVALID /to/1']],
    ['a malformed address in an object', { cc: { address: 'x' } }, ['ADDRESS_INVALID /cc/address']],
    [
      'addresses joined by semicolons',
      { to: 'a@contoso.example;b@contoso.example' },
      ['ADDRESS_INVALID /to'],
    ],
    ['an address without a top-level domain', { to: 'root@localhost' }, ['ADDRESS_INVALID /to']],
    ['two senders', { from: 'a@contoso.example, b@contoso.example' }, ['ADDRESS_INVALID /from']],
    ['a number for a recipient', { to: 7 }, ['FIELD_INVALID /to']],
    ['a number in a list of recipients', { to: ['a@contoso.example', 7] }, ['FIELD_INVALID /to/1']],
    [
      'an unknown field of a recipient',
      { to: { address: 'a@contoso.example', mail: '' } },
      ['FIELD_UNKNOWN /to/mail'],
    ],
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
      ['LINE_BREAK_NOT_ALLOWED /headers/x-a\r\nBcc'],
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
    [
      'a slash in a file name',
      { attachments: [{ filename: '../a', content: '' }] },
      ['FIELD_INVALID /attachments/0/filename'],
    ],
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
    [
      'a header outside x-',
      { headers: { 'List-Unsubscribe': '<mailto:x>' } },
      ['HEADER_NOT_CARRIED /headers/List-Unsubscribe'],
    ],
    [
      'six headers',
      { headers: { 'x-1': '', 'x-2': '', 'x-3': '', 'x-4': '', 'x-5': '', 'x-6': '' } },
      ['HEADERS_TOO_MANY /headers'],
    ],
    ['half a character', { text: 'a\ud83d' }, ['TEXT_MALFORMED /text']],
    ['501 recipients', { to: tooMany }, ['RECIPIENTS_TOO_MANY /to']],
    [
      '501 recipients over to, cc and bcc',
      { to: tooMany.slice(0, 200), cc: tooMany.slice(200, 300), bcc: tooMany.slice(300) },
      ['RECIPIENTS_TOO_MANY /to'],
    ],
    ['an unknown importance', { importance: 'urgent' }, ['FIELD_INVALID /importance']],
    ['a text for a flag', { saveToSentItems: 'false' }, ['FIELD_INVALID /saveToSentItems']],
    ['no subject', { subject: undefined }, ['FIELD_INVALID /subject']],
    ['a tag with an address in it', { tags: ['a@contoso.example'] }, ['FIELD_INVALID /tags/0']],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });

  test('500 recipients are fine', () => {
    expect(read({ to: tooMany.slice(1) }).to).toHaveLength(500);
  });
});

describe('an error tells the caller everything, and shows nothing', () => {
  const everything = {
    to: 'secret-person',
    subject: 'secret\nsubject',
    importance: 'secret',
    zzz: 1,
    text: undefined,
  };

  test('all problems of a request come at once', () => {
    expect(problemsOf(() => read(everything)).sort()).toEqual([
      'ADDRESS_INVALID /to',
      'BODY_MISSING /text',
      'FIELD_INVALID /importance',
      'FIELD_UNKNOWN /zzz',
      'LINE_BREAK_NOT_ALLOWED /subject',
    ]);
  });

  test('the code is that of the problems when they are of one kind, else MAIL_INVALID', () => {
    expect(errorOf(() => read({ to: 'x', cc: 'y' })).code).toBe('ADDRESS_INVALID');
    expect(errorOf(() => read(everything)).code).toBe('MAIL_INVALID');
  });

  test('what came is described, never quoted', () => {
    expect(JSON.stringify(errorOf(() => read(everything)).facts)).not.toContain('secret');
  });

  test('every problem says what was expected and what came', () => {
    for (const problem of errorOf(() => read(everything)).facts.problems ?? []) {
      expect(problem.expected).not.toBe('');
      expect(problem.came).not.toBe('');
    }
  });

  test.each([[null], [[]], ['text'], [7]])('%j is not a mail', (input) => {
    expect(errorOf(() => readMail(input)).code).toBe('JSON_UNREADABLE');
  });
});

describe('JSON is read with care', () => {
  test.each([
    ['a cut-off text', '{"to":'],
    ['a field named __proto__', '{"headers":{"__proto__":"x"}}'],
    ['nothing', ''],
  ])('%s is refused', (_, text) => {
    expect(errorOf(() => parseJson(text)).code).toBe('JSON_UNREADABLE');
  });

  test('other encodings than UTF-8 are refused', () => {
    expect(errorOf(() => decodeUtf8(Buffer.from('{"a":"\xfc"}', 'latin1'))).code).toBe('JSON_UNREADABLE');
  });

  test('a text that mentions __proto__ in a value is fine', () => {
    expect(parseJson('{"text":"\\"__proto__\\""}')).toEqual({ text: '"__proto__"' });
  });

  test('a field named __proto__ by an escape is refused too', () => {
    expect(errorOf(() => parseJson('{"headers":{"__proto\\u005f_":"x"}}')).code).toBe('JSON_UNREADABLE');
  });

  test('nesting without end is refused, not overflowed', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    expect(problemsOf(() => readMail(aMail({ to: parseJson(deep) })))).toEqual(['FIELD_INVALID /to/0']);
  });
});

describe('hostile input costs little', () => {
  test.each([
    ['brackets without end', '('.repeat(100_000)],
    ['quotes without end', '"'.repeat(100_000)],
    ['words without end', 'a '.repeat(50_000)],
    ['many long names', '"x y" <a@b.cc>,'.repeat(6000)],
  ])('%s', (_, to) => {
    expect(problemsOf(() => read({ to: Array.from({ length: 60 }, () => to) }))).toHaveLength(60);
  });

  test('a request with a hundred thousand mistakes is told of the first hundred', () => {
    const fields = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`f${index}`, 1]));
    const { facts } = errorOf(() => read(fields));
    expect(facts.problems).toHaveLength(100);
    expect(facts.detail).toBe('There are 100000 problems; the first 100 are listed.');
  });
});

describe('properties', () => {
  test('whatever JSON comes, the answer is a mail or a list of problems', () => {
    const keys = fc.constantFrom(
      'to',
      'cc',
      'subject',
      'text',
      'html',
      'headers',
      'attachments',
      'tags',
      'from',
      'zzz',
    );
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue()), (input) => {
        try {
          readMail(input);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          for (const problem of (error as AppError).facts.problems ?? [])
            expect(problem.pointer).toMatch(/^\//);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('any name in quotes comes through with its address', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
      .filter((text) => !/[\p{Cc}"\\]/u.test(text) && text.trim() === text && text.isWellFormed());
    fc.assert(
      fc.property(name, (text) => {
        expect(read({ to: { name: text, address: 'a@contoso.example' } }).to).toEqual([
          { name: text, address: 'a@contoso.example' },
        ]);
      }),
    );
  });

  test('any bytes come through as base64', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const content = Buffer.from(bytes).toString('base64');
        expect(read({ attachments: [{ filename: 'a.bin', content }] }).attachments[0]?.content).toBe(content);
      }),
    );
  });
});
