import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as z from 'zod';
import { AppError } from '../../../src/lib/errors.ts';
import { makeIdentity } from '../../../src/lib/ledger/identity.ts';
import {
  type Envelope,
  fitsQueueMessage,
  MAX_MESSAGE_BYTES,
  newEnvelope,
  readQueueMessage,
  toQueueText,
} from '../../../src/lib/ledger/queue-message.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { errorOf } from '../../support/problems-of.ts';

const MAIL_ID = '0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee';

const envelopeOf = (mail: object, override: Partial<Envelope> = {}): Envelope => ({
  mailId: MAIL_ID,
  acceptedAt: new Date('2026-11-22T07:00:00.000Z'),
  caller: 'queue',
  turn: 3,
  phase: 'send',
  lookUps: 1,
  contentHash: IDENTITY.hashOfContent(mail),
  content: { mail },
  ...override,
});
const envelope = (override: Partial<Envelope> = {}): Envelope => envelopeOf(aMail(), override);

const read = (text: string) => readQueueMessage(text, IDENTITY);
const write = (written: Envelope) => toQueueText(written, IDENTITY);

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a mail may be put on the queue', () => {
  const mail = aMail({ subject: '薪資單' });
  const json = JSON.stringify(mail);

  test.each([
    ['as JSON', json],
    ['as JSON with a byte order mark', `\ufeff${json}`],
    ['as base64', base64(json)],
    ['as base64 in lines', base64(json).replaceAll(/(.{20})/g, '$1\r\n')],
  ])('%s', (_, message) => {
    expect(read(message)).toEqual({ kind: 'bare', mail });
  });
});

