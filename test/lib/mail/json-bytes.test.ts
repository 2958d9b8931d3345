import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LONG_BYTES } from '../../../src/lib/mail/base64-cutter.ts';
import { holdsLong, openJsonReader, readJson, writeJson } from '../../../src/lib/mail/json-bytes.ts';
import { LongBase64 } from '../../../src/lib/mail/long-base64.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { joined } from '../../support/json-chunks.ts';
import { errorOf } from '../../support/problems-of.ts';

/** Valid, and so long that it is cut out. */
const long = (start = 'JVBERi0x', length = LONG_BYTES): string =>
  start.repeat(Math.ceil(length / start.length)).slice(0, 4 * Math.ceil(length / 4));

const LONG = long();
const other = long('AAAA');

const readIn = (json: string | Buffer, sizes: readonly number[], isOurs = false): unknown => {
  const reader = openJsonReader(isOurs);
  const bytes = Buffer.from(json);
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    reader.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return reader.end();
};
const read = (json: string | Buffer): unknown => readIn(json, [50_000]);
const asText = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const contentOf = (value: unknown): unknown =>
  (value as { attachments: { content: unknown }[] }).attachments[0]?.content;
const withContent = (content: string, more: object = {}) => ({ ...more, attachments: [{ content }] });

describe('long base64 stays as the bytes that were received', () => {
  test.each([
    ['in the content of an attachment', withContent(LONG), contentOf],
    ['in mime', { mime: LONG }, (value: unknown) => (value as { mime: unknown }).mime],
    ['in each email of a list', [withContent(LONG)], (value: unknown) => contentOf((value as unknown[])[0])],
  ])('%s', (_, value, partOf) => {
    const found = partOf(read(JSON.stringify(value)));
    expect(found).toBeInstanceOf(LongBase64);
    expect(String(found)).toBe(LONG);
  });

  test.each([
    ['in the text', { text: LONG }],
    ['in the content of something else', { to: [{ content: LONG }], content: LONG }],
    ['as the whole', LONG],
    ['in the headers', { headers: { mime: [LONG], 'x-a': LONG } }],
    ['as the name of a field', { [LONG]: { [other]: 1 }, b: 2 }],
  ])('and %s it is a text as any other', (_, value) => {
    const found = read(JSON.stringify(value));
    expect(holdsLong(found)).toBe(false);
    expect(found).toEqual(value);
  });

  test('a shorter one is a text', () => {
    expect(contentOf(read(JSON.stringify(withContent('AAAA'))))).toBe('AAAA');
  });

  test('its chunks are parts of those received: nothing is copied', () => {
    const chunk = Buffer.from(JSON.stringify(withContent(LONG)));
    const reader = openJsonReader();
    reader.push(chunk);
    const found = contentOf(reader.end()) as LongBase64;
    expect(found.chunks.map(({ buffer }) => buffer)).toEqual([chunk.buffer]);
  });
});

describe('as serialisers write it, it is the same', () => {
  const lines = LONG.replace(/.{76}/g, '$&\r\n');
  test.each([
    ['PHP, which escapes slashes', long('a/b/'), (json: string) => json.replaceAll('/', '\\/')],
    ['.NET, which escapes plus signs', long('a+b+'), (json: string) => json.replaceAll('+', '\\u002B')],
    ['a MIME library, in lines', lines, (json: string) => json],
    ['one that escapes all', long('+/A='), (json: string) => json.replaceAll('=', '\\u003d')],
  ])('%s', (_, content, escaped) => {
    const json = escaped(JSON.stringify(withContent(content)));
    for (const sizes of [[1_000_000], [1], [3, 7], [65_536]]) {
      const found = contentOf(readIn(json, sizes)) as LongBase64;
      expect(found).toBeInstanceOf(LongBase64);
      expect(found.toString()).toBe(content);
      expect(found.hasBreaks).toBe(content === lines);
    }
  });

  test('with any other character it is a text', () => {
    for (const end of ['\\t', '\\"', '\\\\', 'é', ' ', '-', '\\u002d', '\\u0022', '薪']) {
      const json = `{"attachments":[{"content":"${LONG}${end}${LONG}"}]}`;
      for (const sizes of [[1_000_000], [1], [LONG.length + 29]])
        expect(readIn(json, sizes)).toEqual(JSON.parse(json));
    }
  });
});

test('whatever JSON arrives in whatever chunks, it is read as JSON.parse reads it', () => {
  const piece = fc.constantFrom('+', '/', '\\/', '\\u002B', '\\u002f', '\\r\\n', 'A', '=');
  const base64 = fc
    .tuple(fc.array(piece, { maxLength: 5 }), fc.constantFrom(LONG, other, 'AAAA', ''))
    .map(([pieces, text]) => JSON.parse(`"${text}${pieces.join('')}${text.slice(4)}"`) as string);
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      base64,
      fc.string({ unit: 'binary' }),
      fc.constantFrom(null, true, 5, '\0', '\x000', '\x00\x001'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('attachments', 'content', 'mime', 'a', '\0'), tie('value'), {
        maxKeys: 3,
      }),
      tie('value').map((content) => ({ attachments: [{ content }] })),
    ),
  }));
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70_000 })), {
    minLength: 1,
    maxLength: 5,
  });
  const escapes = fc.func(fc.constantFrom(true, false));
  fc.assert(
    fc.property(value, sizes, escapes, (written, chunks, isEscaped) => {
      const json = JSON.stringify(written).replaceAll('/', (slash) => (isEscaped(slash) ? '\\/' : slash));
      const expected: unknown = JSON.parse(json);
      const found = readIn(json, chunks);
      expect(asText(found)).toEqual(expected);
      expect(joined(writeJson(found))).toBe(JSON.stringify(expected));
    }),
    { numRuns: 100 },
  );
});

