import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import { parseJson, readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { problemsOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

test('what a mail leaves out has its usual value', () => {
  expect(readMail(aMail())).toEqual({
    to: [{ address: 'chan@contoso.example' }],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: 'Pay slip',
    text: 'Your pay slip is ready.',
    attachments: [],
    headers: [],
    references: [],
    importance: 'normal',
    saveToSentItems: true,
    readReceipt: false,
    deliveryReceipt: false,
    tags: [],
  });
});

describe('each fault of an email is its own problem at its own place', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['an unknown field', { attachment: [] }, ['FIELD_UNKNOWN /attachment']],
    ['a field the host keeps for itself', { id: 'x' }, ['FIELD_UNKNOWN /id']],
    ['neither text nor html', { text: undefined }, ['BODY_MISSING /text']],
    ['an unknown importance', { importance: 'urgent' }, ['FIELD_INVALID /importance']],
    ['a text for a flag', { saveToSentItems: 'false' }, ['FIELD_INVALID /saveToSentItems']],
    ['no subject', { subject: undefined }, ['FIELD_INVALID /subject']],
    ['a tag with an address in it', { tags: ['a@contoso.example'] }, ['FIELD_INVALID /tags/0']],
    ['eleven tags', { tags: Array.from({ length: 11 }, () => 'a') }, ['FIELD_INVALID /tags']],
  ])('%s', (_, override, expected) => {
    expect(problemsOf(() => read(override))).toEqual(expected);
  });
});

test('whatever JSON comes, the answer is a mail or a list of problems', () => {
  const keys = fc.constantFrom(
    'to',
    'cc',
    'subject',
    'text',
    'html',
    'headers',
    'attachments',
    'tags',
    'from',
    'zzz',
  );
  fc.assert(
    fc.property(fc.dictionary(keys, fc.jsonValue()), (input) => {
      try {
        readMail(input);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        for (const problem of (error as AppError).facts.problems ?? [])
          expect(problem.pointer).toMatch(/^(\/[\w.~-]+)*$/);
      }
    }),
    { numRuns: 500 },
  );
});

test('a mail that is accepted is the same after it was stored as JSON', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 20 });
  const field = fc.record(
    {
      to: fc.constantFrom('a@b.cc; "x, y" <c@d.ee>', ['', 'a@b.cc'], { name: null, address: 'a@b.cc' }),
      subject: text,
      text,
      tags: fc.array(fc.constantFrom('', 'a', null), { maxLength: 3 }),
      headers: fc.dictionary(fc.constantFrom('x-a', 'x-b', 'X-A'), text),
      importance: fc.constantFrom('High', '', null, 'low'),
    },
    { requiredKeys: ['to', 'subject', 'text'] },
  );
  fc.assert(
    fc.property(field, (input) => {
      let mail: unknown;
      try {
        mail = readMail(input);
      } catch (error) {
        expect(error).toBeInstanceOf(AppError);
        return;
      }
      expect(readMail(parseJson(JSON.stringify(input)))).toEqual(mail);
    }),
    { numRuns: 500 },
  );
});
