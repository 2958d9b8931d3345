/**
 * One text for every way of writing the same JSON value: the names of an object in order, lists as they are, no white
 * space. `writeText` writes the texts in it. Expects a value that came from JSON and is not deep: it calls itself for each
 * level.
 */
export const canonicalJson = (
  value: unknown,
  writeText: (text: string) => string = (text) => JSON.stringify(text),
): string => {
  const write = (item: unknown): string => {
    if (typeof item === 'string') return writeText(item);
    if (Array.isArray(item)) return `[${item.map(write).join(',')}]`;
    if (typeof item !== 'object' || item === null) return JSON.stringify(item) ?? 'null';
    const fields = Object.entries(item)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, field]) => `${JSON.stringify(name)}:${write(field)}`);
    return `{${fields.join(',')}}`;
  };
  return write(value);
};
