/** A media type in small letters, and its parameters by their names in small letters. */
export type ContentType = { readonly type: string; readonly parameters: ReadonlyMap<string, string> };

/** RFC 2045, 5.1, without comments: readers disagree on where one ends, and so on what the boundary is. */
const TYPE = /^([\w!#$%&'*+.^`{|}~-]+\/[\w!#$%&'*+.^`{|}~-]+)[ \t]*/;
const PARAMETER = /;[ \t]*([\w!#$%&'*+.^`{|}~-]+)=(?:"((?:[^"\\]|\\.)*)"|([\w!#$%&'*+.^`{|}~-]+))[ \t]*/y;
/** Many applications write a semicolon at the end, which no reader takes for more. */
const END = /;?[ \t]*$/y;

/** Reads the value of Content-Type, or says what was expected instead. A quoted value keeps its backslashes. */
export const readContentType = (value: string): ContentType | { readonly expected: string } => {
  const [whole, type] = TYPE.exec(value) ?? [];
  if (whole === undefined || type === undefined)
    return { expected: 'a Content-Type that begins with a type such as text/plain' };
  const parameters = new Map<string, string>();
  let at = whole.length;
  for (;;) {
    PARAMETER.lastIndex = at;
    const [parameter, name = '', quoted, plain = ''] = PARAMETER.exec(value) ?? [];
    if (parameter === undefined) break;
    const key = name.toLowerCase();
    if (parameters.has(key)) return { expected: 'each parameter of a Content-Type once' };
    parameters.set(key, quoted ?? plain);
    at += parameter.length;
  }
  END.lastIndex = at;
  return END.test(value)
    ? { type: type.toLowerCase(), parameters }
    : {
        expected:
          'a Content-Type such as text/plain; charset="utf-8": after the type only parameters, without comments, each value a word or in quotes',
      };
};
