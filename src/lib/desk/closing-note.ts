import { describe } from '../describe.ts';
import { AppError } from '../errors.ts';

const MAX_NOTE = 500;

const noteFault = (note: unknown): string | undefined => {
  if (typeof note !== 'string' || note === '') return describe(note);
  if (note.trim() === '') return 'only blanks';
  if (note.trim().length > MAX_NOTE) return `${note.trim().length} characters`;
  if (/\p{Cc}/u.test(note.trim())) return 'text with a line break or control character';
  return note.isWellFormed() ? undefined : 'text in which a character is cut in half';
};

export const noNote = (detail: string): AppError => new AppError('NOTE_MISSING', { detail });

/** The note that says why an email is closed. Throws NOTE_MISSING. */
export const requireNote = (note: unknown): string => {
  const fault = noteFault(note);
  if (fault !== undefined)
    throw noNote(`Expected in \`note\` a text of 1 to ${MAX_NOTE} characters, received ${fault}.`);
  return String(note).trim();
};
