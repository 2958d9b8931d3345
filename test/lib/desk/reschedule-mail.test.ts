import { describe, expect, test } from 'vitest';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { sweepMail } from '../../../src/lib/delivery/sweep-mail.ts';
import { cancelMail } from '../../../src/lib/desk/cancel-mail.ts';
import { rescheduleMail } from '../../../src/lib/desk/reschedule-mail.ts';
import type { LedgerRow } from '../../../src/lib/ledger/ledger-row.ts';
import { claim, limit, queueNew } from '../../../src/lib/ledger/transitions.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aDelivery } from '../../support/a-delivery.ts';
import { aMail } from '../../support/a-mail.ts';
import { inMemoryPorts, NOW, type World } from '../../support/in-memory-ports.ts';

const DAY_MS = 86_400_000;
const CALLER = aCaller('key:test');
const inDays = (days: number): string => new Date(NOW.getTime() + days * DAY_MS).toISOString();

const scheduled = async (days: number, content: Record<string, unknown> = {}) => {
  const world = inMemoryPorts();
  const { row } = await sendMail(world.needs, {
    input: aMail({ sendAt: inDays(days), ...content }),
    caller: CALLER,
    respondAsync: false,
    idempotencyKey: 'key',
  });
  const { mailId } = row.facts;
  return { ...world, mailId, move: (to: number) => rescheduleMail(world.needs, mailId, CALLER, inDays(to)) };
};

/** Time passes: the message that can be seen first is delivered, until none waits. */
const letTimePass = async (world: World, policy: object = {}): Promise<void> => {
  const needs = { ...world.needs, policy: { ...world.needs.policy, ...policy } };
  const due = new Map(world.messages.map((one) => [one, NOW.getTime() + one.delayMs]));
  for (;;) {
    const next = [...due].toSorted(([, one], [, other]) => one - other)[0];
    if (next === undefined) return;
    const [message, at] = next;
    due.delete(message);
    world.messages.splice(world.messages.indexOf(message), 1);
    world.pass(Math.max(0, at - world.needs.clock.now().getTime()));
    await sweepMail(needs);
    await deliverMail(
      { ...needs, sending: needs },
      { text: message.text, messageId: 'm', insertedAt: NOW, caller: 'queue', redelivered: false },
    );
    for (const one of world.messages)
      if (!due.has(one)) due.set(one, world.needs.clock.now().getTime() + one.delayMs);
  }
};

