import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lookOfText } from '../../../src/lib/mail/not-json.ts';
import { decodeUtf8, parseJson, readMail } from '../../../src/lib/mail/read-mail.ts';
import { errorOf } from '../../support/problems-of.ts';

const json = '{"to":"chan@contoso.example","subject":"canary","text":"canary"}';
const base64 = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64');

describe('what is no JSON is told by what it looks like', () => {
  test.each([
    ['bytes as Python prints them', `b'${json}'`, 'as Python prints bytes'],
    ['a dict as Python prints it', "{'to': 'chan@contoso.example'}", 'as Python prints a dict'],
    ['a map as Java prints it', '{to=chan@contoso.example, subject=canary}', 'as Java prints a map'],
    ['an object as JavaScript prints it', '[object Object]', 'as JavaScript prints an object'],
    ['an object as PowerShell prints it', '@{to=chan@contoso.example}', 'as PowerShell or .NET prints'],
    ['a type as .NET prints it', 'System.Collections.Hashtable', 'as PowerShell or .NET prints'],
    ['a map as Go prints it', 'map[to:chan@contoso.example]', 'as Go prints a map'],
    ['an array as PHP prints it', 'Array\n(\n    [to] => chan', 'as PHP prints an array'],
    ['escaped quotes', json.replaceAll('"', '\\"'), 'written as JSON twice'],
    ['JSON as a text of JSON', JSON.stringify(json), 'written as JSON twice'],
    ['percent-encoded JSON', encodeURIComponent(json), 'percent-encoded'],
    ['a form', 'to=chan@contoso.example&subject=canary', 'a form'],
    ['a form of several parts', '--boundary\r\nContent-Disposition: form-data', 'a form of several parts'],
    ['XML', '<mail><to>chan@contoso.example</to></mail>', 'XML or HTML'],
    ['base64', base64(json), 'base64 of JSON'],
    ['base64 of base64', base64(base64(json)), 'base64 of base64'],
    ['base64 of gzip', base64(gzipSync(json)), 'what gzip compressed'],
  ])('%s', (_, text, look) => {
    const { code, facts } = errorOf(() => readMail(parseJson(text)));
    expect(code).toBe('JSON_UNREADABLE');
    expect(facts.detail).toMatch(/^Expected one JSON object/);
    expect(facts.detail).toContain(look);
    expect(facts.detail).not.toMatch(/chan|canary/);
  });

  test.each(['{"to":', 'Dear all', '[1,', '12 34', 'YWJj'])('%s looks like nothing known', (text) => {
    expect(lookOfText(text)).toBe('');
  });

  test('gzip is told as that', () => {
    expect(errorOf(() => decodeUtf8(gzipSync(json))).facts.detail).toBe(
      'Expected text encoded as UTF-8, not compressed with gzip.',
    );
  });
});

test('whatever the text is, what is said of it is one of few sentences', () => {
  const said = new Set<string>();
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.json()), (text) => {
      said.add(lookOfText(text));
    }),
    { numRuns: 1000 },
  );
  expect(said.size).toBeLessThan(20);
});
