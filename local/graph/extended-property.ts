/** `String {GUID} Name X`, `Integer {GUID} Id 0x8570` or `SystemTime 0x3FEF`:
 * https://learn.microsoft.com/graph/api/resources/extended-properties-overview#id-formats */
const ID_FORM =
  /^(?<type>[A-Za-z]+) (?:\{(?<guid>[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})\} (?:Name (?<name>\S.{0,254})|Id (?<lid>0x[\da-f]{1,8}))|(?<tag>0x[\da-f]{1,4}))$/i;

type ValueRule = { readonly pattern: RegExp; readonly expected: string };

const WHOLE_NUMBER: ValueRule = { pattern: /^-?\d{1,19}$/, expected: 'a whole number' };
const NUMBER: ValueRule = { pattern: /^-?\d+(\.\d+)?$/, expected: 'a number' };
const ANY_TEXT: ValueRule = { pattern: /^/, expected: 'text' };

const VALUE_OF_TYPE: ReadonlyMap<string, ValueRule> = new Map([
  ['String', ANY_TEXT],
  ['Integer', WHOLE_NUMBER],
  ['Short', WHOLE_NUMBER],
  ['Long', WHOLE_NUMBER],
  ['Double', NUMBER],
  ['Float', NUMBER],
  ['Currency', NUMBER],
  ['Boolean', { pattern: /^(true|false)$/, expected: 'true or false' }],
  [
    'Binary',
    { pattern: /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?$/, expected: 'base64' },
  ],
  ['CLSID', { pattern: /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i, expected: 'a GUID' }],
  [
    'SystemTime',
    {
      pattern: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z$/,
      expected: 'a time in UTC such as 2026-01-01T10:00:00Z',
    },
  ],
]);

/** One spelling for all that mean the same property: its name is case-sensitive, everything else is not. */
export const canonicalPropertyId = (id: string): string | undefined => {
  const parts = ID_FORM.exec(id)?.groups;
  if (parts === undefined || !VALUE_OF_TYPE.has(parts.type ?? '')) return undefined;
  const { type, guid, name, lid, tag } = parts;
  if (tag !== undefined) return `${type} ${Number(tag)}`;
  return `${type} {${guid?.toLowerCase()}} ${name === undefined ? `Id ${Number(lid)}` : `Name ${name}`}`;
};

/** What the property's type expects of its value, when the value is something else. */
export const unmetValueRule = (id: string, value: string): string | undefined => {
  const rule = VALUE_OF_TYPE.get(id.slice(0, id.indexOf(' ')));
  return rule === undefined || rule.pattern.test(value) ? undefined : rule.expected;
};
