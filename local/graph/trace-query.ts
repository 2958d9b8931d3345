import { GraphError } from './graph-error.ts';
import type { TraceRow } from './message-traces.ts';

/*
 * What the real one does with a query, as far as it was measured (github.com/Nico77600/MessageTraceReport, 2026-10-02): of several values for
 * one property only the last counts, everything is joined by `and`, and `or`, `in`, `ne`, `not`, `$select` and `$orderby` are accepted and ignored.
 */

const DAY_MS = 86_400_000;
const DEFAULT_TOP = 1000;
const HIGHEST_TOP = 5000;
const LONGEST_DAYS = 10;
const OLDEST_DAYS = 90;
const DEFAULT_DAYS = 2;

const EQUAL = /\b(fromIP|id|messageId|recipientAddress|senderAddress|status|toIP)\s+eq\s+'((?:[^']|'')*)'/gi;
const IN_SUBJECT = /\b(contains|startswith|endswith)\(\s*subject\s*,\s*'((?:[^']|'')*)'\s*\)/gi;
const RECEIVED = /\breceivedDateTime\s+(\w+)\s+([^\s)]+)/gi;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

export type TraceQuery = {
  readonly matches: (row: TraceRow) => boolean;
  readonly top: number;
  readonly skip: number;
};

const refused = (message: string): GraphError => new GraphError(400, 'BadRequest', message);

/** Reads the options of a query. Throws the refusal of Graph. */
export const parseTraceQuery = (query: URLSearchParams, now: Date): TraceQuery => {
  const filter = query.get('$filter') ?? '';
  const [from, to] = windowIn(filter, now);
  const equal = new Map(
    [...filter.matchAll(EQUAL)].map(([, name = '', value = '']) => [name.toLowerCase(), unquote(value)]),
  );
  const [, how = '', words = ''] = [...filter.matchAll(IN_SUBJECT)].at(-1) ?? [];
  return {
    matches: (row) => {
      const received = Date.parse(row.receivedDateTime);
      return (
        received >= from &&
        received <= to &&
        [...equal].every(([name, value]) => isEqual(row, name, value)) &&
        (how === '' ||
          isInSubject(row.subject.toLowerCase(), how.toLowerCase(), unquote(words).toLowerCase()))
      );
    },
    top: topIn(query),
    skip: skipIn(query),
  };
};

const unquote = (literal: string): string => literal.replaceAll("''", "'");

const isEqual = (row: TraceRow, name: string, value: string): boolean => {
  const found = Object.entries(row).find(([key]) => key.toLowerCase() === name)?.[1];
  const [text, wanted] = [String(found).toLowerCase(), value.toLowerCase()];
  return /^(?:sender|recipient)address$/.test(name) && wanted.startsWith('*@')
    ? text.endsWith(wanted.slice(1))
    : text === wanted;
};

const isInSubject = (subject: string, how: string, words: string): boolean => {
  if (how === 'contains') return subject.includes(words);
  return how === 'startswith' ? subject.startsWith(words) : subject.endsWith(words);
};

/** Both ends or none; then it is the last 48 hours. */
const windowIn = (filter: string, now: Date): readonly [from: number, to: number] => {
  const bounds = new Map(
    [...filter.matchAll(RECEIVED)].map(([, operator = '', value = '']) => [operator.toLowerCase(), value]),
  );
  const other = [...bounds.keys()].find((operator) => operator !== 'ge' && operator !== 'le');
  if (other !== undefined)
    throw refused(`The operator '${other}' is not supported for receivedDateTime; expected ge and le.`);
  const [ge, le] = [bounds.get('ge'), bounds.get('le')];
  if (ge === undefined && le === undefined) return [now.getTime() - DEFAULT_DAYS * DAY_MS, now.getTime()];
  if (le === undefined) throw refused('EndDate is required when a StartDate is entered.');
  if (ge === undefined) throw refused('StartDate is required when an EndDate is entered.');
  const [from, to] = [instant(ge), instant(le)];
  if (to - from > LONGEST_DAYS * DAY_MS)
    throw refused(
      "|System.ArgumentException|The interval between StartDate and EndDate can't be longer than 10 days.",
    );
  if (from < now.getTime() - OLDEST_DAYS * DAY_MS)
    throw refused("Invalid StartDate value. The StartDate can't be older than 90 days from today.");
  if (to > now.getTime()) throw refused("Invalid EndDate value. The EndDate can't be in the future.");
  if (to < from) throw refused('StartDate must be earlier than EndDate.');
  return [from, to];
};

const instant = (text: string): number => {
  if (!INSTANT.test(text)) throw refused(`Invalid date '${text}'; expected YYYY-MM-DDThh:mm:ssZ.`);
  return Date.parse(text);
};

const topIn = (query: URLSearchParams): number => {
  const top = Number(query.get('$top') ?? DEFAULT_TOP);
  if (!Number.isInteger(top) || top < 1 || top > HIGHEST_TOP) throw refused('ResultSize is invalid.');
  return top;
};

/** The token is of this stand-in's own making, and has signs in it that a URL must escape. */
export const skipTokenOf = (skip: number): string => `${Buffer.from(`row ${skip}`).toString('base64')}==`;

const skipIn = (query: URLSearchParams): number => {
  const token = query.get('$skiptoken');
  if (token === null) return 0;
  const [, skip] = /^row (\d+)$/.exec(Buffer.from(token, 'base64').toString()) ?? [];
  if (skip === undefined) throw refused('The skip token is not valid.');
  return Number(skip);
};
