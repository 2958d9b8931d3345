import { describe, expect, test } from 'vitest';
import { canonicalPropertyId, unmetValueRule } from '../../../local/graph/extended-property.ts';

const GUID = '{66F5A359-4659-4830-9070-00047EC6AC6E}';

describe('two ids are of the same property', () => {
  const same: [what: string, one: string, other: string, same: boolean][] = [
    ['with the GUID in other case', `String ${GUID} Name X`, `String ${GUID.toLowerCase()} Name X`, true],
    ['not with the name in other case', `String ${GUID} Name X`, `String ${GUID} Name x`, false],
    ['not with another type', `String ${GUID} Name X`, `Integer ${GUID} Name X`, false],
    ['with the number written otherwise', `Integer ${GUID} Id 0x8570`, `Integer ${GUID} Id 0x00008570`, true],
    ['with the tag in other case', 'SystemTime 0x3FEF', 'SystemTime 0x3fef', true],
    ['not as number and as name', `String ${GUID} Id 0x1`, `String ${GUID} Name 0x1`, false],
  ];
  test.each(same)('%s', (_what, one, other, expected) => {
    expect(canonicalPropertyId(one)).toBeDefined();
    expect(canonicalPropertyId(one) === canonicalPropertyId(other)).toBe(expected);
  });
});

test.each([
  '',
  'X-Id',
  'string 0x3FEF',
  'String',
  'String 0x',
  'String 0x12345',
  'String 3FEF',
  `String ${GUID}`,
  `String ${GUID} Name `,
  `String ${GUID} Key X`,
  `String ${GUID.slice(1, -1)} Name X`,
  `String  ${GUID} Name X`,
  `StringArray ${GUID} Name X`,
])('%j is no id of a single-value property', (id) => {
  expect(canonicalPropertyId(id)).toBeUndefined();
});

describe('a value', () => {
  const values: [id: string, value: string, expected: string | undefined][] = [
    ['String 0x1000', '', undefined],
    ['Integer 0x1000', '-12', undefined],
    ['Integer 0x1000', '1.5', 'a whole number'],
    ['Double 0x1000', '1.5', undefined],
    ['Double 0x1000', 'much', 'a number'],
    ['Boolean 0x1000', 'true', undefined],
    ['Boolean 0x1000', 'yes', 'true or false'],
    ['Binary 0x1000', 'AAE=', undefined],
    ['Binary 0x1000', 'AAE', 'base64'],
    ['CLSID 0x1000', GUID.slice(1, -1), undefined],
    ['CLSID 0x1000', 'x', 'a GUID'],
    ['SystemTime 0x3FEF', '2026-01-01T10:00:00.5Z', undefined],
    ['SystemTime 0x3FEF', '2026-01-01', 'a time in UTC such as 2026-01-01T10:00:00Z'],
  ];
  test.each(values)('of %s may be %j unless it must be %s', (id, value, expected) => {
    expect(unmetValueRule(id, value)).toBe(expected);
  });
});
