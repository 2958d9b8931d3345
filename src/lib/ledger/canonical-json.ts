import { type Base64Text, isBase64Text } from '../mail/base64-text.ts';

/**
 * One text for every way of writing the same JSON value: the names of an object in order, lists as they are, no white
 * space. `writeText` writes the texts in it. Expects a value of JSON that is not deep: it calls itself for each
 * level.
 */
export const canonicalJson = (
  value: unknown,
  writeText: (text: Base64Text) => string = (text) => JSON.stringify(text),
): string => {
  const write = (item: unknown): string => {
    if (isBase64Text(item)) return writeText(item);
    if (Array.isArray(item)) return `[${item.map(write).join(',')}]`;
    if (typeof item !== 'object' || item === null) return JSON.stringify(item) ?? 'null';
    const fields = Object.entries(item)
      // As JSON has it: what is hashed before it is stored has the hash of what is read again.
      .filter(([, field]) => field !== undefined)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, field]) => `${JSON.stringify(name)}:${write(field)}`);
    return `{${fields.join(',')}}`;
  };
  return write(value);
};
