import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aFile, aMail } from '../../support/a-mail.ts';
import { errorOf, problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

describe('a problem never repeats what may be data', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['an address as the name of a field', { to: { 'chan@example.com': 'Chan' } }, ['FIELD_UNKNOWN /to']],
    ['a person as the name of a field', { to: [{ Chan: 'chan@example.com' }] }, ['FIELD_UNKNOWN /to/0']],
    ['an address beside the fields', { 'chan@example.com': 1, '98765432': 2 }, ['FIELD_UNKNOWN ']],
    [
      'an address in a file',
      { attachments: [{ ...aFile(), 'chan@example.com': 1 }] },
      ['FIELD_UNKNOWN /attachments/0'],
    ],
    ['an address as a header', { headers: { 'chan@example.com': 'v' } }, ['HEADER_NOT_CARRIED /headers']],
    [
      'a long name of a header',
      { headers: { [`chan-${'n'.repeat(150)}`]: 'v' } },
      ['FIELD_INVALID /headers'],
    ],
    ['a typing error', { subjct: 'x' }, ['FIELD_UNKNOWN /subjct']],
    ['what others call an address', { to: { email: 'chan@example.com' } }, ['FIELD_UNKNOWN /to/email']],
  ])('%s', (_, override, expected) => {
    const error = errorOf(() => read(override));
    expect((error.facts.problems ?? []).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual(expected);
    expect(JSON.stringify(error.facts)).not.toMatch(/chan/i);
  });
});

describe('an error tells the caller everything, and shows nothing', () => {
  const everything = {
    to: 'secret-person',
    subject: 'secret\nsubject',
    importance: 'secret',
    zzz: 1,
    text: undefined,
  };

  test('all problems of a request come at once', () => {
    expect(problemsOf(() => read(everything)).sort()).toEqual([
      'ADDRESS_INVALID /to',
      'BODY_MISSING /text',
      'FIELD_INVALID /importance',
      'FIELD_UNKNOWN /zzz',
      'LINE_BREAK_NOT_ALLOWED /subject',
    ]);
  });

  test('the code is that of the problems when they are of one kind, else MAIL_INVALID', () => {
    expect(errorOf(() => read({ to: 'x', cc: 'y' })).code).toBe('ADDRESS_INVALID');
    expect(errorOf(() => read(everything)).code).toBe('MAIL_INVALID');
  });

  test('what came is described, never quoted', () => {
    expect(JSON.stringify(errorOf(() => read(everything)).facts)).not.toContain('secret');
  });

  test('every problem says what was expected and what came', () => {
    for (const problem of errorOf(() => read(everything)).facts.problems ?? []) {
      expect(problem.expected).not.toBe('');
      expect(problem.received).not.toBe('');
    }
  });

  test.each([[null], [[]], ['text'], [7]])('%j is not a mail', (input) => {
    expect(errorOf(() => readMail(input)).code).toBe('JSON_UNREADABLE');
  });
});

describe('a problem says which place it speaks of, and what came there', () => {
  test.each<[string, Record<string, unknown>, object]>([
    [
      'one address of a text with several',
      { to: 'a@x.com, b@x.com, c@x, d@x.com' },
      {
        pointer: '/to',
        expected: expect.stringContaining('has a dot in it'),
        received: 'text of 30 characters, in which address number 3 is wrong',
      },
    ],
    [
      'the value of a header that cannot be named',
      { headers: { 'x-a/b': 1 } },
      {
        pointer: '/headers',
        expected: 'text as the value of each header',
        received: 'a header with the value number',
      },
    ],
    [
      'the value of a header with a name',
      { headers: { 'x-a': 1 } },
      { pointer: '/headers/x-a', expected: 'text', received: 'number' },
    ],
    [
      'the only address of a text',
      { to: `${'l'.repeat(65)}@example.com` },
      {
        pointer: '/to',
        expected: 'at most 64 characters before the @, not 65',
        received: 'text of 77 characters',
      },
    ],
  ])('%s', (_, override, expected) => {
    expect(errorOf(() => read(override)).facts.problems).toEqual([expect.objectContaining(expected)]);
  });
});

test('a request with a hundred thousand mistakes is told of the first hundred', () => {
  const fields = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`f${index}`, 1]));
  const { facts } = errorOf(() => read(fields));
  expect(facts.problems).toHaveLength(100);
  expect(facts.detail).toBe('There are 100000 problems; the first 100 are listed.');
});
