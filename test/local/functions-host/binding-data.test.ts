import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonProperties, toBindingData } from '../../../local/functions-host/binding-data.ts';

const propertiesOf = (text: string) => toBindingData(jsonProperties(text));

test.each<[string, object]>([
  ['{"a":5,"b":true,"c":false,"d":"x"}', { a: '5', b: 'True', c: 'False', d: 'x' }],
  ["{'a': 'x', // a comment\n b: /* another */ 1}", { a: 'x', b: '1' }],
  ['{"a":"2026-01-01T00:00:00"}', { a: '01/01/2026 00:00:00' }],
  ['{"a":"2026-06-30T23:30:00.1234567-01:00"}', { a: '07/01/2026 00:30:00' }],
  ['{"a":"2026-01-01"}', { a: '2026-01-01' }],
  ['{"a":"2026-13-01T00:00:00Z"}', { a: '2026-13-01T00:00:00Z' }],
  ['{"list":[1],"none":null}', {}],
  [' {"Id":"1","ID":"2"} ', { Id: '2' }],
  ['["a"]', {}],
  ['{"a":', {}],
  ['words', {}],
])('%s gives %j', (text, expected) => {
  const texts = Object.entries(propertiesOf(text)).map(([name, { string }]) => [name, string]);
  expect(Object.fromEntries(texts)).toEqual(expected);
});

test('an object with hundreds of thousands of properties gives them all', () => {
  const names = Array.from({ length: 200_000 }, (_, index) => `k${index}`);
  const text = `{${names.map((name) => `"${name}":"v"`).join()}}`;
  expect(Object.keys(propertiesOf(text))).toEqual(names);
});

test('an object nested deeper than the host reads gives nothing', () => {
  const nested = (levels: number) => `{"a":${'['.repeat(levels)}${']'.repeat(levels)},"b":"x"}`;
  expect(Object.keys(propertiesOf(nested(63)))).toEqual(['b']);
  expect(Object.keys(propertiesOf(nested(64)))).toEqual([]);
});

test('an object stays JSON', () => {
  expect(propertiesOf('{"mail":{"to":"a"}}')).toEqual({ mail: { json: '{"to":"a"}' } });
});

test('no text makes it fail', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.string().map((text) => `{${text}}`),
      ),
      (text) => {
        expect(() => propertiesOf(text)).not.toThrow();
      },
    ),
  );
});
