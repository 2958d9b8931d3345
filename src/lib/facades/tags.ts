/** The rule of tags: they are in logs, in the status of an email and in searches. */
const TAG = /^[\w.-]{1,50}$/;
/** Blanks and punctuation of ASCII that no tag has. @ is not among them: a tag is logged, and an address must not be. */
const REPLACED = /[ -,/:-?[-^`{-~]/g;

/** What a problem expects of a text that becomes a tag. */
export const TAG_FORM =
  'a text that fits a tag of the relay: ASCII without @, at most 50 characters (for a name with a value, both and a dot between them). Tags are logged: use an id instead of personal data';

/** A text as serialisers write it: numbers and truth values as what they are. */
export const tagText = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined;

/** A category of a provider, or a name and its value, as a tag of ours; undefined where it cannot be one. */
export const toTag = (...parts: readonly string[]): string | undefined => {
  const words = parts.map((part) => part.trim().replaceAll(REPLACED, '-'));
  const tag = words.join('.');
  return !words.includes('') && TAG.test(tag) ? tag : undefined;
};
