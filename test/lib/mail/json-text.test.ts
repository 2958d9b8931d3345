import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { decodeUtf8, parseJson, readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

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

  test.each([
    ['beside each other', '{"subject":"a","to":"x","subject":"b"}', ['FIELD_REPEATED /subject']],
    ['once by an escape', '{"subject":"a","\\u0073ubject":"b"}', ['FIELD_REPEATED /subject']],
    ['in a recipient of a list', '{"to":[{},{"name":"a","name":"b"}]}', ['FIELD_REPEATED /to/1/name']],
    ['in a file', '{"attachments":[{"content":"","content":""}]}', ['FIELD_REPEATED /attachments/0/content']],
    ['in the headers', '{"headers":{"x-a":"1","x-a":"2"}}', ['FIELD_REPEATED /headers/x-a']],
    ['under a name that may be data', '{"to":{"chan@x.com":1,"chan@x.com":2}}', ['FIELD_REPEATED /to']],
  ])('a field written twice, %s, is refused', (_, text, expected) => {
    expect(problemsOf(() => parseJson(text))).toEqual(expected);
  });

  test('one name in several objects is fine', () => {
    const text = '{"to":[{"name":"a"},{"name":"a, \\"b\\": {["}],"name":["name","name"]}';
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });

  test.each([
    ['objects', '{},', '{}'],
    ['lists', '[],', '[]'],
    ['fields', '{"a":1},', '{"a":1}'],
  ])('more %s than any mail has are refused before they are built', (_, many, last) => {
    expect(errorOf(() => parseJson(`[${many.repeat(1_000_000)}${last}]`))).toMatchObject({
      code: 'JSON_UNREADABLE',
      facts: { detail: 'Expected one JSON object with at most 20000 objects, lists and fields.' },
    });
  });

  test.each([
    ['little-endian', Buffer.from('{"a":1}', 'utf16le')],
    ['big-endian', Buffer.from('{"a":1}', 'utf16le').swap16()],
    ['with its mark', Buffer.from('\ufeff陳', 'utf16le')],
  ])('UTF-16, %s, is told as that', (_, bytes) => {
    expect(errorOf(() => decodeUtf8(bytes)).facts.detail).toBe(
      'Expected text encoded as UTF-8, not as UTF-16.',
    );
  });

  test('a text that mentions __proto__ in a value is fine', () => {
    expect(parseJson('{"text":"\\"__proto__\\""}')).toEqual({ text: '"__proto__"' });
  });

  test('a field named __proto__ by an escape is refused too', () => {
    expect(errorOf(() => parseJson('{"headers":{"__proto\\u005f_":"x"}}')).code).toBe('JSON_UNREADABLE');
  });

  test.each([
    ['[', ']'],
    ['{"a":', '1}'],
  ])('nesting without end (%s) is refused, not overflowed', (open, close) => {
    const inner =
      open.repeat(50_000) + close.repeat(open === '[' ? 50_000 : 1) + '}'.repeat(open === '[' ? 0 : 49_999);
    expect(errorOf(() => parseJson(inner))).toMatchObject({
      code: 'JSON_UNREADABLE',
      facts: { detail: 'Expected one JSON object nested no deeper than 32 levels.' },
    });
    expect(errorOf(() => readMail(aMail({ to: JSON.parse(inner) }))).code).toBe('JSON_UNREADABLE');
  });
});

test('whatever text comes, it is read as JSON.parse reads it, or refused', () => {
  const parts = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '"a"',
    '"b\\"":',
    '1',
    ' ',
    'null',
    '\u2028',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc.array(parts, { maxLength: 15 }).map((some) => some.join('')),
      ),
      (text) => {
        let value: unknown;
        try {
          value = parseJson(text);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          return;
        }
        expect(value).toEqual(JSON.parse(text));
      },
    ),
    { numRuns: 2000 },
  );
});
