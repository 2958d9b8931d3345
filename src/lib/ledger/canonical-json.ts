/** A text of this length stands in a piece of its own, so that a file is not copied into the text of the whole. */
const LONG_TEXT = 4096;
/** Whether JSON.stringify only puts quotes around it. For a file in base64 this look costs half of writing it once more. */
const isPlain = (text: string): boolean =>
  !text.includes('"') && !text.includes('\\') && !/[^ -~]/.test(text);

/**
 * One text for every way of writing the same JSON value, in pieces: the names of an object in order, lists as they are, no
 * white space. A file next to a subject in Chinese would otherwise be copied at two bytes a character. Expects a value that
 * came from JSON and is not deep: it calls itself for each level.
 */
export const canonicalJson = (value: unknown): readonly string[] => {
  const pieces: string[] = [];
  let piece = '';
  const writeText = (text: string): void => {
    if (text.length < LONG_TEXT) {
      piece += JSON.stringify(text);
    } else if (isPlain(text)) {
      pieces.push(`${piece}"`, text);
      piece = '"';
    } else {
      pieces.push(piece, JSON.stringify(text));
      piece = '';
    }
  };
  const writeValue = (item: unknown): void => {
    if (typeof item === 'string') writeText(item);
    else if (Array.isArray(item)) writeList(item);
    else if (typeof item === 'object' && item !== null) writeObject(item);
    else piece += JSON.stringify(item) ?? 'null';
  };
  const writeList = (items: readonly unknown[]): void => {
    piece += '[';
    for (const [index, item] of items.entries()) {
      if (index > 0) piece += ',';
      writeValue(item);
    }
    piece += ']';
  };
  const writeObject = (object: object): void => {
    piece += '{';
    const fields = Object.entries(object).sort(([one], [other]) => (one < other ? -1 : 1));
    for (const [index, [name, field]] of fields.entries()) {
      if (index > 0) piece += ',';
      writeText(name);
      piece += ':';
      writeValue(field);
    }
    piece += '}';
  };
  writeValue(value);
  return [...pieces, piece];
};
