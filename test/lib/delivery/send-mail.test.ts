import { describe, expect, test } from 'vitest';
import { type SendMailRequest, sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { earlierHashOfContent, earlierIdOfKey } from '../../../src/lib/ledger/earlier-identity.ts';
import { claimNew, queueNew, recordSent } from '../../../src/lib/ledger/transitions.ts';
import { WINDOW_MS } from '../../../src/lib/sending/mailbox-lane.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { aNewMail } from '../../support/a-new-mail.ts';
import { aPacer } from '../../support/a-pacer.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW, type PortCall, type World } from '../../support/in-memory-ports.ts';

const CALLER = 'key:test';
const KEY = 'order-4711';
const ID_OF_KEY = IDENTITY.mailIdOfKey(CALLER, KEY);

const send = (world: World, request: Partial<SendMailRequest> = {}, more: object = {}) =>
  sendMail(
    { ...world.needs, ...more },
    { input: aMail(), caller: aCaller(CALLER), respondAsync: false, ...request },
  );

const wasNotAccepted = ({ rows, plans, messages }: World) =>
  expect([rows(), plans, messages]).toEqual([[], [], []]);

describe('an email from a caller who waits', () => {
  test('is claimed, sent, told and recorded, in this order', async () => {
    const world = inMemoryPorts();
    const { row, repeated } = await send(world);
    expect(world.effects).toEqual([
      'ledger.create sending',
      'mailboxes.send',
      'log MailSent',
      'events.put',
      'ledger.replace sent',
    ]);
    expect([row.fate.state, row.facts.caller, repeated]).toEqual(['sent', CALLER, false]);
    // No message would bring it back, should this process die.
    expect(row.progress.inQueue).toBe(false);
  });

  test.each<[string, SendReport, string]>([
    ['Graph is busy', { kind: 'answered', status: 429, retryAfter: '7' }, 'deferred'],
    ['Graph cannot be reached', { kind: 'not-connected' }, 'deferred'],
    ['nobody knows whether it was sent', { kind: 'lost', why: 'timeout' }, 'unknown'],
  ])('is taken over by the relay where %s', async (_case, report, state) => {
    const world = inMemoryPorts(report);
    expect((await send(world)).row.fate.state).toBe(state);
    expect(world.messages).toHaveLength(1);
  });

  test('waits for an hour and no longer, whatever Graph asks for', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 429, retryAfter: '86400000' });
    await send(world);
    expect(world.messages).toMatchObject([{ delayMs: 3_600_000 }]);
    expect(world.rows()).toMatchObject([{ state: 'deferred' }]);
  });

  test('is sent once more by choice where it may have been sent', async () => {
    const world = inMemoryPorts({ kind: 'lost', why: 'timeout' });
    await send(world, { input: aMail({ onUnknown: 'resend' }) });
    expect(world.rows()).toMatchObject([{ state: 'deferred', resent: true }]);
  });

  test('is queued where the caller asks not to wait: row first, then message, and only then he is told', async () => {
    const world = inMemoryPorts();
    const { row } = await send(world, { respondAsync: true });
    expect(world.effects).toEqual(['ledger.create queued', 'mailQueue.put', 'log MailQueued']);
    expect(row.fate.state).toBe('queued');
    expect(world.queued()).toMatchObject([{ delayMs: 0, turn: 0 }]);
  });

  test('is queued for its time where its mailbox has no room; what has no time is refused, and nothing accepted', async () => {
    const world = inMemoryPorts();
    const pacer = aPacer({ clock: world.needs.clock, perMinute: 1, bookAheadMs: 2 * WINDOW_MS });
    const states = [];
    for (let mail = 0; mail < 3; mail += 1) states.push((await send(world, {}, { pacer })).row.fate.state);
    expect(states).toEqual(['sent', 'queued', 'queued']);
    await expect(send(world, {}, { pacer })).rejects.toMatchObject({ code: 'MAILBOX_BOOKED_UP' });
    expect([world.rows().length, world.messages.length, world.plans.length]).toEqual([3, 2, 1]);
    expect(world.queued().map(({ delayMs }) => delayMs)).toEqual([WINDOW_MS - 1000, 2 * WINDOW_MS - 1000]);
  });

  test.each<[string, unknown, string]>([
    ['has a fault', aMail({ nope: 1 }), 'FIELD_UNKNOWN'],
    ['has another sender', aMail({ from: 'ceo@contoso.example' }), 'SENDER_NOT_ALLOWED'],
    ['is none', [], 'JSON_UNREADABLE'],
    ['has a key that is blank', aMail({ idempotencyKey: ' ' }), 'IDEMPOTENCY_KEY_INVALID'],
    ['has a key with a blank in it', aMail({ idempotencyKey: 'a b' }), 'IDEMPOTENCY_KEY_INVALID'],
    ['has a key of 256 characters', aMail({ idempotencyKey: 'k'.repeat(256) }), 'IDEMPOTENCY_KEY_INVALID'],
  ])('that %s costs no request to anybody', async (_case, input, code) => {
    const world = inMemoryPorts();
    world.fail('readIdentity');
    await expect(send(world, { input })).rejects.toMatchObject({ code });
    wasNotAccepted(world);
  });
});

