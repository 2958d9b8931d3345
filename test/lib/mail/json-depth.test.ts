import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isTooDeep, MAX_DEPTH } from '../../../src/lib/mail/json-depth.ts';

/** So many lists or objects within each other. */
const nested = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 'x';
  for (let level = 0; level < depth; level += 1) value = wrap(value);
  return value;
};

test.each<[string, (inner: unknown) => unknown]>([
  ['lists', (inner) => [inner]],
  ['objects', (inner) => ({ a: inner })],
  ['both, among other things', (inner) => [1, { a: null, b: [inner] }]],
])('%s are too deep beyond the limit, and however deep they are that is said', (_, wrap) => {
  const perStep = JSON.stringify(wrap('x')).replaceAll(/[^[{]/g, '').length;
  const steps = Math.floor(MAX_DEPTH / perStep);
  expect(isTooDeep(nested(steps, wrap))).toBe(false);
  expect(isTooDeep(nested(steps + 1, wrap))).toBe(true);
  expect(isTooDeep(nested(100_000, wrap))).toBe(true);
});

test('ordinary JSON is never too deep', () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 10 }), (value) => !isTooDeep(value)));
});
