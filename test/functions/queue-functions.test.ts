import { describe, expect, test } from 'vitest';
import { deliverMailQueue } from '../../src/functions/deliver-mail.queue.ts';
import { holdMailQueue } from '../../src/functions/hold-mail.queue.ts';
import { aMail } from '../support/a-mail.ts';
import { IDENTITY } from '../support/identity-for-tests.ts';
import { inMemoryPorts, type World } from '../support/in-memory-ports.ts';
import { invocation } from './invocation.ts';

const MESSAGE_ID = '8d9c1f0e-5b3a-4c1d-9a55-5c4f2f8a7b61';
const MAIL_ID = IDENTITY.mailIdOfMessage(MESSAGE_ID);
const metadata = { id: MESSAGE_ID, insertionTime: '2026-03-02T07:59:00.000Z', dequeueCount: 1 };

const deliver = async (
  message: unknown,
  world: World = inMemoryPorts(),
  more: object = {},
  caller = 'queue',
) => {
  const { context, logged, events } = invocation({ ...metadata, ...more });
  await deliverMailQueue((log) => ({ ...world.needs, log, sending: { ...world.needs, log } }), caller)(
    message,
    context,
  );
  return { ...world, logged, events };
};

const hold = async (message: unknown, world: World = inMemoryPorts(), caller = 'queue') => {
  const { context, logged } = invocation(metadata);
  await holdMailQueue((log) => ({ ...world.needs, log }), caller)(message, context);
  return { ...world, logged };
};

describe('deliverMail', () => {
  test.each([
    ['an object, as the library parses JSON', aMail()],
    ['text of base64', Buffer.from(JSON.stringify(aMail())).toString('base64')],
    ['bytes of JSON', new Uint8Array(Buffer.from(JSON.stringify(aMail())))],
  ])('sends a mail that comes as %s', async (_case, message) => {
    const { plans, rows, events } = await deliver(message);
    expect(plans).toHaveLength(1);
    expect(rows()).toMatchObject([{ mailId: MAIL_ID, state: 'sent', caller: 'queue' }]);
    expect(rows()[0]?.acceptedAt).toBe(metadata.insertionTime);
    expect(events()).toEqual(['MailSent']);
  });

  test('knows by the count of the host that a message is delivered again', async () => {
    const { plans, messages } = await deliver(aMail(), inMemoryPorts(), { dequeueCount: 2 });
    expect([plans.length, messages.length]).toEqual([0, 1]);
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

  test('what fails fails the invocation, so that the host delivers the message again', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.create', new Error('a fault'));
    await expect(deliver(aMail(), world)).rejects.toThrow('a fault');
  });
});

describe('holdMail', () => {
  test('holds what the host gave up on, with one error in the log', async () => {
    const { rows, records, logged } = await hold(aMail());
    expect(rows()).toMatchObject([{ mailId: MAIL_ID, state: 'held', reason: { code: 'HOST_GAVE_UP' } }]);
    expect([...records.values()]).toMatchObject([{ original: aMail() }]);
    expect(logged).toMatchObject([{ level: 'error', event: { event: 'MailHeld', code: 'HOST_GAVE_UP' } }]);
  });

  test('fails the invocation only where the message cannot even be put back', async () => {
    const world = inMemoryPorts();
    world.fail('records.store');
    await hold(aMail(), world);
    expect(world.poison).toHaveLength(1);
    world.fail('poisonQueue.put');
    await expect(hold(aMail(), world)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});