describe('when storage fails', () => {
  test.each<PortCall>(['readIdentity', 'ledger.create'])(
    'before anything was written, at %s, the email is not stored, and sending again is safe',
    async (call) => {
      for (const respondAsync of [false, true]) {
        const world = inMemoryPorts();
        world.fail(call);
        await expect(send(world, { respondAsync })).rejects.toMatchObject({ code: 'MAIL_NOT_STORED' });
        wasNotAccepted(world);
      }
    },
  );

  test('at the queue, the row is withdrawn before the caller is told that', async () => {
    const world = inMemoryPorts();
    world.fail('mailQueue.put');
    await expect(send(world, { respondAsync: true })).rejects.toMatchObject({ code: 'MAIL_NOT_STORED' });
    expect(world.rows()).toMatchObject([{ state: 'rejected', reason: { code: 'MAIL_NOT_STORED' } }]);
    expect(world.logged).toEqual([]);
  });

  test('as a known email is asked for, nothing is said of safety: it may have been sent', async () => {
    const world = inMemoryPorts();
    await send(world, { idempotencyKey: KEY });
    world.fail('ledger.find');
    await expect(send(world, { idempotencyKey: KEY })).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});

describe('an idempotency key', () => {
  test('gives the email its id, the same in the header and in the mail, and no other caller that id', async () => {
    const ids = [];
    const inMail = aMail({ idempotencyKey: KEY });
    for (const request of [
      { idempotencyKey: KEY },
      { input: inMail },
      { input: inMail, idempotencyKey: KEY },
    ])
      ids.push((await send(inMemoryPorts(), request)).row.facts.mailId);
    expect(ids).toEqual([ID_OF_KEY, ID_OF_KEY, ID_OF_KEY]);
    const other = await send(inMemoryPorts(), { idempotencyKey: KEY, caller: aCaller('key:other') });
    expect(other.row.facts.mailId).not.toBe(ID_OF_KEY);
  });

  test('of the header is known to the ledger by its hash, as that of a mail is', async () => {
    for (const request of [{ idempotencyKey: KEY }, { input: aMail({ idempotencyKey: KEY }) }])
      expect((await send(inMemoryPorts(), request)).row.facts.keyHash).toBe(IDENTITY.hashOfKey(KEY));
  });

  test('of the header makes no email of what is none', async () => {
    for (const input of [[aMail()], 'hello', null])
      await expect(send(inMemoryPorts(), { idempotencyKey: KEY, input })).rejects.toMatchObject({
        code: 'JSON_UNREADABLE',
      });
  });

  test('that is known gives the first answer again, and sends nothing', async () => {
    const world = inMemoryPorts();
    const first = await send(world, { idempotencyKey: KEY });
    const turned = Object.fromEntries(Object.entries(aMail()).toReversed());
    expect(await send(world, { idempotencyKey: KEY, input: turned })).toEqual({ ...first, repeated: true });
    expect(world.plans).toHaveLength(1);
  });

  test('of another email is refused', async () => {
    const world = inMemoryPorts();
    await send(world, { idempotencyKey: KEY });
    const other = { idempotencyKey: KEY, input: aMail({ subject: 'other' }) };
    await expect(send(world, other)).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  });

  test.each([
    ['is empty', ''],
    ['has a blank', 'a b'],
    ['has a character that is not printable ASCII', 'k\u00e9y'],
    ['has 256 characters', 'k'.repeat(256)],
    ['differs from that of the mail', 'another'],
  ])('in the header that %s is refused with that', async (_case, idempotencyKey) => {
    const world = inMemoryPorts();
    const input = aMail({ idempotencyKey: idempotencyKey === 'another' ? KEY : undefined });
    await expect(send(world, { idempotencyKey, input })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_INVALID',
      facts: { detail: expect.stringMatching(/^The header Idempotency-Key /) },
    });
    wasNotAccepted(world);
  });

  test('absent in the mail leaves that of the header', async () => {
    for (const idempotencyKey of [null, ''])
      expect(
        (await send(inMemoryPorts(), { idempotencyKey: KEY, input: aMail({ idempotencyKey }) })).row.facts
          .mailId,
      ).toBe(ID_OF_KEY);
  });

  test('of an email from an earlier version of the relay finds it under its earlier id', async () => {
    const mailId = earlierIdOfKey(CALLER, KEY) ?? '';
    const bodyHash = earlierHashOfContent(aMail({ idempotencyKey: KEY }));
    const facts = aNewMail(NOW, { mailId, caller: CALLER, bodyHash });
    const world = inMemoryPorts();
    const attempt = { at: NOW.toISOString(), outcome: 'accepted' } as const;
    const sent = recordSent(claimNew(facts, false, NOW), attempt, NOW);
    world.ledger.create(sent);
    const readIdentity = async () => ({ ...IDENTITY, hasEarlierRows: true });
    expect(await send(world, { idempotencyKey: KEY }, { readIdentity })).toEqual({
      row: sent,
      repeated: true,
      warnings: [],
    });
    expect(world.plans).toEqual([]);
  });

  test('without one, each request is an email of its own', async () => {
    const world = inMemoryPorts();
    await send(world);
    await send(world);
    expect([world.plans.length, world.rows().length]).toEqual([2, 2]);
  });
});

describe('two requests with one key', () => {
  const facts = aNewMail(NOW, {
    mailId: ID_OF_KEY,
    caller: CALLER,
    bodyHash: IDENTITY.hashOfContent(aMail()),
  });

  test.each([true, false])('are one email, whichever is first; respond-async: %s', async (respondAsync) => {
    const world = inMemoryPorts();
    world.meanwhile('ledger.create', () => world.ledger.create(queueNew(facts, NOW)));
    expect((await send(world, { idempotencyKey: KEY, respondAsync })).repeated).toBe(true);
    expect([world.plans, world.rows().length]).toEqual([[], 1]);
  });

  test('of which one is being sent: the other is told to wait', async () => {
    const world = inMemoryPorts();
    world.meanwhile('ledger.create', () => world.ledger.create(claimNew(facts, false, NOW)));
    await expect(send(world, { idempotencyKey: KEY })).rejects.toMatchObject({ code: 'MAIL_UNDER_WAY' });
  });

  test('that lose every race are told to wait, and do not race for ever', async () => {
    const world = inMemoryPorts();
    world.ledger.create(queueNew(facts, NOW));
    const ledger = { ...world.needs.ledger, replace: async () => undefined };
    await expect(send(world, { idempotencyKey: KEY }, { ledger })).rejects.toMatchObject({
      code: 'MAIL_UNDER_WAY',
    });
    expect(world.plans).toEqual([]);
  });
});

describe('a repeat of an email that was accepted, and would be refused now,', () => {
  const blob = { content: Buffer.from('a'), etag: '"1"' };
  const input = aMail({ attachments: [{ blob: 'a.pdf' }] });
  const accepted = async (report?: SendReport, more: Partial<SendMailRequest> = {}) => {
    const world = inMemoryPorts(report);
    world.blobs.set('a.pdf', blob);
    const request = { input, idempotencyKey: KEY, ...more };
    const first = await send(world, request);
    world.blobs.clear();
    return {
      world,
      first,
      repeat: (other: Partial<SendMailRequest> = {}) => send(world, { ...request, ...other }),
    };
  };

  test.each<[string, SendReport | undefined, Partial<SendMailRequest>]>([
    ['sent', undefined, {}],
    ['deferred', { kind: 'not-connected' }, {}],
    ['unknown', { kind: 'lost', why: 'timeout' }, {}],
  ])('gets what the ledger says: %s', async (state, report, more) => {
    const { world, repeat } = await accepted(report, more);
    const done = [world.plans.length, world.messages.length];
    expect(await repeat()).toMatchObject({ repeated: true, row: { fate: { state } } });
    expect([world.plans.length, world.messages.length]).toEqual(done);
  });

  test('has its message put once more where it is queued: the first request may have ended before that', async () => {
    const { world, first, repeat } = await accepted(undefined, { respondAsync: true });
    const { mailId } = first.row.facts;
    // As after a crash between the row and the message.
    const written = world.queued();
    world.messages.splice(0);
    expect(await repeat()).toMatchObject({ repeated: true, row: { fate: { state: 'queued' } } });
    expect(world.queued()).toEqual(written);
    // Once is enough, however often it is repeated.
    await repeat();
    expect(world.messages).toHaveLength(1);
    expect(world.ledger.find(mailId)?.row.progress.hasMessage).toBe(true);
  });

  test('hears that it is being sent while it is', async () => {
    const { world, first, repeat } = await accepted();
    const { facts } = first.row;
    world.ledger.replace(claimNew(facts, false, NOW, 'json'), world.ledger.find(facts.mailId)!.etag);
    await expect(repeat()).rejects.toMatchObject({ code: 'MAIL_UNDER_WAY', facts: { mailId: facts.mailId } });
  });

  test('hears the refusal where it is another email, of another caller, or was never accepted', async () => {
    const { repeat } = await accepted();
    const refused = { code: 'ATTACHMENT_NOT_FOUND' };
    await expect(repeat({ input: { ...input, subject: 'other' } })).rejects.toMatchObject(refused);
    await expect(repeat({ caller: aCaller('key:other') })).rejects.toMatchObject(refused);
    await expect(repeat({ idempotencyKey: 'another' })).rejects.toMatchObject(refused);
  });

  test('hears the refusal where the ledger cannot be asked', async () => {
    const { world, repeat } = await accepted();
    world.fail('ledger.find');
    await expect(repeat()).rejects.toMatchObject({ code: 'ATTACHMENT_NOT_FOUND' });
  });
});
