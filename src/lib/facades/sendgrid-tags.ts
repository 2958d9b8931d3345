import { isFieldLike } from './field-rules.ts';
import { type Findings, isNothing, listIn, tell } from './sendgrid-findings.ts';
import { TAG_FORM, toTag } from './tags.ts';

/** A custom argument, and where it is. */
export type CustomArg = { readonly value: unknown; readonly place: string };

/** The custom arguments of an object by their names. */
export const argsIn = (
  object: Readonly<Record<string, unknown>> | undefined,
  place: string,
): ReadonlyMap<string, CustomArg> =>
  new Map(
    Object.entries(object ?? {})
      .filter(([, value]) => !isNothing(value))
      .map(([name, value]) => [name, { value, place: isFieldLike(name) ? `${place}.${name}` : place }]),
  );

/** The tags of `categories`. */
export const readCategories = (findings: Findings, value: unknown): readonly string[] => {
  findings.places.set('/tags', 'categories');
  const tags: string[] = [];
  const written = typeof value === 'string' ? [value] : value;
  for (const [index, category] of listIn(findings, written, 'categories').entries()) {
    if (isNothing(category)) continue;
    const tag = typeof category === 'string' ? toTag(category) : undefined;
    if (tag === undefined) tell(findings, `categories.${index}`, TAG_FORM, category);
    else tags.push(tag);
  }
  return tags;
};

/** The tags of custom arguments: `name.value` each. */
export const readArgs = (
  findings: Pick<Findings, 'problems'>,
  args: ReadonlyMap<string, CustomArg>,
): readonly string[] =>
  [...args].flatMap(([name, { value, place }]) => {
    const text = ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
    const tag = text === undefined ? undefined : toTag(name, text);
    if (tag === undefined) tell(findings, place, TAG_FORM, value);
    return tag === undefined ? [] : [tag];
  });
