import { describe, expect, test } from 'vitest';
import type { Caller } from '../../../src/lib/callers/caller.ts';
import { makeQuotas } from '../../../src/lib/delivery/quotas.ts';
import { refusalsOf, sendTogether } from '../../../src/lib/delivery/send-together.ts';
import { cancelMail } from '../../../src/lib/desk/cancel-mail.ts';
import { AppError } from '../../../src/lib/errors.ts';
import { aCaller } from '../../support/a-caller.ts';
import { aMail } from '../../support/a-mail.ts';
import { asUsages, inMemoryPorts, type World } from '../../support/in-memory-ports.ts';

const CALLER = aCaller('key:test');
const mails = (count: number, more: object = {}) =>
  Array.from({ length: count }, (_, number) => ({ input: aMail({ subject: `Number ${number}`, ...more }) }));

const send = (world: World, requests: Parameters<typeof sendTogether>[2], more: object = {}) =>
  sendTogether(
    { ...world.needs, cancel: (mailId) => cancelMail(world.needs, mailId, CALLER), ...more },
    CALLER,
    requests,
  );

const states = (world: World) =>
  world
    .rows()
    .map(({ state }) => state)
    .sort();

/** A queue that fails from this message on. */
const failingFrom = (world: World, number: number) => {
  let count = 0;
  return {
    mailQueue: {
      ...world.needs.mailQueue,
      put: async (text: string, delayMs: number) => {
        count += 1;
        if (count >= number) throw new AppError('STORAGE_UNAVAILABLE');
        return world.needs.mailQueue.put(text, delayMs);
      },
    },
  };
};

const LIMITED = (mailsPerDay: number, more: object = {}) =>
  aCaller('payroll', { mailsPerDay, recipientsPerDay: 1000, ...more });
const takenOf = ({ usages }: World) => usages.read('2026-03-02', 'payroll').taken;

const sendLimited = (
  world: World,
  caller: Caller,
  requests: Parameters<typeof sendTogether>[2],
  more: object = {},
) =>
  sendTogether(
    { ...world.needs, cancel: (mailId) => cancelMail(world.needs, mailId, caller), ...more },
    caller,
    requests,
  );

