import { describe, expect, test } from 'vitest';
import { readMail } from '../../../src/lib/mail/read-mail.ts';
import { aMail } from '../../support/a-mail.ts';
import { errorOf } from '../../support/problems-of.ts';

const read = (override: Record<string, unknown>) => readMail(aMail(override));

describe('an idempotency key is the same in the mail as in the header', () => {
  test.each([
    [' ', 'a text with a blank in it'],
    ['a b', 'a text with a blank in it'],
    ['a\nb', 'a text with a blank in it'],
    ['a\u3000b', 'a text with a blank in it'],
    ['clé', 'a text with a character that is not printable ASCII'],
    ['a\u0000', 'a text with a character that is not printable ASCII'],
    ['k'.repeat(256), 'a text with 256 characters, and 255 is the most'],
  ])('%j is refused with the reason', (idempotencyKey, received) => {
    expect(errorOf(() => read({ idempotencyKey }))).toMatchObject({
      code: 'IDEMPOTENCY_KEY_INVALID',
      facts: {
        problems: [
          {
            pointer: '/idempotencyKey',
            expected: '1 to 255 printable ASCII characters without blanks',
            received,
          },
        ],
      },
    });
  });

  test('255 printable characters are one', () => {
    const idempotencyKey = `~!${'k'.repeat(253)}`;
    expect(read({ idempotencyKey }).idempotencyKey).toBe(idempotencyKey);
  });
});
