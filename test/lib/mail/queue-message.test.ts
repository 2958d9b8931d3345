import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AppError } from '../../../src/lib/errors.ts';
import {
  type Envelope,
  fitsQueueMessage,
  MAX_MESSAGE_BYTES,
  readQueueMessage,
  toQueueText,
} from '../../../src/lib/mail/queue-message.ts';
import { aMail } from '../../support/a-mail.ts';
import { errorOf } from '../../support/problems-of.ts';

const envelope = (override: Partial<Envelope> = {}): Envelope => ({
  mailId: '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee',
  acceptedAt: new Date('2026-11-22T07:00:00.000Z'),
  caller: 'queue',
  turn: 3,
  phase: 'send',
  lookUps: 1,
  content: { mail: aMail() },
  ...override,
});

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a mail may be put on the queue', () => {
  const mail = aMail({ subject: '薪資單' });
  const json = JSON.stringify(mail);

  test.each([
    ['as JSON, which the library has parsed', mail],
    ['as text', json],
    ['as text with a byte order mark', `\ufeff${json}`],
    ['as base64', base64(json)],
    ['as base64 in lines', base64(json).replaceAll(/(.{20})/g, '$1\r\n')],
    ['as bytes', Buffer.from(json)],
  ])('%s', (_, message) => {
    expect(readQueueMessage(message)).toEqual({ kind: 'bare', mail });
  });
});

describe('what is no mail is refused with its reason', () => {
  test.each<[string, unknown, string]>([
    ['prose', 'hello', 'MESSAGE_UNREADABLE'],
    ['nothing', '', 'MESSAGE_UNREADABLE'],
    ['a number', 42, 'MESSAGE_UNREADABLE'],
    ['null', null, 'MESSAGE_UNREADABLE'],
    ['a list', [aMail()], 'MESSAGE_UNREADABLE'],
    ['cut-off JSON', '{"to":"a@b', 'JSON_UNREADABLE'],
    ['base64 of prose', base64('hello'), 'JSON_UNREADABLE'],
    [
      'base64 of another encoding',
      Buffer.from('{"a":"\xfc"}', 'latin1').toString('base64'),
      'JSON_UNREADABLE',
    ],
    ['an envelope not of the relay', { relay: { mailId: 'x' }, mail: {} }, 'MESSAGE_UNREADABLE'],
    ['an envelope with a path for a payload', { relay: 1, payload: '../x' }, 'MESSAGE_UNREADABLE'],
  ])('%s', (_, message, code) => {
    expect(errorOf(() => readQueueMessage(message)).code).toBe(code);
  });

  test('whatever comes, it is a message or an AppError', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.jsonValue(), fc.base64String()), (message) => {
        try {
          readQueueMessage(message);
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
    );
  });
});

describe("the relay's own message", () => {
  test.each([
    ['with the mail inside', envelope()],
    [
      'with the mail in a blob',
      envelope({ content: { payload: '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee.json' } }),
    ],
    ['that looks a mail up', envelope({ phase: 'look-up' })],
  ])('is read as it was written, %s', (_, written) => {
    expect(readQueueMessage(toQueueText(written))).toEqual({ kind: 'envelope', ...written });
  });

  test('fits up to 48 KiB', () => {
    const room =
      MAX_MESSAGE_BYTES -
      Buffer.byteLength(toQueueText(envelope({ content: { mail: { text: '' } } })), 'base64');
    const withText = (length: number) =>
      toQueueText(envelope({ content: { mail: { text: 'x'.repeat(length) } } }));
    expect(fitsQueueMessage(withText(room))).toBe(true);
    expect(withText(room).length).toBeLessThanOrEqual(65_536);
    expect(fitsQueueMessage(withText(room + 1))).toBe(false);
  });
});