describe('the daily limit of the caller, for several emails with one answer', () => {
  test('counts all of them or none: refused, they leave the day to others', async () => {
    const world = inMemoryPorts();
    const caller = LIMITED(8);
    await sendLimited(world, caller, mails(5));
    expect(await sendLimited(world, caller, mails(4)).catch((error) => error)).toMatchObject({
      code: 'CALLER_LIMIT_REACHED',
      facts: { detail: expect.stringContaining('3 emails and 995 recipients. This request has 4 emails') },
    });
    expect([world.rows().length, takenOf(world)]).toEqual([5, { mails: 5, recipients: 5 }]);
    await sendLimited(world, caller, mails(3));
    expect(takenOf(world)).toEqual({ mails: 8, recipients: 8 });
  });

  test('is not said to begin anew for a request that no day would be enough for', async () => {
    const world = inMemoryPorts();
    await expect(sendLimited(world, LIMITED(3), mails(5))).rejects.toMatchObject({
      code: 'CALLER_LIMIT_TOO_LOW',
    });
    expect([world.rows().length, takenOf(world).mails]).toEqual([0, 0]);
  });

  test('is for recipients as well', async () => {
    const world = inMemoryPorts();
    const to = ['a@example.com', 'b@example.com'];
    const caller = LIMITED(10, { recipientsPerDay: 5 });
    await sendLimited(world, caller, mails(2, { to }));
    await expect(sendLimited(world, caller, mails(1, { to }))).rejects.toMatchObject({
      code: 'CALLER_LIMIT_REACHED',
    });
    expect(takenOf(world)).toEqual({ mails: 2, recipients: 4 });
  });

  test('gets back what was canceled because another failed', async () => {
    const world = inMemoryPorts();
    const caller = LIMITED(20);
    await expect(sendLimited(world, caller, mails(20), failingFrom(world, 10))).rejects.toThrow(AppError);
    const result = await sendLimited(world, caller, mails(20));
    expect('answers' in result && result.answers.length).toBe(20);
    expect(takenOf(world).mails).toBe(20);
  });

  test('keeps what could not be canceled, because it is sent', async () => {
    const world = inMemoryPorts();
    const caller = LIMITED(20);
    const cancel = async () => Promise.reject(new AppError('MAIL_UNDER_WAY'));
    await sendLimited(world, caller, mails(20), { ...failingFrom(world, 10), cancel }).catch(() => undefined);
    const kept = world.rows().filter(({ state }) => state === 'queued').length;
    await expect(sendLimited(world, caller, mails(20 - kept + 1))).rejects.toMatchObject({
      code: 'CALLER_LIMIT_REACHED',
    });
    await sendLimited(world, caller, mails(20 - kept));
    expect(world.rows().filter(({ state }) => state === 'queued').length).toBe(20);
  });

  test('does not refuse a repetition, and counts of it only what was not accepted before', async () => {
    const world = inMemoryPorts();
    const caller = LIMITED(20);
    const keyed = mails(20).map((one, number) => ({ ...one, idempotencyKey: `k-${number}` }));
    await expect(sendLimited(world, caller, keyed, failingFrom(world, 10))).rejects.toThrow(AppError);
    await sendLimited(world, caller, keyed);
    const again = await sendLimited(world, caller, keyed);
    expect('answers' in again && again.answers.every(({ repeated }) => repeated)).toBe(true);
    expect([world.rows().length, takenOf(world).mails]).toEqual([20, 20]);
  });

  test('is reached exactly by instances that send at the same time, and never passed', async () => {
    const world = inMemoryPorts();
    const caller = LIMITED(100);
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, () =>
        sendLimited(world, caller, mails(10), { quotas: makeQuotas(asUsages(world.usages)) }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled').length).toBe(10);
    expect([world.rows().length, takenOf(world).mails]).toEqual([100, 100]);
  });
});

describe('several emails with one answer', () => {
  test('let other requests go on while they are judged', async () => {
    const world = inMemoryPorts();
    let turns = 0;
    const sleep = async () => {
      turns += 1;
    };
    await refusalsOf({ ...world.needs, clock: { ...world.needs.clock, sleep } }, CALLER, mails(50));
    expect(turns).toBe(50);
  });

  test('are all queued, each once', async () => {
    const world = inMemoryPorts();
    const result = await send(world, mails(20));
    expect('answers' in result && result.answers.map(({ row }) => row.fate.state)).toEqual(
      Array(20).fill('queued'),
    );
    expect(world.rows().length).toBe(20);
  });

  test('are all refused where one is wrong, and each that is wrong is named', async () => {
    const world = inMemoryPorts();
    const wrong = { input: aMail({ to: 'nobody' }) };
    const result = await send(world, [...mails(2), wrong, ...mails(1), wrong]);
    expect('refused' in result && result.refused.map(({ index, error }) => [index, error.code])).toEqual([
      [2, 'ADDRESS_INVALID'],
      [4, 'ADDRESS_INVALID'],
    ]);
    expect(world.rows().length).toBe(0);
  });

  test('leave none to be sent where storage fails between them, so that repeating sends none twice', async () => {
    const world = inMemoryPorts();
    await expect(send(world, mails(20), failingFrom(world, 10))).rejects.toMatchObject({
      code: 'MAIL_NOT_STORED',
    });
    expect(new Set(states(world))).toEqual(new Set(['canceled', 'rejected']));
  });

  test('are told of by id where they can no longer be taken back', async () => {
    const world = inMemoryPorts();
    const cancel = async () => Promise.reject(new AppError('MAIL_UNDER_WAY'));
    const failure = await send(world, mails(20), { ...failingFrom(world, 10), cancel }).catch(
      (error) => error,
    );
    expect(failure.code).toBe('PARTLY_ACCEPTED');
    const kept = world.rows().filter(({ state }) => state === 'queued');
    expect(kept.length).toBeGreaterThan(0);
    for (const { mailId } of kept.slice(0, 20)) expect(failure.facts.detail).toContain(mailId);
  });

  test('leave none to be sent where one of their keys is of another email, because repeating them would not help', async () => {
    const world = inMemoryPorts();
    const keyed = mails(3).map((one, number) => ({ ...one, idempotencyKey: `k-${number}` }));
    await send(world, keyed.slice(2));
    const changed = [...keyed.slice(0, 2), { ...mails(1, { text: 'Another' })[0], idempotencyKey: 'k-2' }];
    await expect(send(world, changed as typeof keyed)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(states(world)).toEqual(['canceled', 'canceled', 'queued']);
  });

  test('that are all canceled after a doubt are not in doubt', async () => {
    const world = inMemoryPorts();
    const put = async () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
    const replace = async () => Promise.reject(new AppError('STORAGE_UNAVAILABLE'));
    await expect(
      send(world, mails(2), {
        mailQueue: { ...world.needs.mailQueue, put },
        ledger: { ...world.needs.ledger, replace },
      }),
    ).rejects.toMatchObject({ code: 'MAIL_NOT_STORED' });
    expect(new Set(states(world))).toEqual(new Set(['canceled']));
  });

  test('can have the id that was made for one before', async () => {
    const world = inMemoryPorts();
    const mailId = world.needs.newMailId();
    const [first, second] = mails(2);
    const result = await send(world, [{ ...first, mailId }, { ...second }] as Parameters<typeof send>[1]);
    const ids = 'answers' in result ? result.answers.map(({ row }) => row.facts.mailId) : [];
    expect(ids[0]).toBe(mailId);
    expect(ids[1]).not.toBe(mailId);
  });

  test('with keys stay accepted, and repeating them completes the rest', async () => {
    const world = inMemoryPorts();
    const keyed = mails(20).map((one, number) => ({ ...one, idempotencyKey: `k-${number}` }));
    // Not that nothing was accepted: with other keys, what was accepted would be sent twice.
    await expect(send(world, keyed, failingFrom(world, 10))).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
    });
    expect(states(world)).toContain('queued');
    const result = await send(world, keyed);
    expect('answers' in result && result.answers.some(({ repeated }) => repeated)).toBe(true);
    expect(world.rows().length).toBe(20);
    expect(new Set(states(world))).toEqual(new Set(['queued']));
  });

  describe('and one key', () => {
    const keyed = (count: number, whole: string) =>
      mails(count).map((one, number) => ({
        ...one,
        whole,
        idempotencyKey: number === 0 ? 'k' : `k#${number}`,
      }));
    const idsOf = (result: Awaited<ReturnType<typeof send>>) =>
      'answers' in result ? result.answers.map(({ row }) => row.facts.mailId) : [];

    test('have the same ids when they are repeated', async () => {
      const world = inMemoryPorts();
      const first = await send(world, keyed(3, 'three'));
      expect(idsOf(await send(world, keyed(3, 'three')))).toEqual(idsOf(first));
      expect([idsOf(first).length, world.rows().length]).toEqual([3, 3]);
    });

    test.each([[4], [2], [1], [3]])(
      'are another request with the same key, of which nothing is accepted (%i)',
      async (count) => {
        const world = inMemoryPorts();
        await send(world, keyed(3, 'three'));
        await expect(send(world, keyed(count, 'other'))).rejects.toMatchObject({
          code: 'IDEMPOTENCY_KEY_REUSED',
        });
        expect(states(world)).toEqual(['queued', 'queued', 'queued']);
        // The three, and the first of the other request, which the ledger did not take.
        const created = world.effects.filter((effect) => effect === 'ledger.create queued');
        expect(created.length).toBe(4);
      },
    );

    test('are completed by a repetition, and not by another request, where storage failed between them', async () => {
      const world = inMemoryPorts();
      await expect(send(world, keyed(20, 'all'), failingFrom(world, 5))).rejects.toThrow(AppError);
      await expect(send(world, keyed(20, 'other'))).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
      await send(world, keyed(20, 'all'));
      expect(states(world)).toEqual(Array(20).fill('queued'));
    });

    test('are known by the relay when they come from the queue', async () => {
      const world = inMemoryPorts();
      await send(world, keyed(2, 'two'));
      expect(world.queued()).toMatchObject([{ kind: 'envelope' }, { kind: 'envelope' }]);
    });
  });

  test('accepted before under their keys are not refused afterwards, whatever the settings are now', async () => {
    const world = inMemoryPorts();
    const keyed = mails(2).map((one, number) => ({ ...one, idempotencyKey: `k-${number}` }));
    await send(world, keyed);
    const accept = {
      ...world.needs.accept,
      senderPolicy: { defaultSender: { address: 'other@contoso.example' }, allowedSenders: [] },
    };
    const result = await send(world, keyed, { accept });
    expect('answers' in result).toBe(true);
    expect(world.rows().length).toBe(2);
  });
});
