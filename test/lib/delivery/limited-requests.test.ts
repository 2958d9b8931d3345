import { describe, expect, test } from 'vitest';
import type { CallerRules } from '../../../src/lib/callers/caller.ts';
import { dryRunMail } from '../../../src/lib/delivery/dry-run.ts';
import { sendBatch } from '../../../src/lib/delivery/send-batch.ts';
import { type SendMailRequest, sendMail } from '../../../src/lib/delivery/send-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { A_PASSENGER, aPacer } from '../../support/a-pacer.ts';
import { inMemoryPorts, type World } from '../../support/in-memory-ports.ts';

const HOUR_MS = 3_600_000;
const DAY = '2026-03-02';

const send = (
  world: World,
  rules: Partial<CallerRules>,
  request: Partial<SendMailRequest> = {},
  more: object = {},
) =>
  sendMail(
    { ...world.needs, ...more },
    { input: aMail(), caller: aCaller('payroll', rules), respondAsync: false, ...request },
  );

const one = { mailsPerDay: 1 };
const codeOf = (sent: Promise<unknown>) =>
  sent.then(
    () => 'accepted',
    (error: unknown) => (error instanceof AppError ? error.code : error),
  );
const takenOf = ({ usages }: World) => usages.read(DAY, 'payroll').taken;

describe('a request over the daily limit of its caller', () => {
  test('is refused until midnight UTC, and nothing of it was accepted', async () => {
    const world = inMemoryPorts();
    await send(world, one);
    const error: unknown = await send(world, one).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CALLER_LIMIT_REACHED', facts: { retryAfterSeconds: 16 * 3600 } });
    expect([world.rows().length, world.plans.length, world.messages]).toEqual([1, 1, []]);
    world.pass(16 * HOUR_MS);
    expect(await codeOf(send(world, one))).toBe('accepted');
  });

  test('is refused also where it would only be queued, or is for another day', async () => {
    const world = inMemoryPorts();
    await send(world, one, { respondAsync: true });
    const later = aMail({ sendAt: '2026-03-04T08:00:00Z' });
    expect(await codeOf(send(world, one, { respondAsync: true }))).toBe('CALLER_LIMIT_REACHED');
    expect(await codeOf(send(world, one, { input: later }))).toBe('CALLER_LIMIT_REACHED');
    expect(world.rows()).toMatchObject([{ state: 'queued', countedAt: '2026-03-02T08:00:00.000Z' }]);
  });

  test('that repeats an accepted email gets its answer, and counts nothing', async () => {
    const world = inMemoryPorts();
    await send(world, one, { idempotencyKey: 'a' });
    const again = await send(world, one, { idempotencyKey: 'a' });
    expect([again.repeated, again.row.fate.state]).toEqual([true, 'sent']);
    expect(await codeOf(send(world, one, { idempotencyKey: 'b' }))).toBe('CALLER_LIMIT_REACHED');
    expect(takenOf(world).mails).toBe(1);
  });

  test('and below it a repeat counts nothing either', async () => {
    const world = inMemoryPorts();
    const two = { mailsPerDay: 2 };
    for (let time = 0; time < 5; time += 1) await send(world, two, { idempotencyKey: 'a' });
    // Not for a moment: another instance would refuse a new email.
    expect(takenOf(world).mails).toBe(1);
    expect(await codeOf(send(world, two, { idempotencyKey: 'b' }))).toBe('accepted');
  });

  test.each([
    ['a repeat, near the limit, has the ledger asked first', { idempotencyKey: 'a' }, 19, 1],
    ['a repeat, far from the limit, costs no read', { idempotencyKey: 'a' }, 1000, 0],
    ['no repeat, without a key, costs no read', {}, 19, 0],
  ])('or could be %s', async (_, key, limit, reads) => {
    const world = inMemoryPorts();
    let finds = 0;
    const ledger = {
      ...world.needs.ledger,
      find: async (mailId: string) => {
        finds += 1;
        return world.needs.ledger.find(mailId);
      },
    };
    await send(world, { mailsPerDay: limit }, key, { ledger });
    expect(finds).toBe(reads);
  });

  test('of a batch is refused by itself', async () => {
    const world = inMemoryPorts();
    const results = await sendBatch(world.needs, {
      inputs: [aMail(), aMail(), aMail()],
      caller: aCaller('payroll', { mailsPerDay: 2 }),
      respondAsync: false,
    });
    expect(results.map((result) => ('row' in result ? result.row.fate.state : result.thrown))).toMatchObject([
      'sent',
      'sent',
      { code: 'CALLER_LIMIT_REACHED' },
    ]);
  });

  test('with more recipients than are left is refused, and a smaller one goes', async () => {
    const world = inMemoryPorts();
    const to = (count: number) =>
      aMail({ to: Array.from({ length: count }, (_, index) => `p${index}@contoso.example`) });
    const rules = { recipientsPerDay: 10 };
    await send(world, rules, { input: to(7) });
    await expect(send(world, rules, { input: to(4) })).rejects.toMatchObject({
      code: 'CALLER_LIMIT_REACHED',
      facts: {
        detail:
          'The limit of the caller payroll is 10 recipients a day. Left until 2026-03-03T00:00:00.000Z: 3 recipients. This email has 4 recipients.',
      },
    });
    expect(await codeOf(send(world, rules, { input: to(3) }))).toBe('accepted');
    expect(await codeOf(send(world, rules, { input: to(11) }))).toBe('CALLER_LIMIT_TOO_LOW');
  });
});

