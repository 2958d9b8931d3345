/** No more of a text is looked at. */
const LOOKED_AT = 400;

/** What programs write in place of JSON, by how it begins. */
const BEGINNINGS: readonly (readonly [RegExp, string])[] = [
  [/^[bB][rR]?["']/, 'It begins as Python prints bytes: send the bytes themselves, not str() of them.'],
  [/^\{\s*u?'/, 'It begins as Python prints a dict, with single quotes: write it with json.dumps.'],
  [/^\{\s*\w+=/, 'It begins as Java prints a map: write it with a JSON library.'],
  [/^\[object /, 'It begins as JavaScript prints an object: write it with JSON.stringify.'],
  [/^(?:@\{|System\.)/, 'It begins as PowerShell or .NET prints an object: write it with a JSON serialiser.'],
  [/^map\[/, 'It begins as Go prints a map: write it with json.Marshal.'],
  [/^Array\b/, 'It begins as PHP prints an array: write it with json_encode.'],
  [/^["']\s*\{/, 'It begins as JSON in quotes: it was written as JSON twice.'],
  [/^\{\s*\\"/, 'It begins as JSON with its quotes escaped: it was written as JSON twice.'],
  [/^data:/i, 'It begins as a data URL: send the JSON alone.'],
  [/^%7b/i, 'It begins as JSON that was percent-encoded: send it as it is.'],
  [/^<[?!a-z]/i, 'It begins as XML or HTML.'],
  [/^--\S/, 'It begins as a form of several parts (multipart).'],
  [/^[\w.-]+=[^=]/, 'It begins as a form (name=value).'],
];

const GZIP = '\x1f\x8b';
const BASE64 = /^[\w+/-]{8,}={0,2}$/;

const decoded = (text: string): string =>
  Buffer.from(text.slice(0, LOOKED_AT - (LOOKED_AT % 4)), 'base64').toString('latin1');

/** What base64 holds: a mail, a mail that was encoded once more, or something compressed. */
const base64Look = (text: string): string | undefined => {
  if (!BASE64.test(text)) return undefined;
  const inside = decoded(text);
  if (/^(?:\xef\xbb\xbf)?\s*\{/.test(inside))
    return 'It is base64 of JSON: send the JSON itself; only on the queue it may be encoded, once.';
  if (inside.startsWith(GZIP)) return 'It is base64 of what gzip compressed: send the JSON itself.';
  if (BASE64.test(inside.slice(0, LOOKED_AT / 2)) && decoded(inside).startsWith('{'))
    return 'It is base64 of base64: send the JSON itself; only on the queue it may be encoded, once.';
  return undefined;
};

/**
 * Says of a text that is no JSON what it looks like and what to do, as a sentence of its own; an empty text where it
 * looks like nothing known. Never shows any of it.
 */
export const lookOfText = (text: string): string => {
  const start = text.slice(0, LOOKED_AT).trim();
  return BEGINNINGS.find(([beginning]) => beginning.test(start))?.[1] ?? base64Look(start) ?? '';
};

/** Whether bytes begin as gzip writes them (RFC 1952, 2.3.1). No text in UTF-8 begins so. */
export const isGzip = ([first, second]: Iterable<number>): boolean => first === 0x1f && second === 0x8b;
