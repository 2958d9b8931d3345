import { describe, expect, test } from 'vitest';
import { deliverMailQueue } from '../../src/functions/deliver-mail.queue.ts';
import { holdMailQueue } from '../../src/functions/hold-mail.queue.ts';
import { AppError } from '../../src/lib/errors.ts';
import { makePacer } from '../../src/lib/sending/pacing.ts';
import { aMail } from '../support/a-mail.ts';
import { IDENTITY } from '../support/identity-for-tests.ts';
import { inMemoryPorts, type World } from '../support/in-memory-ports.ts';
import { invocation } from './invocation.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const MAIL_ID = IDENTITY.mailIdOfMessage(MESSAGE_ID);
const metadata = { id: MESSAGE_ID, insertionTime: '2026-03-02T07:59:00.000Z', dequeueCount: 1 };

const deliver = async (message: unknown, world: World = inMemoryPorts(), more: object = {}) => {
  const { context, logged, events } = invocation({ ...metadata, ...more });
  await deliverMailQueue((log) => ({ ...world.needs, log, sending: { ...world.needs, log } }))(
    message,
    context,
  );
  return { ...world, logged, events };
};

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');

describe('deliverMail', () => {
  test.each([
    ['an object, as the library parses JSON', aMail()],
    ['text of base64', base64(aMail())],
    ['bytes of JSON', new Uint8Array(Buffer.from(JSON.stringify(aMail())))],
  ])('sends a mail that comes as %s', async (_case, message) => {
    const { plans, rows, events } = await deliver(message);
    expect(plans).toHaveLength(1);
    expect(rows()).toMatchObject([{ mailId: MAIL_ID, state: 'sent', caller: 'queue' }]);
    expect(rows()[0]?.acceptedAt).toBe(metadata.insertionTime);
    expect(events()).toEqual(['MailSent']);
  });

  test('a mail for which its mailbox has no time to give waits without one, and is sent when it has', async () => {
    const usual = inMemoryPorts();
    const pacer = makePacer({ concurrent: 4, perMinute: 1, bookAheadMs: 61_000 });
    const world = { ...usual, needs: { ...usual.needs, pacer } };
    const id = (mail: number) => MESSAGE_ID.replace('8', String(mail));
    for (const mail of [0, 1, 2]) await deliver(aMail({ subject: `mail ${mail}` }), world, { id: id(mail) });
    const dueAt = world.messages.map(({ text }) => JSON.parse(atob(text)).relay.dueAt);
    expect(dueAt).toEqual([expect.any(String), undefined]);
    expect(world.rows().map(({ state }) => state)).toEqual(['sent', 'queued', 'queued']);

    const [booked, unbooked] = world.messages.splice(0);
    world.pass(2 * 61_000);
    await deliver(booked?.text, world);
    await deliver(unbooked?.text, world);
    world.pass(2 * 61_000);
    await deliver(world.messages.pop()?.text, world);
    expect(world.rows().map(({ state }) => state)).toEqual(['sent', 'sent', 'sent']);
  });

  test('a mail for which Graph answers Retry-After: 0 again and again is tried ever more rarely', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 429, retryAfter: '0' });
    const calls: number[] = [];
    let message: unknown = aMail();
    let waited = 0;
    while (waited < 3_600_000) {
      const before = world.plans.length;
      await deliver(message, world);
      if (world.plans.length > before) calls.push(waited);
      const next = world.messages.pop();
      message = next?.text;
      waited += next?.delayMs ?? 0;
      world.pass(next?.delayMs ?? 0);
    }
    expect(calls.filter((ms) => ms <= 20_000)).toHaveLength(3);
    expect(calls.length).toBeLessThan(12);
  });

  test('a message that is delivered again goes back to the queue as what it is, and is not sent again', async () => {
    const world = inMemoryPorts();
    await deliver(aMail(), world);
    await deliver(aMail(), world, { dequeueCount: 2 });
    const [envelope] = world.messages;
    const { plans, events } = await deliver(envelope?.text, world);
    expect(plans).toHaveLength(1);
    expect(events()).toEqual(['MailRepeated']);
    expect(world.messages).toHaveLength(1);
  });

  test('of two mails with one key that waited while sending was off, the second is held, not dropped', async () => {
    const world = inMemoryPorts();
    const blocked = async (message: unknown, id: string) => {
      const { context } = invocation({ ...metadata, id });
      await deliverMailQueue((log) => ({ ...world.needs, log, sending: { blocked: 'MAIL_DISABLED' } }))(
        message,
        context,
      );
    };
    await blocked(aMail({ idempotencyKey: 'k', subject: 'first' }), MESSAGE_ID);
    await blocked(aMail({ idempotencyKey: 'k', subject: 'other' }), MESSAGE_ID.replace('8', '9'));
    for (const { text } of [...world.messages]) await deliver(text, world);
    expect(world.plans).toHaveLength(1);
    const reasons = world.rows().map((row) => ('reason' in row ? row.reason.code : row.state));
    expect(reasons.sort()).toEqual(['IDEMPOTENCY_KEY_REUSED', 'sent']);
    expect([...world.records.values()]).toMatchObject([{ original: { subject: 'other' } }]);
    // What is known of it helps to find who sent it.
    expect(world.rows()).toContainEqual(
      expect.objectContaining({ state: 'held', sender: 'noreply@contoso.example', recipients: 1 }),
    );
  });

  test.each([' ', 'a b', 'clé', 'k'.repeat(256)])(
    'two mails with the key %j, which is none, are each held for that and under its own id',
    async (idempotencyKey) => {
      const world = inMemoryPorts();
      const ids = [MESSAGE_ID, MESSAGE_ID.replace('8', '9')];
      for (const id of ids) await deliver(aMail({ idempotencyKey, subject: id }), world, { id });
      expect(world.plans).toEqual([]);
      expect(world.rows()).toMatchObject(
        ids.map((id) => ({
          mailId: IDENTITY.mailIdOfMessage(id),
          state: 'held',
          reason: { code: 'IDEMPOTENCY_KEY_INVALID' },
        })),
      );
      expect(world.records.size).toBe(2);
    },
  );

  test('bytes as Python prints them are held with what they look like', async () => {
    const { rows } = await deliver(`b'${JSON.stringify(aMail())}'`);
    expect(rows()).toMatchObject([
      {
        state: 'held',
        reason: { code: 'MESSAGE_UNREADABLE', detail: expect.stringContaining('as Python prints bytes') },
      },
    ]);
  });

  test('fields of the mail that the host lays over its facts are refused as unknown, under one id', async () => {
    const message = aMail({ id: 'order-4711', insertionTime: 'canary' });
    const laidOver = { id: 'order-4711', insertionTime: 'canary' };
    const world = inMemoryPorts();
    await deliver(message, world, laidOver);
    await deliver(message, world, laidOver);
    expect(world.plans).toEqual([]);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'FIELD_UNKNOWN' } }]);
    expect(world.records.size).toBe(1);
  });

  test('a count of deliveries that the message itself brings does not keep it from being refused', async () => {
    const world = inMemoryPorts();
    await deliver(aMail({ dequeueCount: 9 }), world, { dequeueCount: '9' });
    for (const { text } of world.messages) await deliver(text, world);
    expect(world.plans).toEqual([]);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'FIELD_UNKNOWN' } }]);
  });

  test('what is no mail is held as it came, as an error in the log, and does not fail the invocation', async () => {
    const { records, logged } = await deliver('canary, hello');
    expect([...records.values()]).toMatchObject([{ mailId: MAIL_ID, original: 'canary, hello' }]);
    expect(logged.map(({ level, event }) => [level, event.event])).toEqual([['error', 'MailHeld']]);
    expect(JSON.stringify(logged)).not.toContain('canary');
  });

  test('a mail whose storage fails waits on the queue with its id, and does not use up its attempts', async () => {
    const world = inMemoryPorts();
    const create = () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
    const needs = { ...world.needs, ledger: { ...world.needs.ledger, create } };
    const { events } = await deliver(aMail(), { ...world, needs } as World);
    expect([world.plans, events()]).toEqual([[], ['StorageAwaited']]);
    const [waiting] = world.messages;
    expect(waiting?.delayMs).toBe(60_000);
    await deliver(waiting?.text, world);
    expect(world.rows()).toMatchObject([{ mailId: MAIL_ID, state: 'sent' }]);
  });

  test('a message that cannot even be read then is put back as it is, unless it may have been claimed before', async () => {
    const world = inMemoryPorts();
    const readIdentity = () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
    const away = { ...world, needs: { ...world.needs, readIdentity } as never };
    await deliver(aMail(), away);
    expect(world.messages).toEqual([{ text: JSON.stringify(aMail()), delayMs: 60_000 }]);
    await expect(deliver(aMail(), away, { dequeueCount: 2 })).rejects.toThrow();
    expect(world.messages).toHaveLength(1);
  });

  test('a mail older than the ledger remembers is held, as it may be a copy of one that was sent', async () => {
    const world = inMemoryPorts();
    await deliver(aMail(), world, { insertionTime: '2025-11-30T00:00:00Z' });
    expect(world.plans).toEqual([]);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'GIVEN_UP' }, recipients: 1 }]);
  });

  test('storage that fails fails the invocation, so that the host delivers the message again', async () => {
    const world = inMemoryPorts();
    const broken = {
      ...world,
      needs: {
        ...world.needs,
        ledger: { ...world.needs.ledger, create: () => Promise.reject(new Error('storage')) },
      },
    };
    await expect(deliver(aMail(), broken)).rejects.toThrow('storage');
    expect(world.plans).toEqual([]);
  });
});