describe('an email that is moved to another time', () => {
  test.each([
    ['later', 2, 5],
    ['earlier', 20, 0.5],
    ['much earlier, so that it hops', 29, 3.5],
    ['to the latest time that there is', 1, 30],
  ])('is sent then, once, and neither before nor after: %s', async (_case, from, to) => {
    const world = await scheduled(from);
    expect(await world.move(to)).toMatchObject({ id: world.mailId, state: 'queued', sendAt: inDays(to) });
    await letTimePass(world);
    expect(world.rows()).toMatchObject([{ state: 'sent', sendAt: inDays(to), updatedAt: inDays(to) }]);
    expect(world.plans).toHaveLength(1);
    expect([...world.payloads]).toEqual([]);
  });

  test('is sent now, where the time has passed', async () => {
    const world = await scheduled(20);
    expect(await world.move(-1)).toMatchObject({ sendAt: NOW.toISOString() });
    await letTimePass(world);
    expect(world.rows()).toMatchObject([{ state: 'sent', updatedAt: NOW.toISOString() }]);
  });

  test('to now has no message that is due before its row says so: it would find the old time, and wait for that', async () => {
    const world = await scheduled(20);
    let before: number[] = [];
    world.meanwhile('ledger.replace', () => {
      before = world.messages.slice(1).map(({ delayMs }) => delayMs);
    });
    await world.move(-1);
    expect(before).toEqual([30_000]);
    expect(world.messages.slice(1).map(({ delayMs }) => delayMs)).toEqual([30_000, 0]);
  });

  test('there and back again is sent once', async () => {
    const world = await scheduled(10);
    for (const to of [3, 12, 2, 15, 4]) await world.move(to);
    await letTimePass(world);
    expect(world.rows()).toMatchObject([{ state: 'sent', updatedAt: inDays(4) }]);
    expect(world.plans).toHaveLength(1);
  });

  test('to the time that it has changes nothing', async () => {
    const world = await scheduled(10);
    const before = world.effects.length;
    await world.move(10);
    expect(world.effects.slice(before)).toEqual([]);
  });

  test('to a time beyond what the ledger keeps by its first time is neither given up nor lost', async () => {
    const world = await scheduled(1);
    await world.move(29);
    await letTimePass(world, { ledgerDays: 2 });
    expect(world.rows()).toMatchObject([{ state: 'sent', updatedAt: inDays(29) }]);
  });

  test('is found by a repeated request with its key, which does not move it back', async () => {
    const world = await scheduled(10);
    await world.move(3);
    const again = await sendMail(world.needs, {
      input: aMail({ sendAt: inDays(10) }),
      caller: CALLER,
      respondAsync: false,
      idempotencyKey: 'key',
    });
    expect(again).toMatchObject({ repeated: true, row: { facts: { sendAt: inDays(3) } } });
  });

  test('has its message before its row, so that a crash in between costs nothing', async () => {
    const world = await scheduled(10);
    const before = world.effects.length;
    await world.move(3);
    expect(world.effects.slice(before)).toEqual([
      ...['payloads.keep', 'mailQueue.put', 'ledger.replace queued', 'log MailRescheduled'],
    ]);
    expect(world.queued().at(-1)).toMatchObject({ turn: 0, phase: 'send', delayMs: DAY_MS });
    const crashed = await scheduled(10);
    crashed.fail('ledger.replace');
    await expect(crashed.move(3)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    crashed.mend();
    await letTimePass(crashed);
    expect(crashed.rows()).toMatchObject([{ state: 'sent', updatedAt: inDays(10) }]);
    expect(crashed.plans).toHaveLength(1);
  });

  test('later needs no message', async () => {
    const world = await scheduled(3);
    const before = world.effects.length;
    await world.move(10);
    expect(world.effects.slice(before)).toEqual(['ledger.replace queued', 'log MailRescheduled']);
  });

  test('and canceled is not sent', async () => {
    const world = await scheduled(10);
    await world.move(2);
    await cancelMail(world.needs, world.mailId, CALLER);
    await expect(world.move(1)).rejects.toMatchObject({ code: 'MAIL_NOT_SCHEDULED' });
    await letTimePass(world);
    expect([world.plans, world.rows()[0]?.state, [...world.payloads]]).toEqual([[], 'canceled', []]);
  });
});

describe('an email that cannot be moved', () => {
  const { rows, facts, mailId } = aDelivery();
  const due = { ...facts, sendAt: inDays(2) };
  const queued = queueNew(due, NOW);
  const moving = async (row: LedgerRow, to = 1, caller = row.facts.caller) => {
    const world = inMemoryPorts();
    world.ledger.create(row);
    return rescheduleMail(world.needs, mailId, aCaller(caller), inDays(to));
  };

  test.each<[string, LedgerRow, string]>([
    ['has no time', rows.queued, 'MAIL_NOT_SCHEDULED'],
    ['is being sent', claim(queued, NOW), 'MAIL_UNDER_WAY'],
    ['was tried before', rows.deferred, 'MAIL_NOT_SCHEDULED'],
    ['was sent', rows.sent, 'MAIL_NOT_SCHEDULED'],
    [
      'waits for the limit of its caller',
      limit(queued, { code: 'CALLER_LIMIT_REACHED' }, new Date(inDays(3)), NOW),
      'MAIL_NOT_SCHEDULED',
    ],
    ['was queued by an earlier version, to an earlier time', queued, 'MAIL_NOT_SCHEDULED'],
  ])('%s', async (_case, row, code) => {
    await expect(moving(row)).rejects.toMatchObject({ code });
  });

  test('is one of another caller', async () => {
    await expect(moving(queued, 3, 'somebody')).rejects.toMatchObject({ code: 'MAIL_NOT_FOUND' });
  });

  test('is one whose new time is more than 30 days ahead', async () => {
    await expect(moving(queued, 31)).rejects.toMatchObject({ code: 'SEND_AT_INVALID' });
  });

  test('is not moved where an attempt was faster', async () => {
    const world = await scheduled(5);
    world.meanwhile('ledger.replace', () => {
      const { row, etag } = world.ledger.find(world.mailId)!;
      world.ledger.replace(claim(row as typeof queued, NOW), etag);
    });
    await expect(world.move(10)).rejects.toMatchObject({ code: 'MAIL_UNDER_WAY' });
  });
});
