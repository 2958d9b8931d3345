import { describe, expect, test } from 'vitest';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { sweepMail } from '../../../src/lib/delivery/sweep-mail.ts';
import { cancelMail } from '../../../src/lib/desk/cancel-mail.ts';
import { replayMail } from '../../../src/lib/desk/replay-mail.ts';
import { MAX_MESSAGE_BYTES } from '../../../src/lib/ledger/queue-message.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { IDENTITY } from '../../support/identity-for-tests.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const DAY_MS = 86_400_000;
const CALLER = 'key:test';
const MESSAGE_ID = '3c8bf55d-8b7c-4d4a-9d0d-4b1f3d2a7c11';
const inDays = (days: number): string => new Date(NOW.getTime() + days * DAY_MS).toISOString();

const post = (world: World, content: Record<string, unknown>, key?: string) =>
  sendMail(world.needs, {
    input: content,
    caller: aCaller(CALLER),
    respondAsync: false,
    ...(key === undefined ? {} : { idempotencyKey: key }),
  });

const deliver = (world: World, text: string, policy: object = {}, insertedAt = NOW) => {
  const sending = { ...world.needs, policy: { ...world.needs.policy, ...policy } };
  return deliverMail(
    { ...world.needs, sending },
    { text, messageId: MESSAGE_ID, insertedAt, caller: 'queue', redelivered: false },
  );
};

/** Time passes: each message is delivered when it can be seen again, until none waits. Gives when, in days. */
const letTimePass = async (world: World, policy: object = {}): Promise<readonly number[]> => {
  const deliveries: number[] = [];
  for (;;) {
    const [message] = world.messages.splice(0, 1);
    if (message === undefined) return deliveries;
    world.pass(message.delayMs);
    deliveries.push((world.needs.clock.now().getTime() - NOW.getTime()) / DAY_MS);
    await sweepMail({ ...world.needs, policy: { ...world.needs.policy, ...policy } });
    await deliver(world, message.text, policy);
  }
};

const onTheQueue = (content: Record<string, unknown>) => JSON.stringify(content);

describe('an email with sendAt', () => {
  test('is queued, whatever room its mailbox has, and its status says for when', async () => {
    const world = inMemoryPorts();
    const { row } = await post(world, aMail({ sendAt: inDays(0.5) }));
    expect(row).toMatchObject({ fate: { state: 'queued' }, facts: { sendAt: inDays(0.5) } });
    // Its content is where another message can find it, small as it is.
    expect(world.effects).toEqual([
      ...['ledger.create queued', 'payloads.put', 'mailQueue.put', 'log MailScheduled'],
    ]);
    expect(world.queued()).toMatchObject([{ delayMs: DAY_MS / 2, turn: 0, phase: 'send' }]);
    expect(world.queued()[0]).not.toHaveProperty('dueAt');
  });

  test.each([
    ['a month ahead', 30],
    ['a month and a bit less', 29.3],
    ['a week and a day', 8],
    ['an hour', 1 / 24],
  ])('waits for it in hops of a day, and is sent then and not earlier: %s', async (_case, days) => {
    const world = inMemoryPorts();
    await post(world, aMail({ sendAt: inDays(days) }));
    const deliveries = await letTimePass(world);
    expect(deliveries).toHaveLength(Math.ceil(days));
    expect(deliveries.at(-1)).toBeCloseTo(days, 5);
    expect(world.rows()).toMatchObject([{ state: 'sent', updatedAt: inDays(days) }]);
    expect(world.plans).toHaveLength(1);
  });

  test('waits longer than the ledger keeps an email, and the sweep takes it neither for lost nor for overdue', async () => {
    const world = inMemoryPorts();
    await post(world, aMail({ sendAt: inDays(30), text: 'x'.repeat(MAX_MESSAGE_BYTES) }));
    await letTimePass(world, { ledgerDays: 2, giveUpAfterMs: DAY_MS });
    expect(world.rows()).toMatchObject([{ state: 'sent', updatedAt: inDays(30) }]);
    expect(world.logged.filter(({ event }) => event === 'MailOverdue')).toEqual([]);
    expect([...world.payloads]).toEqual([]);
  });

  test('says in its Date when it was sent, where the relay writes it', async () => {
    const world = inMemoryPorts();
    await post(world, aMail({ sendAt: inDays(3), html: '<p>Hello</p>' }));
    await letTimePass(world);
    const [plan] = world.plans;
    expect(plan?.kind).toBe('mime');
    const text = Buffer.from(plan?.body.toString() ?? '', 'base64').toString();
    expect(text).toMatch(/^Date: Thu, 05 Mar 2026 08:00:00 \+0000\r$/m);
  });

  test('keeps its stored content young while it waits, as storage deletes what is old', async () => {
    const world = inMemoryPorts();
    await post(world, aMail({ sendAt: inDays(3), text: 'x'.repeat(MAX_MESSAGE_BYTES) }));
    const [message] = world.messages.splice(0, 1);
    world.pass(DAY_MS);
    await deliver(world, message?.text ?? '');
    expect([...world.payloads.values()]).toMatchObject([{ writtenAt: new Date(inDays(1)) }]);
    expect(world.effects.slice(-3)).toEqual(['payloads.keep', 'mailQueue.put', 'log MailScheduled']);
  });

  test('has its whole time to be tried from then on, and is given up after that', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 503 });
    await post(world, aMail({ sendAt: inDays(20) }));
    const deliveries = await letTimePass(world);
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'GIVEN_UP' } }]);
    expect(deliveries.at(-1)).toBeGreaterThan(20.9);
    expect(deliveries.at(-1)).toBeLessThanOrEqual(21);
  });

  test('whose message is lost is overdue a day after its time, and held after seven', async () => {
    const world = inMemoryPorts();
    await post(world, aMail({ sendAt: inDays(10) }));
    world.messages.splice(0, 1);
    const sweptAt = async (days: number) => {
      world.pass(new Date(inDays(days)).getTime() - world.needs.clock.now().getTime());
      world.logged.length = 0;
      await sweepMail(world.needs);
      return [world.logged.map(({ event }) => event).includes('MailOverdue'), world.rows()[0]?.state];
    };
    expect(await sweptAt(9)).toEqual([false, 'queued']);
    expect(await sweptAt(10.9)).toEqual([false, 'queued']);
    expect(await sweptAt(11.1)).toEqual([true, 'queued']);
    expect(await sweptAt(17.1)).toEqual([true, 'held']);
  });

  test.each([
    ['in the past', -1],
    ['now', 0],
  ])('%s is sent immediately', async (_case, days) => {
    const world = inMemoryPorts();
    const { row } = await post(world, aMail({ sendAt: inDays(days) }));
    expect(row.fate.state).toBe('sent');
    expect(row.facts).not.toHaveProperty('sendAt');
  });

  test('too far ahead is refused, and nothing is accepted', async () => {
    const world = inMemoryPorts();
    await expect(post(world, aMail({ sendAt: inDays(31) }))).rejects.toMatchObject({
      code: 'SEND_AT_INVALID',
    });
    expect([world.rows(), world.messages]).toEqual([[], []]);
  });
});

