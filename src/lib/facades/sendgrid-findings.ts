import { describe } from '../describe.ts';
import type { ErrorCode } from '../error-catalogue.ts';
import type { Problem } from '../errors.ts';
import { isObject } from '../mail/absent.ts';
import { type FieldRules, fieldProblems } from './field-rules.ts';

/** What translating a request finds: what is wrong with it, and which of its fields each of ours comes from. */
export type Findings = {
  readonly problems: Problem[];
  /** By JSON pointers into our email. */
  readonly places: Map<string, string>;
};

export const newFindings = (): Findings => ({ problems: [], places: new Map() });

export const tell = (
  { problems }: Pick<Findings, 'problems'>,
  pointer: string,
  expected: string,
  value: unknown,
  code: ErrorCode = 'FIELD_INVALID',
): void => {
  problems.push({ code, pointer, expected, received: describe(value) });
};

/** Nothing, as serialisers write it. */
export const isNothing = (value: unknown): boolean => value === undefined || value === null || value === '';

/** The object in a field, with the problems of its fields told; undefined where there is none. */
export const objectIn = (
  findings: Pick<Findings, 'problems'>,
  value: unknown,
  place: string,
  rules?: FieldRules,
): Readonly<Record<string, unknown>> | undefined => {
  if (isNothing(value) || (Array.isArray(value) && value.length === 0)) return undefined;
  if (!isObject(value)) {
    tell(findings, place, 'an object', value);
    return undefined;
  }
  if (rules !== undefined) findings.problems.push(...fieldProblems(value, rules, `${place}.`));
  return value;
};

/** The list in a field; empty where there is none. */
export const listIn = (
  findings: Pick<Findings, 'problems'>,
  value: unknown,
  place: string,
): readonly unknown[] => {
  if (isNothing(value)) return [];
  if (Array.isArray(value)) return value;
  tell(findings, place, 'a list', value);
  return [];
};

/** Names inside a field, of ours and theirs. */
const THEIRS: Readonly<Record<string, string>> = {
  address: 'email',
  contentType: 'type',
  cid: 'content_id',
};

/** The field that a pointer into our email comes from, with the dots and indexes of SendGrid: `personalizations.0.to.1.email`. */
export const fieldAt = (places: ReadonlyMap<string, string>, pointer: string): string => {
  const names = pointer.split('/').slice(1);
  for (let known = names.length; known > 0; known -= 1) {
    const place = places.get(`/${names.slice(0, known).join('/')}`);
    if (place === undefined) continue;
    const inside = names.slice(known).map((name) => THEIRS[name] ?? name);
    return [place, ...inside].join('.').replaceAll('~1', '/').replaceAll('~0', '~');
  }
  return '';
};