describe('holdMail', () => {
  test('sets aside what the host gave up on, with one error in the log', async () => {
    const world = inMemoryPorts();
    const { context, logged } = invocation(metadata);
    await holdMailQueue((log) => ({ ...world.needs, log }))(aMail(), context);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'HOST_GAVE_UP' } }]);
    expect([...world.records.values()]).toMatchObject([{ original: aMail() }]);
    expect(logged).toMatchObject([{ level: 'error', event: { event: 'MailHeld', code: 'HOST_GAVE_UP' } }]);
  });

  test('puts the message back when storage fails, so that it does not end where nobody hears of it', async () => {
    const world = inMemoryPorts();
    const store = () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
    const records = { ...world.needs.records, store };
    const { context, logged } = invocation(metadata);
    await holdMailQueue((log) => ({ ...world.needs, records, log }))(aMail(), context);
    expect(logged).toMatchObject([{ event: { event: 'StorageAwaited' } }]);
    expect(world.poison).toMatchObject([{ delayMs: 60_000 }]);
    await holdMailQueue((log) => ({ ...world.needs, log }))(
      Buffer.from(world.poison[0]?.text ?? ''),
      invocation({ ...metadata, id: MESSAGE_ID.replace('8', '9') }).context,
    );
    // In its envelope it has kept its id.
    expect(world.rows()).toMatchObject([{ mailId: MAIL_ID, state: 'held' }]);
  });

  test('doing so again, after a crash, leaves one row and one record', async () => {
    const world = inMemoryPorts();
    const handler = holdMailQueue((log) => ({ ...world.needs, log }));
    await handler(aMail(), invocation(metadata).context);
    await handler(aMail(), invocation(metadata).context);
    expect([world.rows().length, world.records.size]).toEqual([1, 1]);
  });
});
