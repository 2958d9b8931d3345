import { describe } from '../describe.ts';
import type { Problem } from '../errors.ts';
import { isAbsent, isObject } from '../mail/absent.ts';
import { fieldProblems } from './field-rules.ts';
import { TAG_RULES } from './resend-fields.ts';
import { TAG_FORM, tagText, toTag } from './tags.ts';

/** The tags of an email as ours: `name.value`, so that a name without a dot is found again. */
export const readTags = (written: unknown, place: string, problems: Problem[]): unknown => {
  if (!Array.isArray(written)) return written;
  return written.map((tag: unknown, index) => {
    if (isAbsent(tag)) return null;
    const at = `${place}tags[${index}]`;
    if (!isObject(tag)) {
      problems.push({
        code: 'FIELD_INVALID',
        pointer: at,
        expected: 'an object with `name` and `value`',
        received: describe(tag),
      });
      return null;
    }
    problems.push(...fieldProblems(tag, TAG_RULES, `${at}.`));
    const name = tagText(tag.name);
    const value = isAbsent(tag.value) || tag.value === undefined ? '' : tagText(tag.value);
    if (name === undefined || name.trim() === '' || value === undefined) {
      const [part, given] = value === undefined ? ['value', tag.value] : ['name', tag.name];
      problems.push({
        code: 'FIELD_INVALID',
        pointer: `${at}.${part}`,
        expected: 'text',
        received: describe(given),
      });
      return null;
    }
    const made = toTag(name, ...(value.trim() === '' ? [] : [value]));
    if (made === undefined)
      problems.push({ code: 'FIELD_INVALID', pointer: at, expected: TAG_FORM, received: describe(tag) });
    return made ?? null;
  });
};

/** A tag of ours as one of Resend. */
export const toTheirTag = (tag: string): { readonly name: string; readonly value: string } => {
  const dot = tag.indexOf('.');
  return dot < 1 ? { name: tag, value: '' } : { name: tag.slice(0, dot), value: tag.slice(dot + 1) };
};
