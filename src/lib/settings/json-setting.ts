import { describe } from '../describe.ts';
import { lookOfText } from '../mail/not-json.ts';

/** A comma that closes a list or an object, outside of texts. */
const TRAILING_COMMA = /^(?:[^"]|"(?:[^"\\]|\\.)*")*?,\s*[\]}]/s;
/** No setting is that long; a longer text is not searched. */
const MAX_SEARCHED = 32_000;

type JsonSetting = { readonly value?: unknown; readonly received: string };

/** The JSON of a setting, and what was received in words that show nothing of it; without `value` where it is no JSON. */
export const readJsonSetting = (text: string): JsonSetting => {
  try {
    const value: unknown = JSON.parse(text);
    return { value, received: describe(value) };
  } catch (error) {
    return { received: notJson(text, error as SyntaxError) };
  }
};

const notJson = (text: string, { message }: SyntaxError): string => {
  const look = lookOfText(text);
  if (look !== '') return `${describe(text)} that is not JSON. ${look.replace(/\.$/, '')}`;
  if (text.length <= MAX_SEARCHED && TRAILING_COMMA.test(text))
    return 'a comma before a ] or }, which JSON does not allow';
  // The rest of the message can quote the text.
  const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(message) ?? [];
  const where = line === undefined ? '' : `, from line ${line}, column ${column} on`;
  return `${describe(text)} that is not JSON${where}`;
};
