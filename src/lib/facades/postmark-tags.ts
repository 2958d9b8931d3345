import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { isAbsent, isObject } from '../mail/absent.ts';
import { isFieldLike } from './field-rules.ts';
import { TAG_FORM, toTag } from './tags.ts';

/** A tag, and the field it comes from. */
type FoundTag = { readonly tag: string; readonly field: string };

export type FoundTags = { readonly tags: readonly FoundTag[]; readonly problems: readonly Problem[] };

/** Tag and Metadata as tags of ours: the tag first, then a tag `key.value` for each pair. */
export const readTags = (tag: unknown, metadata: unknown): FoundTags => {
  const tags: FoundTag[] = [];
  const problems: Problem[] = [];
  const tell = (pointer: string, expected: string, value: unknown) =>
    problems.push({ code: 'FIELD_INVALID', pointer, expected, received: describe(value) });
  const add = (field: string, value: unknown, ...parts: readonly string[]) => {
    const made = toTag(...parts);
    if (made === undefined) tell(field, TAG_FORM, value);
    else tags.push({ tag: made, field });
  };

  if (typeof tag === 'string') {
    if (tag.trim() !== '') add('Tag', tag, tag.trim());
  } else if (!isAbsent(tag ?? '')) tell('Tag', 'text', tag);

  if (isObject(metadata)) {
    for (const [key, value] of Object.entries(metadata)) {
      const field = isFieldLike(key) ? `Metadata.${key}` : 'Metadata';
      if (isAbsent(value)) continue;
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
        add(field, value, key, String(value));
      else tell(field, 'text', value);
    }
    // PHP writes an empty map as an empty list.
  } else if (!isAbsent(metadata ?? '') && !isEmptyList(metadata)) tell('Metadata', 'an object', metadata);
  return { tags, problems };
};

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