describe('what was not accepted is given back:', () => {
  test('an email that Graph rejected, which counts once it is accepted', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 404, upstreamCode: 'ErrorInvalidUser' });
    expect(await codeOf(send(world, one, { idempotencyKey: 'a' }))).toBe('MAILBOX_NOT_FOUND');
    expect(world.rows()).toMatchObject([{ state: 'rejected' }]);
    expect(world.rows()[0]).not.toHaveProperty('countedAt');
    world.answer({ kind: 'answered', status: 202 });
    expect(await codeOf(send(world, one, { idempotencyKey: 'a' }))).toBe('accepted');
    expect(world.rows()[0]).toHaveProperty('countedAt');
    expect(await codeOf(send(world, one, { idempotencyKey: 'b' }))).toBe('CALLER_LIMIT_REACHED');
  });

  test('a rejected email that is sent again over the limit is refused', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 404, upstreamCode: 'ErrorInvalidUser' });
    await codeOf(send(world, one, { idempotencyKey: 'a' }));
    world.answer({ kind: 'answered', status: 202 });
    await send(world, one);
    expect(await codeOf(send(world, one, { idempotencyKey: 'a' }))).toBe('CALLER_LIMIT_REACHED');
    expect(world.plans).toHaveLength(2);
  });

  test('an email whose mailbox is booked up', async () => {
    const world = inMemoryPorts();
    const pacer = aPacer({ clock: world.needs.clock, perMinute: 1, bookAheadMs: 1 });
    await pacer.enter('noreply@contoso.example', A_PASSENGER);
    expect(await codeOf(send(world, one, {}, { pacer }))).toBe('MAILBOX_BOOKED_UP');
    expect(await codeOf(send(world, one))).toBe('accepted');
  });

  test('an email whose message could not be written, and which was taken back', async () => {
    const world = inMemoryPorts();
    world.fail('mailQueue.put');
    expect(await codeOf(send(world, one, { respondAsync: true, idempotencyKey: 'a' }))).toBe(
      'MAIL_NOT_STORED',
    );
    expect(world.rows()[0]).not.toHaveProperty('countedAt');
    world.mend();
    expect(await codeOf(send(world, one, { respondAsync: true, idempotencyKey: 'a' }))).toBe('accepted');
  });

  test.each([
    ['Graph may have sent', { kind: 'lost', why: 'timeout' }],
    ['Graph sends later', { kind: 'answered', status: 503 }],
  ] as const)('but not an email that %s', async (_which, report) => {
    const world = inMemoryPorts(report);
    await send(world, one);
    expect(await codeOf(send(world, one))).toBe('CALLER_LIMIT_REACHED');
  });

  test('nor one that was rejected here and that another invocation goes on with', async () => {
    const world = inMemoryPorts({ kind: 'answered', status: 404, upstreamCode: 'ErrorInvalidUser' });
    world.meanwhile('ledger.replace', () => {
      const { mailId } = world.rows()[0]!;
      const { row, etag } = world.ledger.find(mailId)!;
      world.ledger.replace(row, etag);
    });
    expect(await codeOf(send(world, one))).toBe('MAILBOX_NOT_FOUND');
    expect(world.rows()).toMatchObject([{ state: 'sending' }]);
    expect(await codeOf(send(world, one))).toBe('CALLER_LIMIT_REACHED');
  });

  test('nor one of which nobody knows whether the ledger has it', async () => {
    const world = inMemoryPorts();
    world.loseAnswer('ledger.create');
    expect(await codeOf(send(world, one))).toBe('MAIL_NOT_STORED');
    world.mend();
    expect(await codeOf(send(world, one))).toBe('CALLER_LIMIT_REACHED');
  });
});

