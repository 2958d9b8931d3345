import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { isAbsent, isObject } from '../mail/absent.ts';
import { tagPair, tagWord } from './tag-words.ts';

/** A tag, and the field it comes from. */
type FoundTag = { readonly tag: string; readonly field: string };

export type FoundTags = { readonly tags: readonly FoundTag[]; readonly problems: readonly Problem[] };

/** A name that shows nothing of anybody, and so can be in an error. */
const isFieldLike = (name: string): boolean => /^[A-Za-z][\w-]{0,39}$/.test(name);

const invalid = (pointer: string, expected: string, value: unknown): Problem => ({
  code: 'FIELD_INVALID',
  pointer,
  expected,
  received: describe(value),
});

/** Tag and Metadata as tags of ours: the tag first, then a tag `key.value` for each pair. */
export const readTags = (tag: unknown, metadata: unknown): FoundTags => {
  const tags: FoundTag[] = [];
  const problems: Problem[] = [];
  if (typeof tag === 'string') {
    if (tag.trim() !== '') tags.push({ tag: tagWord(tag), field: 'Tag' });
  } else if (!isAbsent(tag) && tag !== undefined) problems.push(invalid('Tag', 'text', tag));

  if (isObject(metadata)) {
    for (const [key, value] of Object.entries(metadata)) {
      const field = isFieldLike(key) ? `Metadata.${key}` : 'Metadata';
      if (isAbsent(value)) continue;
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
        tags.push({ tag: tagPair(key, String(value)), field });
      else problems.push(invalid(field, 'text', value));
    }
    // PHP writes an empty map as an empty list.
  } else if (!isAbsent(metadata) && metadata !== undefined && !isEmptyList(metadata))
    problems.push(invalid('Metadata', 'an object', metadata));
  return { tags, problems };
};

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
