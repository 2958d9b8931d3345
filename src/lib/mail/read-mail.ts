import { describe } from '../describe.ts';
import { AppError, problemsError } from '../errors.ts';
import { toProblems } from './mail-problems.ts';
import { type Mail, mailSchema } from './mail-schema.ts';

/** Reads JSON as text. Throws JSON_UNREADABLE, saying where without showing the text. */
export const parseJson = (text: string): unknown => {
  try {
    // Schemas skip a key named __proto__ without a word, however it is written; nothing is dropped silently here.
    return /__proto|\\u/.test(text) ? JSON.parse(text, refusePrototype) : JSON.parse(text);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const position = /at position (\d+)/.exec(String(cause))?.[1];
    const where = position === undefined ? '' : ` The first error is at character ${position}.`;
    throw new AppError('JSON_UNREADABLE', { detail: `Expected one JSON object.${where}` });
  }
};

const refusePrototype = (key: string, value: unknown): unknown => {
  if (key === '__proto__')
    throw new AppError('JSON_UNREADABLE', { detail: 'A field may not be named __proto__.' });
  return value;
};

/** Reads bytes as UTF-8 text. Throws JSON_UNREADABLE for other encodings. */
export const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new AppError('JSON_UNREADABLE', { detail: 'Expected text encoded as UTF-8.' });
  }
};

/** Reads a mail of the contract. Throws one AppError that lists every problem. */
export const readMail = (input: unknown): Mail => {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new AppError('JSON_UNREADABLE', {
      detail: `Expected one JSON object with the fields of a mail, not ${describe(input)}.`,
    });
  const result = mailSchema.safeParse(input);
  if (result.success) return result.data;
  throw problemsError(toProblems(result.error.issues, input));
};
