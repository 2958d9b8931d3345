import { describe } from '../describe.ts';
import { AppError, type Problem, problemsError } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import { isBase64Text } from '../mail/base64-text.ts';

/** What a façade does with a field of a provider's request: it carries it, or says why it cannot and what to do instead. */
type FieldRule =
  | 'carried'
  | {
      /** What is expected in its place, as a problem says it. */
      readonly refused: string;
      /** Whether a value asks for nothing, beside null, false, an empty text, list or object. */
      readonly asksNothing?: (value: unknown) => boolean;
    };

export type FieldRules = Readonly<Record<string, FieldRule>>;

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (Array.isArray(value) && value.length === 0) ||
  // A long text of base64 is an object without fields.
  (isObject(value) && !isBase64Text(value) && Object.keys(value).length === 0);

/** A name of the provider's kind; another one may be data, and a problem is logged. */
export const isFieldLike = (name: string): boolean => /^[A-Za-z][\w-]{0,39}$/.test(name);

/**
 * The problems of the fields of one object: those that the façade cannot carry and that ask for something, and those it does not
 * know. `place` is the path of the object as the provider writes it, with its separator, such as `personalizations[0].`.
 */
export function* fieldProblems(
  object: Readonly<Record<string, unknown>>,
  rules: FieldRules,
  place = '',
): Generator<Problem> {
  for (const [name, value] of Object.entries(object)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === 'carried') continue;
    if (rule === undefined) {
      if (!isEmpty(value))
        yield {
          code: 'FIELD_UNKNOWN',
          pointer: isFieldLike(name) ? `${place}${name}` : place.replace(/\.$/, ''),
          expected: 'a field that this façade knows',
          received: 'an unknown field',
        };
      continue;
    }
    if (isEmpty(value) || rule.asksNothing?.(value)) continue;
    yield {
      code: 'FACADE_FIELD_NOT_CARRIED',
      pointer: `${place}${name}`,
      expected: rule.refused,
      received: describe(value),
    };
  }
}

/** Throws what was found, where anything was. */
export const requireNone = (problems: Iterable<Problem>): void => {
  const found = [...problems];
  if (found.length > 0) throw problemsError(found);
};

/** The same error, with its problems at the fields of the provider. */
export const withFields = (error: AppError, fieldOf: (pointer: string) => string): AppError => {
  const { problems } = error.facts;
  return problems === undefined
    ? error
    : new AppError(error.code, {
        ...error.facts,
        problems: problems.map((problem) => ({ ...problem, pointer: fieldOf(problem.pointer) })),
      });
};