describe('what is no mail is refused with its reason', () => {
  test.each<[string, string, string]>([
    ['prose', 'hello', 'MESSAGE_UNREADABLE'],
    ['nothing', '', 'MESSAGE_UNREADABLE'],
    ['a number', '42', 'MESSAGE_UNREADABLE'],
    ['null', 'null', 'JSON_UNREADABLE'],
    ['a list', JSON.stringify([aMail()]), 'MESSAGE_UNREADABLE'],
    ['base64 of a list', base64('[1]'), 'MESSAGE_UNREADABLE'],
    ['cut-off JSON', '{"to":"a@b', 'JSON_UNREADABLE'],
    ['base64 of prose', base64('hello'), 'JSON_UNREADABLE'],
    [
      'base64 of another encoding',
      Buffer.from('{"a":"\xfc"}', 'latin1').toString('base64'),
      'JSON_UNREADABLE',
    ],
    ['lists in lists', `{"text":${'['.repeat(5000)}${']'.repeat(5000)}}`, 'JSON_UNREADABLE'],
    ['an envelope not of the relay', '{"relay":{"mailId":"x"},"mail":{}}', 'MESSAGE_UNREADABLE'],
  ])('%s', (_, message, code) => {
    expect(errorOf(() => read(message)).code).toBe(code);
  });

  test('whatever comes, it is a message or an AppError', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.base64String(),
      fc.json().map(base64),
    );
    fc.assert(
      fc.property(texts, (message) => {
        try {
          read(message);
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
    ['with the mail stored', envelope({ content: 'stored' })],
    ['with a priority', envelope({ priority: 'bulk' })],
    ['with a priority and the mail stored', envelope({ priority: 'normal', content: 'stored' })],
    ['that looks a mail up', envelope({ phase: 'look-up' })],
    ['with everything', envelope({ resent: true, dueAt: new Date('2026-11-22T08:00:00.000Z') })],
  ])('is read as it was written, %s', (_, written) => {
    expect(read(write(written))).toEqual({ kind: 'envelope', ...written });
  });

  test('is not proven when anything in it is changed', () => {
    type Message = { relay: Record<string, unknown> & { turn: number }; mail?: unknown };
    const changes: readonly ((message: Message) => unknown)[] = [
      ({ relay }) => (relay.mailId = MAIL_ID.replace('e', 'f')),
      ({ relay }) => (relay.turn += 1),
      ({ relay }) => (relay.caller = 'key:other'),
      ({ relay }) => (relay.phase = 'look-up'),
      ({ relay }) => (relay.lookUps = 3),
      ({ relay }) => (relay.resent = true),
      ({ relay }) => (relay.acceptedAt = '2031-01-01T00:00:00.000Z'),
      ({ relay }) => (relay.dueAt = '2031-01-01T00:00:00.000Z'),
      ({ relay }) => (relay.contentHash = IDENTITY.hashOfContent(aMail({ subject: 'other' }))),
      ({ relay }) => (relay.tag = IDENTITY.tagOf('other')),
      (message) => (message.mail = aMail({ subject: 'other' })),
      (message) => delete message.mail,
    ];
    for (const change of changes) {
      const message = JSON.parse(Buffer.from(write(envelope()), 'base64').toString()) as Message;
      change(message);
      expect(read(JSON.stringify(message)), String(change)).toMatchObject({
        kind: 'unproven',
        isTagged: true,
      });
    }
  });

  test('says no priority where it was changed, or taken from another message', () => {
    const payloadOf = (written: Envelope) =>
      JSON.parse(Buffer.from(write(written), 'base64').toString()).payload;
    const message = JSON.parse(Buffer.from(write(envelope({ priority: 'bulk' })), 'base64').toString());
    for (const payload of [
      message.payload.replace('bulk', 'high'),
      payloadOf(envelope({ priority: 'high', turn: 7 })),
      'high',
      'urgent x',
      '',
    ]) {
      const changed = read(JSON.stringify({ ...message, payload }));
      expect(changed).toEqual({ kind: 'envelope', ...envelope() });
    }
  });

  test('of another relay, or made without the key, is not proven', () => {
    const foreign = toQueueText(envelope(), makeIdentity(Buffer.alloc(32, 9)));
    expect(read(foreign)).toMatchObject({ kind: 'unproven', isTagged: true });
    const { contentHash: _, content, ...relay } = envelope();
    const untagged = JSON.stringify({ relay: { ...relay, mailId: MAIL_ID.toUpperCase() }, mail: aMail() });
    expect(content).toEqual({ mail: aMail() });
    expect(read(untagged)).toEqual({
      kind: 'unproven',
      mailId: MAIL_ID,
      caller: 'queue',
      isTagged: false,
      mail: aMail(),
    });
  });

  /*
   * The last release read an envelope with this schema and this text below its tag, and held what was not like that; an email with a field
   * it did not know, it held too.
   */
  test('is one that the release before priorities can send: its content says no priority, and its tag does not cover one', () => {
    const known = z.strictObject({
      relay: z.strictObject({
        mailId: z.uuid(),
        acceptedAt: z.iso.datetime(),
        caller: z.string().max(100),
        turn: z.int().min(0),
        phase: z.enum(['send', 'look-up']),
        lookUps: z.int().min(0).optional(),
        resent: z.boolean().optional(),
        unjudged: z.boolean().optional(),
        dueAt: z.iso.datetime().optional(),
        contentHash: z.string().max(100).optional(),
        tag: z.string().max(100).optional(),
      }),
      mail: z.record(z.string(), z.unknown()).optional(),
      payload: z.string().max(200).optional(),
    });
    for (const priority of ['high', 'Normal', 'bulk', null, undefined]) {
      const mail = aMail({ priority });
      const written = newEnvelope({ ...envelopeOf(mail), content: { mail } });
      const { relay, mail: content } = known.parse(
        JSON.parse(Buffer.from(write(written), 'base64').toString()),
      );
      expect(content).toEqual(aMail());
      const { mailId, acceptedAt, caller, turn, phase, contentHash = '' } = relay;
      const sealed = [mailId, acceptedAt, caller, turn, phase, 0, false, '', contentHash, 'inside'];
      expect(relay.tag).toBe(IDENTITY.tagOf(JSON.stringify(sealed)));
      expect(contentHash).toBe(IDENTITY.hashOfContent(aMail()));
    }
  });

  test('keeps a priority that cannot be read in its content, where it is found to be wrong', () => {
    const mail = aMail({ priority: 'urgent' });
    expect(newEnvelope({ ...envelopeOf(mail), content: { mail } })).toMatchObject({ content: { mail } });
  });

  test('any mail is read from it as it was written', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (input) => {
        const mail = JSON.parse(JSON.stringify(input)) as object;
        fc.pre(!JSON.stringify(mail).includes('__proto__'));
        expect(read(write(envelopeOf(mail)))).toEqual({ kind: 'envelope', ...envelopeOf(mail) });
      }),
    );
  });

  test('fits up to 48 KiB', () => {
    const withText = (length: number) => write(envelope({ content: { mail: { text: 'x'.repeat(length) } } }));
    const room = MAX_MESSAGE_BYTES - Buffer.byteLength(withText(0), 'base64');
    expect(fitsQueueMessage(withText(room))).toBe(true);
    expect(withText(room).length).toBeLessThanOrEqual(65_536);
    expect(fitsQueueMessage(withText(room + 1))).toBe(false);
  });
});
