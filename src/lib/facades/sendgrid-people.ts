import { defined } from '../defined.ts';
import { isObject } from '../mail/absent.ts';
import { fieldProblems } from './field-rules.ts';
import { PERSON } from './sendgrid-fields.ts';
import { type Findings, isNothing, listIn } from './sendgrid-findings.ts';

/**
 * SendGrid writes a name into the header as it is, and django-anymail quotes names because of that
 * (https://github.com/sendgrid/sendgrid-python/issues/291): with the quotes it would arrive twice quoted.
 */
const unquoted = (name: unknown): unknown =>
  typeof name === 'string' && /^".*"$/s.test(name) ? name.slice(1, -1).replaceAll(/\\(.)/gs, '$1') : name;

/** `{ email, name }` as our `{ address, name }`; anything else as it is. */
export const toPerson = (findings: Findings, written: unknown, place: string): unknown => {
  if (!isObject(written)) return written;
  findings.problems.push(...fieldProblems(written, PERSON, `${place}.`));
  return defined({ address: written.email, name: unquoted(written.name) });
};

/** The people in a list, at their places. Undefined where there is nobody. */
export const toPeople = (
  findings: Findings,
  value: unknown,
  place: string,
  pointer: string,
): readonly unknown[] | undefined => {
  findings.places.set(pointer, place);
  const list = listIn(findings, value, place);
  return list.length === 0
    ? undefined
    : list.map((one, index) => (isNothing(one) ? null : toPerson(findings, one, `${place}.${index}`)));
};