describe('a repeated request for an email that waits', () => {
  const mail = aMail({ sendAt: inDays(3) });

  test('gets the same answer, before its time and after it, and it is sent once', async () => {
    const world = inMemoryPorts();
    const first = await post(world, mail, 'key');
    world.pass(DAY_MS);
    const again = await post(world, mail, 'key');
    expect([again.repeated, again.row.facts]).toEqual([true, first.row.facts]);
    expect(world.queued().map(({ delayMs }) => delayMs)).toEqual([DAY_MS, DAY_MS]);
    await letTimePass(world);
    expect(await post(world, mail, 'key')).toMatchObject({
      repeated: true,
      row: { fate: { state: 'sent' } },
    });
    expect(world.plans).toHaveLength(1);
  });

  test('that was canceled is refused: its key never sends again', async () => {
    const world = inMemoryPorts();
    const { row } = await post(world, mail, 'key');
    await cancelMail(world.needs, row.facts.mailId, aCaller(CALLER));
    await expect(post(world, mail, 'key')).rejects.toMatchObject({
      code: 'MAIL_CANCELED',
      facts: { mailId: row.facts.mailId },
    });
    await letTimePass(world);
    expect([world.plans, world.rows()[0]?.state]).toEqual([[], 'canceled']);
  });

  test('that could not be stored waits for its time too', async () => {
    const world = inMemoryPorts();
    world.fail('mailQueue.put');
    await expect(post(world, mail, 'key')).rejects.toMatchObject({ code: 'MAIL_NOT_STORED' });
    world.mend();
    expect(await post(world, mail, 'key')).toMatchObject({
      repeated: false,
      row: { fate: { state: 'queued' } },
    });
    expect(world.plans).toEqual([]);
    await letTimePass(world);
    expect(world.rows()).toMatchObject([{ state: 'sent', updatedAt: inDays(3) }]);
  });
});

describe('an email with sendAt in a queue message', () => {
  test('waits from its arrival on, as one by HTTP', async () => {
    const world = inMemoryPorts();
    await deliver(world, onTheQueue(aMail({ sendAt: inDays(9) })));
    const mailId = IDENTITY.mailIdOfMessage(MESSAGE_ID);
    expect(world.rows()).toMatchObject([{ mailId, state: 'queued', sendAt: inDays(9) }]);
    await letTimePass(world);
    expect(world.rows()).toMatchObject([{ state: 'sent', updatedAt: inDays(9) }]);
    expect(world.plans).toHaveLength(1);
  });

  test('that is delivered twice is one email', async () => {
    const world = inMemoryPorts();
    const text = onTheQueue(aMail({ sendAt: inDays(2) }));
    await deliver(world, text);
    await deliver(world, text);
    await letTimePass(world);
    expect([world.plans.length, world.rows().length]).toEqual([1, 1]);
  });

  test('is held where its time is too far from its arrival, and a replay waits where it no longer is', async () => {
    const world = inMemoryPorts();
    await deliver(world, onTheQueue(aMail({ sendAt: inDays(31) })));
    expect(world.rows()).toMatchObject([{ state: 'held', reason: { code: 'SEND_AT_INVALID' } }]);
    world.pass(2 * DAY_MS);
    await replayMail(world.needs, world.rows()[0]?.mailId ?? '');
    expect(world.rows()).toMatchObject([{ state: 'queued', sendAt: inDays(31) }]);
    await letTimePass(world);
    expect(world.rows()).toMatchObject([{ state: 'sent', updatedAt: inDays(31) }]);
  });

  test('that waited on the queue past its time is sent, unless the ledger may have forgotten it', async () => {
    const text = onTheQueue(aMail({ sendAt: inDays(5) }));
    const world = inMemoryPorts();
    world.pass(90 * DAY_MS);
    await deliver(world, text);
    expect(world.rows()).toMatchObject([{ state: 'sent' }]);
    const later = inMemoryPorts();
    later.pass(96 * DAY_MS);
    await deliver(later, text);
    expect(later.rows()).toMatchObject([{ state: 'held', reason: { code: 'GIVEN_UP' } }]);
  });
});