test('where nobody can find out what is left, nothing is accepted', async () => {
  const world = inMemoryPorts();
  world.fail('usages.read');
  expect(await codeOf(send(world, one))).toBe('MAIL_NOT_STORED');
  expect(world.rows()).toEqual([]);
});

test('a dry run counts nothing, and refuses what no day would be enough for', async () => {
  const world = inMemoryPorts();
  const caller = aCaller('payroll', { recipientsPerDay: 1 });
  await dryRunMail(world.needs, caller, { input: aMail() });
  await expect(
    dryRunMail(world.needs, caller, { input: aMail({ cc: 'another@contoso.example' }) }),
  ).rejects.toMatchObject({ code: 'CALLER_LIMIT_TOO_LOW' });
  expect(world.usages.all().size).toBe(0);
});

test('a caller without limits costs nothing, and its rows say nothing of counting', async () => {
  const world = inMemoryPorts();
  world.fail('usages.read');
  await send(world, {});
  expect(world.rows()[0]).not.toHaveProperty('countedAt');
});

describe('of a limit that is reached', () => {
  const rules = { ...one, owner: 'owner@contoso.example' };

  test('the owner, the event and the log are told, once a day', async () => {
    const world = inMemoryPorts();
    await send(world, rules);
    for (let time = 0; time < 3; time += 1) await codeOf(send(world, rules));
    expect(world.queued()).toMatchObject([
      {
        caller: 'warnExpiringSecrets',
        content: {
          mail: {
            to: ['owner@contoso.example'],
            subject: 'The caller payroll has reached its daily limit (2026-03-02)',
          },
        },
      },
    ]);
    expect(world.announced.slice(1)).toEqual([
      {
        id: 'payroll/2026-03-02/limit-reached',
        eventType: 'GraphMailRelay.Caller.LimitReached',
        subject: 'caller/payroll',
        eventTime: '2026-03-02T08:00:00.000Z',
        dataVersion: '1',
        data: { caller: 'payroll', day: DAY, resetsAt: '2026-03-03T00:00:00.000Z' },
      },
    ]);
    const told = world.logged.filter(({ event }) => event === 'CallerLimitReached');
    expect(told).toEqual([{ event: 'CallerLimitReached', caller: 'payroll', day: DAY }]);
    expect(JSON.stringify(world.logged)).not.toContain('owner@');
    world.pass(16 * HOUR_MS);
    await send(world, rules);
    await codeOf(send(world, rules));
    expect(world.messages).toHaveLength(2);
  });

  test('without an owner nobody receives an email', async () => {
    const world = inMemoryPorts();
    await send(world, one);
    await codeOf(send(world, one));
    expect(world.messages).toEqual([]);
    expect(world.logged.at(-1)).toMatchObject({ event: 'CallerLimitReached' });
  });

  test('the caller hears the same where the warning cannot be written; the next refusal tries it again', async () => {
    const world = inMemoryPorts();
    await send(world, rules);
    world.fail('mailQueue.put');
    expect(await codeOf(send(world, rules))).toBe('CALLER_LIMIT_REACHED');
    expect(world.logged.at(-1)).toMatchObject({ event: 'StorageAwaited' });
    world.mend();
    await codeOf(send(world, rules));
    expect(world.messages).toHaveLength(1);
  });

  test('two instances that warn at the same moment write one email: it has one id and one content', async () => {
    const world = inMemoryPorts();
    await send(world, rules);
    world.fail('usages.write');
    await codeOf(send(world, rules));
    world.mend();
    world.pass(60_000);
    await codeOf(send(world, rules));
    const [first, second] = world.queued();
    expect(second).toMatchObject({ mailId: (first as { mailId?: string }).mailId });
    expect((second as { contentHash?: string }).contentHash).toBe(
      (first as { contentHash?: string }).contentHash,
    );
  });
});
