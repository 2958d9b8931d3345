import { describe, expect, test } from 'vitest';
import { makeBudgets } from '../../../src/lib/delivery/budgets.ts';
import { deliverMail } from '../../../src/lib/delivery/deliver-mail.ts';
import { sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { cancelMail } from '../../../src/lib/desk/cancel-mail.ts';
import { toStatus } from '../../../src/lib/desk/mail-status.ts';
import { AppError } from '../../../src/lib/errors.ts';
import type { LimitsOf } from '../../../src/lib/sending/external-recipients.ts';
import type { SendReport } from '../../../src/lib/sending/send-outcome.ts';
import { external } from '../../support/a-budget.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aPacer } from '../../support/a-pacer.ts';
import { inMemoryPorts, NOW } from '../../support/in-memory-ports.ts';

const HOUR_MS = 3_600_000;

const to = (count: number, domain = 'fabrikam.example') => ({
  to: Array.from({ length: count }, (_, index) => `r${index}@${domain}`),
  subject: 'Invoice',
  text: 'Attached.',
});

/** A relay whose limits of a day are these, at a time that the test moves. */
const relay = (limitsOf: LimitsOf, recipientsPerDay = 10_000, answer?: SendReport) => {
  const world = inMemoryPorts(answer);
  const at = { time: NOW.getTime() };
  const clock = { now: () => new Date(at.time), sleep: async () => undefined };
  const ports = { ...world.needs, clock };
  const needs = {
    ...ports,
    accept: { ...ports.accept, limitsOf },
    budgets: makeBudgets(ports, limitsOf),
    pacer: aPacer({ clock, recipientsPerDay }),
    random: () => 0,
  };
  const send = (input: object, more: object = {}) =>
    sendMail(needs, { input, caller: aCaller(), respondAsync: false, ...more });
  const codeOf = (input: object, more: object = {}) =>
    send(input, more).then(
      ({ row }) => row.fate.state,
      (error: unknown) => (error instanceof AppError ? error.code : String(error)),
    );
  const deliver = async () => {
    const [message] = world.messages.splice(0, 1);
    if (message === undefined) throw new Error('no message is on the queue');
    await deliverMail({ ...needs, arrivalQueue: world.needs.mailQueue, sending: needs }, {
      text: message.text,
      messageId: 'm',
      dequeueCount: 1,
      insertedAt: clock.now(),
    } as never);
  };
  return { ...world, at, needs, send, codeOf, deliver };
};

const LIMITS: readonly (readonly [string, () => ReturnType<typeof relay>])[] = [
  ['EXTERNAL_RECIPIENTS_REACHED', () => relay(external(5))],
  ['MAILBOX_DAY_REACHED', () => relay(external(1000), 5)],
];

describe.each(LIMITS)('over a limit of a day, with %s,', (code, make) => {
  test('HTTP refuses an email with when, and nothing is written of it', async () => {
    const { send, codeOf, rows, plans, at } = make();
    expect(await codeOf(to(5))).toBe('sent');
    const room = Math.floor(at.time / HOUR_MS) * HOUR_MS + 25 * HOUR_MS;
    await expect(send(to(1))).rejects.toMatchObject({
      code,
      facts: { retryAfterSeconds: Math.ceil((room - at.time) / 1000) },
    });
    expect([rows().length, plans.length]).toEqual([1, 1]);
    at.time = room;
    expect(await codeOf(to(5))).toBe('sent');
  });

  test('an email that was accepted for later waits on the queue, its row says why and until when, and it is sent then', async () => {
    const { codeOf, deliver, rows, ledger, messages, plans, at } = make();
    await codeOf(to(5));
    expect(await codeOf(to(2), { respondAsync: true })).toBe('queued');
    await deliver();
    const room = new Date(Math.floor(at.time / HOUR_MS) * HOUR_MS + 25 * HOUR_MS).toISOString();
    expect(rows().find(({ state }) => state === 'queued')).toMatchObject({
      limited: { reason: { code }, until: room },
    });
    const waiting = ledger.rows().find(({ fate }) => fate.state === 'queued');
    expect(waiting && toStatus(waiting)).toMatchObject({
      until: room,
      reason: { code, remedy: expect.stringMatching(/^Wait\. /) },
    });
    // It looks again within the hour, as a limit can be raised.
    expect(messages.map(({ delayMs }) => delayMs)).toEqual([HOUR_MS]);
    at.time = Date.parse(room);
    await deliver();
    expect(plans).toHaveLength(2);
    expect(rows().map(({ state }) => state)).toEqual(['sent', 'sent']);
  });
});

test('emails that are canceled while they wait leave the recipients of the day to others', async () => {
  const { needs, codeOf, deliver, ledger, messages, plans, at } = relay(external(1000), 100);
  for (let email = 0; email < 40; email += 1) await codeOf(to(1), { respondAsync: true });
  for (let email = 0; email < 40; email += 1) await deliver();
  const waiting = ledger.rows().filter(({ fate }) => fate.state === 'queued');
  expect(waiting.length).toBeGreaterThan(8);
  for (const { facts } of waiting) await cancelMail(needs as never, facts.mailId, aCaller());
  // By then no instance may use what was reserved for it.
  at.time += 40 * 60_000;
  while (messages.length > 0) await deliver();
  // A fiftieth is kept for what is urgent.
  expect(await codeOf(to(98 - plans.length))).toBe('sent');
});

describe('emails that wait for the recipients of the day', () => {
  /** The recipients of a day are used up, and so many emails have places in the days after it. */
  const aBacklog = async (emails: number) => {
    const world = relay(external(1000), 20);
    expect(await world.codeOf(to(19))).toBe('sent');
    for (let email = 0; email < emails; email += 1) await world.codeOf(to(20), { respondAsync: true });
    for (let email = 0; email < emails; email += 1) await world.deliver();
    const waiting = world.ledger.rows().filter(({ fate }) => fate.state === 'queued');
    expect(waiting).toHaveLength(emails);
    return { ...world, waiting };
  };
  /** How long another email is to wait, in hours. */
  const hoursFor = async ({ send }: ReturnType<typeof relay>) => {
    const refused: unknown = await send(to(10)).catch((error: unknown) => error);
    const { retryAfterSeconds = 0 } = refused instanceof AppError ? refused.facts : {};
    return Math.ceil(retryAfterSeconds / 3600);
  };

  test('and are canceled leave their places to others, when their messages come', async () => {
    const world = await aBacklog(30);
    expect(await hoursFor(world)).toBeGreaterThan(100);
    for (const { facts } of world.waiting) await cancelMail(world.needs as never, facts.mailId, aCaller());
    world.at.time += HOUR_MS;
    for (const _ of world.waiting) await world.deliver();
    expect(await hoursFor(world)).toBeLessThanOrEqual(25);
  });

  test('and are canceled while their wait is written leave no place', async () => {
    const world = relay(external(1000), 20);
    expect(await world.codeOf(to(19))).toBe('sent');
    for (let email = 0; email < 10; email += 1) await world.codeOf(to(20), { respondAsync: true });
    const { replace } = world.ledger;
    Object.assign(world.needs.ledger, {
      replace: async (...row: Parameters<typeof replace>) => {
        Object.assign(world.needs.ledger, { replace });
        await cancelMail(world.needs as never, row[0].facts.mailId, aCaller());
        return replace(...row);
      },
    });
    const raced = world.needs.ledger.replace;
    for (let email = 0; email < 10; email += 1) {
      Object.assign(world.needs.ledger, { replace: raced });
      await world.deliver();
    }
    expect(world.ledger.rows().filter(({ fate }) => fate.state === 'canceled')).toHaveLength(10);
    expect(await hoursFor(world)).toBeLessThanOrEqual(25);
  });

  test('and are held, as their application may not send any more, leave their places to others', async () => {
    const world = await aBacklog(30);
    world.at.time += HOUR_MS;
    const { callers } = world.needs;
    const nobody = async () => ({ named: () => undefined });
    Object.assign(world.needs, { callers: { ...callers, known: nobody, refreshed: nobody } });
    for (const _ of world.waiting) await world.deliver();
    expect(world.ledger.rows().filter(({ fate }) => fate.state === 'held')).toHaveLength(30);
    Object.assign(world.needs, { callers });
    expect(await hoursFor(world)).toBeLessThanOrEqual(25);
  });
});

test('an email that was tried before says that it waits for the day, until when, and that it needs nobody', async () => {
  const { needs, codeOf, deliver, ledger, at } = relay(external(1000), 5);
  const { send } = needs.mailboxes;
  const refused: SendReport = { kind: 'answered', status: 503 };
  Object.assign(needs.mailboxes, { send: async () => refused });
  expect(await codeOf(to(2))).toBe('deferred');
  Object.assign(needs.mailboxes, { send });
  expect(await codeOf(to(5))).toBe('sent');
  at.time += 600_000;
  await deliver();
  const waiting = ledger.rows().find(({ fate }) => fate.state === 'deferred');
  const room = new Date(Math.floor(NOW.getTime() / HOUR_MS) * HOUR_MS + 25 * HOUR_MS).toISOString();
  expect(waiting && toStatus(waiting)).toMatchObject({
    until: room,
    reason: { code: 'MAILBOX_DAY_REACHED', remedy: expect.stringMatching(/^Wait\. /) },
  });
  at.time = Date.parse(room);
  await deliver();
  expect(ledger.rows().map(({ fate }) => fate.state)).toEqual(['sent', 'sent']);
});

test('an email to recipients of the tenant is counted by no budget', async () => {
  const { codeOf, effects } = relay(external(5));
  await codeOf(to(5));
  expect(await codeOf(to(5, 'contoso.example'))).toBe('sent');
  expect(effects.filter((effect) => effect.startsWith('recipientBudgets')).length).toBeLessThanOrEqual(2);
});

test('an email with more external recipients than a whole day has is refused, and nothing is counted', async () => {
  const { codeOf } = relay(external(5));
  expect(await codeOf(to(6))).toBe('EXTERNAL_RECIPIENTS_TOO_MANY');
  expect(await codeOf(to(5))).toBe('sent');
});

test.each<[SendReport, number]>([
  [{ kind: 'answered', status: 429 }, 0],
  [{ kind: 'not-connected' }, 0],
  [{ kind: 'lost', why: 'timeout' }, 1],
  [{ kind: 'answered', status: 202 }, 1],
])('after %o, the recipients of the email count %i times', async (report, times) => {
  const { codeOf, needs } = relay(external(10), 10_000, report);
  await codeOf(to(5));
  const take = async (recipients: number) => {
    const { tenant } = external(10)('');
    return (await needs.budgets.take([{ kind: 'tenant', tenant, limit: 10, recipients }])).kind;
  };
  expect([await take(10 - 5 * times), await take(1)]).toEqual(['granted', 'reached']);
});
