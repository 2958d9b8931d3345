/** A text property holds 64 KiB in UTF-16 (Understanding the Table service data model). */
const MAX_COLUMN = 32_000;

/** JSON in ASCII, which can be cut anywhere: large requests are cut on their way as well, inside a character. */
const toAscii = (json: string): string =>
  json.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** JSON in as many columns as it takes: `row`, `row1`, `row2` ... Few entities need more than the first. */
export const toColumns = (name: string, json: string): Record<string, string> => {
  const text = toAscii(json);
  const columns: Record<string, string> = {};
  for (let number = 0; number * MAX_COLUMN < text.length; number += 1)
    columns[number === 0 ? name : `${name}${number}`] = text.slice(
      number * MAX_COLUMN,
      (number + 1) * MAX_COLUMN,
    );
  return columns;
};

/** The JSON of these columns; empty where there are none. */
export const fromColumns = (name: string, entity: Readonly<Record<string, unknown>>): string => {
  let json = '';
  for (let number = 0; ; number += 1) {
    const more = entity[number === 0 ? name : `${name}${number}`];
    if (typeof more !== 'string') return json;
    json += more;
  }
};
