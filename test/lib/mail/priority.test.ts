import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describe as inWords } from '../../../src/lib/describe.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { apartFromPriority, lowerOf, PRIORITIES, withPriority } from '../../../src/lib/mail/priority.ts';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail, base64Of } from '../../support/a-mail.ts';
import { errorOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));
const expectedOf = (priority: unknown) => errorOf(() => read({ priority })).facts.problems?.[0]?.expected;

describe('the priority of an email', () => {
  test.each([
    ['high', 'high'],
    ['normal', 'normal'],
    ['bulk', 'bulk'],
    ['HIGH', 'high'],
    ['Bulk', 'bulk'],
    [undefined, undefined],
    [null, undefined],
    ['', undefined],
  ])('%s is read as %s', (written, priority) => {
    expect(read({ priority: written }).priority).toBe(priority);
  });

  test('does not change what recipients see, nor does what they see change it', () => {
    expect(read({ priority: 'high' }).importance).toBe('normal');
    expect(read({ importance: 'high' })).not.toHaveProperty('priority');
  });

  test('can be beside a whole message', () => {
    const mime = Buffer.from('From: a@b.cc\r\nTo: c@d.ee\r\nSubject: x\r\nX-Priority: 1\r\n\r\nx\r\n');
    expect(readMail({ mime: mime.toString('base64'), priority: 'bulk' })).toMatchObject({ priority: 'bulk' });
  });

  test.each<[unknown, string | undefined]>([
    ['low', 'bulk'],
    ['Newsletter', 'bulk'],
    ['non-urgent', 'bulk'],
    ['urgent', 'high'],
    ['HIGHEST', 'high'],
    [1, 'high'],
    [5, 'bulk'],
    ['default', 'normal'],
    [' high', 'high'],
    ['later', undefined],
    ['constructor', undefined],
    [0, undefined],
    [true, undefined],
    [['high'], undefined],
    [{ level: 'high' }, undefined],
  ])('%j is an error that lists the three, and says which is meant: %s', (written, meant) => {
    expect(expectedOf(written)).toMatch(/^one of "high", "normal", "bulk"; /);
    expect(/did you mean "(.*)"\?/.exec(String(expectedOf(written)))?.[1]).toBe(meant);
    expect(expectedOf(written)).toMatch(/what recipients see is `importance`/);
  });

  test('whatever is written, it is one of the three, absent, or a problem of this field that does not show it', () => {
    const near = fc.constantFrom('high', 'HIGH', 'bulk ', 'low', 'urgent', '', null, 1);
    fc.assert(
      fc.property(fc.oneof(near, fc.jsonValue(), fc.string()), (priority) => {
        try {
          expect([...PRIORITIES, undefined]).toContain(read({ priority }).priority);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          expect(error.facts.problems).toMatchObject([{ code: 'FIELD_INVALID', pointer: '/priority' }]);
          expect(error.facts.problems?.[0]?.received).toBe(inWords(priority));
        }
      }),
    );
  });
});

describe('apart from its email', () => {
  const mails = fc.record(
    {
      subject: fc.string(),
      priority: fc.oneof(fc.constantFrom(...PRIORITIES, 'HIGH', 'urgent', '', null), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );

  test('a priority is the one that the email is read with, and with it the email is read as before', () => {
    fc.assert(
      fc.property(mails, (given) => {
        const mail = aMail(given);
        const { priority, content } = apartFromPriority(mail);
        const back = withPriority(content, priority);
        try {
          const whole = readMail(mail);
          expect(whole.priority).toBe(priority);
          expect(content).not.toHaveProperty('priority');
          expect(readMail(back)).toEqual(whole);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          expect(() => readMail(back)).toThrow(AppError);
        }
      }),
    );
  });

  test('nothing is copied of what the email holds', () => {
    const attachments = [{ filename: 'a.bin', content: base64Of(10_000) }];
    expect(apartFromPriority(aMail({ attachments, priority: 'bulk' })).content.attachments).toBe(attachments);
  });
});

test('of two priorities the lower is the one that waits longer', () => {
  expect(PRIORITIES.map((one) => PRIORITIES.map((other) => lowerOf(one, other)))).toEqual([
    ['high', 'normal', 'bulk'],
    ['normal', 'normal', 'bulk'],
    ['bulk', 'bulk', 'bulk'],
  ]);
});