test('it can arrive in any number of chunks, a byte in each', () => {
  const many = long('JVBERi0x', 400_000);
  const found = readIn(JSON.stringify(withContent(many)), [1]);
  expect(joined(writeJson(found))).toBe(JSON.stringify(withContent(many)));
});

test('whatever bytes arrive, they are refused where JSON.parse refuses them', () => {
  const piece = fc.constantFrom(
    '"',
    '\\',
    '{',
    '}',
    ':',
    ',',
    '\\u',
    '"a"',
    LONG,
    `"${LONG}"`,
    'é',
    '[',
    ']',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.integer({ min: 1, max: 70_000 }), (pieces, size) => {
      const json = pieces.join('');
      let expected: unknown;
      let isJson = true;
      try {
        expected = JSON.parse(json);
      } catch {
        isJson = false;
      }
      if (isJson) expect(asText(readIn(json, [size], true))).toEqual(expected);
      else expect(() => readIn(json, [size], true)).toThrow(SyntaxError);
    }),
    { numRuns: 100 },
  );
});

describe('what is wrong with JSON is told as without long base64', () => {
  test.each([
    ['behind it', `{"attachments":[{"content":"${LONG}"}],"é":1 x}`],
    ['behind two', `{"mime":"${LONG}","b":{"mime":"${other}"},}`],
    ['before it', `{x,"mime":"${LONG}"}`],
    ['behind it with escapes', `{"mime":"\\u002B${LONG}" x}`],
    ['a text without its end', `{"mime":"${LONG}`],
    ['behind a byte order mark', `\ufeff{"mime":"${LONG}",x}`],
  ])('at its place, %s', (_, json) => {
    let message = '';
    try {
      JSON.parse(json.replace('\ufeff', ''));
    } catch (error) {
      message = String(error);
    }
    const place = /position (\d+)/.exec(message)?.[1];
    expect(errorOf(() => read(json)).facts.detail).toContain(`The first error is at character ${place}.`);
  });

  test.each([
    ['a field written twice', `{"mime":"${LONG}","mime":"${LONG}"}`, 'FIELD_REPEATED'],
    ['too deep', `{"mime":"${LONG}","a":${'['.repeat(40)}${']'.repeat(40)}}`, 'JSON_UNREADABLE'],
    ['another encoding', Buffer.from(`{"mime":"${LONG}"}`, 'utf16le'), 'JSON_UNREADABLE'],
    ['no UTF-8', Buffer.from(`{"mime":"${LONG}","a":"\xff"}`, 'latin1'), 'JSON_UNREADABLE'],
  ])('%s', (_, json, code) => {
    expect(errorOf(() => read(json)).code).toBe(code);
  });

  test('a text that looks like a placeholder is never taken for one', () => {
    for (const text of ['\x000', '\0\x000', '\0\0\x000', '\x001', '\0'.repeat(64)]) {
      const value = { text, [text]: [text], mime: LONG };
      expect(asText(read(JSON.stringify(value)))).toEqual(value);
    }
    const many = JSON.stringify({ text: '\0'.repeat(65), mime: LONG });
    expect(errorOf(() => read(many)).code).toBe('JSON_UNREADABLE');
  });

  test('more than 8 MB of JSON besides base64 is too much, however it is written', () => {
    const most = 8_000_000;
    for (const text of ['é'.repeat(most / 2), long('AAAA', most)])
      expect(errorOf(() => read(JSON.stringify({ text, mime: LONG }))).code).toBe('MAIL_TOO_LARGE');
    expect(read(JSON.stringify(withContent(long('AAAA', most))))).toMatchObject({ attachments: [{}] });
  });
});

test('a long whole message and a long file are read from their bytes as from the same text', () => {
  const message = Buffer.from(
    `From: noreply@contoso.example\r\nTo: chan@contoso.example\r\nSubject: s\r\n\r\n${'薪資單\r\n'.repeat(9000)}`,
  ).toString('base64');
  for (const input of [{ mime: message }, aMail({ attachments: [{ filename: 'a.pdf', content: LONG }] })]) {
    const json = JSON.stringify(input);
    expect(holdsLong(read(json))).toBe(true);
    expect(asText(readMail(read(json)))).toEqual(asText(readMail(JSON.parse(json))));
  }
  const wrong = JSON.stringify(aMail({ attachments: [{ filename: 'a.pdf', content: `${LONG}A` }] }));
  expect(errorOf(() => readMail(read(wrong))).facts).toEqual(
    errorOf(() => readMail(JSON.parse(wrong))).facts,
  );
});

test('JSON is written with the same chunks, and read again as the same value', async () => {
  const value = read(
    JSON.stringify({
      ...withContent(LONG, { subject: '薪資單', tags: [null, 1] }),
      mime: `${other}\r\n${other}`,
    }),
  );
  const pieces = writeJson({ ...(value as object), gone: undefined });
  expect(joined(pieces)).toBe(JSON.stringify(value));
  expect(pieces).toContain((contentOf(value) as LongBase64).chunks[0]);
  expect(asText(await readJson(pieces.map((piece) => Buffer.from(piece))))).toEqual(asText(value));
});
