import type { CredentialWarning } from './credential-warning.ts';
import type { CommandContext } from './renewal-commands.ts';

/** A sentence, or a command that the reader can copy. */
export type Step = { readonly say: string } | { readonly run: string };

/** One warning in the words of a language. */
export type WarningText = {
  readonly headline: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  /** What it stops; absent where nothing of the relay depends on it. */
  readonly breaks?: string;
  readonly steps: readonly Step[];
};

export type WarningContext = CommandContext & {
  /** The relay renews client secrets itself. */
  readonly rotates: boolean;
};

/** What a language says of warnings. */
export type WarningWords = {
  readonly describe: (warning: CredentialWarning, context: WarningContext) => WarningText;
  readonly subject: (headlines: readonly string[], vault: string) => string;
  readonly opening: (count: number, vault: string, day: string) => string;
  readonly whatToDo: string;
  /** Between a label and its value. */
  readonly colon: string;
  /** How many more there are than are shown. */
  readonly more: (count: number) => string;
  readonly footer: string;
};

const MOST_LISTED = 12;

/** Names in a sentence; many of them would hide what the sentence says. */
export const listed = (
  names: readonly string[],
  separator: string,
  more: (count: number) => string,
): string =>
  names.length <= MOST_LISTED
    ? names.join(separator)
    : [...names.slice(0, MOST_LISTED), more(names.length - MOST_LISTED)].join(separator);

/** Minutes in UTC: the same for every reader. */
export const toMinute = (date: Date): string => `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
