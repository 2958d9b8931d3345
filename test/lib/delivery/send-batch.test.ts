import { describe, expect, test } from 'vitest';
import { inBatch, sendBatch } from '../../../src/lib/delivery/send-batch.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { aPacer } from '../../support/a-pacer.ts';
import { inMemoryPorts, type World } from '../../support/in-memory-ports.ts';

const CALLER = 'key:test';
const send = (world: World, inputs: readonly unknown[], more: object = {}, respondAsync = false) =>
  sendBatch({ ...world.needs, ...more }, { inputs, caller: aCaller(CALLER), respondAsync });

const outcomes = (results: Awaited<ReturnType<typeof sendBatch>>) =>
  results.map((result) =>
    'row' in result
      ? `${result.row.fate.state}${result.repeated ? ' again' : ''}`
      : (result.thrown as AppError).code,
  );

describe('a batch', () => {
  test('gives what came of each email, in their order, and one that is refused spoils none', async () => {
    const world = inMemoryPorts();
    const results = await send(world, [
      aMail({ subject: 'one' }),
      aMail({ to: 'nobody' }),
      'no email',
      aMail({ subject: 'two', sendAt: '2026-03-03T08:00:00Z' }),
      null,
      aMail({ from: 'stranger@other.example' }),
      aMail({ subject: 'three' }),
    ]);
    expect(outcomes(results)).toEqual([
      'sent',
      'ADDRESS_INVALID',
      'JSON_UNREADABLE',
      'queued',
      'JSON_UNREADABLE',
      'SENDER_NOT_ALLOWED',
      'sent',
    ]);
    const subjects = world.plans.map(({ body }) => JSON.parse(body.toString()).message.subject);
    expect(subjects.sort()).toEqual(['one', 'three']);
  });

  test('treats two emails with one key as two requests: the second follows the first', async () => {
    const world = inMemoryPorts();
    const keyed = (key: string, more: object = {}) => aMail({ idempotencyKey: key, ...more });
    const results = await send(world, [
      keyed('a'),
      keyed('a'),
      keyed('b'),
      keyed('a', { subject: 'Another' }),
      keyed('a'),
    ]);
    expect(outcomes(results)).toEqual(['sent', 'sent again', 'sent', 'IDEMPOTENCY_KEY_REUSED', 'sent again']);
    expect(world.plans).toHaveLength(2);
  });

  test('that is repeated gets the first outcomes again', async () => {
    const world = inMemoryPorts();
    const mails = ['a', 'b', 'c'].map((idempotencyKey) => aMail({ idempotencyKey }));
    await send(world, mails);
    expect(outcomes(await send(world, mails))).toEqual(['sent again', 'sent again', 'sent again']);
    expect(world.plans).toHaveLength(3);
  });

  test('queues all of them where its caller does not want to wait', async () => {
    const world = inMemoryPorts();
    const results = await send(world, [aMail(), aMail(), aMail()], {}, true);
    expect(outcomes(results)).toEqual(['queued', 'queued', 'queued']);
    expect([world.plans.length, world.messages.length]).toEqual([0, 3]);
  });

  test('sends four at a time', async () => {
    const world = inMemoryPorts();
    let [now, most] = [0, 0];
    const sendOne: typeof world.needs.mailboxes.send = async (plan) => {
      now += 1;
      most = Math.max(most, now);
      const report = await world.needs.mailboxes.send(plan);
      now -= 1;
      return report;
    };
    const mailboxes = { ...world.needs.mailboxes, send: sendOne };
    const clock = { ...world.needs.clock, sleep: async (ms: number) => world.pass(ms) };
    const pacer = aPacer({ clock, concurrent: 100, perMinute: 100 });
    const results = await send(
      world,
      Array.from({ length: 30 }, () => aMail()),
      { mailboxes, pacer, clock },
    );
    expect(outcomes(results).every((outcome) => outcome === 'sent')).toBe(true);
    expect(most).toBeLessThanOrEqual(4);
    expect(most).toBeGreaterThan(2);
  });

  test('queues what has not begun after 75 seconds, so that the platform does not end the request', async () => {
    const world = inMemoryPorts();
    const slow: typeof world.needs.mailboxes.send = (plan) => {
      world.pass(20_000);
      return world.needs.mailboxes.send(plan);
    };
    const mailboxes = { ...world.needs.mailboxes, send: slow };
    const results = await send(
      world,
      Array.from({ length: 10 }, () => aMail()),
      { mailboxes },
    );
    expect(outcomes(results).filter((outcome) => outcome === 'sent').length).toBeLessThan(8);
    expect(outcomes(results).at(-1)).toBe('queued');
    expect(world.plans.length + world.messages.length).toBe(10);
  });

  test('says of each email on its own that storage failed, also of an unforeseen fault', async () => {
    const world = inMemoryPorts();
    world.fail('ledger.create');
    expect(outcomes(await send(world, [aMail(), aMail()]))).toEqual(['MAIL_NOT_STORED', 'MAIL_NOT_STORED']);
    const fault = new TypeError('a fault');
    world.fail('ledger.create', fault);
    expect(await send(world, [aMail()])).toEqual([{ thrown: fault }]);
  });
});

test('a problem of an email in a batch leads to it from the whole request', () => {
  const problem = {
    code: 'FIELD_INVALID',
    pointer: '/subject',
    expected: 'text',
    received: 'nothing',
  } as const;
  const error = inBatch(new AppError('FIELD_INVALID', { problems: [problem] }), '/mails/3');
  expect(error.facts.problems).toMatchObject([{ pointer: '/mails/3/subject' }]);
  const without = new AppError('MAIL_NOT_STORED');
  expect(inBatch(without, '/mails/3')).toBe(without);
});
