import type { Problem } from '../errors.ts';
import { HINTS, hintFor } from './field-hints.ts';
import { MAIL_FIELDS } from './mail-schema.ts';

/** Names inside a field of the contract. */
const INSIDE = [
  'name',
  'address',
  'value',
  'filename',
  'content',
  'blob',
  'contentType',
  'cid',
  'method',
  'ics',
];

const isIndex = (name: string): boolean => /^\d{1,4}$/.test(name);

/** Ours, what other products call ours, or a slip of one of ours. */
const isOfTheContract = (name: string, depth: number): boolean => {
  const fields = depth === 0 ? MAIL_FIELDS : INSIDE;
  if (fields.includes(name) || (depth > 0 && isIndex(name))) return true;
  const tables = depth === 0 ? [HINTS.MAIL] : [HINTS.ATTACHMENT, HINTS.RECIPIENT, HINTS.CALENDAR];
  return tables.some((hints) => hintFor(name, fields, hints) !== '');
};

const keptPointer = (pointer: string): string => {
  const names = pointer.split('/').slice(1);
  const foreign = names.findIndex(
    (name, depth) =>
      !isOfTheContract(name, depth) || (names[0] === 'headers' && depth === 1 && !isIndex(name)),
  );
  return (foreign === -1 ? names : names.slice(0, foreign)).map((name) => `/${name}`).join('');
};

/**
 * Problems as the ledger keeps them for months: an application can name a field or a header after a person, so that only names of
 * the contract stay. Whoever sent the email is answered with all of them.
 */
export const keptProblems = (problems: readonly Problem[]): readonly Problem[] =>
  problems.map((problem) => ({ ...problem, pointer: keptPointer(problem.pointer) }));
